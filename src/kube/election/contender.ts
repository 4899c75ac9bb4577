/**
 * One who wants to lead, as a state machine: what it may believe and do, out of what it saw and when. No clock, no I/O.
 *
 * Why no two lead at once, as long as clocks run at nearly the same rate: a holder believes in its lease until
 * `renewDeadline` after it *sent* its last renewal that was answered. Everybody else waits for `leaseDuration`, which is
 * longer, after it *saw* that renewal or a later one, and then replaces exactly what it saw. What was seen was sent
 * before. What time it is does not matter anywhere, only how much of it passed.
 * @module
 */
import { type Lease, type LeaseRecord, microTime } from './record.ts'

/** How long things take, in milliseconds. */
export interface ElectionTiming {
  /** How long others wait after a lease last changed. */
  readonly leaseDuration: number
  /** How long a holder believes in its lease after it asked for it. */
  readonly renewDeadline: number
  /** How often it asks. */
  readonly retryPeriod: number
}

/**
 * A moment by two clocks of this machine, in milliseconds. A lease is believed in only as long as both allow it: one of
 * them may stand still while a machine is suspended, the other is put right by people.
 */
export interface Moment {
  /** Only moves forward. */
  readonly monotonic: number
  /** Since 1970. */
  readonly wall: number
}

/** A write that takes, renews or gives back the lease. */
export interface Claim {
  readonly record: LeaseRecord
  /** What it replaces; undefined: it makes a lease where there is none. */
  readonly resourceVersion: string | undefined
}

/** One who wants to lead. */
export class Contender {
  readonly #identity: string
  readonly #timing: ElectionTiming
  /** The lease as it last was, and since when it has been so, by our own clock. */
  #seen: { readonly lease: Lease; readonly since: number } | undefined
  /** Whether it is still there, as far as is known: unknown asks for a look. */
  #presence: 'unknown' | 'there' | 'absent' = 'unknown'
  /** When we asked for what we hold. */
  #heldSince: Moment | undefined
  /** What was asked for until then is not ours, whenever its answer comes. */
  #resignedAt = Number.NEGATIVE_INFINITY

  constructor(identity: string, timing: ElectionTiming) {
    this.#identity = identity
    this.#timing = timing
  }

  /** Who was last seen to hold the lease; empty for nobody. */
  get holder(): string {
    return this.#seen?.lease.record.holder ?? ''
  }

  /** The number of the term that we hold or last saw: every acquisition counts it up. */
  get transitions(): number {
    return this.#seen?.lease.record.transitions ?? 0
  }

  /** Whether the lease is as it was last seen, as far as we know. */
  get isSure(): boolean {
    return this.#presence !== 'unknown'
  }

  /** Whether the lease is ours at a moment. */
  isHeld(now: Moment): boolean {
    return this.heldFor(now) > 0
  }

  /** Milliseconds until the lease is not ours any more, if nothing else happens; 0 when it is not ours. */
  heldFor(now: Moment): number {
    if (this.#heldSince === undefined) return 0
    const { monotonic, wall } = this.#heldSince
    const left = this.#timing.renewDeadline - Math.max(now.monotonic - monotonic, now.wall - wall)
    // What lapsed has to be acquired again.
    if (left <= 0) this.#heldSince = undefined
    return Math.max(0, left)
  }

  /** Whether the lease has to be read before anything can be said: only a holder knows it. */
  needsLook(now: Moment): boolean {
    return this.#presence === 'unknown' || !this.isHeld(now)
  }

  /** The lease was read; undefined: there is none. */
  saw(lease: Lease | undefined, now: Moment): void {
    this.#presence = lease === undefined ? 'absent' : 'there'
    // Who deletes a lease ends its holder's term; others still wait as long as they would have.
    if (lease?.record.holder !== this.#identity) this.#heldSince = undefined
    if (lease !== undefined && lease.resourceVersion !== this.#seen?.lease.resourceVersion) {
      this.#seen = { lease, since: now.monotonic }
    }
  }

  /** What to write now: a renewal of what we hold, or the acquisition of what nobody does. */
  claim(now: Moment): Claim | undefined {
    if (this.#presence === 'unknown') return undefined
    const isHeld = this.isHeld(now)
    if (!isHeld && !this.#isFree(now)) return undefined
    const before = this.#seen?.lease
    const renewTime = microTime(now.wall)
    const record = {
      holder: this.#identity,
      duration: this.#timing.leaseDuration,
      acquireTime: isHeld && before !== undefined ? before.record.acquireTime : renewTime,
      renewTime,
      transitions: before === undefined ? 0 : before.record.transitions + (isHeld ? 0 : 1),
    }
    return { record, resourceVersion: this.#version() }
  }

  /** A claim that was sent at a moment was answered with the lease as it is now. */
  wrote(lease: Lease, sentAt: Moment, now: Moment): void {
    const isOurs = lease.record.holder === this.#identity && sentAt.monotonic > this.#resignedAt
    this.#presence = 'there'
    this.#seen = { lease, since: now.monotonic }
    this.#heldSince = isOurs ? sentAt : undefined
  }

  /** What is known is out of date, or may be: a write was refused, or nobody knows what became of it. */
  forget(): void {
    this.#presence = 'unknown'
  }

  /** Gives up what we hold, for ourselves. What to write so that others need not wait, if the lease is known as ours. */
  resign(now: Moment): Claim | undefined {
    this.#heldSince = undefined
    this.#resignedAt = now.monotonic
    const before = this.#seen?.lease
    if (before === undefined || this.#presence !== 'there' || before.record.holder !== this.#identity) return undefined
    const record = { ...before.record, holder: '', duration: 1000, renewTime: microTime(now.wall) }
    return { record, resourceVersion: before.resourceVersion }
  }

  /** Whether nobody can believe any more that the lease is theirs; a lease of our own that lapsed is anybody's, too. */
  #isFree(now: Moment): boolean {
    if (this.#seen === undefined || this.holder === '') return true
    const { lease, since } = this.#seen
    return now.monotonic - since >= Math.max(this.#timing.leaseDuration, lease.record.duration)
  }

  #version(): string | undefined {
    return this.#presence === 'there' ? this.#seen?.lease.resourceVersion : undefined
  }
}
