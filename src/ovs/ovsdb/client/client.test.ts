import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type OvsSandbox, startOvsSandbox } from '../../testing/ovs-sandbox.ts'
import {
  byName,
  connectOvsdb,
  decodeRows,
  everyRow,
  insert,
  isOvsdbError,
  mutate,
  named,
  type Operation,
  type OvsdbClient,
  type OvsdbErrorCode,
  select,
  update,
  wait,
} from '../index.ts'

let ovs: OvsSandbox
let client: OvsdbClient

beforeAll(async () => {
  ovs = await startOvsSandbox({ vswitchd: false })
  client = await connectOvsdb({ path: ovs.dbSocket })
})

afterAll(async () => {
  client?.close()
  await ovs?.stop()
})

function bridge(name: string): readonly Operation[] {
  return [
    insert('Interface', { name, type: 'internal' }, 'iface'),
    insert('Port', { name, interfaces: [named('iface')] }, 'port'),
    insert('Bridge', { name, ports: [named('port')], external_ids: { owner: name } }, 'bridge'),
    mutate('Open_vSwitch', everyRow, [['bridges', 'insert', [named('bridge')]]]),
  ]
}

async function codeOf(promise: Promise<unknown>): Promise<OvsdbErrorCode | undefined> {
  try {
    await promise
    return undefined
  } catch (error) {
    return isOvsdbError(error) ? error.code : undefined
  }
}

test('a transaction is visible in the monitor before its answer, and to ovs-vsctl', async () => {
  const monitor = await client.monitor({ Bridge: {}, Port: { columns: ['name', 'tag'] } })
  const seen: string[] = []
  monitor.subscribe((changes) => {
    for (const change of changes) seen.push(`${change.type} ${change.table}`)
  })
  const results = await client.transact(bridge('br-visible'))
  const row = monitor.byName('Bridge', 'br-visible')
  expect(row?.uuid).toBe(results[2]?.uuid ?? 'missing')
  expect(row?.external_ids).toEqual(new Map([['owner', 'br-visible']]))
  expect(monitor.byName('Port', 'br-visible')?.tag).toBeUndefined()
  expect(seen.toSorted()).toEqual(['insert Bridge', 'insert Port'])
  expect(await ovs.vsctl('list-br')).toContain('br-visible')
  monitor.close()
})

test('set, map and optional columns follow ovs-vsctl', async () => {
  await client.transact(bridge('br-columns'))
  const monitor = await client.monitor({ Bridge: {}, Port: {} })
  await ovs.vsctl(
    '--no-wait',
    'set',
    'Bridge',
    'br-columns',
    'protocols=OpenFlow13,OpenFlow15',
    'external_ids:a=1',
    '--',
    'set',
    'Port',
    'br-columns',
    'tag=7',
    'trunks=1,2,3',
  )
  const [port] = [
    await monitor.waitFor((m) =>
      m.byName('Port', 'br-columns')?.tag === 7 ? m.byName('Port', 'br-columns') : undefined,
    ),
  ]
  expect(port?.trunks.toSorted()).toEqual([1, 2, 3])
  await ovs.vsctl(
    '--no-wait',
    'remove',
    'Bridge',
    'br-columns',
    'external_ids',
    'owner',
    '--',
    'clear',
    'Port',
    'br-columns',
    'tag',
    '--',
    'set',
    'Port',
    'br-columns',
    'trunks=2,4',
    '--',
    'set',
    'Bridge',
    'br-columns',
    'external_ids:a=2',
  )
  await monitor.waitFor((m) => (m.byName('Port', 'br-columns')?.tag === undefined ? true : undefined))
  expect(monitor.byName('Port', 'br-columns')?.trunks.toSorted()).toEqual([2, 4])
  expect(monitor.byName('Bridge', 'br-columns')?.external_ids).toEqual(new Map([['a', '2']]))
  expect(monitor.byName('Bridge', 'br-columns')?.protocols.toSorted()).toEqual(['OpenFlow13', 'OpenFlow15'])
  monitor.close()
})

test.each([
  [
    'a duplicate name, found at commit',
    () => [...bridge('br-dup'), ...bridge('br-dup').map(rename)],
    'OVSDB_CONSTRAINT_VIOLATION',
    undefined,
  ],
  [
    'a failed wait',
    () => [wait('Bridge', byName('nope'), ['name'], '==', [{ name: 'nope' }]), update('Bridge', everyRow, {})],
    'OVSDB_WAIT_FAILED',
    0,
  ],
  ['a value out of range', () => [update('Port', everyRow, { tag: 5000 })], 'OVSDB_CONSTRAINT_VIOLATION', 0],
  [
    'a reference to nothing',
    () => [insert('Bridge', { name: 'br-x', ports: [named('ghost')] })],
    'OVSDB_REFERENTIAL_INTEGRITY_VIOLATION',
    undefined,
  ],
  ['an unknown operation', () => [{ op: 'frobnicate' }], 'OVSDB_SYNTAX_ERROR', 0],
] as const)('%s fails with its code and changes nothing', async (_what, operations, code, opIndex) => {
  await client.transact(bridge('br-dup')).catch(() => undefined)
  const before = await ovs.vsctl('list-br')
  const error = await client.transact(operations()).then(
    () => undefined,
    (failure: unknown) => failure,
  )
  expect(isOvsdbError(error) ? [error.code, error.opIndex] : error).toEqual([code, opIndex])
  expect(await ovs.vsctl('list-br')).toBe(before)
})

/** Gives the named UUIDs of a second bridge other names. */
function rename(operation: Operation): Operation {
  return JSON.parse(
    JSON.stringify(operation)
      .replaceAll('"iface"', '"iface2"')
      .replaceAll('"port"', '"port2"')
      .replaceAll('"bridge"', '"bridge2"'),
  )
}

test('select decodes typed rows', async () => {
  await client.transact(bridge('br-select'))
  const [result] = await client.transact([
    select('Bridge', byName('br-select'), ['_uuid', 'name', 'fail_mode', 'ports']),
  ])
  const [row] = decodeRows('Bridge', result, ['_uuid', 'name', 'fail_mode', 'ports'])
  expect(row?.name).toBe('br-select')
  expect(row?.fail_mode).toBeUndefined()
  expect(row?.ports).toHaveLength(1)
})

test('a monitor condition holds for rows of any of its clauses, and rows come and go with it', async () => {
  await client.transact(bridge('br-cond1'))
  const monitor = await client.monitor({
    Bridge: {
      where: [
        ['name', '==', 'br-cond1'],
        ['fail_mode', '==', 'secure'],
      ],
    },
  })
  expect([...monitor.rows('Bridge').values()].map((row) => row.name)).toEqual(['br-cond1'])
  await client.transact(bridge('br-cond2'))
  expect(monitor.rows('Bridge').size).toBe(1)
  await client.transact([update('Bridge', byName('br-cond2'), { fail_mode: 'secure' })])
  expect(monitor.byName('Bridge', 'br-cond2')?.fail_mode).toBe('secure')
  await client.transact([update('Bridge', byName('br-cond2'), { fail_mode: undefined })])
  expect(monitor.byName('Bridge', 'br-cond2')).toBeUndefined()
  monitor.close()
})

test('waiting ends with the signal, the deadline or the end of the client', async () => {
  const other = await connectOvsdb({ path: ovs.dbSocket })
  const monitor = await other.monitor({ Bridge: {} })
  const never = (): undefined => undefined
  expect(await codeOf(monitor.waitFor(never, { timeoutMs: 5 }))).toBe('OVSDB_TIMEOUT')
  expect(await codeOf(monitor.waitFor(never, { signal: AbortSignal.abort() }))).toBe('OVSDB_ABORTED')
  const pending = codeOf(monitor.waitFor(never))
  other.close()
  expect(await pending).toBe('OVSDB_CLOSED')
  expect(await codeOf(other.transact([]))).toBe('OVSDB_CLOSED')
})

test('a transaction that waits is cancelled by its signal and its deadline', async () => {
  const blocked = [wait('Bridge', byName('nope'), ['name'], '==', [{ name: 'nope' }], 60_000)]
  expect(await codeOf(client.transact(blocked, { timeoutMs: 10 }))).toBe('OVSDB_TIMEOUT')
  const controller = new AbortController()
  const pending = codeOf(client.transact(blocked, { signal: controller.signal }))
  controller.abort()
  expect(await pending).toBe('OVSDB_ABORTED')
  expect(client.state).toBe('connected')
})

test('no server, a long path and a foreign socket are named', async () => {
  expect(await codeOf(connectOvsdb({ path: '/nonexistent/db.sock' }))).toBe('OVSDB_UNREACHABLE')
  expect(await codeOf(connectOvsdb({ path: `/tmp/${'x'.repeat(120)}` }))).toBe('OVSDB_UNREACHABLE')
})

test('large transactions and answers pass through full socket buffers', async () => {
  const monitor = await client.monitor({ Bridge: { columns: ['name', 'external_ids'] } })
  const text = 'é'.repeat(400_000)
  await client.transact(bridge('br-large'))
  await client.transact([update('Bridge', byName('br-large'), { external_ids: { text } })])
  expect(monitor.byName('Bridge', 'br-large')?.external_ids.get('text')).toBe(text)
  monitor.close()
})
