import { FIELDS, type FieldName } from '../../../flow/fields.ts'
import type { Action, FieldMatch, Flow, Match } from '../../../flow/flow.ts'

const TCP: Match = { eth_type: 0x0800, ip_proto: 6 }
const UDP: Match = { eth_type: 0x0800, ip_proto: 17 }
const SCTP: Match = { eth_type: 0x0800, ip_proto: 132 }
const V6: Match = { eth_type: 0x86dd }
const ND: Match = { ...V6, ip_proto: 58, icmpv6_type: 135 }
const TRACKED = { value: 0x22, mask: 0x22 }

/** For each field a match in which it appears, with what it needs; several per field where masks matter. */
const MATCHES: { readonly [field in Exclude<FieldName, `reg${number}`>]: readonly Match[] } = {
  in_port: [{ in_port: 1 }, { in_port: 0xfffffffe }],
  eth_src: [{ eth_src: '00:00:00:00:00:01' }],
  eth_dst: [{ eth_dst: { value: '01:00:00:00:00:00', mask: '01:00:00:00:00:00' } }],
  eth_type: [{ eth_type: 0x88cc }, { eth_type: 0x0800 }, V6, { eth_type: 0x0806 }],
  vlan_tci: [{ vlan_tci: { value: 0x1000, mask: 0x1000 } }, { vlan_tci: { value: 0x7005, mask: 0xffff } }],
  vlan_vid: [{ vlan_vid: 0 }, { vlan_vid: 0x1005 }, { vlan_vid: { value: 0x1004, mask: 0x1ffc } }],
  vlan_pcp: [{ vlan_vid: 0x1006, vlan_pcp: 7 }],
  ip_proto: [{ eth_type: 0x0800, ip_proto: 89 }, { ...V6, ip_proto: 89 }, { ...V6, ip_proto: 6 }, TCP, UDP, SCTP],
  ip_dscp: [{ eth_type: 0x0800, ip_dscp: 46 }],
  ip_ttl: [{ ...V6, ip_ttl: 1 }],
  ip_frag: [0, 1, 3, { value: 1, mask: 1 }, { value: 0, mask: 2 }].map((ip_frag) => ({
    ...UDP,
    ip_frag,
  })),
  ipv4_src: [{ eth_type: 0x0800, ipv4_src: '10.128.0.0/14' }],
  ipv4_dst: [{ eth_type: 0x0800, ipv4_dst: { value: '10.0.0.1', mask: '255.0.0.255' } }],
  ipv6_src: [{ ...V6, ipv6_src: 'fd00:0:0::/64' }],
  ipv6_dst: [{ ...V6, ipv6_dst: { value: '::1', mask: '::ffff' } }],
  arp_op: [{ eth_type: 0x0806, arp_op: 1 }],
  arp_spa: [{ eth_type: 0x0806, arp_spa: '10.0.0.1' }],
  arp_tpa: [{ eth_type: 0x0806, arp_tpa: '10.0.0.0/8' }],
  arp_sha: [{ eth_type: 0x0806, arp_sha: 'AA:00:00:00:00:01' }],
  arp_tha: [{ eth_type: 0x0806, arp_tha: '00:00:00:00:00:00' }],
  tcp_src: [{ ...TCP, tcp_src: 80 }],
  tcp_dst: [{ ...TCP, tcp_dst: { value: 0x400, mask: 0xfc00 } }],
  tcp_flags: [
    { ...TCP, tcp_flags: { value: 0x02, mask: 0x12 } },
    { ...TCP, tcp_flags: 0x12 },
  ],
  udp_src: [{ ...UDP, udp_src: 53 }],
  udp_dst: [{ ...UDP, udp_dst: 4789 }],
  sctp_src: [{ ...SCTP, sctp_src: 1 }],
  sctp_dst: [{ ...SCTP, sctp_dst: 2 }],
  icmp_type: [{ eth_type: 0x0800, ip_proto: 1, icmp_type: 3 }],
  icmp_code: [{ eth_type: 0x0800, ip_proto: 1, icmp_type: 3, icmp_code: 4 }],
  icmpv6_type: [{ ...V6, ip_proto: 58, icmpv6_type: 134 }],
  icmpv6_code: [{ ...V6, ip_proto: 58, icmpv6_type: 1, icmpv6_code: 4 }],
  nd_target: [{ ...ND, nd_target: 'fe80::1' }],
  nd_sll: [{ ...ND, nd_sll: '00:00:00:00:00:01' }],
  nd_tll: [{ ...ND, icmpv6_type: 136, nd_tll: '00:00:00:00:00:01' }],
  nd_reserved: [{ ...ND, icmpv6_type: 136, nd_reserved: 0x60000000 }],
  nd_options_type: [{ ...ND, nd_options_type: 1 }],
  tun_id: [{ tun_id: 5n }, { tun_id: { value: 0x500n, mask: 0xff00n } }],
  tun_src: [{ tun_src: '192.0.2.1' }],
  tun_dst: [{ tun_dst: '192.0.2.0/24' }],
  tun_ipv6_src: [{ tun_ipv6_src: 'fd00::1' }],
  tun_ipv6_dst: [{ tun_ipv6_dst: 'fd00::/64' }],
  metadata: [{ metadata: 0xffffffffffffffffn }],
  pkt_mark: [{ pkt_mark: { value: 1, mask: 1 } }],
  ct_state: [
    { ...TCP, ct_state: { value: 0x21, mask: 0x37 } },
    { ...TCP, ct_state: 0x22 },
  ],
  ct_zone: [{ ct_zone: 5 }],
  ct_mark: [{ ct_mark: 5 }],
  ct_label: [{ ct_label: { value: 5n << 64n, mask: 0xfn << 64n } }],
  ct_nw_proto: [{ ...TCP, ct_state: TRACKED, ct_nw_proto: 6 }],
  ct_nw_src: [{ ...TCP, ct_state: TRACKED, ct_nw_src: '10.0.0.1' }],
  ct_nw_dst: [{ ...TCP, ct_state: TRACKED, ct_nw_dst: '10.0.0.0/8' }],
  ct_ipv6_src: [{ ...V6, ct_state: TRACKED, ct_ipv6_src: 'fd00::1' }],
  ct_ipv6_dst: [{ ...V6, ct_state: TRACKED, ct_ipv6_dst: 'fd00::/8' }],
  ct_tp_src: [{ ...TCP, ct_state: TRACKED, ct_nw_proto: 6, ct_tp_src: 80 }],
  ct_tp_dst: [{ ...TCP, ct_state: TRACKED, ct_nw_proto: 6, ct_tp_dst: { value: 0x50, mask: 0xfff0 } }],
  conj_id: [{ conj_id: 5 }],
}

const REGISTERS: readonly Match[] = (Object.keys(FIELDS) as FieldName[])
  .filter((name) => name.startsWith('reg'))
  .flatMap((name, i): Match[] => [{ [name]: i + 1 }, { [name]: { value: 0x10 * i, mask: 0xf0 } satisfies FieldMatch }])

const ct = (rest: Omit<Extract<Action, { op: 'ct' }>, 'op'>): Action => ({ op: 'ct', ...rest })

/** Lists of actions that stand in a flow matching UDP over IPv4: every action, with its options. */
const ACTIONS: readonly (readonly Action[])[] = [
  [],
  [
    { op: 'output', port: 1 },
    { op: 'output', port: 'in_port' },
    { op: 'output', port: 'local' },
  ],
  [
    { op: 'output', port: 'flood' },
    { op: 'output', port: 'all' },
    { op: 'output', port: 'normal' },
  ],
  [{ op: 'output', port: 2, maxLength: 128 }],
  [{ op: 'output_reg', from: { field: 'reg1', offset: 0, bits: 16 } }],
  [
    { op: 'set', field: 'reg0', value: 5 },
    { op: 'set', field: 'reg1', value: 0x50, mask: 0xf0 },
    { op: 'set', field: 'reg2', value: 0x50000005, mask: 0xf000000f },
    { op: 'set', field: 'tun_id', value: 7n },
    { op: 'set', field: 'tun_dst', value: '192.0.2.1' },
    { op: 'set', field: 'eth_dst', value: '02:00:00:00:00:01' },
    { op: 'set', field: 'eth_src', value: '02:00:00:00:00:00', mask: 'ff:00:00:00:00:00' },
    { op: 'set', field: 'ipv4_src', value: '10.0.0.0', mask: '255.0.0.0' },
    { op: 'set', field: 'udp_dst', value: 53 },
    { op: 'set', field: 'pkt_mark', value: 1 },
    { op: 'set', field: 'metadata', value: 1n << 40n },
    { op: 'set', field: 'in_port', value: 0 },
    { op: 'set', field: 'ip_dscp', value: 46 },
    { op: 'set', field: 'ip_ttl', value: 64 },
  ],
  [
    {
      op: 'move',
      from: { field: 'reg1', offset: 0, bits: 16 },
      to: { field: 'reg2', offset: 16, bits: 16 },
    },
    {
      op: 'move',
      from: { field: 'eth_src', offset: 0, bits: 48 },
      to: { field: 'eth_dst', offset: 0, bits: 48 },
    },
    {
      op: 'move',
      from: { field: 'tun_src', offset: 0, bits: 32 },
      to: { field: 'reg3', offset: 0, bits: 32 },
    },
    {
      op: 'move',
      from: { field: 'ct_label', offset: 96, bits: 32 },
      to: { field: 'reg4', offset: 0, bits: 32 },
    },
  ],
  [{ op: 'goto', table: 60 }],
  [{ op: 'dec_ttl' }, { op: 'goto', table: 60 }],
  [{ op: 'resubmit', table: 60 }],
  [{ op: 'group', group: 1 }],
  [
    { op: 'meter', meter: 1 },
    { op: 'output', port: 1 },
  ],
  [{ op: 'check_pkt_larger', size: 1464, to: { field: 'reg0', offset: 3, bits: 1 } }],
  [{ op: 'controller', maxLength: 128, userdata: '' }],
  [{ op: 'controller', maxLength: 65535, userdata: '0102' }],
  [{ op: 'controller', maxLength: 256, userdata: '01', meter: 1 }],
  [ct({})],
  [ct({ zone: 5, table: 60 })],
  [ct({ zone: { field: 'reg6', offset: 0, bits: 16 }, table: 60, nat: {} })],
  [ct({ commit: true, force: true, zone: 9 })],
  [ct({ commit: true, exec: [{ op: 'set', field: 'ct_mark', value: 1, mask: 1 }] })],
  [ct({ commit: true, exec: [{ op: 'set', field: 'ct_label', value: 5n << 64n, mask: 0xffn << 64n }] })],
  [ct({ commit: true, exec: [{ op: 'move', from: reg(8), to: { field: 'ct_mark', offset: 0, bits: 32 } }] })],
  [ct({ commit: true, nat: { direction: 'src' } })],
  [ct({ commit: true, nat: { direction: 'src', address: { min: '192.0.2.1' } } })],
  [ct({ commit: true, nat: { direction: 'dst', address: { min: '192.0.2.1', max: '192.0.2.9' }, flags: ['hash'] } })],
  [ct({ commit: true, nat: { direction: 'dst', address: { min: '192.0.2.1' }, port: { min: 80 } } })],
  [ct({ commit: true, nat: { direction: 'src', address: { min: '192.0.2.1' }, port: { min: 1024, max: 2048 } } })],
  [{ op: 'ct_clear' }],
  [
    { op: 'clone', actions: [ct({ zone: 3, nat: {}, table: 60 }), { op: 'output', port: 2 }] },
    { op: 'output', port: 1 },
  ],
  [
    { op: 'conjunction', id: 5, clause: 1, of: 2 },
    { op: 'conjunction', id: 6, clause: 2, of: 3 },
  ],
  [
    { op: 'push_vlan', ethertype: 0x8100 },
    { op: 'set', field: 'vlan_vid', value: 0x1005 },
    { op: 'output', port: 1 },
  ],
  [{ op: 'push_vlan', ethertype: 0x88a8 }, { op: 'pop_vlan' }, { op: 'output', port: 1 }],
  [{ op: 'note', data: '01' }],
  [{ op: 'note', data: '01020304050607' }],
]

function reg(number: 8): { readonly field: 'reg8'; readonly offset: 0; readonly bits: 32 } {
  return { field: `reg${number}`, offset: 0, bits: 32 }
}

const SIX: Match = { ...V6, ip_proto: 17 }
const ACTIONS6: readonly (readonly Action[])[] = [
  [ct({ commit: true, nat: { direction: 'src', address: { min: 'fd00::1', max: 'fd00::9' } } })],
  [ct({ commit: true, nat: { direction: 'dst', address: { min: 'FD00:0::1' }, port: { min: 80, max: 90 } } })],
  [
    { op: 'set', field: 'ipv6_dst', value: 'fd00::', mask: 'ffff::' },
    { op: 'set', field: 'tun_ipv6_dst', value: 'fd00::1' },
  ],
]

const ND_ACTIONS: readonly Action[] = [
  { op: 'set', field: 'nd_options_type', value: 2 },
  { op: 'set', field: 'nd_reserved', value: 0x60000000 },
  { op: 'set', field: 'nd_target', value: 'fe80::1' },
  { op: 'set', field: 'icmpv6_type', value: 136 },
]
const ARP_ACTIONS: readonly Action[] = [
  { op: 'set', field: 'arp_op', value: 2 },
  { op: 'set', field: 'arp_spa', value: '10.0.0.1' },
  { op: 'set', field: 'arp_sha', value: '02:00:00:00:00:01' },
  { op: 'move', from: { field: 'arp_spa', offset: 0, bits: 32 }, to: { field: 'arp_tpa', offset: 0, bits: 32 } },
]

/** Every field and every action of the flow language, in flows that Open vSwitch takes. No two are the same row. */
export const FLOWS: readonly Flow[] = [...Object.values(MATCHES).flat(), ...REGISTERS]
  .map(
    (match, i): Flow => ({
      table: 1 + (i % 9),
      priority: i + 1,
      cookie: BigInt(i),
      match,
      actions: [{ op: 'output', port: 1 }],
    }),
  )
  .concat(
    ACTIONS.map((actions, i) => ({ table: 50, priority: i + 1, cookie: 0n, match: UDP, actions })),
    ACTIONS6.map((actions, i) => ({ table: 51, priority: i + 1, cookie: 0n, match: SIX, actions })),
    [
      { table: 52, priority: 32768, cookie: 0n, match: ND, actions: ND_ACTIONS },
      { table: 52, priority: 7, cookie: (1n << 64n) - 1n, match: { eth_type: 0x0806 }, actions: ARP_ACTIONS },
      {
        table: 52,
        priority: 8,
        cookie: 0n,
        match: { ...TCP, ct_state: TRACKED },
        actions: [{ op: 'resubmit', table: 61, ct: true }],
      },
      { table: 53, priority: 0, cookie: 1n, match: {}, actions: [] },
    ],
  )
