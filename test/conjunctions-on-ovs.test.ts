/**
 * The conjunctions' case table on a real Open vSwitch, and tables made at random, of which the simulator must say the
 * same. `src/network/simulate` runs the same case table.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Flow } from '../src/flow/flow.ts'
import { parseOfprotoTrace } from '../src/insight/trace/ofproto-trace.ts'
import { compileTable, lookup } from '../src/network/simulate/lookup.ts'
import { packetOf } from '../src/network/simulate/packet.ts'
import { addFlows, connectOpenFlow, type OpenFlowClient } from '../src/ovs/openflow/index.ts'
import { type OvsSandbox, startOvsSandbox } from '../src/ovs/testing/ovs-sandbox.ts'
import { CONJUNCTION_CASES, type ConjunctionCase, flowsOf, type Row } from './tables/conjunction-cases.ts'

let ovs: OvsSandbox
let client: OpenFlowClient

beforeAll(async () => {
  ovs = await startOvsSandbox({ dummy: true })
  await ovs.vsctl('add-br', 'br-conj', '--', 'set', 'bridge', 'br-conj', 'datapath_type=dummy', 'fail_mode=secure')
  await ovs.vsctl('add-port', 'br-conj', 'p1', '--', 'set', 'interface', 'p1', 'type=dummy', 'ofport_request=1')
  client = await connectOpenFlow({ path: ovs.mgmtSocket('br-conj') })
})

afterAll(async () => {
  client?.close()
  await ovs?.stop()
})

type Packet = ConjunctionCase['packets'][number]

const mac = (table: number): string => `02:00:00:00:00:${table.toString(16).padStart(2, '0')}`

/** Installs tables, each with a way in from table 0 by its number as a MAC address. */
async function install(tables: ReadonlyMap<number, readonly Flow[]>): Promise<void> {
  const ways = [...tables.keys()].map(
    (table): Flow => ({
      table: 0,
      priority: 1,
      cookie: 0n,
      match: { eth_dst: mac(table) },
      actions: [{ op: 'goto', table }],
    }),
  )
  await client.bundle({ flows: addFlows([...ways, ...[...tables.values()].flat()]) })
}

/** The row that Open vSwitch takes. */
async function taken(table: number, [source, destination, port]: Packet): Promise<number | undefined> {
  const ends = `nw_src=10.0.0.${source},nw_dst=10.0.0.${destination},tp_dst=${port}`
  const trace = await ovs.appctl('ofproto/trace', 'br-conj', `in_port=1,dl_dst=${mac(table)},tcp,${ends}`)
  const last = parseOfprotoTrace(trace, false).steps.at(-1)
  expect(last?.table).toBe(table)
  return last?.priority === undefined ? undefined : Number(last.cookie)
}

describe('Open vSwitch agrees with the conjunctions’ case table', () => {
  beforeAll(() => install(new Map(CONJUNCTION_CASES.map((one, i) => [i + 1, flowsOf(one, i + 1)]))))

  for (const [i, one] of CONJUNCTION_CASES.entries()) {
    test(one.name, async () => {
      for (const packet of one.packets) expect([packet, await taken(i + 1, packet)]).toEqual([packet, packet[3]])
    })
  }
})

const ends = {
  ipv4_src: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.0/30'),
  ipv4_dst: fc.constantFrom('10.0.0.1', '10.0.0.5', '10.0.0.4/30'),
  tcp_dst: fc.constantFrom(80, 81, { value: 80, mask: 0xfffe }),
}
const match = fc.record(ends, { requiredKeys: [] })
const part = fc.oneof(...Object.entries(ends).map(([field, value]) => fc.record({ [field]: value })), match)
const conjunctions = fc.uniqueArray(
  fc.oneof(
    fc.tuple(fc.constant(1), fc.constantFrom(1, 2), fc.constant(2)),
    fc.tuple(fc.constant(2), fc.constantFrom(1, 2, 3), fc.constant(3)),
  ),
  { minLength: 1, maxLength: 2, selector: ([id]) => id },
)
const priority = (max: number) => fc.integer({ min: 1, max })
const many = <T>(row: fc.Arbitrary<T>, maxLength: number) => fc.array(row, { minLength: 2, maxLength })
const rows: fc.Arbitrary<readonly Row[]> = fc
  .tuple(
    fc.array(fc.record({ priority: fc.constantFrom(3, 4), match: part, conjunctions }), {
      minLength: 6,
      maxLength: 12,
    }),
    many(fc.record({ priority: priority(4), match }), 3),
    many(
      fc.record({
        priority: priority(5),
        match: fc.record({ ...ends, conj_id: fc.constantFrom(1, 2) }, { requiredKeys: ['conj_id'] }),
      }),
      4,
    ),
  )
  .map((lists) => {
    const distinct = new Map(
      lists.flat().map((row) => [JSON.stringify([row.priority, Object.entries(row.match).sort()]), row]),
    )
    return [...distinct.values()].map((row, i) => ({
      ...row,
      name: i + 1,
      match: { eth_type: 0x0800, ip_proto: 6, ...row.match },
    }))
  })

const PACKETS: readonly Packet[] = [1, 2, 5].flatMap((source) =>
  [1, 5].flatMap((destination) => [80, 81].map((port): Packet => [source, destination, port, undefined])),
)

/** Of conjunctions of one priority that are complete at once a switch takes any (ovs-fields(7)). */
function isUnclear(rows: readonly Row[], packet: Packet): boolean {
  const matching = rows.filter((row) => row.conjunctions !== undefined && isMet(row, packet))
  return [...Map.groupBy(matching, (row) => row.priority).values()].some((level) => {
    const all = level.flatMap(({ conjunctions = [] }) => conjunctions)
    const complete = all.filter(
      ([id, , of]) => new Set(all.flatMap((one) => (one[0] === id ? [one[1]] : []))).size === of,
    )
    return new Set(complete.map(([id]) => id)).size > 1
  })
}

/** Whether a packet is what a row asks for, by a table of that row alone. */
function isMet({ name, priority, match }: Row, packet: Packet): boolean {
  return flowTaken(flowsOf({ rows: [{ name, priority, match }] }, 0), packet) === name
}

/** The row that the simulator takes. */
function flowTaken(flows: readonly Flow[], [source, destination, port]: Packet): number | undefined {
  const fields = { ipv4_src: `10.0.0.${source}`, ipv4_dst: `10.0.0.${destination}`, tcp_dst: port }
  const flow = lookup(compileTable(flows), packetOf({ eth_type: 0x0800, ip_proto: 6, ...fields }))
  return flow === undefined ? undefined : Number(flow.cookie)
}

test('Open vSwitch and the simulator agree about tables made at random', async () => {
  const first = CONJUNCTION_CASES.length + 1
  const cases = fc.sample(rows, { seed: 8, numRuns: 14 })
  await install(new Map(cases.map((one, i) => [first + i, flowsOf({ rows: one }, first + i)])))
  const seen = { agreed: 0, conjunctions: 0 }
  for (const [i, one] of cases.entries()) {
    for (const packet of PACKETS.filter((each) => !isUnclear(one, each))) {
      const ours = flowTaken(flowsOf({ rows: one }, first + i), packet)
      expect([one, packet, ours]).toEqual([one, packet, await taken(first + i, packet)])
      seen.agreed += 1
      if (one.find(({ name }) => name === ours)?.match.conj_id !== undefined) seen.conjunctions += 1
    }
  }
  expect(seen.agreed).toBeGreaterThan(100)
  expect(seen.conjunctions).toBeGreaterThan(5)
}, 30_000)
