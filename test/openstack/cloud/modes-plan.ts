/**
 * What a guest is told of the cloud around it, and what it asks of that.
 * @module
 */
import type { Addressing } from './links.ts'

/** Nodes in a guest, each a machine in the cloud, and where the cloud is. */
export interface ModesPlan {
  readonly id: string
  readonly nodes: readonly PlannedNode[]
  /** The address of a machine outside. */
  readonly master: string
  /** Keystone's, on the loopback of the machine that runs the guest, as all that is here. */
  readonly authUrl: string
  /** Ports that Keystone and Neutron listen on. */
  readonly services: readonly number[]
  /** The port that answers {@link Questions}: `POST /question` with JSON. */
  readonly outside: number
}

/** A node, and its port in the cloud: the guest has a card with that port's MAC address. */
export interface PlannedNode {
  readonly name: string
  readonly portId: string
  readonly networkId: string
  readonly addressing: Addressing
}

/** What the guest asks of those outside. */
export interface Questions {
  /** Plugs the cards of the guest's nodes into their chassis; answered once their ports are up. */
  plug(): Promise<void>
  /** Whether an address answers the master. */
  masterReaches(address: string): Promise<boolean>
  /** From now on it is kept what chassis send to each other. */
  capture(): Promise<void>
  /** What packets between two addresses were made of since; the capture ends. */
  layersBetween(one: string, other: string): Promise<readonly string[]>
  /** How OVN has bound the port of a network that has an address. */
  binding(networkId: string, address: string): Promise<Binding>
}

/** A row of OVN's table Port_Binding. */
export interface Binding {
  /** The port's ID in Neutron, as others here. */
  readonly portId: string
  /** Empty for a port as most are. */
  readonly type: string
  /** Empty without. */
  readonly parent: string
  readonly virtualParent: string
  readonly hasChassis: boolean
}
