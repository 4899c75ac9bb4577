/**
 * etcd through the JSON gateway of its v3 API.
 * @module
 */
import type { EtcdConfig } from './config.ts'
import { conflict, EtcdError, garbage } from './errors.ts'
import { ClusterHistory } from './history.ts'
import { EtcdHttp } from './http.ts'
import type { Batch, Entry, KeyListing, KeyReading, KeySpace, Move } from './key-space.ts'
import type { EtcdOptions } from './v2.ts'
import { headerOf, keysOf, leaseIn, rangeIn, v3Failure, v3Fields } from './v3-decode.ts'
import { V3Token } from './v3-token.ts'
import { readBatches } from './v3-watch.ts'

const SILENCE = 60_000

type Fields = Readonly<Record<string, unknown>>

/** The v3 key space of an etcd. */
export class EtcdV3 implements KeySpace {
  readonly api = 'v3'
  readonly #http: EtcdHttp
  readonly #options: EtcdOptions
  readonly #history = new ClusterHistory()
  readonly #token: V3Token

  constructor(config: EtcdConfig, options: EtcdOptions = {}) {
    this.#http = new EtcdHttp(config, options)
    this.#options = options
    this.#token = new V3Token(this.#http, config.credentials)
  }

  get history(): number {
    return this.#history.number
  }

  askAnother(): void {
    this.#http.askAnother()
  }

  close(): void {
    this.#http.close()
  }

  async get(key: string, signal?: AbortSignal): Promise<KeyReading> {
    const { revision, entries } = await this.#range({ key: base64(key) }, signal)
    return { revision, entry: entries.find((entry) => entry.key === key) }
  }

  async list(folder: string, signal?: AbortSignal): Promise<KeyListing> {
    return this.#range({ key: base64(folder), range_end: base64(endOf(folder)) }, signal)
  }

  async *watch(folder: string, after: number, signal: AbortSignal): AsyncGenerator<Batch, void> {
    const history = this.#history.number
    let seen = after
    // A member that is gone without a word would leave a watch open for ever: after a silence it is opened anew.
    while (!signal.aborted) {
      const ended = new AbortController()
      const end = (): void => ended.abort()
      signal.addEventListener('abort', end)
      if (signal.aborted) end()
      try {
        // A member whose history was lost would let us watch, and be silent until it has come so far again.
        const { revision } = await this.get(folder, ended.signal)
        this.#history.expectSame(history)
        this.#history.expectReached(seen, revision)
        for await (const batch of this.#open(folder, seen, ended.signal)) {
          this.#history.expectSame(history)
          if (signal.aborted) return
          if (batch.revision < seen) throw garbage('an event of the past')
          seen = batch.revision
          yield batch
        }
      } catch (error) {
        if (signal.aborted) return
        throw error
      } finally {
        signal.removeEventListener('abort', end)
        end()
      }
    }
  }

  put(key: string, value: string, at: number | 'absent', signal?: AbortSignal): Promise<Entry> {
    return this.#put({ key: base64(key), value: base64(value) }, key, at, signal)
  }

  /** The key belongs to a lease of its own; who is killed in between leaves one that holds nothing and ends by itself. */
  async putFor(
    seconds: number,
    key: string,
    value: string,
    at: number | 'absent',
    signal?: AbortSignal,
  ): Promise<Entry> {
    // Granted twice, one of the two holds nothing.
    const lease = leaseIn(await this.#call('/v3/lease/grant', { TTL: String(seconds) }, true, signal))
    try {
      return await this.#put({ key: base64(key), value: base64(value), lease }, key, at, signal)
    } catch (error) {
      const isRefused = error instanceof EtcdError && error.code !== 'ETCD_UNAVAILABLE'
      if (isRefused) await this.#call('/v3/lease/revoke', { ID: lease }, true, signal).catch(() => undefined)
      throw error
    }
  }

  async delete(key: string, at: number, signal?: AbortSignal): Promise<void> {
    await this.#txn([isAt(key, at)], [{ request_delete_range: { key: base64(key) } }], key, signal)
  }

  async move({ from, to, value, over }: Move, signal?: AbortSignal): Promise<Entry> {
    const success = [
      { request_put: { key: base64(to), value: base64(value) } },
      { request_delete_range: { key: base64(from.key) } },
      rangeOf(to),
    ]
    const fields = await this.#txn(
      [isAt(from.key, from.revision), isAt(to, over ?? 'absent')],
      success,
      from.key,
      signal,
    )
    return onlyOne(rangeIn(fields, 2))
  }

  async #put(request_put: object, key: string, at: number | 'absent', signal: AbortSignal | undefined): Promise<Entry> {
    const fields = await this.#txn([isAt(key, at)], [{ request_put }, rangeOf(key)], key, signal)
    return onlyOne(rangeIn(fields, 1))
  }

  async #range(body: object, signal: AbortSignal | undefined): Promise<KeyListing> {
    const fields = await this.#call('/v3/kv/range', body, true, signal)
    const { revision } = headerOf(fields)
    const entries = keysOf(fields)
    if (entries.some((entry) => entry.revision > revision)) throw garbage('a key from the future')
    return { revision, entries }
  }

  async #txn(
    compare: readonly object[],
    success: readonly object[],
    key: string,
    signal: AbortSignal | undefined,
  ): Promise<Fields> {
    const fields = await this.#call('/v3/kv/txn', { compare, success }, false, signal)
    if (fields['succeeded'] !== true) throw conflict(key)
    return fields
  }

  #call(path: string, content: object, isSafe: boolean, signal: AbortSignal | undefined): Promise<Fields> {
    const body = JSON.stringify(content)
    return this.#token.with((headers) =>
      this.#http.call({ method: 'POST', path, headers, body, isSafe, signal }, (answer) => {
        const fields = v3Fields(answer)
        this.#history.met(headerOf(fields).cluster)
        return fields
      }),
    )
  }

  async *#open(folder: string, seen: number, signal: AbortSignal): AsyncGenerator<Batch, void> {
    const create_request = {
      key: base64(folder),
      range_end: base64(endOf(folder)),
      start_revision: String(seen + 1),
      progress_notify: true,
      prev_kv: true,
      fragment: true,
    }
    const body = JSON.stringify({ create_request })
    const { body: stream } = await this.#token.with((headers) =>
      this.#http.stream(
        { method: 'POST', path: '/v3/watch', headers, body, isSafe: true, signal },
        ({ status, text }) => v3Failure(status, text),
      ),
    )
    yield* readBatches(stream, {
      signal,
      silence: this.#options.silence ?? SILENCE,
      met: (cluster) => this.#history.met(cluster),
    })
  }
}

function isAt(key: string, at: number | 'absent'): object {
  return at === 'absent'
    ? { key: base64(key), target: 'CREATE', result: 'EQUAL', create_revision: '0' }
    : { key: base64(key), target: 'MOD', result: 'EQUAL', mod_revision: String(at) }
}

function rangeOf(key: string): object {
  return { request_range: { key: base64(key) } }
}

function onlyOne(entries: readonly Entry[]): Entry {
  const [entry] = entries
  if (entry === undefined) throw garbage('a write without what it wrote')
  return entry
}

/** The first key after all that begin with a folder's: `/a/` is followed by `/a0`. */
function endOf(folder: string): string {
  return `${folder.slice(0, -1)}0`
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
