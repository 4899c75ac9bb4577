/**
 * How every operation is done: read, decide, write in one transaction that insists on what was read, read again. Whoever
 * came in between, an answer that never came, a server that died: each ends in another reading, and what is there already
 * is adopted. Nothing is done twice, since what we make has names that follow from what it is for.
 * @module
 */

import type { OperationResult } from '../ovs/ovsdb/index.ts'
import { isOvsdbError, type Operation, OvsdbError, type OvsdbErrorCode } from '../ovs/ovsdb/index.ts'
import { Backoff } from '../registry/backoff.ts'
import type { Northbound } from './connect.ts'
import { OvnError } from './errors.ts'
import { type NorthboundTables, nb } from './northbound.ts'

/** A question to the database. */
export interface Query<R> {
  readonly operation: Operation
  readonly decode: (result: OperationResult | undefined) => readonly R[]
}

type Answers<Q extends Readonly<Record<string, Query<unknown>>>> = {
  readonly [K in keyof Q]: Q[K] extends Query<infer R> ? readonly R[] : never
}

/** Rows of a table that meet a condition. */
export function rowsOf<T extends keyof NorthboundTables, const C extends keyof NorthboundTables[T] & string>(
  table: T,
  where: Parameters<typeof nb.select<T>>[1],
  columns: readonly C[],
) {
  const asked = [...columns, '_uuid'] as const
  return {
    operation: nb.select<T>(table, where, asked),
    decode: (result: OperationResult | undefined) => nb.decodeRows<T, C>(table, result, asked),
  }
}

/** Asks several questions of one moment. */
export async function read<const Q extends Readonly<Record<string, Query<unknown>>>>(
  { client, timeoutMs }: Northbound,
  queries: Q,
): Promise<Answers<Q>> {
  const entries = Object.entries(queries)
  const results = await client.transact(
    entries.map(([, query]) => query.operation),
    { timeoutMs },
  )
  return Object.fromEntries(entries.map(([name, query], at) => [name, query.decode(results[at])])) as Answers<Q>
}

/** What is to be written, or what there is when nothing is. With `result` that is the answer once it is written. */
export type Decision<T> = { readonly done: T } | { readonly write: readonly Operation[]; readonly result?: T }

/** Others came in between, or may have: the next reading tells. */
const READ_AGAIN: ReadonlySet<OvsdbErrorCode> = new Set([
  'OVSDB_WAIT_FAILED',
  'OVSDB_CONSTRAINT_VIOLATION',
  'OVSDB_REFERENTIAL_INTEGRITY_VIOLATION',
  'OVSDB_BAD_RESULT',
])

/** So often somebody else may come in between. */
const MOST_TRIES = 50
/** Milliseconds between two tries: at first next to none, as most that come in between are done at once. */
const PAUSES = { first: 5, most: 250 }

/**
 * Repeats reading and writing until `decide` finds that all is as it should be. Throws what `decide` throws, OVN_CONTENDED,
 * OVN_UNREACHABLE when the time is over, and OVN_REFUSED for what the server will not do.
 */
export async function settle<T>(nbd: Northbound, what: string, decide: () => Promise<Decision<T>>): Promise<T> {
  const until = performance.now() + nbd.timeoutMs
  const backoff = new Backoff(Math.random, PAUSES)
  let last: OvsdbError | undefined
  for (let tries = 0; tries < MOST_TRIES && performance.now() <= until; tries += 1) {
    try {
      const decision = await decide()
      if ('done' in decision) return decision.done
      const results = await nbd.client.transact(decision.write, { timeoutMs: Math.max(1, until - performance.now()) })
      insistOnCounts(decision.write, results)
      if (decision.result !== undefined) return decision.result
    } catch (error) {
      if (!isOvsdbError(error)) throw error
      last = error
      await mayTryAgain(nbd, what, until, error)
      await Bun.sleep(Math.max(0, Math.min(backoff.next(), until - performance.now())))
    }
  }
  throw last === undefined || last.retryable ? unreachable(what, last) : contended(what, last)
}

/** Returns when the same may be tried again. Throws where that makes no sense, or nobody answers in time. */
async function mayTryAgain({ client }: Northbound, what: string, until: number, error: OvsdbError): Promise<void> {
  if (READ_AGAIN.has(error.code)) return
  if (!error.retryable) throw new OvnError('OVN_REFUSED', `${what}: ${error.message}`, error.remedy, { cause: error })
  const timeoutMs = until - performance.now()
  if (timeoutMs <= 0) throw unreachable(what, error)
  await client.whenConnected({ timeoutMs }).catch((cause: unknown) => {
    throw unreachable(what, cause)
  })
}

/** A change of no row is none: its row went while nobody looked, and what refers to it would vanish in silence. */
function insistOnCounts(operations: readonly Operation[], results: readonly OperationResult[]): void {
  const missed = operations.findIndex(({ op }, at) => (op === 'mutate' || op === 'update') && results[at]?.count !== 1)
  if (missed < 0) return
  const { op, table } = operations[missed] ?? { op: '' }
  throw new OvsdbError('OVSDB_BAD_RESULT', `${op} of ${table} changed ${results[missed]?.count} rows in place of one`)
}

function unreachable(what: string, cause: unknown): OvnError {
  const remedy =
    "see that OVN's northbound server is running and that one of its cluster leads; it is safe to try again"
  return new OvnError('OVN_UNREACHABLE', `${what}: ${describe(cause)}`, remedy, { cause })
}

function contended(what: string, cause: OvsdbError): OvnError {
  const remedy = 'see who else writes there (comments in the log of ovsdb-server), then try again'
  return new OvnError('OVN_CONTENDED', `${what}: others kept changing the same rows, ${describe(cause)}`, remedy, {
    cause,
  })
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : 'it took too long'
}
