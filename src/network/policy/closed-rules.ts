/**
 * What becomes of rules that select a network set of which something cannot be read. Nobody knows then whom they speak
 * of: what allows does so for what is known, and everything else denies everybody that it could speak of.
 * @module
 */
import { type Cidr, cidr } from '../model/address.ts'
import type { Condition } from '../model/condition.ts'
import { DIRECTIONS, type Direction, type Peer, type Policy, type PolicyRule, policyKey } from '../model/policy.ts'
import type { SetUses } from './set-uses.ts'

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
  readonly #uses: SetUses
  /** As they were written: those that may come to be closed. */
  readonly #written = new Map<string, Policy>()

  /** `uses` knows of every policy that {@link put} is told of before that is. */
  constructor(uses: SetUses) {
    this.#uses = uses
  }

  /** A policy as it counts now. */
  put(written: Policy): Policy {
    if (selectsSets(written)) this.#written.set(policyKey(written), written)
    else this.#written.delete(policyKey(written))
    return this.#counting(written)
  }

  remove(key: string): void {
    this.#written.delete(key)
  }

  /** Of these policies those that count as something else since sets that they name can be read, or cannot. */
  recount(keys: Iterable<string>): readonly Policy[] {
    return [...keys].flatMap((key) => {
      const written = this.#written.get(key)
      return written === undefined ? [] : [this.#counting(written)]
    })
  }

  #counting(policy: Policy): Policy {
    return closedPolicy(policy, (where) => this.#uses.isUnread(where))
  }
}

/** Whether a policy may come to be closed at all. */
function selectsSets(policy: Policy): boolean {
  return DIRECTIONS.some((direction) =>
    policy[direction]?.some(({ action, peers }) => action !== 'allow' && peers?.some(({ type }) => type === 'sets')),
  )
}

/** All that a set could hold of which the rule speaks. */
function widest(peer: Peer): readonly Peer[] {
  const within = peer.type === 'sets' ? peer.within : undefined
  const ranges = within ?? EVERYWHERE.map((range) => ({ range, except: [] }))
  return ranges.map((range) => ({ type: 'range', ...range }))
}
