/**
 * The OpenAPI v3 documents of the API: an index, and one document for every group and version. Pure.
 * @module
 */
import { createHash } from 'node:crypto'
import type { ServedResource } from '../contract.ts'
import type { Document } from '../formats.ts'
import { describe } from './describe.ts'

export { unknownFields } from './unknown-fields.ts'

const ROOT = '/openapi/v3'
const JSON_TYPE = 'application/json'

/**
 * The document at `/openapi/v3` or below; undefined for what is not there, which includes `/openapi/v2`: clients then
 * use this. The same array of resources gives the same documents without building them again.
 */
export function openapi(path: string, resources: readonly ServedResource[]): Document | undefined {
  if (path === ROOT) return documentsOf(resources).index
  return path.startsWith(`${ROOT}/`) ? documentsOf(resources).at(path.slice(ROOT.length + 1)) : undefined
}

interface Documents {
  readonly index: Document
  at(path: string): Document | undefined
}

const known = new WeakMap<readonly ServedResource[], Documents>()

function documentsOf(resources: readonly ServedResource[]): Documents {
  const before = known.get(resources)
  if (before !== undefined) return before
  const documents = build(resources)
  known.set(resources, documents)
  return documents
}

function build(resources: readonly ServedResource[]): Documents {
  const byPath = Map.groupBy(resources, rootOf)
  const built = new Map([...byPath].map(([path, served]) => [path, document(describe(served))]))
  const paths = [...built].map(([path, { etag }]) => [path, { serverRelativeURL: `${ROOT}/${path}?hash=${etag}` }])
  return { index: document({ paths: Object.fromEntries(paths) }), at: (path) => built.get(path) }
}

function rootOf({ group, version }: ServedResource): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`
}

function document(value: unknown): Document & { readonly etag: string } {
  const body = JSON.stringify(value)
  return { contentType: JSON_TYPE, body, etag: createHash('sha256').update(body).digest('hex').toUpperCase() }
}
