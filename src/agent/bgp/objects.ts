/**
 * What administrators say of BGP, as the cluster has it: kept for whoever makes a plan of it.
 * @module
 */
import type { BgpObjects } from '../../compat/calico/bgp/cluster.ts'
import type { BgpFilter } from '../../network/fabric/bgp/model.ts'
import type { BgpConfiguration, BgpPeering, BgpRange } from '../../network/model/bgp.ts'
import type { Node } from '../../network/model/node.ts'
import type { Watchers } from '../cluster/reflection.ts'
import type { Watcher } from '../cluster/watcher.ts'
import { BGP_KINDS, type BgpKind } from './unreadable.ts'

const KINDS = [...BGP_KINDS, 'Node'] as const

/** Kubernetes' own label for nodes that balancers outside leave alone, whatever its value. */
const EXCLUDED = 'node.kubernetes.io/exclude-from-external-load-balancers'

/** Objects of BGP. `changed` is called when they are others. */
export class BgpWishes implements BgpObjects {
  readonly watchers: Watchers
  readonly #unread = new Set<string>(KINDS)
  readonly #configurations = new Map<string, BgpConfiguration>()
  readonly #peerings = new Map<string, BgpPeering>()
  readonly #filters = new Map<string, BgpFilter>()
  readonly #ranges = new Map<string, BgpRange>()
  readonly #nodes = new Map<string, Node>()

  constructor(changed: () => void) {
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
      BgpConfiguration: watcher('BgpConfiguration', this.#configurations),
      BgpFilter: watcher('BgpFilter', this.#filters),
      BgpPeering: watcher('BgpPeering', this.#peerings),
      BgpRange: watcher('BgpRange', this.#ranges),
      Node: watcher('Node', this.#nodes),
    }
  }

  /** Whether there is an object that counts. */
  has(kind: BgpKind, name: string): boolean {
    const maps = {
      BgpConfiguration: this.#configurations,
      BgpFilter: this.#filters,
      BgpPeering: this.#peerings,
      BgpRange: this.#ranges,
    }
    return maps[kind].has(name)
  }

  /** Every kind has been read: half of what is said would be another cluster than the one that is meant. */
  get isRead(): boolean {
    return this.#unread.size === 0
  }

  /** Whether balancers outside are to leave a node alone, as its label says. */
  isExcluded(node: string): boolean {
    return this.#nodes.get(node)?.labels?.[EXCLUDED] !== undefined
  }

  get configuration(): BgpConfiguration {
    return this.#configurations.get('default') ?? { name: 'default' }
  }

  get peerings(): Iterable<BgpPeering> {
    return this.#peerings.values()
  }

  get filters(): Iterable<BgpFilter> {
    return this.#filters.values()
  }

  get ranges(): Iterable<BgpRange> {
    return this.#ranges.values()
  }

  get nodes(): Iterable<Node> {
    return this.#nodes.values()
  }
}
