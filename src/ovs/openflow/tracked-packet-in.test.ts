import { expect, test } from 'bun:test'
import type { Flow, Group } from '../../flow/flow.ts'
import { startOvsSandbox } from '../testing/ovs-sandbox.ts'
import { addFlows, connectOpenFlow, type PacketIn } from './index.ts'

const ZONE = 5
const TRACKED = { value: 0x21, mask: 0x21 }

/** A service's first packet, led to an endpoint by a group, and then told to us. */
function flowsOf(eth_type: number): Flow[] {
  const flow = (table: number, rest: Pick<Flow, 'match' | 'actions'>): Flow => ({
    table,
    priority: eth_type,
    cookie: 0n,
    ...rest,
  })
  return [
    flow(0, { match: { eth_type }, actions: [{ op: 'ct', zone: ZONE, nat: {}, table: 1 }] }),
    flow(1, { match: { eth_type, ct_state: TRACKED }, actions: [{ op: 'group', group: eth_type }] }),
    flow(2, { match: { eth_type }, actions: [{ op: 'controller', maxLength: 256, userdata: '01' }] }),
  ]
}

function groupOf(id: number, min: string): Group {
  const nat = { direction: 'dst', address: { min }, port: { min: 5353 } } as const
  return { id, type: 'select', buckets: [{ id: 1, actions: [{ op: 'ct', commit: true, zone: ZONE, nat, table: 2 }] }] }
}

test('a packet that was translated tells the ends it had before', async () => {
  const ovs = await startOvsSandbox({ dummy: true })
  const told: PacketIn[] = []
  try {
    await ovs.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'fail_mode=secure')
    await ovs.vsctl('add-port', 'br0', 'p1', '--', 'set', 'interface', 'p1', 'type=dummy', 'ofport_request=1')
    const client = await connectOpenFlow({
      path: ovs.mgmtSocket('br0'),
      onPacketIn: (packetIn) => told.push(packetIn),
    })
    const groups = [groupOf(0x0800, '10.0.1.3'), groupOf(0x86dd, 'fd01::3')].map(
      (group) => ({ op: 'add', group }) as const,
    )
    await client.bundle({ groups, flows: addFlows([...flowsOf(0x0800), ...flowsOf(0x86dd)]) })
    const link = 'in_port(1),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02)'
    const ends = [
      'eth_type(0x0800),ipv4(src=10.0.0.1,dst=172.30.0.1,proto=17,tos=0,ttl=64,frag=no)',
      'eth_type(0x86dd),ipv6(src=fd00::1,dst=fd30::1,label=0,proto=17,tclass=0,hlimit=64,frag=no)',
    ]
    for (const each of ends) await ovs.appctl('netdev-dummy/receive', 'p1', `${link},${each},udp(src=4000,dst=53)`)
    const deadline = Date.now() + 5000
    while (told.length < 2 && Date.now() < deadline) await Bun.sleep(5)
    const ports = { ct_nw_proto: 17, ct_tp_src: 4000, ct_tp_dst: 53, ct_zone: ZONE, in_port: 1 }
    expect(told.map(({ metadata }) => metadata)).toMatchObject([
      { ...ports, ct_nw_src: '10.0.0.1', ct_nw_dst: '172.30.0.1' },
      { ...ports, ct_ipv6_src: 'fd00::1', ct_ipv6_dst: 'fd30::1' },
    ])
    client.close()
  } finally {
    await ovs.stop()
  }
})
