/**
 * A small API server of one resource, things, that is in order until it is told not to be: the store behind it is always
 * right, what goes over the wire is what the next fault makes of it.
 * @module
 */
import type { KubeObject, Resource } from '../object.ts'
import {
  answer,
  chunk,
  chunked,
  json,
  LAST_CHUNK,
  type RawConnection,
  type RawRequest,
  serveRaw,
} from './raw-server.ts'

/** The resource it serves. */
export const THINGS: Resource = { group: 'test', version: 'v1', plural: 'things', kind: 'Thing', namespaced: false }

/** What can be wrong with one answer. */
export type Fault =
  | 'closed'
  | 'closed-midway'
  | 'garbage'
  | 'html'
  | 'huge'
  | 'silent'
  | 'too-many'
  | 'unavailable'
  | 'busy'
  | 'gone'
  | 'gone-event'
  | 'wrong-kind'
  | 'no-version'
  | 'slow'
  | 'ends-at-once'

/** Every fault there is. */
export const FAULTS: readonly Fault[] = [
  'closed',
  'closed-midway',
  'garbage',
  'html',
  'huge',
  'silent',
  'too-many',
  'unavailable',
  'busy',
  'gone',
  'gone-event',
  'wrong-kind',
  'no-version',
  'slow',
  'ends-at-once',
]

/** A served thing, with a value that tells its writes apart. */
export function thing(name: string, value: number, revision: number): KubeObject {
  return {
    apiVersion: 'test/v1',
    kind: 'Thing',
    metadata: { name, resourceVersion: String(revision), uid: `u-${name}` },
    value,
  }
}

type Event = { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject; readonly revision: number }

const FIRST = 10

/** The server. */
export class ThingServer {
  readonly faults: Fault[] = []
  readonly requests: RawRequest[] = []
  /** Lists that were answered as they should be. */
  listed = 0
  #objects = new Map<string, KubeObject>()
  #revision = FIRST
  #floor = FIRST
  /** All that ever happened; what is not above the floor is told to nobody. */
  #log: Event[] = []
  readonly #watching = new Set<() => void>()
  readonly #server = serveRaw((request, connection) => this.#answer(request, connection))

  get url(): string {
    return this.#server.url
  }

  get revision(): number {
    return this.#revision
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#server.open()
  }

  /** What a client must end up with. */
  contents(): readonly string[] {
    return [...this.#objects.values()].map(textOf).toSorted()
  }

  put(name: string, value: number): void {
    this.#revision += 1
    const object = thing(name, value, this.#revision)
    const type = this.#objects.has(name) ? 'MODIFIED' : 'ADDED'
    this.#objects.set(name, object)
    this.#tell({ type, object, revision: this.#revision })
  }

  remove(name: string): void {
    const last = this.#objects.get(name)
    if (last === undefined) return
    this.#revision += 1
    this.#objects.delete(name)
    const object = { ...last, metadata: { ...last.metadata, resourceVersion: String(this.#revision) } }
    this.#tell({ type: 'DELETED', object, revision: this.#revision })
  }

  /** History is compacted: what was is forgotten. */
  forget(): void {
    this.#floor = this.#revision
  }

  /** Everybody is cut off; `lost` writes back, the server is what it was before them, and goes on differently. */
  restart(lost: number): void {
    this.#log = this.#log.slice(0, Math.max(0, this.#log.length - lost))
    this.#objects = new Map()
    for (const { type, object } of this.#log) {
      if (type === 'DELETED') this.#objects.delete(object.metadata.name)
      else this.#objects.set(object.metadata.name, object)
    }
    this.#revision = this.#log.at(-1)?.revision ?? FIRST
    this.forget()
    for (const cut of this.#cuts) cut()
  }

  stop(): void {
    this.#server.stop()
  }

  readonly #cuts = new Set<() => void>()

  #tell(event: Event): void {
    this.#log.push(event)
    for (const wake of this.#watching) wake()
  }

  async #answer(request: RawRequest, connection: RawConnection): Promise<void> {
    this.requests.push(request)
    const fault = this.faults.shift()
    if (await misbehave(fault, connection)) return
    if (request.query.get('watch') === 'true') return this.#watch(request, connection, fault)
    this.#list(request, connection, fault)
  }

  #list({ query }: RawRequest, connection: RawConnection, fault: Fault | undefined): void {
    if (fault === undefined) this.listed += 1
    const limit = Number(query.get('limit') ?? Number.POSITIVE_INFINITY)
    const [revision = this.#revision, from = 0] = (query.get('continue') ?? '').split('.').filter(Boolean).map(Number)
    // A page of what was needs the past; this server keeps none.
    if (revision !== this.#revision) {
      connection.write(json(410, { kind: 'Status', reason: 'Expired', code: 410, message: 'the past is gone' }))
      connection.end()
      return
    }
    const all = [...this.#objects.values()]
    const items: unknown[] = all.slice(from, from + limit)
    const next = from + limit < all.length ? `${revision}.${from + limit}` : ''
    if (fault === 'wrong-kind') items.push({ kind: 'Other', apiVersion: 'test/v1', metadata: { name: 'x' } })
    const metadata = fault === 'no-version' ? {} : { resourceVersion: String(revision), continue: next }
    const body = JSON.stringify({ kind: 'ThingList', apiVersion: 'test/v1', metadata, items })
    if (fault === 'closed-midway') connection.write(answer(200, body).slice(0, -10))
    else if (fault === 'slow') connection.write(chunked() + [...body].map(chunk).join('') + LAST_CHUNK)
    else connection.write(answer(200, body))
    connection.end()
  }

  async #watch({ query }: RawRequest, connection: RawConnection, fault: Fault | undefined): Promise<void> {
    let seen = Number(query.get('resourceVersion'))
    if (seen < this.#floor) {
      const status = { kind: 'Status', status: 'Failure', reason: 'Expired', code: 410, message: 'too old' }
      connection.write(chunked() + chunk(line({ type: 'ERROR', object: status })) + LAST_CHUNK)
      connection.end()
      return
    }
    connection.write(chunked())
    let isCut = false
    const cut = (): void => {
      isCut = true
      connection.end()
    }
    this.#cuts.add(cut)
    while (!connection.isClosed() && !isCut) {
      for (const event of this.#log.filter(({ revision }) => revision > seen)) {
        seen = event.revision
        isCut ||= writeEvent(connection, event, fault)
      }
      if (!isCut) await this.#change(connection)
    }
    this.#cuts.delete(cut)
    connection.end()
  }

  #change(connection: RawConnection): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#watching.delete(wake)
        resolve()
      }
      this.#watching.add(wake)
      this.#cuts.add(wake)
      void connection.closed.then(wake)
    })
  }
}

/** Writes an event as the fault has it; true when the connection goes with it. */
function writeEvent(connection: RawConnection, { type, object }: Event, fault: Fault | undefined): boolean {
  const text = line({ type, object: fault === 'no-version' ? { ...object, metadata: { name: 'x' } } : object })
  if (fault === 'closed-midway') {
    connection.write(chunk(text.slice(0, -10)))
    return true
  }
  for (const piece of fault === 'slow' ? [...text] : [text]) connection.write(chunk(piece))
  if (fault === 'wrong-kind') connection.write(chunk(line({ type, object: { ...object, kind: 'Other' } })))
  return false
}

function line(event: unknown): string {
  return `${JSON.stringify(event)}\n`
}

/** An object as a line to compare. */
export function textOf({ metadata, ...object }: KubeObject): string {
  return `${metadata.name}@${metadata.resourceVersion}=${String(object['value'])}`
}

/** What is wrong whatever was asked. */
async function misbehave(fault: Fault | undefined, connection: RawConnection): Promise<boolean> {
  switch (fault) {
    case 'closed':
      break
    case 'garbage':
      connection.write(chunked() + chunk('{"type":"ADDED","object":{"kind"\n\u0000\n]]]\n') + LAST_CHUNK)
      break
    case 'html':
      connection.write(answer(200, '<html>log in first</html>\n', { 'content-type': 'text/html' }))
      break
    case 'huge':
      connection.write(chunked() + chunk('x'.repeat(300_000)))
      break
    case 'silent':
      connection.write(chunked())
      await connection.closed
      return true
    case 'too-many':
      connection.write(json(429, { kind: 'Status', reason: 'TooManyRequests', code: 429 }, { 'retry-after': '0' }))
      break
    case 'unavailable':
      connection.write(json(503, { kind: 'Status', reason: 'ServiceUnavailable', code: 503 }))
      break
    case 'busy':
      connection.write(json(503, { kind: 'Status', reason: 'ServiceUnavailable', code: 503 }, { 'retry-after': '7' }))
      break
    case 'gone':
      connection.write(json(410, { kind: 'Status', reason: 'Gone', code: 410 }))
      break
    case 'gone-event': {
      const object = { kind: 'Status', reason: 'Expired', code: 410 }
      connection.write(chunked() + chunk(`${JSON.stringify({ type: 'ERROR', object })}\n`) + LAST_CHUNK)
      break
    }
    case 'ends-at-once':
      connection.write(chunked() + LAST_CHUNK)
      break
    default:
      return false
  }
  connection.end()
  return true
}
