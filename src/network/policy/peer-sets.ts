/**
 * Sets of peers as the switch knows them: each has a number, and every address in it a flow that says so. Rules with the
 * same peers share a set, and an address has one flow however many sets it is in, so flows grow with addresses plus
 * rules and never with their product.
 * @module
 */
import type { Flow, Match } from '../../flow/flow.ts'
import { BITS, type Cidr, familyOf, firstIp, prefixLength } from '../model/address.ts'
import type { Direction } from '../model/policy.ts'
import { flowsOf, holds, ipPacket } from '../pipeline/build.ts'
import { StableIds } from '../pipeline/stable-ids.ts'
import { clauseParts } from './conjunction.ts'
import type { GroupSpec } from './group-members.ts'
import type { Group, Groups, GroupUser } from './groups.ts'
import type { Level } from './levels.ts'

/** A set of peers at a level. `id` is what flows call it by (`conj_id`). */
export interface PeerSet {
  readonly id: number
  readonly level: Level
}

interface State extends PeerSet {
  readonly name: string
  readonly groups: Group[]
  readonly addresses: Map<Cidr, number>
  readonly user: GroupUser
  uses: number
}

/** The sets of peers that count on this node. */
export class PeerSets {
  readonly #groups: Groups
  readonly #emit: (address: Cidr, flows: readonly Flow[]) => void
  readonly #ids = new StableIds()
  readonly #sets = new Map<string, State>()
  readonly #states = new Map<number, State>()
  readonly #setsOf = new Map<Cidr, Set<State>>()
  readonly #dirty = new Set<Cidr>()

  /** `emit` is told of the flows of an address whenever they are others. */
  constructor(groups: Groups, emit: (address: Cidr, flows: readonly Flow[]) => void) {
    this.#groups = groups
    this.#emit = emit
  }

  /** The set of these groups at a level, until as many calls of {@link release} took it back. */
  acquire(level: Level, specs: readonly GroupSpec[]): PeerSet {
    const name = `${level.stage} ${level.priority} ${JSON.stringify([...new Set(specs.map((one) => JSON.stringify(one)))].sort())}`
    const state = this.#sets.get(name) ?? this.#create(name, level, specs)
    state.uses += 1
    return state
  }

  release({ id }: PeerSet): void {
    const state = this.#states.get(id)
    if (state === undefined) return
    state.uses -= 1
    if (state.uses > 0) return
    this.#sets.delete(state.name)
    this.#states.delete(id)
    this.#ids.release(id)
    for (const group of state.groups) this.#groups.leave(group, state.user)
    for (const address of state.addresses.keys()) this.#part(state, address)
  }

  get isDirty(): boolean {
    return this.#dirty.size > 0
  }

  /** Emits what changed since the last call. */
  settle(): void {
    for (const address of this.#dirty) this.#emit(address, flowsFor(address, this.#setsOf.get(address) ?? []))
    this.#dirty.clear()
  }

  /** Emits everything again: what flows look like may be different. */
  touchAll(): void {
    for (const address of this.#setsOf.keys()) this.#dirty.add(address)
  }

  #create(name: string, level: Level, specs: readonly GroupSpec[]): State {
    const addresses = new Map<Cidr, number>()
    const state: State = {
      id: this.#ids.of(name),
      level,
      name,
      groups: [],
      addresses,
      uses: 0,
      user: {
        added: (address) => {
          const count = addresses.get(address) ?? 0
          addresses.set(address, count + 1)
          if (count === 0) this.#join(state, address)
        },
        removed: (address) => {
          const count = addresses.get(address) ?? 0
          if (count > 1) {
            addresses.set(address, count - 1)
          } else if (addresses.delete(address)) {
            this.#part(state, address)
          }
        },
      },
    }
    this.#sets.set(name, state)
    this.#states.set(state.id, state)
    for (const spec of new Map(specs.map((one) => [JSON.stringify(one), one])).values()) {
      state.groups.push(this.#groups.use(spec, state.user))
    }
    return state
  }

  #join(state: State, address: Cidr): void {
    const sets = this.#setsOf.get(address)
    if (sets === undefined) this.#setsOf.set(address, new Set([state]))
    else sets.add(state)
    this.#dirty.add(address)
  }

  #part(state: State, address: Cidr): void {
    const sets = this.#setsOf.get(address)
    sets?.delete(state)
    if (sets?.size === 0) this.#setsOf.delete(address)
    this.#dirty.add(address)
  }
}

/** The key of the fragment of an address that is a peer in rules. */
export function peerAddressKey(address: Cidr): string {
  return `policy-peer/${address}`
}

function flowsFor(address: Cidr, sets: Iterable<PeerSet>): readonly Flow[] {
  const { flow } = flowsOf(peerAddressKey(address))
  const levels = new Map<string, PeerSet[]>()
  for (const set of sets) {
    const key = `${set.level.stage} ${set.level.priority}`
    const siblings = levels.get(key)
    if (siblings === undefined) levels.set(key, [set])
    else siblings.push(set)
  }
  return [...levels.values()].flatMap((siblings) => {
    const [first] = siblings
    if (first === undefined) return []
    const { stage, priority, direction } = first.level
    const match = peerMatch(direction, address)
    return clauseParts(
      'peer',
      siblings.map(({ id }) => id),
    ).map((part) => flow(stage, priority, { ...match, ...part.match }, part.actions))
  })
}

/** Packets whose peer has an address: of connections that come, the source. */
function peerMatch(direction: Direction, address: Cidr): Match {
  const family = familyOf(address)
  const end = prefixLength(address) === BITS[family] ? firstIp(address) : address
  return ipPacket(family, direction === 'ingress' ? { from: end } : { to: end })
}

/** What the switch finds when both clauses of a set are met. */
export function whenIn({ id }: PeerSet, policyClass: number): Match {
  return { conj_id: id, ...holds('policyClass', policyClass) }
}
