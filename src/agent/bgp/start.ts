/**
 * A node's BGP, wired: what is read of the cluster for it.
 * @module
 */
import { wishedBgp } from '../../compat/calico/bgp/cluster.ts'
import type { InvalidObject, InvalidTeller } from '../../kube/invalid.ts'
import type { Registry } from '../../registry/registry.ts'
import { reflectKinds } from '../cluster/reflection.ts'
import { Bgp, type BgpParts } from './bgp.ts'
import { BgpWishes, type SharedInputs, type SharedNodes } from './objects.ts'
import { BGP_KINDS, unreadableProblems } from './unreadable.ts'

/** What is needed of the agent. */
export interface BgpStart extends Omit<BgpParts, 'wishes' | 'isForServices'> {
  readonly registry: Registry
  /** What the plan is made of, too. */
  readonly outside: SharedInputs
  /** What others ask for as well. */
  readonly nodes: SharedNodes
  /** Where the registry tells of objects that cannot be read. */
  readonly invalid: InvalidTeller | undefined
}

/**
 * Starts it. Nothing is told to anybody before all has been read that says whom and what. Where no BGP is wanted only what the plan is
 * made of is read of it: the BGPConfiguration and the IPPools; and Nodes, for pools.
 */
export function startBgp({ registry, outside, nodes, invalid, ...parts }: BgpStart): Bgp {
  let isReading = false
  const bgp: Bgp = new Bgp({
    ...parts,
    wishes: (base) => {
      if (!isReading) reflectKinds(registry, wishes.watchers, parts.problems, parts.signal, 'bgp-objects')
      isReading = true
      if (!wishes.isRead) return undefined
      const { cluster, problems } = wishedBgp(base, wishes)
      const spoilt = unreadableProblems(invalid?.unreadable ?? [], (kind, name) => wishes.has(kind, name))
      return { cluster, problems: [...spoilt, ...problems] }
    },
    isForServices: (node) => !wishes.isExcluded(node),
  })
  const wishes: BgpWishes = new BgpWishes(() => bgp.look(), outside, nodes)
  const look = ({ kind }: InvalidObject): void => {
    if (BGP_KINDS.some((one) => one === kind)) bgp.look()
  }
  const undo = invalid?.onInvalid(look, look)
  if (undo !== undefined) parts.signal.addEventListener('abort', undo, { once: true })
  return bgp
}
