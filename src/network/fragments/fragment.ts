/**
 * A node's plan is built of fragments: one per remote node, endpoint, tenant, and one for what every node has. An event
 * recomputes its fragment and no other, so its cost does not grow with the cluster.
 * @module
 */
import type { Flow } from '../../flow/flow.ts'

/** The flows that one object causes. */
export interface Fragment {
  /** `base`, `node/<name>`, `endpoint/<container>/<interface>`, `vni/<number>`. */
  readonly key: string
  /** For people: `pod shop/web-1`, `node node2`. */
  readonly title: string
  readonly flows: readonly Flow[]
}

/** The fragment every node has. */
export const BASE_KEY = 'base'

/** The key of a remote node's fragment. */
export function peerKey(node: string): string {
  return `node/${node}`
}

/** The key of an endpoint's fragment. */
export function endpointKey(id: string): string {
  return `endpoint/${id}`
}

/** The key of a VNI's fragment. */
export function vniKey(vni: number): string {
  return `vni/${vni}`
}
