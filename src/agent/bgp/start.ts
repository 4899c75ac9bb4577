/**
 * A node's BGP, wired: what is read of the cluster for it.
 * @module
 */
import { wishedBgp } from '../../compat/calico/bgp/cluster.ts'
import type { Registry } from '../../registry/registry.ts'
import { reflectKinds } from '../cluster/reflection.ts'
import { Bgp, type BgpParts } from './bgp.ts'
import { BgpWishes } from './objects.ts'

/** What is needed of the agent. */
export interface BgpStart extends Omit<BgpParts, 'wishes' | 'isForServices'> {
  readonly registry: Registry
}

/**
 * Starts it. Nothing is told to anybody before all has been read that says whom and what; where no BGP is wanted nothing of it is
 * read.
 */
export function startBgp({ registry, ...parts }: BgpStart): Bgp {
  let isReading = false
  const bgp: Bgp = new Bgp({
    ...parts,
    wishes: (base) => {
      if (!isReading) reflectKinds(registry, wishes.watchers, parts.problems, parts.signal, 'bgp-objects')
      isReading = true
      return wishes.isRead ? wishedBgp(base, wishes) : undefined
    },
    isForServices: (node) => !wishes.isExcluded(node),
  })
  const wishes: BgpWishes = new BgpWishes(() => bgp.look())
  return bgp
}
