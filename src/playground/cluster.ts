/**
 * The playground's cluster as its API server has it, read for the picture and the table.
 * @module
 */
import type { Registry } from '../registry/registry.ts'
import { playApi, playRegistry } from './api-client.ts'
import type { Surroundings } from './checks.ts'
import { PlaygroundError } from './errors.ts'
import { podKey } from './expect.ts'
import { type Layout, outsideAddress } from './layout.ts'

/** Pods in here are the cluster's own: they belong to no tenant's table. */
const OWN_NAMESPACE = 'kube-system'

/** A playground's cluster as it is now. Throws PLAY_NOT_RUNNING where there is none. */
export async function surroundings(layout: Layout): Promise<Surroundings> {
  const api = playApi(layout)
  try {
    return await readSurroundings(playRegistry(api))
  } finally {
    api.close()
  }
}

/**
 * The cluster as a registry has it: its nodes, not the hosts outside it, which are no machines of the playground. Throws
 * PLAY_NOT_RUNNING where there is none.
 */
export async function readSurroundings(registry: Registry): Promise<Surroundings> {
  const [cluster, pods, tenants, nodes] = await Promise.all([
    registry.get('Cluster', 'default'),
    registry.list('Pod'),
    registry.list('Tenant'),
    registry.list('NodeNetwork'),
  ])
  if (cluster === undefined) {
    throw new PlaygroundError(
      'PLAY_NOT_RUNNING',
      'the API server holds no cluster',
      '`weft play down`, then `weft play`',
    )
  }
  return {
    cluster: cluster.value,
    pods: values(pods)
      .filter(({ namespace, addresses }) => namespace !== OWN_NAMESPACE && addresses.length > 0)
      .toSorted((a, b) => podKey(a).localeCompare(podKey(b))),
    tenants: values(tenants),
    nodes: values(nodes)
      .filter(({ machine }) => machine.kind === 'node')
      .toSorted((a, b) => a.node.localeCompare(b.node, 'en', { numeric: true })),
    outside: [outsideAddress(4), outsideAddress(6)],
  }
}

function values<T>({ objects }: { readonly objects: readonly { readonly value: T }[] }): readonly T[] {
  return objects.map(({ value }) => value)
}
