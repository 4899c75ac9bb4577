/**
 * One watch request: a stream of lines that is never believed to be alive for longer than its silence allows.
 * @module
 */
import { readLines } from '../registry/lines.ts'
import type { KubeEvent, Selection } from './api.ts'
import { decodeEvent, decodePage, versionValue } from './decode.ts'
import { KubeError } from './errors.ts'
import type { HttpTransport } from './http.ts'
import type { Resource } from './object.ts'
import { collectionPath } from './path.ts'

/** How watches behave. Times are in milliseconds unless they say otherwise. */
export interface WatchOptions {
  /** Seconds after which the server is asked to end a watch, drawn anew each time. 300 to 600 when absent. */
  readonly watchSeconds?: { readonly least: number; readonly most: number }
  /** A watch without a byte for so long ends and is asked for again: bookmarks come every minute. 3 min when absent. */
  readonly silence?: number
  /** The longest line in characters. */
  readonly maxLine?: number
  readonly now?: () => number
  readonly random?: () => number
}

/** What to watch. */
export interface WatchRequest {
  readonly http: HttpTransport
  readonly resource: Resource
  readonly selection: Selection
  readonly after: string
  readonly signal: AbortSignal
  readonly options: WatchOptions
}

const WATCH_SECONDS = { least: 300, most: 600 }
const SILENCE = 180_000
/** An object of the API has at most 1.5 MB in etcd, and JSON escapes may make it longer. */
const MAX_LINE = 16 << 20
/** A server that ends a watch so soon without a word is ill, and must not be asked again at once. */
const SHORTEST = 1_000
/** A server that does not end a watch as asked gets so much longer. */
const OVERTIME = 30_000

/**
 * The events of one watch request, after a bookmark that comes with its opening. It ends when the server ends it, when it was silent for too long, at its deadline,
 * or when `signal` aborts: whoever wants more watches again after the last event. Throws KubeError; `KUBE_EXPIRED` when
 * the history does not reach back to `after`, and when it does not reach up to it.
 */
export async function* followWatch(request: WatchRequest): AsyncGenerator<KubeEvent, void> {
  const { resource, after, signal, options } = request
  const { now = () => performance.now(), random = Math.random } = options
  const { least, most } = options.watchSeconds ?? WATCH_SECONDS
  const seconds = Math.floor(least + random() * (most - least))
  const ended = new AbortController()
  const end = (): void => ended.abort()
  signal.addEventListener('abort', end)
  if (signal.aborted) end()
  let overtime: ReturnType<typeof setTimeout> | undefined
  const started = now()
  let seen = versionValue(after)
  let heard = false
  try {
    await expectReaching(request, seen)
    const body = await open(request, seconds, ended.signal)
    overtime = setTimeout(end, seconds * 1000 + OVERTIME)
    // A quiet watch tells at least that it is open.
    yield { type: 'BOOKMARK', resourceVersion: after }
    const { silence = SILENCE, maxLine = MAX_LINE } = options
    const fail = (what: 'silence' | 'length') => (what === 'silence' ? new Silent() : tooLong())
    for await (const line of readLines(body, { signal: ended.signal, silence, maxLine, fail })) {
      const event = decodeEvent(line, resource)
      if (signal.aborted) return
      heard ||= event.type !== 'BOOKMARK'
      seen = advance(seen, event)
      yield event
    }
    if (!heard && !ended.signal.aborted && now() - started < SHORTEST) throw unavailable('ended a watch at once')
  } catch (error) {
    if (ended.signal.aborted || error instanceof Silent) return
    throw error instanceof KubeError ? error : unavailable('broke off a watch', error)
  } finally {
    clearTimeout(overtime)
    signal.removeEventListener('abort', end)
    end()
  }
}

/**
 * A server whose history was lost is at an earlier revision than we are. It would let us watch and stay silent until it
 * has caught up, so it is asked before. A thousand nodes do that at once after an outage: the question is about one
 * name, which the server looks up by its key, whatever the size of the collection.
 */
async function expectReaching({ http, resource, selection, signal }: WatchRequest, seen: bigint | undefined) {
  if (seen === undefined || signal.aborted) return
  const isOne = /(^|,)metadata\.name=/.test(selection.fieldSelector ?? '')
  const query = { fieldSelector: isOne ? selection.fieldSelector : 'metadata.name=none', limit: '1' }
  const namespace = selection.namespace ?? (resource.namespaced ? 'default' : undefined)
  const page = decodePage(
    await http.json({ method: 'GET', path: collectionPath(resource, namespace), query, signal }),
    resource,
  )
  const present = versionValue(page.resourceVersion)
  if (present !== undefined && present < seen) throw wentBack()
}

function open({ http, resource, selection, after }: WatchRequest, seconds: number, signal: AbortSignal) {
  const { namespace, labelSelector, fieldSelector } = selection
  return http.stream({
    method: 'GET',
    path: collectionPath(resource, namespace),
    query: {
      labelSelector,
      fieldSelector,
      watch: 'true',
      resourceVersion: after,
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(seconds),
    },
    signal,
  })
}

/** Revisions of a watch only grow; one that falls back is another history. */
function advance(seen: bigint | undefined, event: KubeEvent): bigint | undefined {
  const text = event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion
  const version = versionValue(text ?? '')
  if (seen !== undefined && version !== undefined && version < seen) throw wentBack()
  return version ?? seen
}

class Silent extends Error {}

function tooLong(): KubeError {
  return unavailable('sent a line without an end')
}

function wentBack(): KubeError {
  return new KubeError(
    'KUBE_EXPIRED',
    'the API server is at an earlier revision than it was: its history is another one',
    'list again and watch from there',
  )
}

function unavailable(did: string, cause?: unknown): KubeError {
  const remedy = 'try again later; if it stays, look at the log of the API server'
  return new KubeError('KUBE_UNAVAILABLE', `the API server ${did}`, remedy, { cause })
}
