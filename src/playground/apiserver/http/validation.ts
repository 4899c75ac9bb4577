/**
 * Fields that a schema does not know, as `fieldValidation` asks for.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import type { Call } from '../context.ts'
import { isFields } from '../objects/shape.ts'
import { badRequest } from './status.ts'

/** Most warnings of one answer. */
const MOST = 10

/** What to do about the fields of a body that are not kept: only resources whose schema says so lose any. */
export interface FieldValidation {
  /** Refuses the object where the client is strict. */
  verify(kept: KubeObject): void
  /** To be told with the answer. */
  readonly warnings: readonly string[]
}

/** Validation of a body's fields as its call wants it. `verify` throws a 400. */
export function fieldValidation({ query }: Call, sent: unknown): FieldValidation {
  const mode = query.get('fieldValidation') ?? 'Warn'
  const warnings: string[] = []
  return {
    warnings,
    verify: (kept) => {
      if (mode === 'Ignore') return
      const unknown = unknownFields(sent, kept).map((path) => `unknown field "${path}"`)
      if (mode === 'Strict' && unknown.length > 0) throw badRequest(`strict decoding error: ${unknown.join(', ')}`)
      warnings.push(...unknown)
    },
  }
}

/** Paths of fields of one value that another lacks; what the server fills in or owns is left out. */
export function unknownFields(sent: unknown, kept: unknown): readonly string[] {
  if (!isFields(sent) || !isFields(kept)) return []
  const { metadata: _metadata, status: _status, ...body } = sent
  return missing(body, kept, '').slice(0, MOST)
}

function missing(sent: unknown, kept: unknown, path: string): readonly string[] {
  if (Array.isArray(sent) && Array.isArray(kept)) {
    return sent.flatMap((item, index) => missing(item, kept[index], `${path}[${index}]`))
  }
  if (!isFields(sent) || !isFields(kept)) return []
  return Object.entries(sent).flatMap(([name, value]) => {
    if (value === null) return []
    const below = path === '' ? name : `${path}.${name}`
    return Object.hasOwn(kept, name) ? missing(value, kept[name], below) : [below]
  })
}
