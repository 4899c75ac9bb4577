/**
 * Lists: pages of one moment, however much is written meanwhile.
 * @module
 */
import { apiVersionOf } from '../../../kube/object.ts'
import type { Call, Context } from '../context.ts'
import { badRequest, invalidOption } from '../http/status.ts'
import { isFields } from '../objects/shape.ts'
import type { Entry } from '../store/change.ts'
import { numberOf } from './options.ts'
import { entriesAt, refuseFuture, revisionOf, type Selection, selectionOf } from './select.ts'

/** One page. */
export interface Page {
  readonly entries: readonly Entry[]
  /** The list's metadata as the API writes it. */
  readonly metadata: Readonly<Record<string, unknown>>
}

/** The page that a call asks for. Throws ApiError. */
export function listPage({ store }: Context, call: Call): Page {
  const { query } = call
  const selection = selectionOf(call)
  const limit = numberOf(query, 'limit') ?? 0
  const { revision, from } = startOf(store, query)
  // Nothing more exact than now is promised for a list without a revision, but every page after it is of that moment.
  const all = entriesAt(store, selection, revision, from)
  return cut(all, selection, limit > 0 ? limit : Number.POSITIVE_INFINITY, revision)
}

/** The kind of a list in this version. */
export function listHead({ resource }: Call): { readonly kind: string; readonly apiVersion: string } {
  return { kind: resource.listKind, apiVersion: apiVersionOf(resource) }
}

function cut(all: readonly Entry[], selection: Selection, limit: number, revision: number): Page {
  const entries: Entry[] = []
  let index = 0
  for (; index < all.length && entries.length < limit; index += 1) {
    const entry = all[index]
    if (entry !== undefined && selection.matches(entry)) entries.push(entry)
  }
  const rest = all.slice(index).filter((entry) => selection.matches(entry))
  const last = entries.at(-1)
  const metadata = { resourceVersion: String(revision) }
  if (rest.length === 0 || last === undefined) return { entries, metadata }
  const token = encodeToken({ revision, from: `${last.key}\0` })
  return { entries, metadata: { ...metadata, continue: token, remainingItemCount: rest.length } }
}

interface Start {
  readonly revision: number
  /** The first key that may come. */
  readonly from: string
}

function startOf(store: Context['store'], query: URLSearchParams): Start {
  const token = query.get('continue')
  const asked = revisionOf(query.get('resourceVersion'))
  const match = query.get('resourceVersionMatch') ?? ''
  checkMatch(match, asked, token)
  if (token !== null && token !== '') return decodeToken(token)
  if (asked !== undefined) refuseFuture(store, asked)
  return { revision: match === 'Exact' && asked !== undefined ? asked : store.revision, from: '' }
}

function checkMatch(match: string, asked: number | undefined, token: string | null): void {
  const refuse = (message: string): never => {
    throw invalidOption('ListOptions', 'resourceVersionMatch', 'FieldValueForbidden', `Forbidden: ${message}`)
  }
  if (match === '') return
  if (match !== 'Exact' && match !== 'NotOlderThan') {
    const message = `Unsupported value: ${JSON.stringify(match.slice(0, 50))}: supported values: "Exact", "NotOlderThan", ""`
    throw invalidOption('ListOptions', 'resourceVersionMatch', 'FieldValueNotSupported', message)
  }
  if (token !== null && token !== '') refuse('resourceVersionMatch is forbidden when continue is provided')
  if (asked === undefined) refuse('resourceVersionMatch is forbidden unless resourceVersion is provided')
  if (match === 'Exact' && asked === 0) {
    refuse('resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
  }
}

function encodeToken({ revision, from }: Start): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start: from })).toString('base64url')
}

function decodeToken(token: string): Start {
  try {
    const decoded: unknown = JSON.parse(Buffer.from(token, 'base64url').toString())
    if (isFields(decoded) && typeof decoded['start'] === 'string' && Number.isSafeInteger(decoded['rv'])) {
      return { revision: Number(decoded['rv']), from: decoded['start'] }
    }
  } catch {
    // Told below.
  }
  throw badRequest('invalid continue token: continue key is not valid')
}
