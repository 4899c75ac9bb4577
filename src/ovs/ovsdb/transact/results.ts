import { OvsdbError, type OvsdbErrorCode } from '../errors.ts'
import type { TableColumns } from '../schema/column.ts'
import { decodeValue, isUuid, type Value } from '../values.ts'
import { isObject } from '../wire/message.ts'
import type { Operation } from './operations.ts'

/** What one operation answered; which member is set depends on the operation. */
export type OperationResult = {
  readonly uuid?: string
  readonly count?: number
  readonly rows?: readonly Readonly<Record<string, unknown>>[]
}

const CODES: Readonly<Record<string, OvsdbErrorCode>> = {
  'constraint violation': 'OVSDB_CONSTRAINT_VIOLATION',
  'referential integrity violation': 'OVSDB_REFERENTIAL_INTEGRITY_VIOLATION',
  'timed out': 'OVSDB_WAIT_FAILED',
  'not owner': 'OVSDB_NOT_OWNER',
  aborted: 'OVSDB_ABORTED_BY_OPERATION',
  'resources exhausted': 'OVSDB_RESOURCES_EXHAUSTED',
  'I/O error': 'OVSDB_IO_ERROR',
  'domain error': 'OVSDB_DOMAIN_ERROR',
  'range error': 'OVSDB_RANGE_ERROR',
  'duplicate uuid-name': 'OVSDB_DUPLICATE_UUID_NAME',
  'syntax error': 'OVSDB_SYNTAX_ERROR',
  'permission error': 'OVSDB_PERMISSION_ERROR',
  canceled: 'OVSDB_ABORTED',
}

/**
 * Checks every element of a transact result (RFC 7047 section 4.1.3). An error found at commit comes as an extra last
 * element while the earlier ones look fine; after a failed operation the rest is null.
 * Throws the first error found, or OVSDB_BAD_RESULT where the array does not fit the operations.
 */
export function checkResults(operations: readonly Operation[], result: unknown): readonly OperationResult[] {
  if (!Array.isArray(result)) throw badResult('the result is not an array')
  const elements: readonly unknown[] = result
  const failed = elements.findIndex((element) => isObject(element) && 'error' in element)
  if (failed >= 0) throw operationError(elements[failed], failed, operations[failed])
  if (elements.length !== operations.length) {
    throw badResult(`${elements.length} results for ${operations.length} operations`)
  }
  return elements.map(decodeResult)
}

/** Decodes the rows of a `select` result by their declared columns. `_uuid`, where selected, becomes `uuid`. */
export function decodeRows(
  declared: TableColumns,
  result: OperationResult | undefined,
  columns: readonly string[],
): readonly Readonly<Record<string, Value>>[] {
  return (result?.rows ?? []).map((row) => decodeSelected(declared, row, columns))
}

function decodeSelected(
  declared: TableColumns,
  row: Readonly<Record<string, unknown>>,
  columns: readonly string[],
): Readonly<Record<string, Value>> {
  const entries = columns.map((name): readonly [string, Value] => {
    const column = Object.hasOwn(declared, name) ? declared[name] : undefined
    if (column !== undefined) return [name, decodeValue(column, row[name])]
    return ['uuid', decodeValue({ kind: 'scalar', key: 'uuid', volatile: false }, row['_uuid'])]
  })
  return Object.fromEntries(entries)
}

function decodeResult(element: unknown): OperationResult {
  if (!isObject(element)) throw badResult('an element is not an object')
  const { uuid, count, rows } = element
  if (uuid !== undefined) {
    const text: unknown = Array.isArray(uuid) ? uuid[1] : undefined
    if (!isUuid(text)) throw badResult('an insert without a UUID')
    return { uuid: text }
  }
  if (typeof count === 'number') return { count }
  if (rows === undefined) return {}
  if (!Array.isArray(rows) || !rows.every(isObject)) throw badResult('rows that are no objects')
  return { rows }
}

function operationError(element: unknown, index: number, operation: Operation | undefined): OvsdbError {
  const word = isObject(element) ? String(element['error']) : 'unknown error'
  const details = isObject(element) && typeof element['details'] === 'string' ? element['details'] : ''
  const where =
    operation === undefined ? 'at commit' : `in operation ${index} (${operation.op} ${operation.table ?? ''})`
  const code = Object.hasOwn(CODES, word) ? CODES[word] : undefined
  return new OvsdbError(code ?? 'OVSDB_TRANSACTION_FAILED', `${word} ${where}${details === '' ? '' : `: ${details}`}`, {
    remedy: 'nothing was changed; correct the request or read the rows again',
    details: details === '' ? word : details,
    ...(operation === undefined ? {} : { opIndex: index, op: operation.op }),
  })
}

function badResult(why: string): OvsdbError {
  return new OvsdbError('OVSDB_BAD_RESULT', `ovsdb-server answered a transaction with ${why}`, {
    remedy: 'read the rows again: the transaction may have been committed',
    outcomeUnknown: true,
  })
}
