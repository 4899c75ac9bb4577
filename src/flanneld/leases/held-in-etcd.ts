/**
 * A lease that is held in etcd: written again before its end, watched together with everybody else's.
 * @module
 */
import { FlannelError, quoted } from '../../compat/flannel/errors.ts'
import { encodeAttributes, type Lease, type LeaseAttributes } from '../../compat/flannel/lease.ts'
import { EtcdError } from '../../etcd/errors.ts'
import type { Entry, KeySpace } from '../../etcd/key-space.ts'
import { sleep } from '../../registry/backoff.ts'
import { type Reflectable, reflectSource, type Source } from '../../registry/reflect.ts'
import { Told } from '../told.ts'
import type { FlannelLog, HeldLease } from './manager.ts'
import { storedLease } from './stored-lease.ts'

/** Where it is. */
export interface HeldPlace {
  readonly space: KeySpace
  readonly folder: string
  /** Seconds. */
  readonly ttl: number
  readonly renewMargin: number
  readonly log: FlannelLog
}

/** After a renewal that failed. */
const RENEW_AGAIN_MS = 60_000
/** Changes that come together are told together. */
const SETTLE_MS = 50

/** A lease held in etcd. */
export class HeldInEtcd implements HeldLease {
  readonly lease: Lease
  readonly lost: Promise<void>
  readonly #place: HeldPlace
  readonly #signal: AbortSignal
  readonly #own: string
  readonly #store: ReadonlyMap<string, Seen>
  readonly #revoked = Promise.withResolvers<void>()
  readonly #told: Told
  /** As it was written last. */
  #entry: Entry
  #onLeases: ((leases: readonly Lease[]) => void) | undefined
  #settling: ReturnType<typeof setTimeout> | undefined
  #isSynced = false

  constructor(
    place: HeldPlace,
    { lease, entry }: { readonly lease: Lease; readonly entry: Entry },
    signal: AbortSignal,
  ) {
    this.#place = place
    this.#told = new Told(place.log)
    this.#signal = signal
    this.lease = lease
    this.#entry = entry
    this.#own = entry.key
    signal.addEventListener('abort', () => this.#revoked.resolve(), { once: true })
    const { store } = reflectSource(sourceOf(place), {
      signal,
      onSynced: (found) => this.#synced(found),
      onChange: (change) => this.#changed(change.type, change.object),
      onError: (error, retryIn) => {
        const message = error instanceof Error ? error.message : String(error)
        place.log.warn({ retryIn: Math.round(retryIn) }, `leases cannot be watched: ${message}`)
      },
      onRecovered: () => place.log.info({}, 'leases are watched again'),
    })
    this.#store = store
    this.lost = this.#revoked.promise
    // Whoever holds it hears of that when they ask.
    this.lost.catch(() => undefined)
    this.#renew().catch((error: unknown) => this.#revoked.reject(error))
  }

  follow(onLeases: (leases: readonly Lease[]) => void): void {
    this.#onLeases = onLeases
    if (this.#isSynced) this.#tellSoon()
  }

  async ready(): Promise<void> {
    // Nobody but the other machines looks at it.
  }

  #synced(found: ReadonlyMap<string, Seen>): void {
    this.#isSynced = true
    if (!found.has(this.#own)) this.#revoke('it is not in etcd any more')
    this.#tellSoon()
  }

  #changed(type: 'put' | 'delete', { name, entry }: Seen): void {
    if (name !== this.#own) this.#tellSoon()
    else if (type === 'put' && entry !== undefined) this.#ownWritten(entry)
    else if (this.#isSynced) this.#revoke('it was removed from etcd')
  }

  /** Its end may be taken from it, and its data be written anew; another machine's it must not become. */
  #ownWritten(entry: Entry): void {
    const written = storedLease(this.#place.folder, entry)
    if (written === undefined || !isOwn(written.attributes, this.lease.attributes)) {
      this.#revoke("it is another machine's")
    } else if (entry.revision > this.#entry.revision) this.#entry = entry
  }

  #revoke(why: string): void {
    const message = `lease revoked: that of ${this.#own.slice(this.#place.folder.length)} is not ours: ${why}`
    this.#revoked.reject(new FlannelError('FLANNEL_REVOKED', message, 'start again: another one is taken'))
  }

  #tellSoon(): void {
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined
      if (!this.#isSynced || this.#signal.aborted) return
      const { folder } = this.#place
      const others = [...this.#store.values()]
        .filter(({ name }) => name !== this.#own)
        .map(({ name, entry }) => ({ name, lease: entry && storedLease(folder, entry) }))
      const strange = others.filter(({ lease }) => lease === undefined)
      this.#told.tell(
        strange.map(({ name }) => `${quoted(name.slice(folder.length))} tells of no lease: it is left out`),
      )
      this.#onLeases?.(others.flatMap(({ lease }) => lease ?? []))
    }, SETTLE_MS)
  }

  /** What has an end is written again before it comes; a reservation is left alone. */
  async #renew(): Promise<void> {
    const { ttl, renewMargin, log } = this.#place
    let wait = Math.max(1, ttl - renewMargin) * 1000
    while (!this.#signal.aborted) {
      await sleepLong(wait, this.#signal)
      if (this.#signal.aborted) return
      try {
        if (this.#entry.isTemporary === true) await this.#writeAgain()
        wait = Math.max(1, ttl - renewMargin) * 1000
      } catch (error) {
        if (this.#signal.aborted) return
        // What was written in between is told by the watch, and decides.
        const isOvertaken = error instanceof EtcdError && error.code === 'ETCD_CONFLICT'
        wait = isOvertaken ? 1000 : Math.min(RENEW_AGAIN_MS, (ttl * 1000) / 10)
        log.warn({}, `the lease is not renewed: ${error instanceof Error ? error.message : error}`)
      }
    }
  }

  async #writeAgain(): Promise<void> {
    const { space, ttl, log } = this.#place
    const value = encodeAttributes(this.lease.attributes)
    this.#entry = await space.putFor(ttl, this.#own, value, this.#entry.revision, this.#signal)
    log.info({ seconds: ttl }, 'the lease is renewed')
  }
}

/** A key below the folder; without an entry it is gone. */
interface Seen extends Reflectable<number> {
  readonly entry: Entry | undefined
}

function sourceOf({ space, folder }: HeldPlace): Source<number, Seen> {
  return {
    list: async (signal) => {
      const { revision, entries } = await space.list(folder, signal)
      return { revision, objects: entries.map((entry) => ({ name: entry.key, revision: entry.revision, entry })) }
    },
    watch: async function* (after, signal) {
      for await (const { revision, events } of space.watch(folder, after, signal)) {
        if (events.length === 0) yield { type: 'bookmark', revision }
        for (const event of events) {
          if (event.type === 'put')
            yield { type: 'put', object: { name: event.entry.key, revision, entry: event.entry } }
          else yield { type: 'delete', object: { name: event.key, revision, entry: undefined } }
        }
      }
    },
    faultOf: (error) => {
      const code = error instanceof EtcdError ? error.code : undefined
      if (code === 'ETCD_EXPIRED') return { kind: 'expired' }
      return { kind: code === 'ETCD_UNAVAILABLE' ? 'broken' : 'other' }
    },
  }
}

function isOwn(found: LeaseAttributes, own: LeaseAttributes): boolean {
  return own.publicIp === undefined ? found.publicIpv6 === own.publicIpv6 : found.publicIp === own.publicIp
}

/** Timers end at 24 days. */
async function sleepLong(milliseconds: number, signal: AbortSignal): Promise<void> {
  for (let left = milliseconds; left > 0 && !signal.aborted; left -= LONGEST_TIMER) {
    await sleep(Math.min(left, LONGEST_TIMER), signal)
  }
}

const LONGEST_TIMER = 86_400_000
