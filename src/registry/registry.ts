/**
 * Shared state as the daemons know it: list, watch, compare-and-swap over the model. They know this interface, not
 * Kubernetes or etcd; every implementation passes the same conformance suite.
 * @module
 */
import type { BgpFilter } from '../network/fabric/bgp/model.ts'
import type { BgpConfiguration, BgpPeering, BgpRange } from '../network/model/bgp.ts'
import type { Cluster } from '../network/model/cluster.ts'
import type { AttachmentDefinition, Coordinator } from '../network/model/definition.ts'
import type { NetworkSet, NetworkSetKind } from '../network/model/network-set.ts'
import type { NeutronNetwork, NodePorts, PortUse } from '../network/model/neutron.ts'
import type { Node, NodeNetwork, NodeNetworkStatus } from '../network/model/node.ts'
import type { Namespace, Pod } from '../network/model/pod.ts'
import type { Policy, PolicyKind } from '../network/model/policy.ts'
import type { AddressClaim, AddressPool, ReservedAddresses } from '../network/model/pool.ts'
import type { EndpointSlice, Service } from '../network/model/service.ts'
import type { Tenant } from '../network/model/tenant.ts'

/** What is kept of policies under each kind that holds them. Named `<namespace>/<name>`, or `<name>` where there is no namespace. */
type PolicyKinds = { readonly [K in PolicyKind]: Policy }

/** Likewise of sets of networks. */
type NetworkSetKinds = { readonly [K in NetworkSetKind]: NetworkSet }

/** What is kept under each kind. Names are unique within a kind. */
export interface Kinds extends PolicyKinds, NetworkSetKinds {
  /** One object, `default`. */
  readonly Cluster: Cluster
  readonly Node: Node
  /** Named as its node. */
  readonly NodeNetwork: NodeNetwork
  readonly Namespace: Namespace
  /** Named as its namespace. */
  readonly Tenant: Tenant
  /** Named `<namespace>/<name>`. */
  readonly Pod: Pod
  /** Named `<namespace>/<name>`. */
  readonly Service: Service
  /** Named `<namespace>/<name>`. */
  readonly EndpointSlice: EndpointSlice
  readonly AddressPool: AddressPool
  readonly ReservedAddresses: ReservedAddresses
  /** Named as its address has it (`claimName`): creating one is how an address is taken. */
  readonly AddressClaim: AddressClaim
  /** Named `<namespace>/<name>`. */
  readonly AttachmentDefinition: AttachmentDefinition
  readonly Coordinator: Coordinator
  /** The one called `default` counts. */
  readonly BgpConfiguration: BgpConfiguration
  readonly BgpFilter: BgpFilter
  readonly BgpPeering: BgpPeering
  readonly BgpRange: BgpRange
  readonly NeutronNetwork: NeutronNetwork
  /** Named as its node, as {@link PortUse} is. */
  readonly NodePorts: NodePorts
  readonly PortUse: PortUse
}

/** The name of a kind. */
export type Kind = keyof Kinds

/** An object with the revision at which it was last written. Revisions only grow, across all kinds. */
export interface Stored<K extends Kind> {
  readonly name: string
  readonly revision: number
  readonly value: Kinds[K]
}

/**
 * What happened to an object. A deletion carries the object as it last was, at the revision of the deletion: a watch
 * that goes on after a change's revision misses nothing and repeats nothing.
 */
export type Change<K extends Kind> =
  | { readonly type: 'put'; readonly object: Stored<K> }
  | { readonly type: 'delete'; readonly object: Stored<K> }
  /** Nothing happened up to this revision: lets a watcher resume from here. */
  | { readonly type: 'bookmark'; readonly revision: number }

/** A kind's objects at a revision from which a watch can go on without a gap. */
export interface Listing<K extends Kind> {
  readonly revision: number
  readonly objects: readonly Stored<K>[]
}

/** Shared state. Every call may throw a {@link RegistryError}. */
export interface Registry {
  get<K extends Kind>(kind: K, name: string): Promise<Stored<K> | undefined>
  /**
   * All objects of a kind, as they are now; with `atLeast`, as they were at that revision or at any later one, which may
   * be cheaper: what the caller wrote since may be missing. With `name`, only the object of that name, if it is there.
   */
  list<K extends Kind>(kind: K, atLeast?: number, name?: string): Promise<Listing<K>>
  /**
   * Every change after `after`, in order, until `signal` aborts. Throws `REGISTRY_EXPIRED` when the history no longer
   * reaches back that far: list again. With `name`, only what happens to the object of that name; what it costs does not grow
   * with the kind then, where the place can select.
   */
  watch<K extends Kind>(kind: K, after: number, signal: AbortSignal, name?: string): AsyncIterable<Change<K>>
  /** Throws `REGISTRY_EXISTS` when the name is taken. */
  create<K extends Kind>(kind: K, name: string, value: Kinds[K]): Promise<Stored<K>>
  /** Throws `REGISTRY_CONFLICT` when the object changed since `revision`, `REGISTRY_NOT_FOUND` when it is gone. */
  update<K extends Kind>(kind: K, name: string, value: Kinds[K], revision: number): Promise<Stored<K>>
  /** Deletes at `revision`, or whatever is there. Throws as {@link update} does. */
  delete(kind: Kind, name: string, revision?: number): Promise<void>
  /**
   * Tells what a node's agent says of itself, where agents may not write NodeNetworks: the controller copies it there.
   * Absent: it is written into the NodeNetwork.
   */
  report?(network: NodeNetwork, status: NodeNetworkStatus): Promise<void>
}

/** The ways a call can fail. Only `REGISTRY_UNAVAILABLE` is worth repeating unchanged. */
export type RegistryErrorCode =
  | 'REGISTRY_NOT_FOUND'
  | 'REGISTRY_EXISTS'
  | 'REGISTRY_CONFLICT'
  | 'REGISTRY_EXPIRED'
  | 'REGISTRY_INVALID'
  | 'REGISTRY_UNAVAILABLE'
  | 'REGISTRY_FENCED'

/** A call on shared state that failed. */
export class RegistryError extends Error {
  readonly code: RegistryErrorCode

  constructor(code: RegistryErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RegistryError'
    this.code = code
  }
}
