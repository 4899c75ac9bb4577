/**
 * What a guest is told of a cloud on the machine that runs it.
 * @module
 */

/** Machines to be started, and where the cloud is. */
export interface ModesPlan {
  readonly id: string
  /** The master first. */
  readonly machines: readonly PlannedMachine[]
  /** Ports of the loopback that Keystone and Neutron listen on. */
  readonly services: readonly number[]
  /** Ports of the loopback that lead to OVN's databases. */
  readonly databases: Readonly<Record<'nb' | 'sb', number>>
}

/** A machine, and its port in the cloud. */
export interface PlannedMachine {
  readonly name: string
  readonly portId: string
  readonly networkId: string
  readonly address: string
}
