/**
 * Runs a packet through flows, as the switch would. `weft trace` explains with it; tests hold it against
 * `ofproto/trace`.
 * @module
 */
import type { FieldName } from '../../flow/fields.ts'
import type { Action, Flow, Match, Scalar } from '../../flow/flow.ts'
import { type BitMatch, bitMatch, bitsOf, extract, insert } from './bits.ts'

/** A packet: the value of every field it has. Registers and tunnel fields are zero where absent. */
export type Packet = ReadonlyMap<FieldName, bigint>

/** A packet's passage through one table. */
export interface Step {
  readonly table: number
  /** The flow that was taken, or undefined when the table has none for this packet: the switch drops it. */
  readonly flow: Flow | undefined
  /** The packet after the flow's actions. */
  readonly packet: Packet
}

/** Where a packet left the switch. */
export interface Output {
  readonly port: number | 'in_port' | 'controller'
  readonly packet: Packet
}

/** Everything that happened to a packet in one switch. */
export interface Passage {
  readonly steps: readonly Step[]
  readonly outputs: readonly Output[]
}

/** Flows compiled for lookup. */
export interface Switch {
  readonly tables: ReadonlyMap<number, readonly CompiledFlow[]>
}

interface CompiledFlow {
  readonly flow: Flow
  readonly match: readonly (readonly [FieldName, BitMatch])[]
}

/** Fields that are zero unless set: what travels beside the packet, and options a neighbour message may lack. */
const METADATA = /^(reg\d+|tun_|metadata|pkt_mark|ct_|conj_id|in_port|vlan_tci|nd_sll|nd_tll)/
/** A resubmit loop ends here, as OVS's own recursion limit does. */
const MAX_STEPS = 256

/** Compiles flows: per table, the highest priority first. */
export function compileSwitch(flows: Iterable<Flow>): Switch {
  const tables = new Map<number, CompiledFlow[]>()
  for (const flow of flows) {
    const compiled = { flow, match: compileMatch(flow.match) }
    const table = tables.get(flow.table)
    if (table === undefined) tables.set(flow.table, [compiled])
    else table.push(compiled)
  }
  for (const table of tables.values()) table.sort((a, b) => b.flow.priority - a.flow.priority)
  return { tables }
}

/** A packet from fields as flows write them. */
export function packetOf(fields: { readonly [field in FieldName]?: Scalar }): Packet {
  const entries = Object.entries(fields) as [FieldName, Scalar][]
  return new Map(entries.map(([field, value]) => [field, bitsOf(field, value)]))
}

/** Runs a packet through a switch, from table 0. */
export function simulate(target: Switch, packet: Packet): Passage {
  const run: Run = { target, packet: new Map(packet), steps: [], outputs: [] }
  runTable(run, 0)
  return { steps: run.steps, outputs: run.outputs }
}

interface Run {
  readonly target: Switch
  readonly packet: Map<FieldName, bigint>
  readonly steps: Step[]
  readonly outputs: Output[]
}

function runTable(run: Run, table: number): void {
  if (run.steps.length >= MAX_STEPS) return
  const flow = run.target.tables.get(table)?.find(({ match }) => matches(match, run.packet))?.flow
  const at = run.steps.length
  run.steps.push({ table, flow, packet: run.packet })
  if (flow === undefined) return
  let next: number | undefined
  for (const action of flow.actions) {
    if (action.op === 'goto') next = action.table
    else perform(run, action)
  }
  run.steps[at] = { table, flow, packet: new Map(run.packet) }
  if (next !== undefined) runTable(run, next)
}

function perform(run: Run, action: Action): void {
  const { packet } = run
  switch (action.op) {
    case 'set':
      set(packet, action)
      return
    case 'move':
      packet.set(
        action.to.field,
        insert(packet.get(action.to.field) ?? 0n, action.to, extract(packet.get(action.from.field) ?? 0n, action.from)),
      )
      return
    case 'check_pkt_larger':
      // A simulated packet has no length; the caller says so by presetting the register.
      return
    case 'resubmit':
      runTable(run, action.table)
      return
    case 'output':
      emit(run, action.port === 'in_port' ? 'in_port' : Number(action.port))
      return
    case 'output_reg':
      emit(run, Number(extract(packet.get(action.from.field) ?? 0n, action.from)))
      return
    case 'controller':
      emit(run, 'controller')
      return
    default:
      throw new RangeError(`the simulator has no ${action.op} action`)
  }
}

function set(packet: Map<FieldName, bigint>, action: Action & { readonly op: 'set' }): void {
  const value = bitsOf(action.field, action.value)
  const mask = action.mask === undefined ? undefined : bitsOf(action.field, action.mask)
  const old = packet.get(action.field) ?? 0n
  packet.set(action.field, mask === undefined ? value : (old & ~mask) | (value & mask))
}

function emit(run: Run, port: Output['port']): void {
  // A switch never sends a packet out of the port it came from unless told `in_port`.
  if (port !== 'in_port' && port !== 'controller' && BigInt(port) === run.packet.get('in_port')) return
  run.outputs.push({ port, packet: new Map(run.packet) })
}

function compileMatch(match: Match): CompiledFlow['match'] {
  return Object.entries(match).map(([field, value]) => [field as FieldName, bitMatch(field as FieldName, value)])
}

function matches(match: CompiledFlow['match'], packet: Packet): boolean {
  return match.every(([field, { value, mask }]) => {
    const actual = packet.get(field) ?? (METADATA.test(field) ? 0n : undefined)
    return actual !== undefined && (actual & mask) === value
  })
}
