/**
 * What came over the wire, checked before it is believed. A server's answer that is none throws `KUBE_UNAVAILABLE`:
 * the next one may be better.
 * @module
 */
import type { KubeEvent } from './api.ts'
import { KubeError } from './errors.ts'
import { isFields } from './fields.ts'
import { apiVersionOf, type KubeObject, type ObjectMeta, type Resource } from './object.ts'
import { statusError } from './status.ts'

/** One page of a list. */
export interface Page {
  readonly resourceVersion: string
  /** Where the next page starts; undefined on the last. */
  readonly next: string | undefined
  readonly items: readonly KubeObject[]
}

/**
 * An object of the API. With a resource it must be one of that resource, and may leave out its kind, as the items of a
 * list do. `managedFields` are left out: they are the larger part of many objects, and a server keeps what an update
 * does not mention.
 */
export function decodeObject(input: unknown, resource?: Resource): KubeObject {
  const object = recordOf(input, 'an object')
  const kind = object['kind'] ?? resource?.kind
  const apiVersion = object['apiVersion'] ?? (resource === undefined ? undefined : apiVersionOf(resource))
  if (typeof kind !== 'string' || typeof apiVersion !== 'string') throw garbage('an object without a kind')
  if (resource !== undefined && (kind !== resource.kind || apiVersion !== apiVersionOf(resource))) {
    throw garbage(`${cut(`${apiVersion} ${kind}`)} where ${apiVersionOf(resource)} ${resource.kind} was asked for`)
  }
  return { ...object, apiVersion, kind, metadata: decodeMeta(object['metadata'], resource) }
}

/** One page of a list. */
export function decodePage(input: unknown, resource: Resource): Page {
  const page = recordOf(input, 'a list')
  // A list of nothing may be written as null.
  const items = page['items'] ?? []
  if (!Array.isArray(items)) throw garbage(`no list of ${resource.kind}`)
  return { ...decodePageHead(page, resource), items: items.map((item) => decodeObject(item, resource)) }
}

/** What a page says beside its items. */
export function decodePageHead(page: Readonly<Record<string, unknown>>, resource: Resource): Omit<Page, 'items'> {
  const { resourceVersion, continue: next } = recordOf(page['metadata'], "a list's metadata")
  if (page['kind'] !== `${resource.kind}List`) throw garbage(`no list of ${resource.kind}`)
  if (typeof resourceVersion !== 'string' || resourceVersion === '') throw garbage('a list without a resourceVersion')
  if (next !== undefined && typeof next !== 'string') throw garbage('a continue token that is no text')
  return { resourceVersion, next: next === '' ? undefined : next }
}

/** One line of a watch. An ERROR event is thrown as what it says. */
export function decodeEvent(line: string, resource: Resource): KubeEvent {
  const { type, object } = recordOf(parseJson(line), 'an event')
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED': {
      const decoded = decodeObject(object, resource)
      if (decoded.metadata.resourceVersion === undefined) throw garbage('an event without a resourceVersion')
      return { type, object: decoded }
    }
    case 'BOOKMARK': {
      const { resourceVersion } = recordOf(recordOf(object, 'a bookmark')['metadata'], "a bookmark's metadata")
      if (typeof resourceVersion !== 'string' || resourceVersion === '') throw garbage('a bookmark without a place')
      return { type, resourceVersion }
    }
    case 'ERROR':
      throw statusError(object, { status: undefined, retryAfter: undefined })
    default:
      throw garbage('an event of an unknown type')
  }
}

/** JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's own message may hold a piece of the text, and that may be a secret.
    throw garbage('something that is not JSON')
  }
}

/** A resourceVersion as a number to compare: they grow, in every storage that is in use. */
export function versionValue(text: string): bigint | undefined {
  return /^\d{1,19}$/.test(text) ? BigInt(text) : undefined
}

/** The failure of an answer that is none. */
export function garbage(what: string): KubeError {
  return new KubeError(
    'KUBE_UNAVAILABLE',
    `the API server sent ${what}`,
    'check that the server address in the kubeconfig is that of a Kubernetes API',
  )
}

const TEXTS = ['namespace', 'generateName', 'uid', 'resourceVersion', 'creationTimestamp', 'deletionTimestamp']
const NUMBERS = ['generation', 'deletionGracePeriodSeconds']
/** The longest name of any resource (a DNS subdomain; some kinds allow less). */
const MAX_NAME = 253

function decodeMeta(input: unknown, resource: Resource | undefined): ObjectMeta {
  const { managedFields: _, ...meta } = recordOf(input, 'metadata')
  const { name, namespace, labels, annotations, finalizers, ownerReferences } = meta
  if (typeof name !== 'string' || name === '' || name.length > MAX_NAME) throw garbage('an object without a name')
  if (resource?.namespaced === true && typeof namespace !== 'string') throw garbage('an object without a namespace')
  for (const key of TEXTS) if (!isAbsentOr(meta[key], 'string')) throw garbage(`metadata.${key} that is no text`)
  for (const key of NUMBERS) if (!isAbsentOr(meta[key], 'number')) throw garbage(`metadata.${key} that is no number`)
  if (!isTexts(labels) || !isTexts(annotations)) throw garbage('labels or annotations that are no texts')
  if (!isAbsentOrList(finalizers, (item) => typeof item === 'string')) throw garbage('finalizers that are no texts')
  if (!isAbsentOrList(ownerReferences, isOwner)) throw garbage('owner references that are none')
  return withoutNulls(meta) as ObjectMeta
}

function isOwner(input: unknown): boolean {
  if (!isFields(input)) return false
  return ['apiVersion', 'kind', 'name', 'uid'].every((key) => typeof input[key] === 'string')
}

function isTexts(input: unknown): boolean {
  if (input === undefined || input === null) return true
  return isFields(input) && Object.values(input).every((value) => typeof value === 'string')
}

function isAbsentOr(input: unknown, type: 'string' | 'number'): boolean {
  return input === undefined || input === null || typeof input === type
}

function isAbsentOrList(input: unknown, isItem: (item: unknown) => boolean): boolean {
  return input === undefined || input === null || (Array.isArray(input) && input.every(isItem))
}

/** `creationTimestamp: null` means that there is none. */
function withoutNulls(record: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (!Object.values(record).includes(null)) return record
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null))
}

function recordOf(input: unknown, what: string): Readonly<Record<string, unknown>> {
  if (!isFields(input)) throw garbage(`something that is not ${what}`)
  return input
}

function cut(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}
