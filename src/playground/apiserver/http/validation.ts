/**
 * Fields that a schema does not know, as `fieldValidation` asks for.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import type { Call } from '../context.ts'
import type { ServedResource } from '../contract.ts'
import { isFields } from '../objects/shape.ts'
import { unknownFields, unwrapped } from '../openapi/unknown-fields.ts'
import { badRequest } from './status.ts'

/** Most warnings of one answer. */
const MOST = 10

/** What to do about the fields of a body that nobody knows. */
export interface FieldValidation {
  /** Refuses the object where the client is strict and a field would be lost. */
  verify(kept: KubeObject): void
  /** To be told with the answer. */
  readonly warnings: readonly string[]
}

/**
 * Validation of a body's fields as its call wants it. A field that the schema lacks and that is kept all the same is
 * warned of, also where the client is strict: the built-in schemas hold what is served here, not all that Kubernetes
 * knows. `verify` throws a 400.
 */
export function fieldValidation({ query, resource }: Call, sent: unknown): FieldValidation {
  const mode = query.get('fieldValidation') ?? 'Warn'
  const warnings: string[] = []
  return {
    warnings,
    verify: (kept) => {
      if (mode === 'Ignore') return
      const lost = lostFields(resource, sent, kept).map(words)
      if (mode === 'Strict' && lost.length > 0) throw badRequest(`strict decoding error: ${lost.join(', ')}`)
      warnings.push(...new Set([...lost, ...unknownFields(resource, sent).map(words)]))
    },
  }
}

function words(path: string): string {
  return `unknown field "${path}"`
}

/**
 * Paths of fields that were sent, are not kept, and are not known either: what is known goes where it means nothing, or
 * is written elsewhere. What is the server's own is left out.
 */
function lostFields({ schema }: Pick<ServedResource, 'schema'>, sent: unknown, kept: unknown): readonly string[] {
  if (!isFields(sent) || !isFields(kept)) return []
  const { metadata: _metadata, status: _status, ...body } = sent
  return missing(body, kept, schema, '').slice(0, MOST)
}

function missing(sent: unknown, kept: unknown, schema: unknown, path: string): readonly string[] {
  const whole = isFields(schema) ? unwrapped(schema) : {}
  if (Array.isArray(sent) && Array.isArray(kept)) {
    return sent.flatMap((item, index) => missing(item, kept[index], whole['items'], `${path}[${index}]`))
  }
  if (!isFields(sent) || !isFields(kept)) return []
  const { properties, additionalProperties } = whole
  return Object.entries(sent).flatMap(([name, value]) => {
    if (value === null) return []
    const known = isFields(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined
    const below = path === '' ? name : `${path}.${name}`
    if (Object.hasOwn(kept, name)) return missing(value, kept[name], known ?? additionalProperties, below)
    return known === undefined ? [below] : []
  })
}
