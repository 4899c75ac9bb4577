import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import type { Flow, Group } from '../../flow/flow.ts'
import { formatGroup, normalizeGroup } from '../../flow/groups.ts'
import { type OvsSandbox, startOvsSandbox } from '../testing/ovs-sandbox.ts'
import {
  addFlows,
  BundleError,
  connectOpenFlow,
  type OpenFlowClient,
  type OpenFlowOptions,
  type PacketIn,
  type PortStatus,
} from './index.ts'

let ovs: OvsSandbox
const open: OpenFlowClient[] = []
const BRIDGES = ['br15', 'br14', 'br13'] as const

beforeAll(async () => {
  ovs = await startOvsSandbox({ dummy: true })
  for (const bridge of BRIDGES) {
    const protocols = bridge === 'br15' ? 'OpenFlow13,OpenFlow15' : `OpenFlow${bridge.slice(2)}`
    await ovs.vsctl('add-br', bridge, '--', 'set', 'bridge', bridge, 'fail_mode=secure', `protocols=${protocols}`)
  }
  await ovs.vsctl('add-br', 'br10', '--', 'set', 'bridge', 'br10', 'protocols=OpenFlow10')
})

afterEach(() => {
  for (const client of open.splice(0)) client.close()
})
afterAll(async () => ovs?.stop())

async function connect(bridge: string, options: Partial<OpenFlowOptions> = {}): Promise<OpenFlowClient> {
  const client = await connectOpenFlow({ path: ovs.mgmtSocket(bridge), ...options })
  open.push(client)
  return client
}

/** The error that a promise rejects with. */
async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (cause: unknown) => cause,
  )
}

function flow(priority: number, rest: Partial<Flow> = {}): Flow {
  return { table: 0, priority, cookie: 0n, match: {}, actions: [], ...rest }
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('did not happen within 30 seconds')
    await Bun.sleep(5)
  }
}

test('the best version that both sides speak is chosen, and its absence is named', async () => {
  const versions = await Promise.all(BRIDGES.map(async (bridge) => (await connect(bridge)).version))
  expect(versions).toEqual([6, 5, 4])
  expect(await failure(connect('br10'))).toMatchObject({ code: 'OPENFLOW_HELLO_FAILED_INCOMPATIBLE' })
  expect(await failure(connect('nowhere'))).toMatchObject({ code: 'OPENFLOW_NO_SOCKET' })
})

for (const bridge of BRIDGES) {
  test(`${bridge}: a bundle with one bad message applies nothing and names it`, async () => {
    const client = await connect(bridge)
    await client.bundle({ flows: [{ op: 'delete', filter: {} }] })
    const bad: readonly (readonly [Flow, string])[] = [
      [flow(2, { match: { ip_proto: 6 } }), 'OPENFLOW_BAD_MATCH_BAD_PREREQ'],
      [flow(2, { actions: [{ op: 'group', group: 99 }] }), 'OPENFLOW_BAD_ACTION_BAD_OUT_GROUP'],
      [flow(2, { match: { reg0: -1 } }), 'FLOW_VALUE_INVALID'],
      [flow(2, { actions: [{ op: 'goto', table: 5 }, { op: 'dec_ttl' }] }), 'OPENFLOW_ACTION_MISPLACED'],
    ]
    for (const [fault, code] of bad) {
      const cause = await failure(client.bundle({ flows: addFlows([flow(1), fault, flow(3)]) }))
      expect(cause).toBeInstanceOf(BundleError)
      expect(cause).toMatchObject({ index: 1, code })
      expect((cause as BundleError).message).toContain('priority=2')
      expect(await client.dumpFlows()).toEqual([])
    }
    await client.bundle({ flows: addFlows([flow(1), flow(3)]) })
    expect(await client.dumpFlows()).toHaveLength(2)
  })

  test(`${bridge}: a bundle that is confirmed afterwards names its bad message too`, async () => {
    const client = await connect(bridge)
    await client.bundle({ flows: [{ op: 'delete', filter: {} }] })
    const bad: readonly (readonly [Flow, string])[] = [
      [flow(2, { match: { ip_proto: 6 } }), 'OPENFLOW_BAD_MATCH_BAD_PREREQ'],
      [flow(2, { actions: [{ op: 'group', group: 99 }] }), 'OPENFLOW_BAD_ACTION_BAD_OUT_GROUP'],
    ]
    for (const [fault, code] of bad) {
      const change = { flows: addFlows([flow(1), fault, flow(3)]) }
      expect(await failure(client.bundle(change, { confirm: 'afterwards' }))).toMatchObject({ index: 1, code })
    }
    await client.bundle({ flows: addFlows([flow(1), flow(3)]) }, { confirm: 'afterwards' })
    expect(await client.dumpFlows()).toHaveLength(2)
  })

  test(`${bridge}: groups before the flows that use them, removed after them, described as sent`, async () => {
    const client = await connect(bridge)
    await client.bundle({ flows: [{ op: 'delete', filter: {} }], groups: [{ op: 'delete' }] })
    const output = { op: 'output', port: 1 } as const
    const groups: Group[] = [
      { id: 1, type: 'all', buckets: [{ id: 0, actions: [output] }] },
      {
        id: 2,
        type: 'select',
        buckets: [
          { id: 0, weight: 5, actions: [output] },
          { id: 1, actions: [] },
        ],
      },
      { id: 3, type: 'fast_failover', buckets: [{ id: 0, watchPort: 1, actions: [output] }] },
      { id: 4, type: 'indirect', buckets: [{ id: 0, actions: [{ op: 'group', group: 1 }] }] },
    ]
    if (bridge === 'br15') {
      const selection = { method: 'hash', fields: ['ipv4_dst', 'ipv4_src'] } as const
      groups.push({ id: 5, type: 'select', buckets: [{ id: 7, actions: [output] }], selection })
      groups.push({ id: 6, type: 'select', buckets: [{ id: 7, actions: [output] }], selection: { method: 'dp_hash' } })
    }
    const uses = groups.map(({ id }) => flow(id, { actions: [{ op: 'group', group: id }] }))
    await client.bundle({ groups: groups.map((group) => ({ op: 'add', group })), flows: addFlows(uses) })
    const dumped = (await client.dumpGroups()).sort((a, b) => a.id - b.id)
    expect(dumped.map(formatGroup)).toEqual(groups.map(formatGroup))
    expect(dumped).toEqual(groups.map(normalizeGroup))
    expect((await client.groupStats()).map(({ id }) => id).sort()).toEqual(groups.map(({ id }) => id))
    await client.bundle({ groups: [{ op: 'delete', id: 1 }], flows: [{ op: 'delete', filter: {} }] })
    expect(await client.dumpGroups()).toHaveLength(groups.length - 1)
  })

  test(`${bridge}: meters outside of bundles, their errors by name`, async () => {
    const client = await connect(bridge)
    const meter = { id: 3, unit: 'pktps', rate: 100, burst: 10 } as const
    await client.meters([{ op: 'delete' }, { op: 'add', meter }])
    expect(await client.dumpMeters()).toEqual([meter])
    expect(await client.meterStats()).toMatchObject([{ id: 3, packets: 0n, dropped: 0n }])
    expect(await failure(client.meters([{ op: 'add', meter }]))).toMatchObject({
      code: 'OPENFLOW_METER_MOD_FAILED_METER_EXISTS',
    })
    await client.meters([{ op: 'modify', meter: { id: 3, unit: 'kbps', rate: 5 } }])
    expect(await client.dumpMeters()).toEqual([{ id: 3, unit: 'kbps', rate: 5 }])
  })

  test(`${bridge}: packets out, back in with userdata, and ports that come and go`, async () => {
    const packets: PacketIn[] = []
    const ports: PortStatus[] = []
    const client = await connect(bridge, {
      onPacketIn: (packetIn) => packets.push(packetIn),
      onPortStatus: (status) => ports.push(status),
    })
    const tell = { op: 'controller', maxLength: 64, userdata: '0badcafe' } as const
    const seen = flow(9, {
      cookie: 77n,
      match: { eth_type: 0x88b5 },
      actions: [{ op: 'set', field: 'reg3', value: 5 }, tell],
    })
    await client.bundle({ flows: [{ op: 'delete', filter: {} }, ...addFlows([seen])] })
    const name = `p-${bridge}`
    await ovs.vsctl('add-port', bridge, name, '--', 'set', 'Interface', name, 'ofport_request=7')
    await until(() => ports.some(({ reason, port }) => reason === 'add' && port.name === name && port.port === 7))
    const frame = new Uint8Array(80).fill(0xab)
    frame.set([0x88, 0xb5], 12)
    await client.packetOut(frame, { inPort: 7, actions: [{ op: 'resubmit', table: 0 }] })
    await until(() => packets.length > 0)
    expect(packets[0]).toMatchObject({ userdata: '0badcafe', table: 0, cookie: 77n, metadata: { in_port: 7, reg3: 5 } })
    // Open vSwitch no longer buffers packets, and so sends them whole, whatever max_len says.
    expect(packets[0]?.packet).toEqual(frame)
    const again = { inPort: 7, actions: [{ op: 'resubmit', table: 0 }] } as const
    await client.packetOuts(frame, [again, again])
    await until(() => packets.length === 3)
    await client.packetOuts(frame, [])
    expect((await client.dumpPorts()).find(({ port }) => port === 7)?.name).toBe(name)
    await ovs.vsctl('del-port', name)
    await until(() => ports.some(({ reason, port }) => reason === 'delete' && port.name === name))
    const table = (await client.tableStats()).find((stats) => stats.table === 0)
    expect(table?.flows).toBe(1)
  })
}

test('many flows go in chunks and come back whole, while the event loop stays free', async () => {
  const client = await connect('br15')
  await client.bundle({ flows: [{ op: 'delete', filter: {} }] })
  const flows = Array.from({ length: 20_000 }, (_, i) =>
    flow(100, {
      table: 1,
      match: { reg0: i, eth_type: 0x0800, ipv4_dst: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` },
    }),
  )
  await client.bundles({ flows: addFlows(flows) })
  let turns = 0
  const counting = setInterval(() => turns++, 0)
  const dumped = await client.dumpFlows()
  clearInterval(counting)
  expect(new Set(dumped.map((entry) => entry.flow.match.reg0)).size).toBe(flows.length)
  expect(turns).toBeGreaterThan(10)
  await client.bundle({ flows: [{ op: 'delete', filter: {} }] })
})

test('requests are matched to their replies however they are mixed', async () => {
  const client = await connect('br15')
  await client.bundle({ flows: [{ op: 'delete', filter: {} }] })
  const bundles = Array.from({ length: 30 }, (_, i) =>
    i % 3 === 2
      ? failure(client.bundle({ flows: addFlows([flow(i), flow(i, { actions: [{ op: 'group', group: 500 + i }] })]) }))
      : client.bundle({ flows: addFlows([flow(i)]) }),
  )
  const [ports, groups] = await Promise.all([client.dumpPorts(), client.dumpGroups(), client.barrier()])
  expect([ports.length > 0, groups.length >= 0]).toEqual([true, true])
  const outcomes = await Promise.all(bundles)
  expect(outcomes.filter((cause) => cause instanceof BundleError)).toHaveLength(10)
  expect(await client.dumpFlows()).toHaveLength(20)
})

test('requests on a closed client reject at once', async () => {
  const client = await connect('br15')
  const pending = failure(client.dumpFlows())
  client.close()
  expect(await pending).toMatchObject({ code: 'OPENFLOW_DISCONNECTED' })
  expect(await failure(client.barrier())).toMatchObject({ code: 'OPENFLOW_DISCONNECTED' })
  expect(client.connected).toBe(false)
})
