/**
 * Nodes that are gone, and ports of ours that belong to none. Nothing goes that was seen so only once (docs/adr/0038).
 * @module
 */
import type { Port } from '../../openstack/neutron/model.ts'
import type { Cloud } from './cloud.ts'
import { clusterTags, hasTags, nodeTags } from './ours.ts'
import { eachOf } from './reserved.ts'

/** Milliseconds between the two sightings at least. */
export const GONE_AFTER_MS = 600_000

/** What was seen, and since when. */
export class Sightings {
  readonly #since = new Map<string, number>()
  readonly #after: number

  constructor(after = GONE_AFTER_MS) {
    this.#after = after
  }

  /** These are so now; the others are not. */
  see(names: Iterable<string>, now: number): void {
    const seen = new Set(names)
    for (const name of this.#since.keys()) if (!seen.has(name)) this.#since.delete(name)
    for (const name of seen) if (!this.#since.has(name)) this.#since.set(name, now)
  }

  /** Whether it was so at the first of two sightings, and still is. */
  isConfirmed(name: string, now: number): boolean {
    const since = this.#since.get(name)
    return since !== undefined && now - since >= this.#after
  }
}

/** Ports of this cluster's that belong to no node that is known once they are listed: one may have come in the meantime. */
export async function findStrays(
  cloud: Cloud,
  cluster: string,
  nodes: () => ReadonlySet<string>,
): Promise<readonly Port[]> {
  const all = await cloud.neutron.ports.list({ tags: clusterTags(cluster) })
  return straysOf(all, cluster, nodes())
}

/** Those ports that are this cluster's and of none of these nodes. */
export function straysOf(ports: readonly Port[], cluster: string, nodes: Iterable<string>): readonly Port[] {
  const known = new Set([...nodes].map((node) => nodeTags({ cluster, node }).at(-1)))
  return ports.filter((port) => hasTags(port, clusterTags(cluster)) && !port.tags.some((tag) => known.has(tag)))
}

/** Deletes those ports that still belong to nobody when their turn comes. One that is still on a trunk is left there, and told of. */
export async function deleteStrays(
  cloud: Cloud,
  ports: readonly Port[],
  { isStray: isStill, tell }: { readonly isStray: (port: Port) => boolean; readonly tell: (message: string) => void },
): Promise<void> {
  cloud.quotaChanged()
  await eachOf(ports, async (port) => {
    if (!isStill(port)) return
    try {
      await cloud.neutron.ports.delete(port.id)
      tell(`port ${port.id} (${port.name}) of a node that is gone is deleted`)
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error))
    }
  })
}
