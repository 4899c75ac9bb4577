/**
 * The OpenAPI schemas of the messages.
 * @module
 */
import { type Field, fieldType, KIND_WORDS, MESSAGES } from './messages/index.ts'

/** A schema as OpenAPI v3 writes it. */
export type Schema = Readonly<Record<string, unknown>>

const built = new Map<string, Schema>()
const names = new WeakMap<object, string>()

/** The schema of a message; the same object every time. Throws for one that is not written down. */
export function schemaOfMessage(name: string): Schema {
  const known = built.get(name)
  if (known !== undefined) return known
  const schema = Object.freeze({ type: 'object', properties: Object.freeze(propertiesOf(name)) })
  built.set(name, schema)
  names.set(schema, name)
  return schema
}

/** The schema of an object whose message this is: with the two fields that are beside the message in protobuf. */
export function schemaOfKind(name: string): Schema {
  const apiVersion = { type: 'string', description: 'Its group and version.' }
  const kind = { type: 'string', description: 'What it is.' }
  const description = KIND_WORDS.get(name) ?? ''
  const schema = Object.freeze({ type: 'object', description, properties: { apiVersion, kind, ...propertiesOf(name) } })
  names.set(schema, name)
  return schema
}

/** The name of the message that a schema is of; undefined for any other schema, such as a custom resource's. */
export function messageOfSchema(schema: object): string | undefined {
  return names.get(schema)
}

function propertiesOf(name: string): Record<string, Schema> {
  const message = MESSAGES.get(name)
  if (message === undefined) throw new Error(`no message is called ${name}`)
  return Object.fromEntries(
    Object.entries(message).flatMap(([field, declared]): [string, Schema][] => {
      const { isInline, name: inner } = fieldType(declared[1])
      return isInline ? Object.entries(propertiesOf(inner)) : [[field, propertyOf(declared)]]
    }),
  )
}

/** OpenAPI allows nothing beside a reference, so what describes one field goes around it. */
function propertyOf([, type, description, merging]: Field): Schema {
  const { shape, name } = fieldType(type)
  const inner = SCALARS[name] ?? schemaOfMessage(name)
  const hints = { description, ...patchHints(merging) }
  if (shape === 'list') return { type: 'array', items: inner, ...hints }
  if (shape === 'map') return { type: 'object', additionalProperties: inner, ...hints }
  return name in SCALARS ? { ...inner, ...hints } : { allOf: [inner], ...hints }
}

function patchHints(merging: string | undefined): Schema {
  if (merging === undefined) return {}
  const [strategy, key] = merging.split(':')
  return {
    'x-kubernetes-patch-strategy': strategy,
    ...(key === undefined ? {} : { 'x-kubernetes-patch-merge-key': key }),
  }
}

const SCALARS: Readonly<Record<string, Schema>> = {
  string: { type: 'string' },
  bool: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  bytes: { type: 'string', format: 'byte' },
  Time: { type: 'string', format: 'date-time' },
  MicroTime: { type: 'string', format: 'date-time' },
  IntOrString: { 'x-kubernetes-int-or-string': true, oneOf: [{ type: 'integer' }, { type: 'string' }] },
  Quantity: { 'x-kubernetes-int-or-string': true, oneOf: [{ type: 'number' }, { type: 'string' }] },
  Ignored: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  Any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
}
