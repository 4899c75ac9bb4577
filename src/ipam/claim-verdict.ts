/**
 * Whether a claim on an address is still somebody's. A live pod's claim is never garbage, whatever the order in which pods
 * and claims were heard of; a dead one's is in the end.
 * @module
 */
import { familyOf } from '../network/model/address.ts'
import { hasPlaceFor, type PodLife, type PodSetLife } from '../network/model/pod-life.ts'
import type { AddressClaim } from '../network/model/pool.ts'

/** A claim as it is kept. Times are in milliseconds since 1970. */
export interface KnownClaim {
  readonly value: AddressClaim
  /** Grows with every write of any claim. */
  readonly revision: number
  /** Since when it is there, or known. */
  readonly since: number
  /** Since when it is as it is, where somebody watched. */
  readonly unchangedSince?: number
}

/** What a verdict rests on. */
export interface ClaimFacts {
  /** The pod of the claim's namespace and name, whichever uid it has. Absent: there is none. */
  readonly pod?: PodLife | undefined
  /** The StatefulSet that the claim names as its owner. Absent: there is none, or the claim names no such. */
  readonly set?: PodSetLife | undefined
  /** The claims of that namespace and name, the judged one among them or not. */
  readonly all: Iterable<KnownClaim>
  /** Milliseconds since 1970. */
  readonly now: number
}

/** Why a claim stays. */
export type KeptBecause = 'lives' | 'ends' | 'young' | 'awaited' | 'doubled'

/** Why a claim is nobody's any more. */
export type GarbageBecause =
  | 'pod-gone'
  | 'pod-replaced'
  | 'pod-ended'
  | 'pod-overdue'
  | 'sandbox-gone'
  | 'set-gone'
  | 'not-taken-over'
  | 'superseded'

/** What is to become of a claim. */
export type Verdict =
  /** `recheck`: milliseconds after which time alone may make it another verdict. */
  | { readonly is: 'kept'; readonly because: KeptBecause; readonly recheck?: number }
  | { readonly is: 'garbage'; readonly because: GarbageBecause }

/**
 * How long a claim is left alone whose pod nobody knows yet (of a pod that a kubelet has of itself the API server hears
 * late), and how long after a pod's end its own runtime may take to give back the address.
 */
export const SETTLE_MS = 30_000

/** How long the interfaces of a pod's next sandbox may take to get their addresses, one after the other. */
export const ATTACH_MS = 300_000

/** What is to become of a claim. */
export function judgeClaim(claim: KnownClaim, facts: ClaimFacts): Verdict {
  const { pod, set } = facts
  const isAwaited = isSticky(claim.value) && set !== undefined && hasPlaceFor(set, claim.value.pod)
  if (pod === undefined || !isOf(claim.value, pod)) return judgeWithoutPod(claim, facts, isAwaited)
  const byLife: Verdict = isAwaited ? { is: 'kept', because: 'awaited' } : judgeByLife(claim, pod, facts)
  return byLife.is === 'garbage' ? byLife : sooner(byLife, supersession(claim, pod, facts))
}

/** Of two reasons that wait the one that comes first. */
function sooner(byLife: Verdict, other: Verdict | undefined): Verdict {
  if (other === undefined || byLife.is === 'garbage') return byLife
  if (other.is === 'garbage' || byLife.recheck === undefined) return other
  return (other.recheck ?? Number.POSITIVE_INFINITY) < byLife.recheck ? other : byLife
}

/** Only a StatefulSet's pods come back by their names. */
export function isSticky({ isSticky: isMeant, owner }: AddressClaim): boolean {
  return isMeant && owner?.kind === 'StatefulSet'
}

/** Whether a claim is of this very pod, not of one of the same name. */
export function isOf({ podUid }: Pick<AddressClaim, 'podUid'>, { uid, runtimeUid }: PodLife): boolean {
  return podUid === uid || podUid === runtimeUid
}

/** Whether two claims are of one interface and family, which has room for one. */
export function areRivals({ value: a }: KnownClaim, { value: b }: KnownClaim): boolean {
  const isSamePod = a.podUid === b.podUid && a.namespace === b.namespace && a.pod === b.pod
  return isSamePod && a.address !== b.address && a.ifname === b.ifname && familyOf(a.address) === familyOf(b.address)
}

function judgeWithoutPod(claim: KnownClaim, facts: ClaimFacts, isAwaited: boolean): Verdict {
  const { pod } = facts
  if (isAwaited) {
    // The next pod of that name runs, and with another address.
    const isLeft = pod !== undefined && pod.addresses.length > 0 && !pod.addresses.includes(claim.value.address)
    return isLeft ? after(claim, facts, 'not-taken-over') : { is: 'kept', because: 'awaited' }
  }
  return after(claim, facts, isSticky(claim.value) ? 'set-gone' : pod === undefined ? 'pod-gone' : 'pod-replaced')
}

function judgeByLife(claim: KnownClaim, pod: PodLife, facts: ClaimFacts): Verdict {
  const { phase, deadline, endedAt = 0, addresses } = pod
  if (phase === 'Ended') return after(claim, facts, 'pod-ended', Math.min(endedAt, deadline ?? endedAt) + SETTLE_MS)
  if (deadline === undefined) return { is: 'kept', because: 'lives' }
  // Of one that has not started nobody can say whether there is a sandbox.
  if (phase === 'Running' && addresses.length === 0) return after(claim, facts, 'sandbox-gone')
  return after(claim, facts, 'pod-overdue', deadline + SETTLE_MS)
}

/** Garbage, but not before the claim has been there for a while, nor before `from`. */
function after({ since }: KnownClaim, { now }: ClaimFacts, because: GarbageBecause, from = 0): Verdict {
  const young = since + SETTLE_MS - now
  const recheck = Math.max(young, from - now)
  if (recheck <= 0) return { is: 'garbage', because }
  return { is: 'kept', because: from > now ? 'ends' : 'young', recheck }
}

/**
 * The verdict on a claim whose place another one took; undefined where none did. Of two claims of one sandbox the pod says
 * itself which it has, of its first interface. A pod has one sandbox at a time, and its newest claim tells which, unless the
 * pod says something else. What the pod says it has never goes.
 */
function supersession(claim: KnownClaim, pod: PodLife, facts: ClaimFacts): Verdict | undefined {
  const { value } = claim
  if (pod.addresses.includes(value.address)) return undefined
  const all = [...facts.all].filter((one) => isOf(one.value, pod))
  const rivals = all.filter((one) => areRivals(claim, one))
  const shown = all.filter((one) => pod.addresses.includes(one.value.address))
  const isOther = (one: KnownClaim): boolean =>
    one.value.containerId === value.containerId && shown.some((known) => known === one)
  if (rivals.some(isOther)) return after(claim, facts, 'superseded')
  const newest = all.reduce((latest, one) => (one.revision > latest.revision ? one : latest), claim)
  const { containerId } = newest.value
  const isSaid = shown.every((one) => one.value.containerId === containerId)
  if (containerId === value.containerId || !isSaid || newest.unchangedSince === undefined) {
    return rivals.length === 0 ? undefined : { is: 'kept', because: 'doubled', recheck: SETTLE_MS }
  }
  const isTaken = rivals.some((one) => one.value.containerId === containerId)
  return after(claim, facts, 'superseded', newest.unchangedSince + (isTaken ? SETTLE_MS : ATTACH_MS))
}
