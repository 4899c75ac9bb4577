/**
 * Leases in etcd, by v2's and v3's interface alike: `<prefix>/config`, and `<prefix>/subnets/<subnet>` for each machine,
 * which ends a day after it was last written.
 * @module
 */
import { chooseLease, type StoredLease } from '../../compat/flannel/choice.ts'
import { capacityWarning, decodeNetworkConfig, type NetworkConfig } from '../../compat/flannel/config.ts'
import { FlannelError } from '../../compat/flannel/errors.ts'
import { encodeAttributes, type LeaseAttributes, leaseKey } from '../../compat/flannel/lease.ts'
import { EtcdError } from '../../etcd/errors.ts'
import type { Entry, KeySpace } from '../../etcd/key-space.ts'
import { Backoff, sleep } from '../../registry/backoff.ts'
import { HeldInEtcd } from './held-in-etcd.ts'
import { type FlannelLog, type HeldLease, type LeaseManager, type LeaseWish, RETRY_MS } from './manager.ts'
import { storedLease } from './stored-lease.ts'

/** How leases are kept in etcd. */
export interface EtcdLeaseOptions {
  /** Without a slash at its end. */
  readonly prefix: string
  /** Seconds that a lease lasts. A day when absent, as with flannel. */
  readonly ttl?: number
  /** Seconds before its end at which it is written again. */
  readonly renewMargin: number
}

const DAY = 86_400

/** Leases in etcd. */
export class EtcdLeases implements LeaseManager {
  readonly #space: KeySpace
  readonly #prefix: string
  readonly #ttl: number
  readonly #renewMargin: number
  readonly #log: FlannelLog

  constructor(space: KeySpace, { prefix, ttl = DAY, renewMargin }: EtcdLeaseOptions, log: FlannelLog) {
    this.#space = space
    this.#prefix = prefix
    this.#ttl = ttl
    this.#renewMargin = renewMargin
    this.#log = log
  }

  close(): void {
    this.#space.close()
  }

  /** Waits for one that can be followed. */
  async config(signal: AbortSignal): Promise<NetworkConfig> {
    const key = `${this.#prefix}/config`
    return this.#untilDone('waiting for the network configuration', signal, async () => {
      const { entry } = await this.#space.get(key, signal)
      if (entry === undefined) {
        throw new FlannelError('FLANNEL_CONFIG', `there is no ${key} in etcd`, `write it: {"Network": "10.1.0.0/16"}`)
      }
      return decodeNetworkConfig(entry.value, 'nodes')
    })
  }

  /** Flags alone say it. */
  async wished(): Promise<Pick<LeaseAttributes, 'publicIp' | 'publicIpv6'>> {
    return {}
  }

  async stored(
    { publicIp, publicIpv6 }: Pick<LeaseAttributes, 'publicIp' | 'publicIpv6'>,
    signal: AbortSignal,
  ): Promise<LeaseAttributes | undefined> {
    const leases = await this.#untilDone('looking for leases', signal, () => this.#leases(signal))
    const own = leases.find(({ attributes }) =>
      publicIp === undefined ? attributes.publicIpv6 === publicIpv6 : attributes.publicIp === publicIp,
    )
    return own?.attributes
  }

  async take(wish: LeaseWish, signal: AbortSignal): Promise<HeldLease> {
    const backoff = new Backoff(Math.random)
    const taken = await this.#untilDone('taking a lease', signal, async () => {
      // Somebody else may have taken it since it was looked for: look again, spread by chance.
      for (;;) {
        try {
          return await this.#takeOnce(wish, signal)
        } catch (error) {
          if (!(error instanceof EtcdError) || error.code !== 'ETCD_CONFLICT') throw error
          this.#log.info({}, 'somebody else was faster: choosing a subnet again')
          await sleep(backoff.next(), signal)
          if (signal.aborted) throw error
        }
      }
    })
    const { subnets, entry } = taken
    return new HeldInEtcd(
      { space: this.#space, folder: this.#folder, ttl: this.#ttl, renewMargin: this.#renewMargin, log: this.#log },
      { lease: { subnets, attributes: wish.attributes }, entry },
      signal,
    )
  }

  async #takeOnce({ config, attributes, memory }: LeaseWish, signal: AbortSignal) {
    const leases = await this.#leases(signal)
    const warning = capacityWarning(config, leases.length)
    if (warning !== undefined) this.#log.warn({}, warning)
    const choice = chooseLease({ config, own: attributes, leases, memory, random: Math.random })
    const value = encodeAttributes(attributes)
    if (choice.does === 'keep') {
      const { key, revision, subnets, isReservation } = choice.lease
      return { subnets, entry: await this.#write(`${this.#folder}${key}`, value, revision, isReservation, signal) }
    }
    const { subnets, instead } = choice
    const entry = await this.#write(`${this.#folder}${leaseKey(subnets)}`, value, 'absent', false, signal)
    // The old one goes last: who is killed in between has two, and the one with its address counts.
    if (instead !== undefined) await this.#space.delete(`${this.#folder}${instead.key}`, instead.revision, signal)
    return { subnets, entry }
  }

  /** A reservation has no end, and gets none. */
  #write(key: string, value: string, at: number | 'absent', isForEver: boolean, signal: AbortSignal): Promise<Entry> {
    if (isForEver) return this.#space.put(key, value, at, signal)
    return this.#space.putFor(this.#ttl, key, value, at, signal)
  }

  get #folder(): string {
    return `${this.#prefix}/subnets/`
  }

  async #leases(signal: AbortSignal): Promise<readonly StoredLease[]> {
    const { entries } = await this.#space.list(this.#folder, signal)
    return entries.flatMap((entry) => storedLease(this.#folder, entry) ?? [])
  }

  /** Repeats what etcd, or what stands in it, does not allow yet; what it says is told once. */
  async #untilDone<T>(what: string, signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
    let told = ''
    for (;;) {
      try {
        return await attempt()
      } catch (error) {
        signal.throwIfAborted()
        if (!isPassing(error)) throw error
        const { message, remedy } = error
        if (message !== told) this.#log.warn({ remedy }, `${what}: ${message}`)
        told = message
        await sleep(RETRY_MS, signal)
        signal.throwIfAborted()
      }
    }
  }
}

/** Etcd may come, and an administrator may correct what it holds. */
function isPassing(error: unknown): error is EtcdError | FlannelError {
  if (error instanceof FlannelError) return error.code === 'FLANNEL_CONFIG'
  return error instanceof EtcdError && error.code !== 'ETCD_CONFIG' && error.code !== 'ETCD_INVALID'
}
