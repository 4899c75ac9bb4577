/** `lswitch-destroy` that dies at the wrong moment, on a real Open vSwitch; Neutron has nothing of this node. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatCache } from '../compat/ovn-underlay/cache.ts'
import { formatRecord, type SwitchRecord } from '../compat/ovn-underlay/record.ts'
import { cidr, ip, parseMac } from '../network/model/address.ts'
import { FakeCloud, neutronError, PASSWORD } from '../openstack/testing/fake-cloud.ts'
import { connectOvsdb } from '../ovs/ovsdb/index.ts'
import { type OvsSandbox, startOvsSandbox } from '../ovs/testing/ovs-sandbox.ts'
import { checkRecord, destroySwitch, type SwitchPlace, setUpSwitch, wishFor } from './lswitch.ts'
import { reasonNotReady } from './pods/take.ts'
import { readState } from './state.ts'
import { cutBefore } from './testing/cut.ts'
import { keys, PARENT, PORTS } from './testing/node-lab.ts'

const RECORD: SwitchRecord = {
  state: 'ready',
  name: 'ls-worker1',
  subnet: cidr('192.168.1.0/29'),
  parent: PARENT,
  router: '7e0263c9-a386-4400-8163-645af05a6694',
  gateway: { address: ip('192.168.1.1'), mac: parseMac('fa:16:3e:00:00:fe') ?? (undefined as never) },
}
const folder = mkdtempSync(join(tmpdir(), 'wefttest-lswitch-'))
const openrc = join(folder, 'openrc')
let ovs: OvsSandbox
let cloud: FakeCloud
let place: SwitchPlace

beforeAll(async () => {
  ovs = await startOvsSandbox()
  cloud = new FakeCloud({
    neutron: (request) =>
      /networks$|extensions$/.test(new URL(request.url).pathname)
        ? Response.json({ networks: [], extensions: [] })
        : neutronError(404, 'NotFound'),
  })
  const account = { AUTH_URL: `${cloud.url}/v3`, USERNAME: 'cni', PASSWORD, PROJECT_NAME: 'k8s', VIF_ID: PARENT }
  writeFileSync(
    openrc,
    Object.entries(account)
      .map(([key, value]) => `OS_${key}=${value}\n`)
      .join(''),
  )
  chmodSync(openrc, 0o600)
  place = { ovsdb: ovs.dbSocket, folder, hostBridge: 'breth-none', tell: () => undefined }
}, 60_000)

afterAll(async () => {
  await ovs?.stop()
  await cloud?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** A node with a switch and a pod. */
async function given(record: SwitchRecord, cache = formatCache(PORTS)): Promise<void> {
  await ovs.vsctl('clear', 'open_vswitch', '.', 'external_ids')
  await keys(ovs, { 'neutron-config': openrc, 'lport-cache': cache, 'weft-underlay': formatRecord(record) })
  const ids = [`external_ids:lport_id=${PORTS[0]?.id}`, 'external_ids:weft-underlay-pod="shop/web"']
  const add = ['--may-exist', 'add-br', 'br-x', '--', '--may-exist', 'add-port', 'br-x', 'pod0']
  await ovs.vsctl(...add, '--', 'set', 'interface', 'pod0', 'type=internal', ...ids)
}

async function stateNow() {
  using client = await connectOvsdb({ path: ovs.dbSocket })
  return await readState(client)
}

test('B15: an lswitch-destroy that died before anything was deleted leaves a node that is not stuck', async () => {
  await given(RECORD)
  // Its first transaction reads, its second forbids new pods; then it dies.
  using cut = await cutBefore(ovs.dbSocket, 3)
  await expect(destroySwitch({ ...place, ovsdb: cut.socket }, { force: false })).rejects.toThrow()
  const { record } = await stateNow()
  expect(reasonNotReady(await stateNow())).toBe('lswitch-destroy is taking it away')
  // Either way is open: forwards it is refused as pods have ports, and then pods get ports again …
  await expect(destroySwitch(place, { force: false })).rejects.toThrow("1 pods have ports of this node's")
  expect((await stateNow()).record).toEqual(RECORD)
  expect(reasonNotReady(await stateNow())).toBeUndefined()
  // … or lswitch-setup completes it.
  expect(() => checkRecord(record, RECORD)).not.toThrow()
})

test('B15: with a cache that cannot be read every pod counts, and --force takes it all away', async () => {
  await given(RECORD, '{"x": 1}')
  await expect(destroySwitch(place, { force: false })).rejects.toThrow("1 pods have ports of this node's")
  expect(await destroySwitch(place, { force: true })).toBe(false)
  expect([...(await stateNow()).keys.keys()]).toEqual(['neutron-config'])
})

test('one that died later only goes on, whoever asks for what', async () => {
  const going = { ...RECORD, state: 'going' } as const
  await given(going)
  expect(() => checkRecord(going, RECORD)).toThrow('is being taken away')
  await expect(destroySwitch(place, { force: false })).rejects.toThrow('have ports of')
  expect((await stateNow()).record).toEqual(going)
})

test('a wrong OS_VIF_ID is told as such, and leaves nothing that stands in the way of the right one', async () => {
  await ovs.vsctl('clear', 'open_vswitch', '.', 'external_ids')
  await keys(ovs, { 'neutron-config': openrc })
  const words = { name: 'ls-worker1', subnet: '192.168.1.0/29', nesting: 'auto', groups: [], cluster: [] } as const
  await expect(setUpSwitch(words, place)).rejects.toThrow(
    expect.objectContaining({
      code: 'UNDERLAY_CONFIG',
      message: expect.stringContaining(`OS_VIF_ID, ${PARENT}, is no port that this account sees`),
      remedy: expect.stringContaining('openstack port list --server NAME'),
    }),
  )
  expect((await stateNow()).record).toBeUndefined()
})

test('lswitch-setup run again without the router keeps it', () => {
  const words = { name: 'ls-worker1', subnet: '192.168.1.0/29', nesting: 'auto', groups: [], cluster: [] } as const
  expect(wishFor(words, RECORD)).toEqual(expect.objectContaining({ router: RECORD.router }))
  expect(wishFor({ ...words, router: 'r2' }, RECORD)).toEqual(expect.objectContaining({ router: 'r2' }))
})
