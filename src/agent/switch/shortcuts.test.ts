import { afterAll, beforeAll, expect, test } from 'bun:test'
import pino from 'pino'
import { BRIDGE } from '../../network/host.ts'
import { STAGES } from '../../network/pipeline/stages.ts'
import { type OvsSandbox, startOvsSandbox } from '../../ovs/testing/ovs-sandbox.ts'
import { Shortcuts } from './shortcuts.ts'
import { Switch } from './switch.ts'

const LOG = pino({ level: 'silent' })
const PACKET = 'in_port(1),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x9000)'
const listener = { connected: () => undefined, disconnected: () => undefined, mtu: () => undefined }

let ovs: OvsSandbox
const stop = new AbortController()

beforeAll(async () => {
  ovs = await startOvsSandbox({ dummy: true })
  await ovs.vsctl('add-br', BRIDGE, '--', 'set', 'bridge', BRIDGE, 'datapath_type=dummy', 'fail_mode=secure')
  await ovs.vsctl('add-port', BRIDGE, 'p1', '--', 'set', 'interface', 'p1', 'type=dummy', 'ofport_request=1')
})

afterAll(async () => {
  stop.abort()
  await ovs?.stop()
})

/** A packet goes through, and leaves a shortcut. */
async function shortcuts(): Promise<number> {
  const text = await ovs.appctl('dpctl/dump-flows')
  return text.split('\n').filter((line) => line.includes('0x9000')).length
}

async function sendPacket(): Promise<void> {
  await ovs.appctl('netdev-dummy/receive', 'p1', PACKET)
  expect(await shortcuts()).toBe(1)
}

test('shortcuts are thrown away', async () => {
  await sendPacket()
  await new Shortcuts(ovs.dir, LOG, stop.signal).forget()
  expect(await shortcuts()).toBe(0)
})

test('a switch in user space loses them soon after a change of who may talk to whom', async () => {
  const { table } = STAGES.tenant
  const flow = { table, priority: 1, cookie: 0n, match: {}, actions: [{ op: 'output', port: 'in_port' }] } as const
  const change = { write: [flow], remove: [], groups: { add: [], modify: [], remove: [] } }
  const opened = await Switch.open(ovs.dir, 'netdev', listener, LOG, stop.signal)
  await sendPacket()
  await opened.apply(change)
  while ((await shortcuts()) > 0) await Bun.sleep(10)
})

test('where the switch is away it is said, and nothing fails', async () => {
  const said: string[] = []
  const log = { ...LOG, warn: (_: object, text: string) => said.push(text) } as unknown as typeof LOG
  new Shortcuts('/nonexistent', log, stop.signal).outdated()
  while (said.length === 0) await Bun.sleep(10)
  expect(said).toHaveLength(1)
})
