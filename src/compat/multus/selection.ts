/**
 * What a pod asks for by annotation: networks by name, and what it wishes of each (Network Plumbing Working Group,
 * "Kubernetes Network Custom Resource Definition De-facto Standard" 1.3, section 4; Multus 4).
 * @module
 */
import type { JsonObject } from '../../cni/json.ts'
import type { Ip } from '../../network/model/address.ts'

/** Networks besides the cluster's. */
export const NETWORKS = 'k8s.v1.cni.cncf.io/networks'
/** A network in place of the cluster's. */
export const DEFAULT_NETWORK = 'v1.multus-cni.io/default-network'

/** One network that a pod asks for. Written by tenants; of good form, and nothing more is known. */
export interface NetworkSelection {
  readonly namespace: string
  readonly name: string
  readonly place: Place
  /** The interface's name in the pod. Absent: by its number. */
  readonly ifname?: string
  /** By capability, as a runtime would have it in `runtimeConfig`: `mac`, `ips`, `bandwidth`, `portMappings`, … */
  readonly wishes: JsonObject
  /** To be merged into `args.cni` of every plugin's configuration. */
  readonly cniArgs?: JsonObject
  /** Gateways of the pod's default routes; none: this network's own default routes are the pod's. Absent: not asked for. */
  readonly defaultRoute?: readonly Ip[]
}

/** Where a network was asked for, so that an error can name it. */
export interface Place {
  readonly annotation: string
  /** Which one of the annotation, from 0. */
  readonly element: number
}

/** What the fields of an annotation's element are called by in `runtimeConfig`. */
export const CAPABILITY_OF_FIELD = {
  mac: 'mac',
  ips: 'ips',
  bandwidth: 'bandwidth',
  portMappings: 'portMappings',
  'infiniband-guid': 'infinibandGUID',
  deviceID: 'deviceID',
} as const

/** The field of an annotation's element that a capability is asked for by. */
export function fieldOf(capability: string): string {
  const found = Object.entries(CAPABILITY_OF_FIELD).find(([, name]) => name === capability)
  return found?.[0] ?? capability
}
