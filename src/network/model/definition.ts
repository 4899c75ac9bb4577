/**
 * Networks that pods are attached to by name, and how pods on them reach what is behind their node.
 * @module
 */
import type { Cidr, Ip } from './address.ts'

/** The most characters of a configuration. */
export const MAX_CONFIG = 65_536

/** Stands where a configuration cannot be kept, being too long or no text. It is none: whoever reads it refuses the pod. */
export const CONFIG_UNREADABLE = '"no text, or longer than anybody reads"'

/** A NetworkAttachmentDefinition: a CNI configuration with a name in a namespace. Written by tenants; never trusted. */
export interface AttachmentDefinition {
  readonly namespace: string
  readonly name: string
  /** The JSON of a CNI configuration or list, as it is written; empty: a file of the node has that name. */
  readonly config: string
  /** Annotation `k8s.v1.cni.cncf.io/resourceName`. */
  readonly resourceName?: string
}

/** How a coordinator finds the ranges of pods. */
export type PodCidrType = 'auto' | 'cluster' | 'calico' | 'cilium' | 'none'

/** A SpiderCoordinator: what the coordinator plugin does unless its own configuration says otherwise. */
export interface Coordinator {
  readonly name: string
  readonly mode: 'auto' | 'underlay' | 'overlay' | 'disabled'
  readonly podCidrType: PodCidrType
  /** To be reached by way of the node, besides services and overlay pods. */
  readonly hijack: readonly Cidr[]
  readonly policyRoutes: readonly { readonly destination: Cidr; readonly gateway: Ip }[]
  /** `xx:yy`; empty: MAC addresses stay. */
  readonly macPrefix: string
  readonly tunePodRoutes: boolean
  /** Empty: the pod's first interface keeps the default route. */
  readonly defaultRouteNic: string
  readonly hostRuleTable: number
  /** 0, 1 or 2; below 0: left alone. */
  readonly podRpFilter: number
  readonly txQueueLength: number
  readonly vethLinkAddress?: Ip
  readonly vethMtu: number
  readonly detectsConflicts: boolean
  readonly detectsGateway: boolean
  /** Written by the controller. Absent: nobody has looked yet. */
  readonly status?: CoordinatorStatus
}

/** What is known of the cluster's ranges. While they are not known, no pod is attached by a coordinator. */
export type CoordinatorStatus =
  | { readonly phase: 'Synced'; readonly overlayPods: readonly Cidr[]; readonly services: readonly Cidr[] }
  | { readonly phase: 'NotReady'; readonly reason: string }
