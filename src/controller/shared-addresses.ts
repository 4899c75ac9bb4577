/**
 * Who shares an address with whom, by address: a change of one machine costs the same however many there are.
 *
 * Nodes that exchange their addresses share one in between. So of nodes it is told only when it lasts. An external host's
 * addresses are an administrator's words, and what is wrong with them is told at once.
 * @module
 */
import type { Ip } from '../network/model/address.ts'
import type { Cluster } from '../network/model/cluster.ts'
import { Peers } from '../network/peers.ts'
import { type Claimant, claimsOf, sharedAddress } from '../network/shared-address.ts'

/** A machine and its addresses. */
export type Addressed = Omit<Claimant, 'ranges'>

/** Machines by their addresses. */
export class SharedAddresses {
  readonly #cluster: Pick<Cluster, 'underlay'>
  /** By all that they have. */
  readonly #all = new Peers<Claimant>()
  /** By those that nobody else should have. */
  readonly #own = new Peers<Claimant>()
  /** Nodes that shared one at the last look. */
  #seen: ReadonlySet<string> = new Set()
  /** Nodes that shared one at the last two looks. */
  #lasting: ReadonlySet<string> = new Set()

  constructor(cluster: Pick<Cluster, 'underlay'>) {
    this.#cluster = cluster
  }

  /** A machine is there, or changed. Returns the names of which something else may be to be told now. */
  put(machine: Addressed): readonly string[] {
    const claimant = { ...machine, ranges: [] }
    const own = { ...claimant, addresses: claimsOf(this.#cluster, claimant) }
    return this.#concerned([...this.#all.put(claimant), ...this.#own.put(own)])
  }

  /** A machine is gone. Returns as {@link put} does. */
  remove(name: string): readonly string[] {
    return this.#concerned([...this.#all.remove(name), ...this.#own.remove(name)])
  }

  /**
   * What to tell of a machine's addresses, for people: cause and remedy; undefined when nothing is wrong. `told` is what
   * was told before, perhaps by a controller before this one.
   */
  problemOf(machine: Addressed, told: string | undefined): string | undefined {
    const claimant = { ...machine, ranges: [] }
    const isNode = machine.machine.kind === 'node'
    const others = isNode
      ? this.#own.claimantsOf({ addresses: claimsOf(this.#cluster, claimant) })
      : this.#all.claimantsOf(machine)
    const found = sharedAddress(this.#cluster, claimant, others)
    if (found === undefined) return undefined
    const text = `${found.problem} (${found.remedy})`
    const isTold = !isNode || this.#lasting.has(machine.node) || told?.includes(text) === true
    return isTold ? text : undefined
  }

  /** To be called now and then. Returns the names of which something else is to be told now. */
  look(): readonly string[] {
    const now = new Set<string>()
    for (const address of this.#own.addresses()) {
      const nodes = this.#own.claimants(address).filter(({ machine }) => machine.kind === 'node')
      if (nodes.length > 1) for (const { node } of nodes) now.add(node)
    }
    const before = this.#lasting
    this.#lasting = now.intersection(this.#seen)
    this.#seen = now
    return [...this.#lasting.difference(before)]
  }

  #concerned(addresses: readonly Ip[]): readonly string[] {
    return [...new Set(this.#own.claimantsOf({ addresses }).map(({ node }) => node))]
  }
}
