import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { FieldName } from '../../flow/fields.ts'
import type { Action, Flow, Group, Scalar } from '../../flow/flow.ts'
import { Connections, compileSwitch, type Output, type Packet, packetOf, simulate } from './simulate.ts'

type Fields = { readonly [field in FieldName]?: Scalar }

const ZONE = 5
const SERVICE = { '4': '172.30.0.10', '6': 'fd30::10' } as const

const flow = (table: number, priority: number, match: Flow['match'], actions: readonly Action[]): Flow => ({
  table,
  priority,
  cookie: 0n,
  match,
  actions,
})
const OUT: Action = { op: 'output', port: 9 }

/** Runs a packet through one `ct` and returns what comes out of it. */
function through(
  connections: Connections,
  action: Omit<Extract<Action, { op: 'ct' }>, 'op'>,
  packet: Packet,
  quoted?: Packet,
): Output {
  const target = compileSwitch([flow(0, 0, {}, [{ op: 'ct', table: 1, ...action }]), flow(1, 0, {}, [OUT])])
  const surroundings = quoted === undefined ? { connections } : { connections, quoted }
  const [output] = simulate(target, packet, surroundings).outputs
  if (output === undefined) throw new Error('nothing came out')
  return output
}

function stateOf({ packet }: Output): string {
  const names = ['new', 'est', 'rel', 'rpl', 'inv', 'trk', 'snat', 'dnat']
  const state = Number(packet.get('ct_state'))
  return names.filter((_, bit) => (state & (1 << bit)) !== 0).join(' ')
}

/** The fields of a packet that are on the wire. */
function wire(packet: Packet | undefined): object {
  return Object.fromEntries([...(packet ?? [])].filter(([field]) => !/^(ct_|reg)/.test(field)).sort())
}

function udp(from: string, sourcePort: number, to: string, port: number): Fields {
  const v6 = from.includes(':')
  return {
    in_port: 1,
    eth_type: v6 ? 0x86dd : 0x0800,
    ip_proto: 17,
    ...(v6 ? { ipv6_src: from, ipv6_dst: to } : { ipv4_src: from, ipv4_dst: to }),
    udp_src: sourcePort,
    udp_dst: port,
  }
}

const PAIRS = { ipv4_src: 'ipv4_dst', ipv6_src: 'ipv6_dst', tcp_src: 'tcp_dst', udp_src: 'udp_dst' } as const

/** The answer to a packet. */
function answer(packet: Packet): Packet {
  const swapped = new Map(packet)
  for (const [a, b] of Object.entries(PAIRS) as [FieldName, FieldName][]) {
    if (!packet.has(a)) continue
    swapped.set(a, packet.get(b) ?? 0n)
    swapped.set(b, packet.get(a) ?? 0n)
  }
  return swapped
}

function plain(packet: Packet): Packet {
  return new Map([...packet].filter(([field]) => !/^(ct_|reg)/.test(field)))
}

const port = fc.integer({ min: 1, max: 65535 })
const host = fc.integer({ min: 1, max: 250 })
const conversation = fc.record({
  v6: fc.boolean(),
  tcp: fc.boolean(),
  from: host,
  to: host,
  backend: host,
  ports: fc.tuple(port, port, port),
  source: fc.boolean(),
  keepPort: fc.boolean(),
})

test('property: translated there and back is where it came from, and so is an error about it', () => {
  const holds = fc.property(conversation, ({ v6, tcp, from, to, backend, ports, source, keepPort }) => {
    const address = (n: number): string => (v6 ? `fd00::${n.toString(16)}` : `10.0.0.${n}`)
    const fields = udp(address(from), ports[0], address(to), ports[1])
    const { udp_src, udp_dst, ...rest } = fields
    const packet = packetOf(tcp ? { ...rest, ip_proto: 6, tcp_src: ports[0], tcp_dst: ports[1] } : fields)
    const nat = {
      direction: source ? 'src' : 'dst',
      address: { min: address(backend) },
      ...(keepPort ? {} : { port: { min: ports[2] } }),
    } as const
    const connections = new Connections()
    const there = plain(through(connections, { commit: true, zone: ZONE, nat }, packet).packet)
    const back = through(connections, { zone: ZONE, nat: {} }, answer(there))
    expect(wire(back.packet)).toEqual(wire(answer(packet)))
    const again = through(connections, { zone: ZONE, nat: {} }, packet)
    expect(wire(again.packet)).toEqual(wire(there))
    const [sender, receiver] = v6 ? (['ipv6_dst', 'ipv6_src'] as const) : (['ipv4_dst', 'ipv4_src'] as const)
    const error = new Map(
      packetOf(
        v6
          ? { in_port: 1, eth_type: 0x86dd, ip_proto: 58, icmpv6_type: 2 }
          : { in_port: 1, eth_type: 0x0800, ip_proto: 1, icmp_type: 3 },
      ),
    )
    error.set(receiver, there.get(sender) ?? 0n)
    error.set(sender, there.get(receiver) ?? 0n)
    const told = through(connections, { zone: ZONE, nat: {} }, error, there)
    expect(wire(told.quoted)).toEqual(wire(packet))
    expect([told.packet.get(receiver), told.packet.get(sender)]).toEqual([packet.get(sender), packet.get(receiver)])
  })
  fc.assert(holds)
})

for (const [family, service] of Object.entries(SERVICE)) {
  const [client, backend] = family === '4' ? ['10.0.0.2', '10.0.0.3'] : ['fd00::2', 'fd00::3']
  const nat = { direction: 'dst', address: { min: backend }, port: { min: 5353 } } as const
  const asked = packetOf(udp(client, 4000, service, 53))
  const answered = packetOf(udp(backend, 5353, client, 4000))

  test(`IPv${family}: the state of each packet of a connection, and its first packet’s ends`, () => {
    const connections = new Connections()
    const look = { zone: ZONE, nat: {} } as const
    expect(stateOf(through(connections, look, asked))).toBe('new trk')
    expect(stateOf(through(connections, look, answered))).toBe('new trk')
    expect(stateOf(through(connections, { commit: true, zone: ZONE, nat }, asked))).toBe('new trk dnat')
    expect(stateOf(through(connections, look, asked))).toBe('new trk dnat')
    const { packet } = through(connections, look, answered)
    expect(stateOf({ port: 9, packet })).toBe('est rpl trk snat')
    const original = [
      packet.get('ct_nw_proto'),
      packet.get('ct_tp_src'),
      packet.get('ct_tp_dst'),
      packet.get('ct_zone'),
    ]
    expect(original).toEqual([17n, 4000n, 53n, BigInt(ZONE)])
    expect(stateOf(through(connections, { zone: ZONE }, answered))).toBe('est rpl trk')
    expect(stateOf(through(connections, look, asked))).toBe('est trk dnat')
    expect(stateOf(through(connections, { zone: ZONE + 1, nat: {} }, asked))).toBe('new trk')
    expect(stateOf(through(connections, { commit: true, force: true, zone: ZONE }, answered))).toBe('new trk')
    expect(stateOf(through(connections, look, asked))).toBe('new trk')
  })
}

test('errors about nobody’s connection, and what is not tracked at all, are invalid', () => {
  const error = packetOf({ eth_type: 0x0800, ip_proto: 1, icmp_type: 3, ipv4_src: '10.0.0.3', ipv4_dst: '10.0.0.2' })
  const about = packetOf(udp('10.0.0.2', 4000, '10.0.0.3', 53))
  expect(stateOf(through(new Connections(), { zone: ZONE }, error, about))).toBe('inv trk')
  expect(stateOf(through(new Connections(), { zone: ZONE }, error))).toBe('inv')
  const sctp = packetOf({ eth_type: 0x0800, ip_proto: 132, ipv4_src: '10.0.0.3', ipv4_dst: '10.0.0.2' })
  expect(stateOf(through(new Connections(), { zone: ZONE }, sctp))).toBe('inv')
})

test('a mark stays with its connection, in both directions', () => {
  const connections = new Connections()
  const asked = packetOf(udp('10.0.0.2', 4000, '10.0.0.3', 53))
  const exec = [{ op: 'set', field: 'ct_mark', value: 7 }] as const
  expect(through(connections, { commit: true, zone: ZONE, exec }, asked).packet.get('ct_mark')).toBe(7n)
  expect(through(connections, { zone: ZONE }, answer(asked)).packet.get('ct_mark')).toBe(7n)
})

test('a connection that leads back to its sender is turned around in a second zone', () => {
  const nat = { direction: 'dst', address: { min: '10.0.0.2' }, port: { min: 80 } } as const
  const turn = { direction: 'src', address: { min: '169.254.7.7' } } as const
  const connections = new Connections()
  const asked = packetOf(udp('10.0.0.2', 4000, SERVICE[4], 53))
  const led = plain(through(connections, { commit: true, zone: 1, nat }, asked).packet)
  const turned = plain(through(connections, { commit: true, zone: 2, nat: turn }, led).packet)
  expect(wire(turned)).toEqual(wire(packetOf(udp('169.254.7.7', 4000, '10.0.0.2', 80))))
  const back = plain(through(connections, { zone: 2, nat: {} }, answer(turned)).packet)
  expect(wire(through(connections, { zone: 1, nat: {} }, back).packet)).toEqual(wire(answer(asked)))
})

test('groups, copies and packets that forget where they came in', () => {
  const bucket = (id: number): Group['buckets'][number] => ({
    id,
    actions: [
      { op: 'set', field: 'reg1', value: id },
      { op: 'output', port: id },
    ],
  })
  const groups: Group[] = [
    { id: 1, type: 'select', buckets: [bucket(11), bucket(12)] },
    { id: 2, type: 'all', buckets: [bucket(21), bucket(22)] },
    { id: 3, type: 'select', buckets: [] },
  ]
  const flows = [
    flow(0, 0, {}, [
      { op: 'group', group: 1 },
      { op: 'group', group: 2 },
      { op: 'group', group: 3 },
      {
        op: 'clone',
        actions: [
          { op: 'set', field: 'reg1', value: 5 },
          { op: 'output', port: 31 },
        ],
      },
      { op: 'output', port: 1 },
      { op: 'set', field: 'in_port', value: 0 },
      { op: 'output', port: 1 },
    ]),
  ]
  const target = compileSwitch(flows, groups)
  const seen = (pick?: (group: Group) => Group['buckets'][number] | undefined): unknown =>
    simulate(target, packetOf({ in_port: 1 }), pick === undefined ? {} : { pick }).outputs.map(({ port, packet }) => [
      port,
      packet.get('reg1'),
    ])
  const rest = [
    [21, 21n],
    [22, 22n],
    [31, 5n],
    [1, undefined],
  ]
  expect(seen()).toEqual([[11, 11n], ...rest])
  expect(seen(({ buckets }) => buckets.at(-1))).toEqual([[12, 12n], ...rest])
})
