/**
 * Watches: what changes in a collection, as a stream of lines.
 * @module
 */
import { apiVersionOf } from '../../../kube/object.ts'
import type { Call, Context } from '../context.ts'
import { expired, invalidOption, statusOf } from '../http/status.ts'
import type { Change, Entry } from '../store/change.ts'
import { flagOf, numberOf } from './options.ts'
import { revisionOf, type Selection, selectionOf } from './select.ts'
import { Wakeups } from './wakeups.ts'

/** How an entry is written into an event. */
export type EventText = (entry: Entry) => string

/**
 * The watch that a call asks for. It remembers no more than how far it has come and reads on as fast as its consumer
 * does: one that sleeps until the changes it needs are forgotten is told so, and costs nothing meanwhile. Throws
 * ApiError.
 */
export function watchStream(context: Context, call: Call, text: EventText): ReadableStream<Uint8Array> {
  const watch = new Watch(context, call, text)
  return new ReadableStream<Uint8Array>(
    {
      // White space between events: without a first byte the response's head would not be sent.
      start: (controller) => controller.enqueue(encoder.encode('\n')),
      pull: async (controller) => {
        const lines = await watch.next()
        if (lines === undefined) controller.close()
        else controller.enqueue(encoder.encode(lines))
      },
      cancel: () => watch.end(),
    },
    { highWaterMark: 1 },
  )
}

const encoder = new TextEncoder()
/** Events in one piece of the stream. */
const BATCH = 256
/** Without `timeoutSeconds` a watch ends after half an hour to an hour, not all at once. */
const LEAST_TIMEOUT = 1800
const MOST_TIMEOUT = 86_400

class Watch {
  readonly #context: Context
  readonly #call: Call
  readonly #text: EventText
  readonly #selection: Selection
  readonly #wakeups: Wakeups
  readonly #hasBookmarks: boolean
  readonly #endsWithBookmark: boolean
  #initial: readonly Entry[]
  #sent = 0
  #isInitialDone: boolean
  #cursor: number
  #isOver = false

  constructor(context: Context, call: Call, text: EventText) {
    const { query } = call
    const { store } = context
    const sendInitial = query.get('sendInitialEvents')
    checkInitial(sendInitial, query)
    const asked = revisionOf(query.get('resourceVersion')) ?? 0
    const wantsAll = sendInitial === 'true' || (sendInitial === null && asked === 0)
    this.#context = context
    this.#call = call
    this.#text = text
    this.#selection = selectionOf(call)
    this.#hasBookmarks = flagOf(query, 'allowWatchBookmarks')
    this.#endsWithBookmark = sendInitial === 'true' && this.#hasBookmarks
    this.#initial = wantsAll ? store.collection(this.#selection.collection).slice(this.#selection.prefix) : []
    this.#isInitialDone = !wantsAll
    // What is not committed yet may be among the initial objects: those come again, no older than they were.
    this.#cursor = wantsAll || asked === 0 ? store.revision : asked
    const seconds = Math.min(numberOf(query, 'timeoutSeconds') || LEAST_TIMEOUT * (1 + Math.random()), MOST_TIMEOUT)
    this.#wakeups = new Wakeups({
      subscribe: (wake) => store.subscribe(this.#selection.collection, wake),
      bookmarkInterval: this.#hasBookmarks ? context.bookmarkInterval : undefined,
      timeout: seconds * 1000,
      signals: [context.stopping, call.request.signal],
    })
  }

  /** The next lines; undefined when the watch is over. */
  async next(): Promise<string | undefined> {
    while (!this.#isOver) {
      const lines = this.#initialLines() ?? this.#newLines()
      if (lines !== undefined) return lines
      const reason = await this.#wakeups.next()
      if (reason === 'bookmark') return this.#bookmark()
      if (reason === 'timeout') {
        this.end()
        return this.#hasBookmarks ? this.#bookmark() : undefined
      }
      if (reason === 'stopped') this.end()
    }
    return undefined
  }

  end(): void {
    this.#isOver = true
    this.#wakeups.end()
  }

  #initialLines(): string | undefined {
    if (this.#isInitialDone) return undefined
    const lines: string[] = []
    for (; this.#sent < this.#initial.length && lines.length < BATCH; this.#sent += 1) {
      const entry = this.#initial[this.#sent]
      if (entry !== undefined && this.#selection.matches(entry)) lines.push(this.#line('ADDED', entry))
    }
    if (this.#sent >= this.#initial.length) {
      this.#isInitialDone = true
      this.#initial = []
      if (this.#endsWithBookmark) lines.push(this.#bookmark({ 'k8s.io/initial-events-end': 'true' }))
    }
    return lines.length > 0 ? lines.join('') : this.#initialLines()
  }

  #newLines(): string | undefined {
    const { store } = this.#context
    const collection = store.collection(this.#selection.collection)
    const isKnown = this.#cursor >= collection.floor && this.#cursor <= store.revision
    if (!isKnown || store.isForeign(this.#cursor)) return this.#expire()
    const lines: string[] = []
    const { changes } = collection
    for (let index = collection.changesAfter(this.#cursor); index < changes.length; index += 1) {
      const change = changes[index]
      if (change === undefined || change.revision > store.committed || lines.length >= BATCH) break
      const line = this.#changeLine(change)
      if (line !== undefined) lines.push(line)
      this.#cursor = change.revision
    }
    if (lines.length > 0) return lines.join('')
    // Nothing up to here concerned this watch: it need not be remembered for it.
    this.#cursor = Math.max(this.#cursor, store.committed)
    return undefined
  }

  #changeLine({ type, entry, previous, revision }: Change): string | undefined {
    const { prefix, matches } = this.#selection
    if (!entry.key.startsWith(prefix)) return undefined
    const isIn = type !== 'DELETED' && matches(entry)
    const wasIn = previous !== undefined && matches(previous)
    if (isIn) return this.#line(wasIn ? 'MODIFIED' : 'ADDED', entry)
    if (!wasIn) return undefined
    // One that no longer matches is told as it was when it did, at the revision of the change.
    return this.#line('DELETED', type === 'DELETED' ? entry : atRevision(previous, revision))
  }

  #line(type: string, entry: Entry): string {
    return `{"type":"${type}","object":${this.#text(entry)}}\n`
  }

  #bookmark(annotations?: Readonly<Record<string, string>>): string {
    const { resource } = this.#call
    const metadata = {
      resourceVersion: String(this.#cursor),
      creationTimestamp: null,
      ...(annotations && { annotations }),
    }
    const object = { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata }
    return `${JSON.stringify({ type: 'BOOKMARK', object })}\n`
  }

  #expire(): string {
    this.end()
    const { committed } = this.#context.store
    const object = statusOf(expired(`too old resource version: ${this.#cursor} (${committed})`))
    return `${JSON.stringify({ type: 'ERROR', object })}\n`
  }
}

function atRevision(entry: Entry, revision: number): Entry {
  const object = JSON.parse(entry.text)
  return {
    ...entry,
    text: JSON.stringify({ ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } }),
  }
}

function checkInitial(sendInitial: string | null, query: URLSearchParams): void {
  const match = query.get('resourceVersionMatch') ?? ''
  const refuse = (message: string): never => {
    throw invalidOption('ListOptions', 'resourceVersionMatch', 'FieldValueForbidden', `Forbidden: ${message}`)
  }
  if (sendInitial !== null && match !== 'NotOlderThan') {
    refuse('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
  }
  if (sendInitial === null && match !== '') {
    refuse('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')
  }
}
