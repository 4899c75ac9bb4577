/**
 * Finds the flow of a table that a packet takes, as Open vSwitch's classifier does: by tuple space, conjunctions
 * included (ovs-fields(7), “Conjunctive Match Fields”).
 * @module
 */
import { FIELDS, type FieldName } from '../../flow/fields.ts'
import type { Flow } from '../../flow/flow.ts'
import { type BitMatch, bitMatch } from './bits.ts'
import { type Conjunction, completedBy, conjunctionsOf } from './conjunction.ts'
import type { Packet } from './packet.ts'

/** The flows of a table, made for lookup: those that look at the same bits are together, highest priority first. */
export type FlowTable = readonly Subtable[]

/** Compiles the flows of one table. */
export function compileTable(flows: Iterable<Flow>): FlowTable {
  const members = new Map<string, CompiledFlow[]>()
  for (const flow of flows) {
    const compiled = compileFlow(flow)
    const siblings = members.get(compiled.shape)
    if (siblings === undefined) members.set(compiled.shape, [compiled])
    else siblings.push(compiled)
  }
  return [...members.values()].map(subtableOf).sort((a, b) => b.priority - a.priority)
}

/** The flow that a packet takes, or undefined when the table has none for it. */
export function lookup(table: FlowTable, packet: Packet): Flow | undefined {
  const soft: Candidate[] = []
  const hard = search(table, packet, 0n, soft)
  return (soft.length === 0 ? hard : settle(table, packet, hard, soft))?.flow
}

/** Flows that look at the same bits. */
interface Subtable {
  /** The highest of any. */
  readonly priority: number
  readonly steps: readonly Step[]
  readonly root: Branch
}

/** One field of those that a subtable looks at. */
interface Step {
  readonly field: FieldName
  /** Absent: all its bits. */
  readonly mask: bigint | undefined
  /** What a packet without the field has there; undefined: it matches nothing. */
  readonly absent: bigint | undefined
}

/** Values of a field, and what follows; at the end the flows of the same match, highest priority first. */
interface Branch {
  readonly next: Map<bigint, Branch>
  readonly rows: Row[]
}

interface Row {
  readonly flow: Flow
  readonly priority: number
  /** Of a flow that only is a part of conjunctions. */
  readonly conjunctions: readonly Conjunction[] | undefined
}

/** A part of conjunctions that matched, and the flows of the same match that count after it. */
interface Candidate extends Row {
  readonly conjunctions: readonly Conjunction[]
  readonly rest: readonly Row[]
}

interface CompiledFlow {
  readonly row: Row
  readonly match: ReadonlyMap<FieldName, BitMatch>
  /** Which bits it looks at. */
  readonly shape: string
}

/** Fields that are zero unless set: what travels beside the packet, and options a neighbour message may lack. */
const METADATA = /^(reg\d+|tun_|metadata|pkt_mark|ct_|conj_id|in_port|vlan_tci|nd_sll|nd_tll)/

const COMPILED = new WeakMap<Flow, CompiledFlow>()

/** Plans keep the flows that did not change, and so does this. */
function compileFlow(flow: Flow): CompiledFlow {
  const known = COMPILED.get(flow)
  if (known !== undefined) return known
  const entries = Object.entries(flow.match) as [FieldName, NonNullable<Flow['match'][FieldName]>][]
  const match = new Map(entries.map(([field, value]) => [field, bitMatch(field, value)]))
  const shape = [...match].map(([field, { mask }]) => `${field}/${mask.toString(16)}`).sort()
  const row = { flow, priority: flow.priority, conjunctions: conjunctionsOf(flow) }
  const compiled = { row, match, shape: shape.join() }
  COMPILED.set(flow, compiled)
  return compiled
}

/** The field that tells most flows apart goes first: most packets are told apart there. */
function subtableOf(flows: readonly CompiledFlow[]): Subtable {
  const [first] = flows
  const values = (field: FieldName): number => new Set(flows.map(({ match }) => match.get(field)?.value)).size
  const fields = [...(first?.match ?? [])].map(([field, { mask }]) => ({
    ...stepOf(field, mask),
    count: values(field),
  }))
  const steps = fields.sort((a, b) => b.count - a.count)
  const root: Branch = { next: new Map(), rows: [] }
  for (const { row, match } of flows) {
    let at = root
    for (const { field } of steps) at = branchAt(at, match.get(field)?.value ?? 0n)
    at.rows.push(row)
    at.rows.sort((a, b) => b.priority - a.priority)
  }
  return { priority: Math.max(...flows.map(({ row }) => row.priority)), steps, root }
}

function stepOf(field: FieldName, mask: bigint): Step {
  const all = (1n << BigInt(FIELDS[field].bits)) - 1n
  return { field, mask: mask === all ? undefined : mask, absent: METADATA.test(field) ? 0n : undefined }
}

function branchAt({ next }: Branch, value: bigint): Branch {
  const known = next.get(value)
  if (known !== undefined) return known
  const branch: Branch = { next: new Map(), rows: [] }
  next.set(value, branch)
  return branch
}

/** The best flow that is no part of a conjunction. Those that are, and that may count more, go into `soft`. */
function search(table: FlowTable, packet: Packet, id: bigint, soft: Candidate[] | undefined): Row | undefined {
  let hard: Row | undefined
  for (const subtable of table) {
    if (hard !== undefined && subtable.priority <= hard.priority) break
    const rows = rowsFor(subtable, packet, id)
    const row = rows?.[0]
    if (row === undefined || !counts(row, hard)) continue
    const { conjunctions } = row
    if (conjunctions === undefined) hard = row
    else soft?.push({ ...row, conjunctions, rest: rows?.slice(1) ?? [] })
  }
  return hard
}

function rowsFor({ steps, root }: Subtable, packet: Packet, id: bigint): readonly Row[] | undefined {
  let at: Branch | undefined = root
  for (const { field, mask, absent } of steps) {
    const value = field === 'conj_id' ? id : (packet.get(field) ?? absent)
    if (value === undefined) return undefined
    at = at.next.get(mask === undefined ? value : value & mask)
    if (at === undefined) return undefined
  }
  return at.rows
}

function counts(row: Row, hard: Row | undefined): boolean {
  return hard === undefined || row.priority > hard.priority
}

/**
 * Priority by priority, as long as conjunctions may count more than the best other flow: one that is complete leads to
 * another search, for a flow with its id; where that finds none, it is as if the conjunction were not there.
 */
function settle(table: FlowTable, packet: Packet, found: Row | undefined, soft: readonly Candidate[]): Row | undefined {
  let hard = found
  let open = soft.filter((one) => counts(one, hard))
  while (open.length > 0) {
    const priority = Math.max(...open.map((one) => one.priority))
    const top = open.filter((one) => one.priority === priority)
    for (const id of completedBy(top.map(({ conjunctions }) => conjunctions))) {
      const decision = search(table, packet, id, undefined)
      if (decision !== undefined) return decision
    }
    // Of flows of the same match only the first was looked at: now those below it count.
    open = open.filter((one) => one.priority !== priority)
    for (const { rest } of top) {
      const [next, ...others] = rest
      if (next === undefined || !counts(next, hard)) continue
      const { conjunctions } = next
      if (conjunctions === undefined) hard = next
      else open.push({ ...next, conjunctions, rest: others })
    }
    open = open.filter((one) => counts(one, hard))
  }
  return hard
}
