/**
 * The claims of the cluster as this node knows them: what the watch told, and what this node did or saw itself and the
 * watch has not told yet. Whoever reads sees one of both.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import type { Ip } from '../../../network/model/address.ts'
import { type AddressClaim, claimedAddress } from '../../../network/model/pool.ts'
import type { Stored } from '../../../registry/registry.ts'
import type { Watcher } from '../../cluster/watcher.ts'
import { ClaimIndex, type ClaimKey } from './claim-index.ts'

/** A claim as far as it is known. */
export interface KnownClaim {
  readonly claim: AddressClaim
  /** Where this node wrote or read it last, and nothing was heard of it since. */
  readonly revision?: number
  /** Nobody knows whether it was written: the answer was lost, or is not there yet. */
  readonly isDoubtful: boolean
}

/** Who is told whose addresses are somebody's. */
export interface ClaimListener {
  taken(address: Ip, pool: string): void
  freed(address: Ip, pool: string): void
}

/** For how long what this node did counts more than what the watch says, in milliseconds: it may lag. */
const OWN_MS = 30_000
/** For how long what this node saw of others does. */
const SEEN_MS = 5_000
/** For how long somebody is to come back who does not know whether a claim was written. */
const DOUBT_MS = 600_000

interface Own {
  /** Undefined: it is gone. */
  readonly known: KnownClaim | undefined
  readonly until: number
}

/** Claims by address. */
export class ClaimView implements Watcher<AddressClaim> {
  readonly #listener: ClaimListener
  readonly #now: () => number
  readonly #heard = new Map<Ip, AddressClaim>()
  /** What counts instead. */
  readonly #own = new Map<Ip, Own>()
  /** When the first of these counts no more, or before. */
  #nextEnd = Number.POSITIVE_INFINITY
  /** Of claims of this node that were heard as they were written. */
  readonly #revisions = new Map<Ip, number>()
  readonly #index: ClaimIndex

  /** `now` in milliseconds. */
  constructor(node: string, listener: ClaimListener, now: () => number) {
    this.#index = new ClaimIndex(node)
    this.#listener = listener
    this.#now = now
  }

  put(claim: AddressClaim): void {
    const { address } = claim
    const before = this.#claimOn(address)
    this.#heard.set(address, claim)
    if (this.#revisions.size > 0) this.#revisions.delete(address)
    if (this.#own.size > 0) this.#confirm(claim)
    this.#changed(address, before)
  }

  remove(name: string): void {
    const address = claimedAddress(name)
    if (address === undefined) return
    const before = this.#claimOn(address)
    this.#heard.delete(address)
    this.#revisions.delete(address)
    // That it is gone is no news any more; what was written is, for this may be of the one before.
    if (this.#own.get(address)?.known === undefined) this.#own.delete(address)
    this.#changed(address, before)
  }

  /** What this node wrote is heard of: from now on the watch counts. */
  #confirm(claim: AddressClaim): void {
    const { address } = claim
    const known = this.#own.get(address)?.known
    if (known === undefined || !isDeepStrictEqual(known.claim, claim)) return
    this.#own.delete(address)
    if (known.revision !== undefined) this.#revisions.set(address, known.revision)
  }

  /** This node is about to write it, or did and got no answer. */
  doubt(claim: AddressClaim): void {
    this.#set(claim.address, { claim, isDoubtful: true }, DOUBT_MS)
  }

  /** This node wrote it, or read that it is this node's. */
  written({ value, revision }: Stored<'AddressClaim'>): void {
    this.#set(value.address, { claim: value, revision, isDoubtful: false }, OWN_MS)
  }

  /** This node read that it is somebody else's. */
  seen({ value, revision }: Stored<'AddressClaim'>): void {
    this.#set(value.address, { claim: value, revision, isDoubtful: false }, SEEN_MS)
  }

  /** This node deleted it, or read that there is none. */
  gone(address: Ip): void {
    if (this.#heard.has(address)) this.#set(address, undefined, OWN_MS)
    else this.#drop(address)
  }

  of(address: Ip): KnownClaim | undefined {
    const own = this.#own.get(address)
    if (own !== undefined) return own.known
    const claim = this.#heard.get(address)
    if (claim === undefined) return undefined
    const revision = this.#revisions.get(address)
    return { claim, isDoubtful: false, ...(revision === undefined ? {} : { revision }) }
  }

  /** The claims that a key leads to. */
  by(key: ClaimKey): KnownClaim[] {
    this.#expire()
    return this.#index.addresses(key).flatMap((address) => this.of(address) ?? [])
  }

  #claimOn(address: Ip): AddressClaim | undefined {
    // A million claims are read at a start, and nothing is this node's own then.
    const own = this.#own.size === 0 ? undefined : this.#own.get(address)
    return own === undefined ? this.#heard.get(address) : own.known?.claim
  }

  /** What counted for a time and was never confirmed counts no more. */
  #expire(): void {
    const now = this.#now()
    if (now < this.#nextEnd) return
    this.#nextEnd = Number.POSITIVE_INFINITY
    for (const [address, { until }] of this.#own) {
      if (until <= now) this.#drop(address)
      else this.#nextEnd = Math.min(this.#nextEnd, until)
    }
  }

  #drop(address: Ip): void {
    const before = this.#claimOn(address)
    this.#own.delete(address)
    this.#changed(address, before)
  }

  #set(address: Ip, known: KnownClaim | undefined, forMs: number): void {
    this.#expire()
    const before = this.#claimOn(address)
    this.#own.delete(address)
    const isHeard = known !== undefined && !known.isDoubtful && isDeepStrictEqual(this.#heard.get(address), known.claim)
    if (!isHeard) {
      const until = this.#now() + forMs
      this.#own.set(address, { known, until })
      this.#nextEnd = Math.min(this.#nextEnd, until)
    } else if (known.revision !== undefined) this.#revisions.set(address, known.revision)
    this.#changed(address, before)
  }

  #changed(address: Ip, before: AddressClaim | undefined): void {
    const after = this.#claimOn(address)
    if (before === after) return
    this.#index.replace(before, after)
    if (before?.pool === after?.pool) return
    if (after !== undefined) this.#listener.taken(address, after.pool)
    if (before !== undefined) this.#listener.freed(address, before.pool)
  }
}
