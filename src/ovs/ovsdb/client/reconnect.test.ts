import { afterEach, expect, test } from 'bun:test'
import { join } from 'node:path'
import fc from 'fast-check'
import { type OvsSandbox, startOvsSandbox } from '../../testing/ovs-sandbox.ts'
import {
  addBridge,
  addPort,
  byName,
  type Change,
  connectOvsdb,
  delPorts,
  everyRow,
  isOvsdbError,
  mutate,
  type OvsdbClient,
  update,
  wait,
} from '../index.ts'
import { type FaultProxy, startFaultProxy } from '../testing/fault-proxy.ts'

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function sandbox(): Promise<OvsSandbox> {
  const ovs = await startOvsSandbox({ vswitchd: false })
  cleanups.push(ovs.stop)
  return ovs
}

async function proxied(ovs: OvsSandbox): Promise<FaultProxy> {
  const proxy = await startFaultProxy(join(ovs.dir, 'proxy.sock'), ovs.dbSocket)
  cleanups.push(proxy.close)
  return proxy
}

async function client(path: string, more: { probeIntervalMs?: number } = {}): Promise<OvsdbClient> {
  const made = await connectOvsdb({ path, backoffMs: { first: 1, max: 20 }, ...more })
  cleanups.push(made.close)
  return made
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return isOvsdbError(error)
    ? { code: error.code, outcomeUnknown: error.outcomeUnknown, retryable: error.retryable }
    : error
}

const LOST = { code: 'OVSDB_DISCONNECTED', outcomeUnknown: true, retryable: true }

type BridgeChange = Change<{ readonly Bridge: Record<never, never> }>

/** Applies changes to a copy of its own, and insists that each of them fits: no update lost, none invented. */
function replay(copy: Map<string, string>, changes: readonly BridgeChange[]): void {
  for (const change of changes) {
    if (change.type === 'insert') {
      expect(copy.has(change.row.name)).toBe(false)
      copy.set(change.row.name, change.row.external_ids.get('v') ?? '')
    } else if (change.type === 'modify') {
      expect(copy.get(change.old.name)).toBe(change.old.external_ids.get('v') ?? '')
      copy.set(change.row.name, change.row.external_ids.get('v') ?? '')
    } else expect(copy.delete(change.old.name)).toBe(true)
  }
}

test('rows changed while the server was down arrive as exactly those changes', async () => {
  const ovs = await sandbox()
  const db = await client(ovs.dbSocket)
  for (const name of ['kept', 'changed', 'removed']) await addBridge(db, { name, bridge: { external_ids: { v: '0' } } })
  const monitor = await db.monitor({ Bridge: {} })
  const seen: BridgeChange[] = []
  monitor.subscribe((changes) => seen.push(...changes))
  await ovs.killDatabase()
  // The file is edited while nobody serves it.
  const operations = [
    'Open_vSwitch',
    update('Bridge', byName('changed'), { external_ids: { v: '1' } }),
    mutate('Open_vSwitch', everyRow, [['bridges', 'delete', [monitor.byName('Bridge', 'removed')?.uuid ?? '']]]),
  ]
  const edit = await ovs.tool(['ovsdb-tool', 'transact', join(ovs.dir, 'conf.db'), JSON.stringify(operations)])
  expect(edit.code).toBe(0)
  await ovs.startDatabase()
  await ovs.vsctl('--no-wait', 'add-br', 'added')
  await monitor.waitFor((now) => now.byName('Bridge', 'added'), { timeoutMs: 5000 })
  const told = seen.map((change) => `${change.type} ${change.type === 'delete' ? change.old.name : change.row.name}`)
  expect(told.toSorted()).toEqual(['delete removed', 'insert added', 'modify changed'])
  expect(seen.find((change) => change.type === 'modify')).toMatchObject({ columns: ['external_ids'] })
})

test('a server killed again and again while rows change loses no update of a subscriber', async () => {
  const ovs = await sandbox()
  const watcher = await client(ovs.dbSocket)
  const writer = await client(ovs.dbSocket)
  const monitor = await watcher.monitor({ Bridge: {} })
  const copy = new Map<string, string>()
  monitor.subscribe((changes) => replay(copy, changes))
  let writing = true
  const write = async (): Promise<void> => {
    for (let n = 0; writing; n += 1) {
      const name = `b${n % 5}`
      const done = addBridge(writer, { name, bridge: { external_ids: { v: String(n) } } })
      const refused = await failure(done)
      if (refused !== undefined) {
        expect(refused).toMatchObject({ code: 'OVSDB_DISCONNECTED' })
        await writer.whenConnected({ timeoutMs: 5000 })
      }
    }
  }
  const writes = write()
  for (let round = 0; round < 10; round += 1) {
    const before = monitor.byName('Bridge', 'b0')?.external_ids.get('v')
    await monitor.waitFor((now) => (now.byName('Bridge', 'b0')?.external_ids.get('v') === before ? undefined : true))
    await ovs.killDatabase()
    await ovs.startDatabase()
  }
  writing = false
  await writes
  await addBridge(writer, { name: 'last' })
  await monitor.waitFor((now) => now.byName('Bridge', 'last'), { timeoutMs: 5000 })
  const truth = JSON.parse(await ovs.vsctl('--format=json', '--columns=name,external_ids', 'list', 'Bridge'))
  const expected = truth.data.map(([name, [, pairs]]: [string, [string, [string, string][]]]) => [
    name,
    new Map(pairs).get('v') ?? '',
  ])
  expect([...copy].toSorted()).toEqual(expected.toSorted())
})

test('a connection cut anywhere in a message is replaced, and the rows are right again', async () => {
  const ovs = await sandbox()
  const proxy = await proxied(ovs)
  const direct = await client(ovs.dbSocket)
  await addBridge(direct, { name: 'br0' })
  const db = await client(proxy.path)
  const monitor = await db.monitor({ Bridge: {}, Port: {}, Interface: {} })
  let n = 0
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.nat(300), fc.nat(30_000)), async (afterBytes) => {
      n += 1
      proxy.setFault({ kind: 'cut', afterBytes })
      proxy.cutAll()
      await addPort(direct, { bridge: 'br0', name: `p${n}`, interface: { external_ids: { n: String(n) } } })
      if (n > 2) await delPorts(direct, [`p${n - 2}`])
      const accepted = proxy.accepted
      await until(() => proxy.accepted > accepted || db.state === 'connected')
      proxy.setFault({ kind: 'none' })
      await monitor.waitFor((now) =>
        now.byName('Interface', `p${n}`) && !now.byName('Port', `p${n - 2}`) ? true : undefined,
      )
      expect(monitor.byName('Interface', `p${n}`)?.external_ids.get('n')).toBe(String(n))
    }),
    { numRuns: 40 },
  )
})

test('a transaction whose answer was lost is reported and never sent again', async () => {
  const ovs = await sandbox()
  const proxy = await proxied(ovs)
  const db = await client(proxy.path)
  const direct = await client(ovs.dbSocket)
  const truth = await direct.monitor({ Open_vSwitch: { columns: ['next_cfg'] } })
  const nextCfg = (): number | undefined => [...truth.rows('Open_vSwitch').values()][0]?.next_cfg
  const before = nextCfg() ?? 0
  proxy.setFault({ kind: 'stall' })
  const lost = failure(db.transact([mutate('Open_vSwitch', everyRow, [['next_cfg', '+=', 1]])]))
  await truth.waitFor(() => (nextCfg() === before + 1 ? true : undefined), { timeoutMs: 5000 })
  proxy.cutAll()
  expect(await lost).toEqual(LOST)
  expect(await failure(db.transact([]))).toEqual({ ...LOST, outcomeUnknown: false })
  proxy.setFault({ kind: 'none' })
  await db.whenConnected({ timeoutMs: 5000 })
  await db.transact([])
  expect(nextCfg()).toBe(before + 1)
})

test('a silent server is found out by the probe, also while a transaction waits', async () => {
  const ovs = await sandbox()
  const proxy = await proxied(ovs)
  const db = await client(proxy.path, { probeIntervalMs: 20 })
  const forever = wait('Bridge', byName('nope'), ['name'], '==', [{ name: 'nope' }], 60_000)
  const pending = failure(db.transact([forever]))
  // Echoes are answered, so a waiting transaction alone does not end the connection.
  expect(await Promise.race([pending, Bun.sleep(150)])).toBeUndefined()
  proxy.setFault({ kind: 'stall' })
  expect(await pending).toEqual(LOST)
  proxy.setFault({ kind: 'none' })
  await db.whenConnected({ timeoutMs: 5000 })
})

test('garbage ends the connection and the next one is good', async () => {
  const ovs = await sandbox()
  const proxy = await proxied(ovs)
  const db = await client(proxy.path)
  const monitor = await db.monitor({ Bridge: {} })
  for (const text of [
    '\u0000\u0001',
    '{"id":1,"result":[',
    '[]',
    '{"method":"update3","params":["weft-1",0,{"Bridge":5}],"id":null}',
  ]) {
    proxy.setFault({ kind: 'garbage', bytes: Buffer.from(text) })
    const pending = failure(db.transact([update('Open_vSwitch', everyRow, {})], { timeoutMs: 50 }))
    expect(['OVSDB_DISCONNECTED', 'OVSDB_TIMEOUT']).toContain(((await pending) as { code: string }).code)
    proxy.setFault({ kind: 'none' })
    proxy.cutAll()
    await until(() => db.state === 'connected')
  }
  await addBridge(db, { name: 'after' })
  expect(monitor.byName('Bridge', 'after')?.name).toBe('after')
})

test('bytes that trickle in make the same rows', async () => {
  const ovs = await sandbox()
  const proxy = await proxied(ovs)
  const direct = await client(ovs.dbSocket)
  await addBridge(direct, { name: 'br0', bridge: { external_ids: { text: 'grüße 世界 🛰' } } })
  proxy.setFault({ kind: 'trickle', size: 3 })
  const db = await client(proxy.path)
  const monitor = await db.monitor({ Bridge: {} })
  expect(monitor.byName('Bridge', 'br0')?.external_ids.get('text')).toBe('grüße 世界 🛰')
})

test('waitForServer connects as soon as there is one', async () => {
  const ovs = await sandbox()
  await ovs.killDatabase()
  const waiting = connectOvsdb({ path: ovs.dbSocket, waitForServer: true, backoffMs: { first: 1, max: 20 } })
  await ovs.startDatabase()
  const db = await waiting
  expect(db.state).toBe('connected')
  db.close()
})

/** Waits for what no event tells; the test's own time limit ends it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(1)
}

test('a failure that stays is logged once, with what to do, and once that it is over', async () => {
  const ovs = await sandbox()
  await ovs.killDatabase()
  const lines: string[] = []
  const log = (level: string, text: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    lines.push(`${level} ${text}${fields['code'] === undefined ? '' : ` ${fields['code']}: ${fields['error']}`}`)
  }
  const options = { path: ovs.dbSocket, backoffMs: { first: 1, max: 2 }, waitForServer: true }
  const connecting = connectOvsdb({ ...options, log })
  // Many attempts fit in here.
  await Bun.sleep(100)
  await ovs.startDatabase()
  const db = await connecting
  cleanups.push(db.close)
  await db.whenConnected({ timeoutMs: 5000 })
  expect(lines[0]).toMatch(/^warn cannot use ovsdb-server OVSDB_UNREACHABLE: .* → ./)
  // While it starts, its socket may be there already: that is another failure.
  expect(lines).toEqual([...new Set(lines)])
  expect(lines.at(-1)).toBe('info ovsdb-server answers')
})
