/**
 * The pods a playground begins with: two tenants and a global namespace, spread so that every kind of pair exists.
 * @module
 */

/** A pod to be made. */
export interface PodSpec {
  readonly namespace: string
  readonly name: string
  readonly node: string
}

/**
 * The demo's pods for so many nodes. With two nodes or more, both tenants have a pair on one node and a pair across
 * nodes, and every node that carries a pod of one tenant carries one of the other or of the global namespace.
 */
export function demoPods(nodes: number): readonly PodSpec[] {
  return PODS.map(([namespace, name, place]) => ({ namespace, name, node: `node${((place - 1) % nodes) + 1}` }))
}

/** Namespaces of the demo, besides the ones every cluster has. */
export const DEMO_NAMESPACES: readonly string[] = ['default', 'kube-system', 'shop', 'bank']

/** Services of the demo, each in front of all pods of its namespace. */
export const DEMO_SERVICES: readonly (readonly [namespace: string, name: string])[] = [
  ['shop', 'shop'],
  ['bank', 'bank'],
  ['default', 'monitor'],
]

const PODS: readonly (readonly [namespace: string, name: string, node: number])[] = [
  ['shop', 'web', 1],
  ['shop', 'cart', 1],
  ['shop', 'db', 2],
  ['bank', 'ledger', 1],
  ['bank', 'teller', 2],
  ['bank', 'vault', 3],
  ['default', 'monitor', 3],
]
