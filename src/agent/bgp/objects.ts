/**
 * What administrators say of BGP, as the cluster has it: kept for whoever makes a plan of it.
 * @module
 */
import type { BgpObjects } from '../../compat/calico/bgp/cluster.ts'
import type { BgpFilter } from '../../network/fabric/bgp/model.ts'
import type { BgpConfiguration, BgpPeering, BgpRange } from '../../network/model/bgp.ts'
import type { Node } from '../../network/model/node.ts'
import type { NodesView } from '../cluster/nodes-view.ts'
import type { OutsideInputs } from '../cluster/outside-inputs.ts'
import type { Watchers } from '../cluster/reflection.ts'
import type { Watcher } from '../cluster/watcher.ts'
import type { BgpKind } from './unreadable.ts'

/** What is read where BGP is wanted. The configuration and the ranges are of the plan, too, and read for that; Nodes for pools, too. */
const KINDS = ['BgpFilter', 'BgpPeering'] as const

/** Kubernetes' own label for nodes that balancers outside leave alone, whatever its value. */
const EXCLUDED = 'node.kubernetes.io/exclude-from-external-load-balancers'

/** What the plan is made of, too. It has all been read before there is a plan. */
export type SharedInputs = Pick<OutsideInputs, 'configuration' | 'ranges' | 'has' | 'listen'>

/** The cluster's Nodes, which others ask for as well. */
export type SharedNodes = Pick<NodesView, 'get' | 'values' | 'isRead' | 'listen'>

/** Objects of BGP. `changed` is called when they are others. */
export class BgpWishes implements BgpObjects {
  readonly watchers: Watchers
  readonly #unread = new Set<string>(KINDS)
  readonly #outside: SharedInputs
  readonly #peerings = new Map<string, BgpPeering>()
  readonly #filters = new Map<string, BgpFilter>()
  readonly #nodes: SharedNodes

  constructor(changed: () => void, outside: SharedInputs, nodes: SharedNodes) {
    this.#outside = outside
    this.#nodes = nodes
    for (const shared of [outside, nodes]) {
      shared.listen(() => {
        if (this.isRead) changed()
      })
    }
    const watcher = <T extends { readonly name: string }>(
      kind: (typeof KINDS)[number],
      map: Map<string, T>,
    ): Watcher<T> => ({
      put: (value) => {
        map.set(value.name, value)
        if (this.isRead) changed()
      },
      remove: (name) => {
        map.delete(name)
        if (this.isRead) changed()
      },
      read: () => {
        this.#unread.delete(kind)
        if (this.isRead) changed()
      },
    })
    this.watchers = {
      BgpFilter: watcher('BgpFilter', this.#filters),
      BgpPeering: watcher('BgpPeering', this.#peerings),
    }
  }

  /** Whether there is an object that counts. */
  has(kind: BgpKind, name: string): boolean {
    if (kind === 'BgpConfiguration' || kind === 'BgpRange') return this.#outside.has(kind, name)
    const maps = { BgpFilter: this.#filters, BgpPeering: this.#peerings }
    return maps[kind].has(name)
  }

  /** All of it has been read but what is of the plan: half of what is said would be another cluster than the one that is meant. */
  get isRead(): boolean {
    return this.#unread.size === 0 && this.#nodes.isRead
  }

  /** Whether balancers outside are to leave a node alone, as its label says. */
  isExcluded(node: string): boolean {
    return this.#nodes.get(node)?.labels?.[EXCLUDED] !== undefined
  }

  get configuration(): BgpConfiguration {
    return this.#outside.configuration ?? { name: 'default' }
  }

  get peerings(): Iterable<BgpPeering> {
    return this.#peerings.values()
  }

  get filters(): Iterable<BgpFilter> {
    return this.#filters.values()
  }

  get ranges(): Iterable<BgpRange> {
    return this.#outside.ranges
  }

  get nodes(): Iterable<Node> {
    return this.#nodes.values()
  }
}
