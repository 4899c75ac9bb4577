/**
 * etcd through its v2 keys API, as k8s-ovs uses it. etcd 3.4 and 3.5 serve it when started with `--enable-v2`.
 * @module
 */
import type { EtcdConfig } from './config.ts'
import { parseJson, recordOf } from './decode.ts'
import { conflict, EtcdError, garbage } from './errors.ts'
import { ClusterHistory } from './history.ts'
import { type EtcdAnswer, EtcdHttp, type EtcdHttpOptions, type EtcdRequest } from './http.ts'
import type { Batch, Entry, KeyListing, KeyReading, KeySpace, Move } from './key-space.ts'
import { entriesIn, eventIn, indexIn, isMissing, v2Failure, writtenEntry } from './v2-decode.ts'
import { readEvent } from './v2-watch.ts'

/** How a client behaves. Times are in milliseconds. */
export interface EtcdOptions extends EtcdHttpOptions {
  /** A watch that is silent for so long is asked for anew: its member may be gone. 60 s when absent. */
  readonly silence?: number
}

const SILENCE = 60_000

/** The v2 key space of an etcd. */
export class EtcdV2 implements KeySpace {
  readonly api = 'v2'
  readonly #http: EtcdHttp
  readonly #options: EtcdOptions
  readonly #history = new ClusterHistory()
  readonly #headers: Readonly<Record<string, string>>

  constructor(config: EtcdConfig, options: EtcdOptions = {}) {
    this.#http = new EtcdHttp(config, options)
    this.#options = options
    const { username, password = '' } = config.credentials()
    const account = username === undefined ? undefined : Buffer.from(`${username}:${password}`).toString('base64')
    this.#headers = account === undefined ? {} : { authorization: `Basic ${account}` }
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
    const { revision, entries } = await this.#read(key, 'quorum=true', signal)
    return { revision, entry: entries.find((entry) => entry.key === key) }
  }

  list(folder: string, signal?: AbortSignal): Promise<KeyListing> {
    return this.#read(folder.slice(0, -1), 'quorum=true&recursive=true', signal)
  }

  async *watch(folder: string, after: number, signal: AbortSignal): AsyncGenerator<Batch, void> {
    const history = this.#history.number
    let seen = after
    let isChecked = false
    // One request for every event: a stream of them loses what happened before it was opened but for the first.
    while (!signal.aborted) {
      if (!isChecked && !(await this.#reaches(folder, seen, signal))) return
      const text = await this.#nextEvent(folder, seen, signal)
      isChecked = text !== undefined
      this.#history.expectSame(history)
      if (text === undefined || signal.aborted) continue
      const { revision, event } = eventIn(text, folder)
      if (revision <= seen) throw garbage('an event of the past')
      seen = revision
      yield { revision, events: event === undefined ? [] : [event] }
    }
  }

  put(key: string, value: string, at: number | 'absent', signal?: AbortSignal): Promise<Entry> {
    return this.#put(key, `value=${encodeURIComponent(value)}`, at, signal)
  }

  putFor(seconds: number, key: string, value: string, at: number | 'absent', signal?: AbortSignal): Promise<Entry> {
    return this.#put(key, `value=${encodeURIComponent(value)}&ttl=${seconds}`, at, signal)
  }

  async delete(key: string, at: number, signal?: AbortSignal): Promise<void> {
    const request = { method: 'DELETE', path: `${pathOf(key)}?prevIndex=${at}`, isSafe: false, signal } as const
    await this.#call(request, key, () => undefined)
  }

  /** The new one first: who is killed in between leaves two, of which the later one counts. */
  async move({ from, to, value, over }: Move, signal?: AbortSignal): Promise<Entry> {
    const { entry } = await this.get(from.key, signal)
    if (entry?.revision !== from.revision) throw conflict(from.key)
    const made = await this.put(to, value, over ?? 'absent', signal)
    try {
      await this.delete(from.key, from.revision, signal)
      return made
    } catch (error) {
      // Somebody wrote the old one meanwhile: what they wrote counts. After any other failure it may be gone.
      const isOvertaken = error instanceof EtcdError && error.code === 'ETCD_CONFLICT'
      if (isOvertaken && over === undefined) await this.delete(to, made.revision, signal)
      throw error
    }
  }

  async #put(key: string, body: string, at: number | 'absent', signal: AbortSignal | undefined): Promise<Entry> {
    const condition = at === 'absent' ? 'prevExist=false' : `prevIndex=${at}`
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const request = {
      method: 'PUT',
      path: `${pathOf(key)}?${condition}`,
      headers,
      body,
      isSafe: false,
      signal,
    } as const
    return this.#call(request, key, writtenEntry)
  }

  async #read(key: string, query: string, signal: AbortSignal | undefined): Promise<KeyListing> {
    const request = { method: 'GET', path: `${pathOf(key)}?${query}`, isSafe: true, signal } as const
    return this.#call(
      request,
      key,
      (answer) => {
        const revision = indexIn(answer.headers)
        if (isMissing(answer)) return { revision, entries: [] }
        const entries = entriesIn(recordOf(parseJson(answer.text), 'an answer')['node'])
        if (entries.some((entry) => entry.revision > revision)) throw garbage('a key from the future')
        return { revision, entries }
      },
      isMissing,
    )
  }

  /** Throws `ETCD_EXPIRED` when etcd has not come to a revision. False when the caller ended the call. */
  async #reaches(folder: string, seen: number, signal: AbortSignal): Promise<boolean> {
    try {
      const { revision } = await this.get(folder.slice(0, -1), signal)
      this.#history.expectReached(seen, revision)
      return true
    } catch (error) {
      if (signal.aborted) return false
      throw error
    }
  }

  /**
   * The next event's text; undefined when nothing came for so long that it is better to ask anew, and when a member
   * that has not come so far yet was asked.
   */
  async #nextEvent(folder: string, seen: number, signal: AbortSignal): Promise<string | undefined> {
    const path = `${pathOf(folder.slice(0, -1))}?wait=true&recursive=true&waitIndex=${seen + 1}`
    const ended = new AbortController()
    const end = (): void => ended.abort()
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
    try {
      const request = { method: 'GET', path, headers: this.#headers, isSafe: true, signal: ended.signal } as const
      const refuse = (answer: EtcdAnswer): EtcdError => v2Failure(answer, folder) ?? garbage('no event')
      const { headers, body } = await this.#http.stream(request, refuse)
      this.#history.met(headers.get('x-etcd-cluster-id') ?? undefined)
      if (indexIn(headers) < seen) await this.#reaches(folder, seen, signal)
      return await readEvent(body, ended.signal, this.#options.silence ?? SILENCE)
    } catch (error) {
      if (signal.aborted) return undefined
      throw error
    } finally {
      signal.removeEventListener('abort', end)
      end()
    }
  }

  #call<T>(
    request: EtcdRequest,
    key: string,
    read: (answer: EtcdAnswer) => T,
    isFine: (answer: EtcdAnswer) => boolean = () => false,
  ): Promise<T> {
    return this.#http.call({ ...request, headers: { ...request.headers, ...this.#headers } }, (answer) => {
      const failure = isFine(answer) ? undefined : v2Failure(answer, key)
      if (failure !== undefined) throw failure
      this.#history.met(answer.headers.get('x-etcd-cluster-id') ?? undefined)
      return read(answer)
    })
  }
}

function pathOf(key: string): string {
  return `/v2/keys${key.split('/').map(encodeURIComponent).join('/')}`
}
