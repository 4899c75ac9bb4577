/**
 * Events: what happened to an object, for people who look at it (`kubectl describe`).
 * @module
 */
import type { KubeApi } from './api.ts'
import { KubeError } from './errors.ts'
import type { KubeObject } from './object.ts'
import { EVENTS } from './resources.ts'
import { TokenBuckets } from './token-buckets.ts'

/** What happened. */
export interface Happening {
  readonly type: 'Normal' | 'Warning'
  /** In CamelCase, for programs. */
  readonly reason: string
  /** For people. */
  readonly message: string
}

/** How an {@link EventRecorder} works. */
export interface EventRecorderOptions {
  /** Who says it: `weft-controller`. */
  readonly component: string
  /** On which node, where that matters. */
  readonly host?: string
  /** Called when an event could not be written; it is lost then. */
  readonly onError?: (error: unknown) => void
  readonly now?: () => number
}

/** client-go's numbers: a burst of 25 events per object, then one in five minutes. */
const BURST = 25
const REFILL_MS = 300_000
/** An event that is repeated within this time counts up instead of becoming another one. */
const SAME_MS = 600_000
const MOST_REMEMBERED = 4096
const MAX_MESSAGE = 1024
const MAX_NAME = 253

/**
 * Writes events. The same one again counts up; an object of which too much is told falls silent for a while. Nothing
 * that happens here is anybody's failure: what cannot be written is lost.
 */
export class EventRecorder {
  readonly #api: KubeApi
  readonly #options: EventRecorderOptions
  readonly #buckets: TokenBuckets
  readonly #remembered = new Map<string, Remembered>()
  /** Events of one object are written one after the other: a count must not overtake its creation. */
  readonly #writing = new Map<string, Promise<void>>()

  constructor(api: KubeApi, options: EventRecorderOptions) {
    this.#api = api
    this.#options = options
    this.#buckets = new TokenBuckets({ burst: BURST, refill: REFILL_MS, most: MOST_REMEMBERED })
  }

  /** Tells of something that happened to an object. Returns at once. */
  record(about: KubeObject, { type, reason, message }: Happening): void {
    const now = this.#now()
    const subject = referenceTo(about)
    const object = JSON.stringify(subject)
    if (!this.#buckets.take(object, now)) return
    const said = { type, reason, message: message.slice(0, MAX_MESSAGE) }
    const before = this.#writing.get(object) ?? Promise.resolve()
    const writing = before
      .then(() => this.#write(subject, said, now))
      .catch((error: unknown) => this.#options.onError?.(error))
      .finally(() => {
        if (this.#writing.get(object) === writing) this.#writing.delete(object)
      })
    this.#writing.set(object, writing)
  }

  /** When everything told so far is written or lost. */
  async settled(): Promise<void> {
    await Promise.all(this.#writing.values())
  }

  async #write(subject: Reference, said: Happening, now: number): Promise<void> {
    const key = JSON.stringify([subject, said])
    const known = this.#remembered.get(key)
    if (known !== undefined && now - known.last < SAME_MS && (await this.#count(known, now))) {
      this.#remember(key, { ...known, count: known.count + 1, last: now })
      return
    }
    const event = this.#eventOf(subject, said, now)
    await this.#api.create(EVENTS, event)
    this.#remember(key, { name: event.metadata.name, namespace: namespaceOf(subject), count: 1, last: now })
  }

  /** Whether the event was still there to be counted up. */
  async #count({ name, namespace, count }: Remembered, now: number): Promise<boolean> {
    try {
      const patch = { count: count + 1, lastTimestamp: timeOf(now) }
      await this.#api.patch(EVENTS, { name, namespace }, 'merge', patch)
      return true
    } catch (error) {
      if (error instanceof KubeError && error.code === 'KUBE_NOT_FOUND') return false
      throw error
    }
  }

  #eventOf(subject: Reference, said: Happening, now: number): KubeObject {
    const { component, host } = this.#options
    const suffix = `.${crypto.randomUUID().replaceAll('-', '').slice(0, 16)}`
    const name = `${subject.name.slice(0, MAX_NAME - suffix.length)}${suffix}`
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace: namespaceOf(subject) },
      involvedObject: subject,
      ...said,
      source: { component, ...(host === undefined ? {} : { host }) },
      reportingComponent: component,
      reportingInstance: host ?? component,
      count: 1,
      firstTimestamp: timeOf(now),
      lastTimestamp: timeOf(now),
    }
  }

  #remember(key: string, remembered: Remembered): void {
    this.#remembered.delete(key)
    this.#remembered.set(key, remembered)
    const [oldest] = this.#remembered.keys()
    if (this.#remembered.size > MOST_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest)
  }

  #now(): number {
    return this.#options.now?.() ?? Date.now()
  }
}

interface Remembered {
  readonly name: string
  readonly namespace: string
  readonly count: number
  readonly last: number
}

interface Reference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
}

function referenceTo({ apiVersion, kind, metadata: { name, namespace, uid } }: KubeObject): Reference {
  return {
    apiVersion,
    kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
  }
}

/** Events about what is in no namespace are kept in `default`, as everybody does. */
function namespaceOf({ namespace }: Reference): string {
  return namespace ?? 'default'
}

/** The API keeps times of events to the second. */
function timeOf(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19)}Z`
}
