/**
 * The playground's cluster in its registry, written as the users of an API server write it, and read for the table.
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { Ip } from '../network/model/address.ts'
import type { Pod } from '../network/model/pod.ts'
import type { Kind, Kinds, Registry } from '../registry/registry.ts'
import { RegistryError } from '../registry/registry.ts'
import type { Surroundings } from './checks.ts'
import { DEMO_NAMESPACES, type PodSpec } from './demo.ts'
import { PlaygroundError } from './errors.ts'
import { podKey } from './expect.ts'
import { type Layout, nodeLayouts, outsideAddress } from './layout.ts'
import { clusterOf, type Shape } from './options.ts'

/** Writes the cluster, its nodes and the demo's namespaces. */
export async function writeCluster(registry: Registry, layout: Layout, shape: Shape): Promise<void> {
  await ensure(registry, 'Cluster', 'default', clusterOf(shape))
  for (const { name, addresses } of nodeLayouts(layout, shape.nodes)) {
    await ensure(registry, 'Node', name, { name, uid: randomUUID(), addresses })
  }
  for (const name of DEMO_NAMESPACES) await ensure(registry, 'Namespace', name, { name, uid: randomUUID() })
}

/** Writes a pod that has no addresses yet. Throws PLAY_EXISTS, PLAY_NOT_FOUND. */
export async function writePod(registry: Registry, { namespace, name, node }: PodSpec): Promise<Pod> {
  if ((await registry.get('Namespace', namespace)) === undefined) {
    throw new PlaygroundError(
      'PLAY_NOT_FOUND',
      `there is no namespace ${namespace}`,
      `\`weft play namespace add ${namespace}\``,
    )
  }
  if ((await registry.get('Node', node)) === undefined) {
    const names = (await registry.list('Node')).objects.map((each) => each.name)
    throw new PlaygroundError('PLAY_NOT_FOUND', `there is no node ${node}`, `take one of ${names.join(', ')}`)
  }
  const pod: Pod = { namespace, name, uid: randomUUID(), node, addresses: [] }
  try {
    await registry.create('Pod', podKey(pod), pod)
    return pod
  } catch (error) {
    if (!isCode(error, 'REGISTRY_EXISTS')) throw error
    throw new PlaygroundError(
      'PLAY_EXISTS',
      `there is a pod ${podKey(pod)} already`,
      `\`weft play pod delete ${podKey(pod)}\``,
    )
  }
}

/** Writes the addresses that a pod got. */
export async function writePodAddresses(registry: Registry, pod: Pod, addresses: readonly Ip[]): Promise<void> {
  const stored = await registry.get('Pod', podKey(pod))
  if (stored === undefined) return
  await registry.update('Pod', podKey(pod), { ...stored.value, addresses }, stored.revision)
}

/** Removes an object; removing what is not there is fine. */
export async function forget(registry: Registry, kind: Kind, name: string): Promise<void> {
  try {
    await registry.delete(kind, name)
  } catch (error) {
    if (!isCode(error, 'REGISTRY_NOT_FOUND')) throw error
  }
}

/** Creates an object unless it is there. */
export async function ensure<K extends Kind>(
  registry: Registry,
  kind: K,
  name: string,
  value: Kinds[K],
): Promise<void> {
  try {
    await registry.create(kind, name, value)
  } catch (error) {
    if (!isCode(error, 'REGISTRY_EXISTS')) throw error
  }
}

/** The cluster as it is now. Throws PLAY_NOT_RUNNING where there is none. */
export async function readSurroundings(registry: Registry): Promise<Surroundings> {
  const [cluster, pods, tenants, nodes] = await Promise.all([
    registry.get('Cluster', 'default'),
    registry.list('Pod'),
    registry.list('Tenant'),
    registry.list('NodeNetwork'),
  ])
  if (cluster === undefined) {
    throw new PlaygroundError('PLAY_NOT_RUNNING', 'the registry holds no cluster', '`weft play down`, then `weft play`')
  }
  return {
    cluster: cluster.value,
    pods: values(pods).toSorted((a, b) => podKey(a).localeCompare(podKey(b))),
    tenants: values(tenants),
    nodes: values(nodes).toSorted((a, b) => a.node.localeCompare(b.node, 'en', { numeric: true })),
    outside: [outsideAddress(4), outsideAddress(6)],
  }
}

function values<T>({ objects }: { readonly objects: readonly { readonly value: T }[] }): readonly T[] {
  return objects.map(({ value }) => value)
}

function isCode(error: unknown, code: RegistryError['code']): boolean {
  return error instanceof RegistryError && error.code === code
}
