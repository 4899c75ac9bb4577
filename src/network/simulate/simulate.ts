/**
 * Runs a packet through flows, as the switch would. `weft trace` explains with it; tests hold it against
 * `ofproto/trace`.
 * @module
 */
import type { FieldName } from '../../flow/fields.ts'
import type { Action, Bucket, Flow, Group } from '../../flow/flow.ts'
import { bitsOf, extract, insert } from './bits.ts'
import { Connections } from './connections.ts'
import { compileTable, type FlowTable, lookup } from './lookup.ts'
import type { Packet } from './packet.ts'
import { clearTracking, track } from './track.ts'

export { Connections } from './connections.ts'
export { type Packet, packetOf } from './packet.ts'

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
  /** What an ICMP error is about. */
  readonly quoted?: Packet
}

/** Everything that happened to a packet in one switch. */
export interface Passage {
  readonly steps: readonly Step[]
  readonly outputs: readonly Output[]
}

/** Flows compiled for lookup. */
export interface Switch {
  readonly tables: ReadonlyMap<number, FlowTable>
  readonly groups: ReadonlyMap<number, Group>
}

/** What a packet meets in a switch besides its flows. */
export interface Surroundings {
  /** The connections that the switch knows; it learns new ones. None by default. */
  readonly connections?: Connections
  /** Which bucket a group chooses: the first by default. An `all` group takes every bucket. */
  readonly pick?: (group: Group) => Bucket | undefined
  /** The packet that an ICMP error is about. */
  readonly quoted?: Packet
}

/** A resubmit loop ends here, as OVS's own recursion limit does. */
const MAX_STEPS = 256

/** Compiles flows for lookup. Two flows must not be the same row: of those the first would count. */
export function compileSwitch(flows: Iterable<Flow>, groups: Iterable<Group> = []): Switch {
  const tables = new Map<number, Flow[]>()
  for (const flow of flows) {
    const table = tables.get(flow.table)
    if (table === undefined) tables.set(flow.table, [flow])
    else table.push(flow)
  }
  return {
    tables: new Map([...tables].map(([number, members]) => [number, compileTable(members)])),
    groups: new Map([...groups].map((group) => [group.id, group])),
  }
}

/** Runs a packet through a switch, from table 0. */
export function simulate(target: Switch, packet: Packet, surroundings: Surroundings = {}): Passage {
  const { connections = new Connections(), pick = firstBucket, quoted } = surroundings
  const run: Run = copyOf({ target, connections, pick, packet, quoted, steps: [], outputs: [] })
  runTable(run, 0)
  return { steps: run.steps, outputs: run.outputs }
}

/** One packet under way. Copies of it share where they have been and where they went. */
interface Run {
  readonly target: Switch
  readonly connections: Connections
  readonly pick: (group: Group) => Bucket | undefined
  readonly packet: Map<FieldName, bigint>
  readonly quoted: Map<FieldName, bigint> | undefined
  /** The packet as the last step left it; undefined: it may have changed since. */
  seen: Packet | undefined
  readonly steps: Step[]
  readonly outputs: Output[]
}

type Source = Omit<Run, 'packet' | 'quoted' | 'seen'> & { readonly packet: Packet; readonly quoted: Packet | undefined }

function copyOf(run: Source): Run {
  return {
    ...run,
    seen: undefined,
    packet: new Map(run.packet),
    quoted: run.quoted === undefined ? undefined : new Map(run.quoted),
  }
}

function firstBucket({ buckets }: Group): Bucket | undefined {
  return buckets[0]
}

function runTable(run: Run, table: number): void {
  if (run.steps.length >= MAX_STEPS) return
  const flow = lookup(run.target.tables.get(table) ?? [], run.packet)
  const at = run.steps.length
  run.steps.push({ table, flow, packet: run.packet })
  if (flow === undefined) return
  let next: number | undefined
  for (const action of flow.actions) {
    if (action.op === 'goto') next = action.table
    else {
      run.seen = undefined
      perform(run, action)
    }
  }
  run.seen ??= new Map(run.packet)
  run.steps[at] = { table, flow, packet: run.seen }
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
    case 'ct':
      trackIn(run, action)
      return
    case 'ct_clear':
      clearTracking(packet)
      return
    case 'clone':
      performAll(copyOf(run), action.actions)
      return
    case 'group':
      choose(run, action.group)
      return
    case 'meter':
    case 'note':
      return
    default:
      throw new RangeError(`the simulator has no ${action.op} action`)
  }
}

function performAll(run: Run, actions: readonly Action[]): void {
  for (const action of actions) perform(run, action)
}

/** With a table to go on in, a copy goes through, and only the copy knows what was found. */
function trackIn(run: Run, action: Extract<Action, { op: 'ct' }>): void {
  const through = action.table === undefined ? run : copyOf(run)
  track(run.connections, action, through.packet, through.quoted, (actions, packet) =>
    performAll({ ...through, packet }, actions),
  )
  if (action.table === undefined) clearTracking(run.packet)
  else runTable(through, action.table)
}

function choose(run: Run, id: number): void {
  const group = run.target.groups.get(id)
  if (group === undefined) throw new RangeError(`the switch has no group ${id}`)
  const chosen = group.type === 'all' ? group.buckets : [run.pick(group)]
  for (const bucket of chosen) if (bucket !== undefined) performAll(copyOf(run), bucket.actions)
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
  const quoted = run.quoted === undefined ? {} : { quoted: new Map(run.quoted) }
  run.outputs.push({ port, packet: new Map(run.packet), ...quoted })
}
