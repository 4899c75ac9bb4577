/**
 * What becomes of rules that select a network set of which something cannot be read. Nobody knows then whom they speak
 * of: what allows does so for what is known, and everything else denies everybody that it could speak of.
 * @module
 */
import { type Cidr, cidr } from '../model/address.ts'
import type { Condition } from '../model/condition.ts'
import { DIRECTIONS, type Direction, type Peer, type Policy, type PolicyRule, policyKey } from '../model/policy.ts'
import { selectsSet } from './group-members.ts'
import type { Inventory } from './inventory.ts'

const EVERYWHERE: readonly Cidr[] = [cidr('0.0.0.0/0'), cidr('::/0')]

/** A policy as it counts. `selectsUnread`: whether some set that meets a condition cannot be read. */
export function closedPolicy(policy: Policy, selectsUnread: (where: Condition) => boolean): Policy {
  if (!selectsSets(policy)) return policy
  const close = (rule: PolicyRule): PolicyRule => {
    const isUnread = (peer: Peer): boolean => peer.type === 'sets' && selectsUnread(peer.where)
    const { action, peers = [] } = rule
    if (action === 'allow' || !peers.some(isUnread)) return rule
    return { ...rule, action: 'deny', peers: peers.flatMap((peer) => (isUnread(peer) ? widest(peer) : [peer])) }
  }
  const ways = DIRECTIONS.flatMap((direction) => {
    const rules = policy[direction]
    return rules === undefined ? [] : [[direction, rules.map(close)] as const]
  })
  const isClosed = ways.some(([direction, rules]) => rules.some((rule, i) => rule !== policy[direction]?.[i]))
  return isClosed ? { ...policy, ...(Object.fromEntries(ways) as Pick<Policy, Direction>) } : policy
}

/** Policies as they count while sets come and go that cannot be read. */
export class ClosedRules {
  readonly #inventory: Inventory
  /** As they were written, and as they count. */
  readonly #policies = new Map<string, { readonly written: Policy; readonly counts: Policy }>()

  constructor(inventory: Inventory) {
    this.#inventory = inventory
  }

  /** A policy as it counts now. */
  put(written: Policy): Policy {
    const counts = this.#closed(written)
    if (selectsSets(written)) this.#policies.set(policyKey(written), { written, counts })
    else this.#policies.delete(policyKey(written))
    return counts
  }

  remove(key: string): void {
    this.#policies.delete(key)
  }

  /** A set that cannot be read came or went, or has other labels: the policies that count as something else now. */
  recount(): readonly Policy[] {
    return [...this.#policies.values()].flatMap(({ written, counts }) => {
      const now = this.put(written)
      return isClosedAlike(written, counts, now) ? [] : [now]
    })
  }

  #closed(policy: Policy): Policy {
    const unread = this.#inventory.unreadSets()
    return closedPolicy(policy, (where) => unread.some((set) => selectsSet(where, set, this.#inventory)))
  }
}

/** Whether a policy may come to be closed at all. */
function selectsSets(policy: Policy): boolean {
  return DIRECTIONS.some((direction) =>
    policy[direction]?.some(({ action, peers }) => action !== 'allow' && peers?.some(({ type }) => type === 'sets')),
  )
}

function isClosedAlike(written: Policy, a: Policy, b: Policy): boolean {
  const closedIn = (policy: Policy) =>
    DIRECTIONS.map((direction) => policy[direction]?.map((rule, i) => rule !== written[direction]?.[i]))
  return JSON.stringify(closedIn(a)) === JSON.stringify(closedIn(b))
}

/** All that a set could hold of which the rule speaks. */
function widest(peer: Peer): readonly Peer[] {
  const within = peer.type === 'sets' ? peer.within : undefined
  const ranges = within ?? EVERYWHERE.map((range) => ({ range, except: [] }))
  return ranges.map((range) => ({ type: 'range', ...range }))
}
