import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type OvsSandbox, startOvsSandbox } from '../../testing/ovs-sandbox.ts'
import {
  addBridge,
  addPort,
  addPorts,
  connectOvsdb,
  createPortBatcher,
  delBridge,
  delPorts,
  isOvsdbError,
  type Operation,
  type OvsdbClient,
  setInterface,
  waitForConfig,
  waitForOfport,
} from '../index.ts'

let ovs: OvsSandbox
let client: OvsdbClient

beforeAll(async () => {
  ovs = await startOvsSandbox({ dummy: true })
  client = await connectOvsdb({ path: ovs.dbSocket })
})

afterAll(async () => {
  client?.close()
  await ovs?.stop()
})

async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise
    return undefined
  } catch (error) {
    return isOvsdbError(error) ? error.code : String(error)
  }
}

/** Watches the columns that the waits need; every test has its own. */
function watch() {
  return client.monitor({ Interface: { columns: ['name', 'ofport', 'error', 'external_ids'] }, Open_vSwitch: {} })
}

test('a bridge is made once, adjusted afterwards, and removed', async () => {
  const monitor = await watch()
  const bridge = { datapath_type: 'netdev', fail_mode: 'secure', external_ids: { owner: 'a' } }
  const first = await addBridge(client, { name: 'br-a', bridge })
  await waitForConfig(monitor, first.nextCfg, { timeoutMs: 5000 })
  expect(await ovs.appctl('dpif/show')).toContain('br-a')
  await ovs.vsctl('set', 'bridge', 'br-a', 'external_ids:theirs=1')
  const adjusted = { protocols: ['OpenFlow15'], external_ids: { owner: 'b' } }
  const second = await addBridge(client, { name: 'br-a', bridge: adjusted })
  expect([first.created, second.created, second.uuid]).toEqual([true, false, first.uuid])
  expect(await ovs.vsctl('get', 'bridge', 'br-a', 'external_ids', 'fail_mode', 'protocols')).toBe(
    '{owner=b, theirs="1"}\nsecure\n[OpenFlow15]',
  )
  expect([await delBridge(client, 'br-a'), await delBridge(client, 'br-a')]).toEqual([true, false])
  expect(await ovs.vsctl('list-br')).not.toContain('br-a')
  monitor.close()
})

test('many ports of two bridges in one transaction get the OpenFlow ports asked for', async () => {
  await addBridge(client, { name: 'br-b' })
  await addBridge(client, { name: 'br-c' })
  const monitor = await watch()
  const requests = Array.from({ length: 20 }, (_, index) => ({
    bridge: index % 2 === 0 ? 'br-b' : 'br-c',
    name: `many${index}`,
    interface: { ofport_request: 100 + index, external_ids: { pod: `p${index}` } },
    port: { tag: 5 },
  }))
  const added = await addPorts(client, requests)
  const numbers = await Promise.all(
    requests.map(({ name }, index) => waitForOfport(monitor, name, { requested: 100 + index, timeoutMs: 5000 })),
  )
  expect(numbers).toEqual(requests.map((_, index) => 100 + index))
  expect(monitor.row('Interface', added[7]?.interfaceUuid ?? '')?.external_ids.get('pod')).toBe('p7')
  expect((await ovs.vsctl('list-ports', 'br-c')).split('\n')).toHaveLength(10)
  const removed = await delPorts(client, ['many0', 'many1', 'never-was'])
  expect(removed).toEqual(['many0', 'many1'])
  expect(monitor.byName('Interface', 'many1')).toBeUndefined()
  monitor.close()
})

test('a missing bridge, a taken name and a taken number are named', async () => {
  await addBridge(client, { name: 'br-d' })
  const monitor = await watch()
  expect(await codeOf(addPort(client, { bridge: 'ghost', name: 'x1' }))).toBe('OVSDB_NO_SUCH_BRIDGE')
  await addPort(client, { bridge: 'br-d', name: 'x2', interface: { ofport_request: 7 } })
  expect(await waitForOfport(monitor, 'x2', { timeoutMs: 5000 })).toBe(7)
  expect(await codeOf(addPort(client, { bridge: 'br-d', name: 'x2' }))).toBe('OVSDB_CONSTRAINT_VIOLATION')
  await addPort(client, { bridge: 'br-d', name: 'x3', interface: { ofport_request: 7 } })
  expect(await codeOf(waitForOfport(monitor, 'x3', { requested: 7, timeoutMs: 5000 }))).toBe('OVSDB_INTERFACE_ERROR')
  expect(monitor.byName('Interface', 'x1')).toBeUndefined()
  monitor.close()
})

test('an interface that Open vSwitch cannot open fails the wait with its text', async () => {
  await addBridge(client, { name: 'br-e' })
  const monitor = await watch()
  await addPort(client, { bridge: 'br-e', name: 'bad1', interface: { type: 'no-such-type' } })
  expect(await codeOf(waitForOfport(monitor, 'bad1', { timeoutMs: 5000 }))).toBe('OVSDB_INTERFACE_ERROR')
  const gone = codeOf(waitForOfport(monitor, 'late', { timeoutMs: 30 }))
  expect(await gone).toBe('OVSDB_TIMEOUT')
  monitor.close()
})

test('external_ids of an interface are merged', async () => {
  await addBridge(client, { name: 'br-f' })
  const monitor = await watch()
  await addPort(client, {
    bridge: 'br-f',
    name: 'ext1',
    interface: { external_ids: { keep: '1', drop: '2', set: '3' } },
  })
  await setInterface(client, 'ext1', {
    set: { mtu_request: 1400 },
    externalIds: { drop: undefined, set: '4', more: '5' },
  })
  expect(Object.fromEntries(monitor.byName('Interface', 'ext1')?.external_ids ?? [])).toEqual({
    keep: '1',
    set: '4',
    more: '5',
  })
  expect(await codeOf(setInterface(client, 'ghost', { set: { mtu_request: 1400 } }))).toBe('OVSDB_NO_SUCH_INTERFACE')
  monitor.close()
})

test('the batcher needs one transaction for one turn, and a bad request fails alone', async () => {
  await addBridge(client, { name: 'br-g' })
  const sent: number[] = []
  const counting = {
    transact: (operations: readonly Operation[]) => {
      sent.push(operations.length)
      return client.transact(operations)
    },
  }
  const batcher = createPortBatcher(counting)
  const good = await Promise.all(['g1', 'g2', 'g3'].map((name) => batcher.add({ bridge: 'br-g', name })))
  expect([good.map((port) => port.name), sent.length]).toEqual([['g1', 'g2', 'g3'], 1])
  const mixed = [
    batcher.add({ bridge: 'br-g', name: 'g4' }),
    batcher.add({ bridge: 'br-g', name: 'g1' }),
    batcher.add({ bridge: 'ghost', name: 'g5' }),
  ]
  expect(await Promise.all(mixed.map(codeOf))).toEqual([
    undefined,
    'OVSDB_CONSTRAINT_VIOLATION',
    'OVSDB_NO_SUCH_BRIDGE',
  ])
  expect(await ovs.vsctl('list-ports', 'br-g')).toBe('g1\ng2\ng3\ng4')
})
