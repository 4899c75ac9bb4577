import { OvsdbError } from './errors.ts'
import type { AtomType, Column, NamedUuid } from './schema/column.ts'

/** An atom as cached: UUIDs are strings. */
export type Atom = string | number | boolean

/** A column's value as cached. */
export type Value = Atom | undefined | readonly Atom[] | ReadonlyMap<Atom, Atom>

/** An untyped column value to be written. */
export type ValueInput =
  | Atom
  | NamedUuid
  | undefined
  | readonly (Atom | NamedUuid)[]
  | ReadonlyMap<Atom, Atom | NamedUuid>
  | Readonly<Record<string, Atom | NamedUuid>>

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const ZERO_UUID = '00000000-0000-0000-0000-000000000000'
const MAX_ELEMENTS = 1_000_000

/** Decodes a `<value>` of RFC 7047 section 5.1. Throws OVSDB_BAD_VALUE for anything that is not of the column's type. */
export function decodeValue(column: Column, json: unknown): Value {
  if (column.kind === 'map') return decodeMap(column.key, column.value, json)
  const atoms = decodeSet(column.key, json)
  if (column.kind === 'set') return atoms
  if (atoms.length > 1) throw bad(`at most one ${column.key}`, json)
  if (column.kind === 'scalar' && atoms.length === 0) throw bad(`a ${column.key}`, json)
  return atoms[0]
}

/** Encodes a value for the wire. Throws OVSDB_BAD_VALUE when it does not fit the column. */
export function encodeValue(column: Column, value: ValueInput): unknown {
  if (column.kind === 'map') return encodeMap(column.key, column.value, value)
  if (column.kind === 'set') {
    if (!Array.isArray(value)) throw bad(`a list of ${column.key}`, value)
    return ['set', value.map((atom: unknown) => encodeAtom(column.key, atom))]
  }
  if (value === undefined && column.kind === 'optional') return ['set', []]
  return encodeAtom(column.key, value)
}

/** The value of a column that an insert or an initial row left out (RFC 7047 section 5.2.1). */
export function defaultValue(column: Column): Value {
  if (column.kind === 'map') return new Map()
  if (column.kind === 'set') return []
  if (column.kind === 'optional') return undefined
  if (column.key === 'string') return ''
  if (column.key === 'boolean') return false
  return column.key === 'uuid' ? ZERO_UUID : 0
}

/** Whether two cached values are the same; order does not matter in sets. */
export function sameValue(a: Value, b: Value): boolean {
  if (a instanceof Map && b instanceof Map) {
    return a.size === b.size && [...a].every(([key, value]) => b.has(key) && b.get(key) === value)
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    const members = new Set(b)
    return a.length === b.length && a.every((atom) => members.has(atom))
  }
  return a === b
}

/** True for the text form of a UUID. */
export function isUuid(text: unknown): text is string {
  return typeof text === 'string' && UUID.test(text)
}

/** Encodes one atom; UUIDs become `["uuid", …]` or `["named-uuid", …]`. */
export function encodeAtom(type: AtomType, atom: unknown): unknown {
  if (type !== 'uuid') return checkAtom(type, atom)
  if (typeof atom === 'object' && atom !== null && 'namedUuid' in atom)
    return ['named-uuid', checkAtom('string', atom.namedUuid)]
  if (!isUuid(atom)) throw bad('a UUID', atom)
  return ['uuid', atom]
}

function decodeSet(type: AtomType, json: unknown): readonly Atom[] {
  const tagged = Array.isArray(json) && json[0] === 'set' ? json : undefined
  if (tagged === undefined) return [decodeAtom(type, json)]
  const elements: unknown = tagged[1]
  if (tagged.length !== 2 || !Array.isArray(elements) || elements.length > MAX_ELEMENTS) throw bad('a set', json)
  return elements.map((element: unknown) => decodeAtom(type, element))
}

function decodeMap(key: AtomType, value: AtomType, json: unknown): ReadonlyMap<Atom, Atom> {
  const pairs: unknown = Array.isArray(json) && json.length === 2 && json[0] === 'map' ? json[1] : undefined
  if (!Array.isArray(pairs) || pairs.length > MAX_ELEMENTS) throw bad('a map', json)
  const entries = pairs.map((pair: unknown): readonly [Atom, Atom] => {
    if (!Array.isArray(pair) || pair.length !== 2) throw bad('a pair', pair)
    return [decodeAtom(key, pair[0]), decodeAtom(value, pair[1])]
  })
  return new Map(entries)
}

function decodeAtom(type: AtomType, json: unknown): Atom {
  if (type !== 'uuid') return checkAtom(type, json)
  if (!Array.isArray(json) || json.length !== 2 || json[0] !== 'uuid' || !isUuid(json[1])) throw bad('a UUID', json)
  return json[1]
}

function encodeMap(key: AtomType, value: AtomType, input: ValueInput): unknown {
  if (typeof input !== 'object' || Array.isArray(input)) throw bad('a map', input)
  const entries = input instanceof Map ? [...input] : Object.entries(input).map(([k, v]) => [keyFromText(key, k), v])
  return ['map', entries.map(([k, v]) => [encodeAtom(key, k), encodeAtom(value, v)])]
}

/** Record keys are text; an integer key is read back from it. */
function keyFromText(type: AtomType, text: string): Atom {
  return type === 'integer' || type === 'real' ? Number(text) : text
}

function checkAtom(type: AtomType, atom: unknown): Atom {
  if (type === 'string' && typeof atom === 'string') return atom
  if (type === 'boolean' && typeof atom === 'boolean') return atom
  if (type === 'integer' && typeof atom === 'number' && Number.isInteger(atom)) return atom
  if (type === 'real' && typeof atom === 'number' && Number.isFinite(atom)) return atom
  throw bad(`a ${type}`, atom)
}

function bad(expected: string, found: unknown): OvsdbError {
  const shown = (JSON.stringify(found) ?? String(found)).slice(0, 120)
  return new OvsdbError('OVSDB_BAD_VALUE', `expected ${expected}, found ${shown}`, { remedy: 'correct the value' })
}
