/**
 * A service: a stable address in front of pods that come and go.
 * @module
 */
import type { Ip } from './address.ts'

/** The transports a service can carry. */
export type Protocol = 'TCP' | 'UDP' | 'SCTP'

/** One port of a service. */
export interface ServicePort {
  /** Ties the port to those of the same name in endpoint slices; empty when it is the only one. */
  readonly name: string
  readonly protocol: Protocol
  readonly port: number
  /** The port that every node publishes it under. */
  readonly nodePort?: number
}

/** Which endpoints may serve: any in the cluster, or those on the node that a client meets. */
export type TrafficPolicy = 'Cluster' | 'Local'

/** A service that has addresses of its own; headless ones concern DNS alone. */
export interface Service {
  readonly namespace: string
  readonly name: string
  /** At most one of each family; empty while none is given out, or for a headless service. */
  readonly clusterIps: readonly Ip[]
  /** Addresses that the service's owner says it has outside; whoever writes services can claim any. */
  readonly externalIps?: readonly Ip[]
  /** Addresses that a load balancer's controller gave it. */
  readonly loadBalancerIps?: readonly Ip[]
  readonly ports: readonly ServicePort[]
  /** Seconds for which a client keeps its endpoint; absent: every connection is free to choose. */
  readonly affinitySeconds?: number
  /** For clients inside the cluster. */
  readonly internalPolicy: TrafficPolicy
  /** For clients outside, who come by a node port. */
  readonly externalPolicy: TrafficPolicy
}

/** One port of the endpoints of a slice. */
export interface EndpointPort {
  readonly name: string
  readonly protocol: Protocol
  readonly port: number
}

/** One backend of a service. */
export interface ServiceEndpoint {
  readonly address: Ip
  /** May get new connections. */
  readonly ready: boolean
  /** Still answers, though it may be about to end. */
  readonly serving: boolean
  readonly terminating: boolean
  /** The node it runs on; absent for a machine outside the cluster. */
  readonly node?: string
}

/** A part of a service's backends, all of one family. */
export interface EndpointSlice {
  readonly namespace: string
  readonly name: string
  /** The service's name, in the same namespace. */
  readonly service: string
  readonly ports: readonly EndpointPort[]
  readonly endpoints: readonly ServiceEndpoint[]
}

/** The name that services and slices are known by: `<namespace>/<name>`. */
export function serviceKey(namespace: string, name: string): string {
  return `${namespace}/${name}`
}
