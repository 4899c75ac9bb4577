import { OvsdbError } from '../errors.ts'
import { isObject } from '../wire/message.ts'
import type { Column } from './column.ts'
import { columnsOf, type Database, type Tables } from './database.ts'

/**
 * Checks what `get_schema` answered against the columns this client uses (RFC 7047 section 3.2).
 * Throws OVSDB_SCHEMA_MISMATCH naming every difference; more tables and columns are fine.
 */
export function checkSchema({ name, tables, remedies }: Database, schema: unknown): void {
  const problems = Object.keys(tables).flatMap((table) => tableProblems(tables, schema, table))
  if (problems.length === 0) return
  const version = isObject(schema) && typeof schema['version'] === 'string' ? schema['version'] : 'unknown'
  throw new OvsdbError(
    'OVSDB_SCHEMA_MISMATCH',
    `the server's schema of ${name} (version ${version}) lacks: ${problems.join('; ')}`,
    { remedy: remedies.schema, details: problems.join('; ') },
  )
}

function tableProblems(tables: Tables, schema: unknown, table: string): readonly string[] {
  const found = member(member(schema, 'tables'), table)
  if (!isObject(found)) return [`table ${table}`]
  const columns = member(found, 'columns')
  return Object.entries(columnsOf(tables, table)).flatMap(([name, column]) => {
    const declared = member(columns, name)
    if (!isObject(declared)) return [`column ${table}.${name}`]
    return matches(declared['type'], column) ? [] : [`column ${table}.${name} as ${describe(column)}`]
  })
}

/** Whether a `<type>` of the schema is what the column expects. */
function matches(type: unknown, column: Column): boolean {
  if (typeof type === 'string') return column.kind === 'scalar' && type === column.key
  if (!isObject(type) || baseType(type['key']) !== column.key) return false
  const min = type['min'] ?? 1
  const max = type['max'] ?? 1
  if (column.kind === 'map') return baseType(type['value']) === column.value
  if (type['value'] !== undefined) return false
  if (column.kind === 'set') return max === 'unlimited' || (typeof max === 'number' && max > 1)
  return max === 1 && min === (column.kind === 'scalar' ? 1 : 0)
}

function baseType(base: unknown): unknown {
  return isObject(base) ? base['type'] : base
}

function member(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
}

function describe(column: Column): string {
  return column.kind === 'map' ? `map of ${column.key} to ${column.value}` : `${column.kind} ${column.key}`
}
