import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { Flow, Match } from '../../flow/flow.ts'
import { type OvsSandbox, startOvsSandbox } from '../testing/ovs-sandbox.ts'
import type { ConnectionFilter } from './ct-flush.ts'
import { addFlows, connectOpenFlow, type OpenFlowClient } from './index.ts'

let ovs: OvsSandbox
let client: OpenFlowClient

const ZONE = 7
/** Clients 1 to 4 of a service: the first two led to endpoint .3, the others to endpoint .4, in both families. */
const CLIENTS = [1, 2, 3, 4]
const endpointOf = (n: number): number => (n < 3 ? 3 : 4)

beforeAll(async () => {
  ovs = await startOvsSandbox({ dummy: true })
  await ovs.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'fail_mode=secure')
  await ovs.vsctl('add-port', 'br0', 'p1', '--', 'set', 'interface', 'p1', 'type=dummy')
  client = await connectOpenFlow({ path: ovs.mgmtSocket('br0') })
  const flows = CLIENTS.flatMap((n): Flow[] => [
    translate({ eth_type: 0x0800, ipv4_src: `10.0.0.${n}` }, `10.0.1.${endpointOf(n)}`),
    translate({ eth_type: 0x86dd, ipv6_src: `fd00::${n}` }, `fd01::${endpointOf(n)}`),
  ])
  await client.bundle({ flows: addFlows(flows) })
})

afterAll(async () => {
  client?.close()
  await ovs?.stop()
})

function translate(match: Match, min: string): Flow {
  const nat = { direction: 'dst', address: { min }, port: { min: 5353 } } as const
  return { table: 0, priority: 1, cookie: 0n, match, actions: [{ op: 'ct', commit: true, zone: ZONE, nat }] }
}

/** Each client opens a UDP and a TCP connection to the service in both families. */
async function connectAll(): Promise<void> {
  const packet = (n: number, v6: boolean, udp: boolean): string =>
    [
      'in_port(1),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02)',
      v6 ? 'eth_type(0x86dd)' : 'eth_type(0x0800)',
      v6
        ? `ipv6(src=fd00::${n},dst=fd30::1,label=0,proto=${udp ? 17 : 6},tclass=0,hlimit=64,frag=no)`
        : `ipv4(src=10.0.0.${n},dst=172.30.0.1,proto=${udp ? 17 : 6},tos=0,ttl=64,frag=no)`,
      udp ? `udp(src=${4000 + n},dst=53)` : `tcp(src=${4000 + n},dst=53),tcp_flags(0x002)`,
    ].join(',')
  const packets = CLIENTS.flatMap((n) => [packet(n, false, true), packet(n, false, false), packet(n, true, true)])
  for (const each of packets) await ovs.appctl('netdev-dummy/receive', 'p1', each)
}

/** The clients still known, as `<protocol> <address>`. */
async function known(): Promise<readonly string[]> {
  const text = await ovs.appctl('dpctl/dump-conntrack')
  return [...text.matchAll(/^(\w+),orig=\(src=([^,]+),/gm)]
    .map(([, protocol, source]) => `${protocol} ${source}`)
    .sort()
}

const ALL = CLIENTS.flatMap((n) => [`udp 10.0.0.${n}`, `tcp 10.0.0.${n}`, `udp fd00::${n}`])

const CASES: readonly (readonly [string, ConnectionFilter, RegExp])[] = [
  [
    'UDP of one endpoint',
    { zone: ZONE, protocol: 17, reply: { source: '10.0.1.3', sourcePort: 5353 } },
    /udp 10.*[12]$/,
  ],
  ['one endpoint, IPv6', { zone: ZONE, protocol: 17, reply: { source: 'fd01::4', sourcePort: 5353 } }, /udp fd.*[34]$/],
  ['one client', { original: { source: '10.0.0.2' }, zone: ZONE }, /10.0.0.2$/],
  [
    'one client of one port',
    { protocol: 6, original: { sourcePort: 4001, destinationPort: 53 }, zone: ZONE },
    /tcp.*1$/,
  ],
  ['the service', { zone: ZONE, protocol: 17, original: { destination: 'fd30::1' } }, /udp fd/],
  ['another endpoint’s port', { zone: ZONE, protocol: 17, reply: { source: '10.0.1.3', sourcePort: 53 } }, /^$/],
  ['another zone', { zone: 8 }, /^$/],
  ['a zone', { zone: ZONE }, /./],
  ['everything', {}, /./],
]

for (const [name, filter, gone] of CASES) {
  test(`forgets connections: ${name}`, async () => {
    await client.ctFlush({})
    await connectAll()
    expect(await known()).toEqual([...ALL].sort())
    await client.ctFlush(filter)
    expect(await known()).toEqual(ALL.filter((connection) => !gone.test(connection)).sort())
  })
}

test('what is no address is refused before it is sent', async () => {
  const cause = await client.ctFlush({ reply: { source: 'nowhere' } }).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(cause).toMatchObject({ code: 'OPENFLOW_ADDRESS_INVALID' })
  await client.barrier()
})
