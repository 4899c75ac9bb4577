/**
 * Which of etcd's two interfaces a registry is reached by. They have a key space of their own each: the right one is
 * that which holds the configuration.
 * @module
 */
import { configError, type EtcdConfig } from './config.ts'
import { EtcdError } from './errors.ts'
import type { Batch, Entry, KeyListing, KeyReading, KeySpace, Move } from './key-space.ts'
import { type EtcdOptions, EtcdV2 } from './v2.ts'
import { EtcdV3 } from './v3.ts'

/** What a user may choose. */
export const ETCD_APIS = ['auto', 'v2', 'v3'] as const
export type EtcdApi = (typeof ETCD_APIS)[number]

/** The key space that a user means; `witness` is the key that tells which, when they leave it to us. */
export function openKeySpace(config: EtcdConfig, api: EtcdApi, witness: string, options: EtcdOptions = {}): KeySpace {
  if (api === 'v2') return new EtcdV2(config, options)
  if (api === 'v3') return new EtcdV3(config, options)
  return new EitherKeySpace(new EtcdV2(config, options), new EtcdV3(config, options), witness)
}

/** The one of two that holds a key. Decided once, as soon as one does. */
export class EitherKeySpace implements KeySpace {
  readonly #v2: KeySpace
  readonly #v3: KeySpace
  readonly #witness: string
  #chosen: KeySpace | undefined

  constructor(v2: KeySpace, v3: KeySpace, witness: string) {
    this.#v2 = v2
    this.#v3 = v3
    this.#witness = witness
  }

  /** v3 until it is known. */
  get api(): 'v2' | 'v3' {
    return this.#chosen?.api ?? 'v3'
  }

  get history(): number {
    return this.#chosen?.history ?? 0
  }

  askAnother(): void {
    this.#v2.askAnother()
    this.#v3.askAnother()
  }

  close(): void {
    this.#v2.close()
    this.#v3.close()
  }

  async get(key: string, signal?: AbortSignal): Promise<KeyReading> {
    return (await this.#present(signal)).get(key, signal)
  }

  async list(folder: string, signal?: AbortSignal): Promise<KeyListing> {
    return (await this.#present(signal)).list(folder, signal)
  }

  async *watch(folder: string, after: number, signal: AbortSignal): AsyncGenerator<Batch, void> {
    yield* (await this.#present(signal)).watch(folder, after, signal)
  }

  async put(key: string, value: string, at: number | 'absent', signal?: AbortSignal): Promise<Entry> {
    return ((await this.#choose(signal)) ?? this.#v3).put(key, value, at, signal)
  }

  async putFor(
    seconds: number,
    key: string,
    value: string,
    at: number | 'absent',
    signal?: AbortSignal,
  ): Promise<Entry> {
    return ((await this.#choose(signal)) ?? this.#v3).putFor(seconds, key, value, at, signal)
  }

  async delete(key: string, at: number, signal?: AbortSignal): Promise<void> {
    return (await this.#present(signal)).delete(key, at, signal)
  }

  async move(move: Move, signal?: AbortSignal): Promise<Entry> {
    return (await this.#present(signal)).move(move, signal)
  }

  /** Throws `ETCD_UNAVAILABLE` as long as neither holds the key: watching one of them could be watching the wrong one. */
  async #present(signal: AbortSignal | undefined): Promise<KeySpace> {
    const chosen = await this.#choose(signal)
    if (chosen !== undefined) return chosen
    this.askAnother()
    throw new EtcdError(
      'ETCD_UNAVAILABLE',
      `there is no ${this.#witness} in this etcd, neither in v2 nor in v3`,
      'write it there, or check --etcd-endpoints and what says which key it is',
    )
  }

  async #choose(signal: AbortSignal | undefined): Promise<KeySpace | undefined> {
    if (this.#chosen !== undefined) return this.#chosen
    const [inV3, inV2] = await Promise.all([
      holds(this.#v3, this.#witness, signal),
      holds(this.#v2, this.#witness, signal),
    ])
    if (inV3 && inV2) {
      throw configError(`${this.#witness} is in etcd's v2 and in its v3 key space`, 'say which: --etcd-api v2 or v3')
    }
    this.#chosen = inV3 ? this.#v3 : inV2 ? this.#v2 : undefined
    return this.#chosen
  }
}

/** An etcd that does not serve an API holds nothing in it; one that does not answer may hold anything. */
async function holds(space: KeySpace, key: string, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    return (await space.get(key, signal)).entry !== undefined
  } catch (error) {
    if (error instanceof EtcdError && error.code === 'ETCD_UNSUPPORTED') return false
    throw error
  }
}
