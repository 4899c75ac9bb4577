/**
 * Reading an object by the message that it is: a field of another type than the API's is refused, null is no value.
 * Fields that no message has are kept.
 * @module
 */
import type { KubeObject } from '../../../../kube/object.ts'
import { badRequest } from '../../http/status.ts'
import { type Fields, isFields } from '../../objects/shape.ts'
import { type FieldType, fieldType, MESSAGES } from '../messages/index.ts'
import { SCALARS } from './scalars.ts'

/** The object with values of the API's types alone. Throws a 400 in the words of a JSON decoder. */
export function decoded(object: KubeObject): KubeObject {
  const { apiVersion, kind, metadata, ...rest } = object
  const refuse: Refuse = (what) => {
    const version = apiVersion.slice(apiVersion.indexOf('/') + 1)
    throw badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${what}`)
  }
  return { apiVersion, kind, metadata, ...messageOf(rest, { name: kind, path: [], refuse }) }
}

type Refuse = (what: string) => never

/** A message being read: which one, and where it is. */
interface Place {
  readonly name: string
  readonly path: readonly string[]
  readonly refuse: Refuse
}

function messageOf(fields: Fields, { name, path, refuse }: Place): Fields {
  const known = fieldsOfMessage(name)
  return Object.fromEntries(
    Object.entries(fields).flatMap(([field, value]): [string, unknown][] => {
      if (value === null || value === undefined) return []
      const declared = known.get(field)
      if (declared === undefined) return [[field, value]]
      const read = fieldOf(value, declared, { name: declared.owner, path: [...path, field], refuse })
      return isLeftOut(read, declared, path) ? [] : [[field, read]]
    }),
  )
}

/**
 * Whether a value means no more than its absence. In what is wished for the API leaves it out; in what is observed it
 * is kept, so that who writes a number finds it again.
 */
function isLeftOut(value: unknown, { isPointer, shape, name }: FieldType, path: readonly string[]): boolean {
  if (isPointer || path[0] !== 'spec') return false
  if (shape !== 'one') return typeof value === 'object' && value !== null && Object.keys(value).length === 0
  return LEFT_OUT.has(name) && (value === '' || value === false || value === 0)
}

const LEFT_OUT: ReadonlySet<string> = new Set(['string', 'bool', 'int32', 'int64'])

function fieldOf(value: unknown, type: FieldType, place: Place): unknown {
  switch (type.shape) {
    case 'list':
      if (!Array.isArray(value)) return mismatch(value, `[]${goName(type.name)}`, place)
      return value.map((item) => itemOf(item, type.name, place))
    case 'map':
      if (!isFields(value)) return mismatch(value, `map[string]${goName(type.name)}`, place)
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, itemOf(item, type.name, place)]))
    case 'one':
      return itemOf(value, type.name, place)
  }
}

function itemOf(value: unknown, name: string, place: Place): unknown {
  const scalar = SCALARS.get(name)
  if (scalar !== undefined) {
    if (value === null) return scalar.zero
    const problem = scalar.problemOf(value)
    if (problem === 'type') return mismatch(value, scalar.goName ?? name, place)
    return problem === undefined ? value : place.refuse(problem)
  }
  if (!MESSAGES.has(name)) return value
  if (value !== null && !isFields(value)) return mismatch(value, goName(name), place)
  return messageOf(value ?? {}, { ...place, name })
}

function mismatch(value: unknown, type: string, { name, path, refuse }: Place): never {
  const isNumber = typeof value === 'number' && SCALARS.has(type) && type !== 'string' && type !== 'bool'
  const given = isNumber ? `number ${value}` : givenAs(value)
  return refuse(`json: cannot unmarshal ${given} into Go struct field ${name}.${path.join('.')} of type ${type}`)
}

function givenAs(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

function goName(name: string): string {
  return MESSAGES.has(name) ? `v1.${name.slice(name.indexOf('.') + 1)}` : (SCALARS.get(name)?.goName ?? name)
}

type Declared = FieldType & { readonly owner: string }
const fieldTables = new Map<string, ReadonlyMap<string, Declared>>()

function fieldsOfMessage(name: string): ReadonlyMap<string, Declared> {
  const known = fieldTables.get(name)
  if (known !== undefined) return known
  const entries = Object.entries(MESSAGES.get(name) ?? {}).flatMap(([field, [, text]]): [string, Declared][] => {
    const type = fieldType(text)
    return type.isInline ? [...fieldsOfMessage(type.name)] : [[field, { ...type, owner: name }]]
  })
  const table = new Map(entries)
  fieldTables.set(name, table)
  return table
}
