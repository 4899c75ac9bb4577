/** A real Open vSwitch without devices drops packets, and the agent's own parts write a line about them. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { SAMPLE_PODS, samplePlanner } from '../../../test/tables/sample-node.ts'
import { internetChecksum } from '../../linux/checksum.ts'
import { parseIp as bytesOf, parseMac } from '../../linux/ip.ts'
import { BRIDGE } from '../../network/host.ts'
import type { Policy } from '../../network/model/policy.ts'
import { connectOpenFlow } from '../../ovs/openflow/index.ts'
import { type OvsSandbox, startOvsSandbox } from '../../ovs/testing/ovs-sandbox.ts'
import { Forwarding } from '../switch/forwarding.ts'
import { Switch } from '../switch/switch.ts'
import { startDropLog } from './start.ts'

const { web, api } = SAMPLE_PODS
const stop = new AbortController()
let ovs: OvsSandbox

beforeAll(async () => {
  ovs = await startOvsSandbox({ dummy: true })
  await ovs.vsctl('add-br', BRIDGE, '--', 'set', 'bridge', BRIDGE, 'fail_mode=secure')
  for (const { pod, ofport } of [web, api]) {
    await ovs.vsctl('add-port', BRIDGE, pod, '--', 'set', 'interface', pod, 'type=dummy', `ofport_request=${ofport}`)
  }
})

afterAll(async () => {
  stop.abort()
  await ovs.stop()
})

const deny: Policy = {
  kind: 'NetworkPolicy',
  namespace: 'shop',
  name: 'quiet',
  tier: 'namespace',
  priority: 0,
  subject: { namespaces: { name: 'shop' }, pods: [{ key: 'app', operator: 'In', values: ['web'] }] },
  ingress: [],
}

test('a drop is a line in the log where its policy asks for it, and none where it does not', async () => {
  const lines: string[] = []
  const silent = () => undefined
  const info = (_: object, text?: string): void => {
    lines.push(text ?? '')
  }
  const log = { debug: silent, info, warn: silent, error: silent } as never
  const planner = samplePlanner()
  for (const { pod } of [web, api]) {
    planner.putPod({ namespace: 'shop', name: pod, uid: pod, node: 'node1', addresses: [], labels: { app: pod } })
  }
  using drops = startDropLog(log, () => planner)
  const listener = { connected: silent, disconnected: silent, mtu: () => 1450, dropped: drops.dropped }
  const bridge = await Switch.open(ovs.dir, 'netdev', listener, log, stop.signal)
  await bridge.ensureMeters()
  const forwarding = new Forwarding(bridge)
  forwarding.follow(planner)
  const client = await connectOpenFlow({ path: ovs.mgmtSocket(BRIDGE), signal: stop.signal })
  const send = async (port: number): Promise<void> => {
    await client.packetOut(packet(port), { inPort: api.ofport, actions: [{ op: 'resubmit', table: 0 }] })
    await client.barrier()
  }
  planner.putPolicy(deny)
  await forwarding.sync()
  await send(81)
  planner.putPolicy({ ...deny, log: true })
  await forwarding.flush()
  await send(82)
  while (lines.length === 0) await Bun.sleep(5)
  expect(lines).toEqual([
    'dropped: shop/api → shop/web, TCP 82: isolation of pods by NetworkPolicy shop/quiet (ingress)',
  ])
  client.close()
})

/** The first packet of a connection from `api` to `web`. */
function packet(port: number): Uint8Array {
  const ip = [
    0x45,
    0,
    0,
    40,
    0,
    0,
    0,
    0,
    64,
    6,
    0,
    0,
    ...bytesOf(api.addresses[0] ?? ''),
    ...bytesOf(web.addresses[0] ?? ''),
  ]
  const sum = internetChecksum(Uint8Array.from(ip))
  ip[10] = sum >> 8
  ip[11] = sum & 0xff
  const tcp = [0x9c, 0x40, port >> 8, port & 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0]
  const pseudo = [...ip.slice(12, 20), 0, 6, 0, tcp.length, ...tcp]
  const tcpSum = internetChecksum(Uint8Array.from(pseudo))
  tcp[16] = tcpSum >> 8
  tcp[17] = tcpSum & 0xff
  return Uint8Array.from([...parseMac('0a:58:0a:80:00:01'), ...parseMac(api.mac), 8, 0, ...ip, ...tcp])
}
