/**
 * A node's plan is built of fragments: one per remote machine, address of such, endpoint, tenant, service, and one for
 * what every node has.
 * An event recomputes its fragment and no other, so its cost does not grow with the cluster.
 * @module
 */
import type { Flow, Group } from '../../flow/flow.ts'
import type { Ip } from '../model/address.ts'

/** What a switch holds, or should hold. */
export interface SwitchTables {
  readonly flows: readonly Flow[]
  readonly groups: readonly Group[]
}

/** The flows and groups that one object causes. */
export interface Fragment extends SwitchTables {
  /** `base`, `node/<name>`, `address/<address>`, `endpoint/<container>/<interface>`, `vni/<number>`, `service/<namespace>/<name>`. */
  readonly key: string
  /** For people: `pod shop/web-1`, `node node2`. */
  readonly title: string
}

/** Nothing at all. */
export const NO_TABLES: SwitchTables = { flows: [], groups: [] }

/** The fragment every node has. */
export const BASE_KEY = 'base'

/** The key of a remote machine's fragment. */
export function peerKey(node: string): string {
  return `node/${node}`
}

/** The key of the fragment of a remote machine's address. */
export function addressKey(address: Ip): string {
  return `address/${address}`
}

/** The key of an endpoint's fragment. */
export function endpointKey(id: string): string {
  return `endpoint/${id}`
}

/** The key of a VNI's fragment. */
export function vniKey(vni: number): string {
  return `vni/${vni}`
}

/** The key of a service's fragment. The service goes by `<namespace>/<name>`. */
export function serviceFragmentKey(service: string): string {
  return `service/${service}`
}
