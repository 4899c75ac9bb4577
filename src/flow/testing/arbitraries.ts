/**
 * Random flows that a switch accepts: every field and action of the language, with their prerequisites.
 * @module
 */
import fc from 'fast-check'
import { formatIpv4, formatIpv6, formatMac } from '../address-text.ts'
import type { Action, FieldMatch, Flow, Match, Nat, Subfield } from '../flow.ts'

type Fields = Readonly<Record<string, fc.Arbitrary<FieldMatch>>>

const bytes = (count: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: count, maxLength: count })
const uint = (bits: number): fc.Arbitrary<number> => fc.nat({ max: 2 ** bits - 1 })
const wide = (bits: number): fc.Arbitrary<bigint> => fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n })
const mac = bytes(6).map((b) => formatMac(b, 0))
const ipv4 = bytes(4).map((b) => formatIpv4(b, 0))
const ipv6 = bytes(16).map((b) => formatIpv6(b, 0))
const under = <T extends number | bigint | string>(value: fc.Arbitrary<T>): fc.Arbitrary<FieldMatch> =>
  fc.oneof(value, fc.record({ value, mask: value }))
const cidr4 = fc.tuple(ipv4, fc.nat({ max: 32 })).map(([address, length]) => `${address}/${length}`)
const cidr6 = fc.tuple(ipv6, fc.nat({ max: 128 })).map(([address, length]) => `${address}/${length}`)
const net4 = fc.oneof(under(ipv4), cidr4)
const net6 = fc.oneof(under(ipv6), cidr6)
const only = (value: number): fc.Arbitrary<FieldMatch> => fc.constant(value)

const present = uint(12).map((id) => 0x1000 | id)
const vlan: fc.Arbitrary<Match> = fc.oneof(
  fc.constant({}),
  fc.constant({ vlan_vid: 0 }),
  fc.constant({ vlan_tci: { value: 0x1000, mask: 0x1000 } }),
  fc.record({ vlan_vid: present, vlan_pcp: uint(3) }),
  uint(13).map((tci) => ({ vlan_tci: { value: 0x1000 | tci, mask: 0x1fff } })),
  uint(12).map((mask) => ({ vlan_vid: { value: 0x1000 | mask, mask: 0x1000 | mask } })),
)

const COMMON: Fields = {
  in_port: fc.oneof(fc.integer({ min: 1, max: 60000 }), only(0xfffffffe)),
  eth_src: under(mac),
  eth_dst: under(mac),
  tun_id: under(wide(64)),
  tun_src: net4,
  tun_dst: net4,
  metadata: under(wide(64)),
  pkt_mark: under(uint(32)),
  ct_zone: uint(16),
  ct_mark: under(uint(32)),
  ct_label: under(wide(128)),
  conj_id: uint(32),
  reg0: under(uint(32)),
  reg1: under(uint(32)),
  reg7: under(uint(32)),
  reg14: under(uint(32)),
  reg15: under(uint(32)),
}
const IP: Fields = {
  ip_dscp: uint(6),
  ip_ttl: uint(8),
  ip_frag: fc.constantFrom<FieldMatch>(0, 1, { value: 1, mask: 1 }, { value: 0, mask: 2 }),
}
const TRACKED: Fields = { ct_state: fc.nat({ max: 0x3f }).map((bits) => ({ value: 0x22, mask: 0x22 | bits })) }
const PORTS: readonly Fields[] = [
  { ip_proto: only(6), tcp_src: under(uint(16)), tcp_dst: under(uint(16)), tcp_flags: under(uint(9)) },
  { ip_proto: only(17), udp_src: under(uint(16)), udp_dst: under(uint(16)) },
  { ip_proto: only(132), sctp_src: under(uint(16)), sctp_dst: under(uint(16)) },
  { ip_proto: only(89) },
]
const V4: Fields = { eth_type: only(0x0800), ipv4_src: net4, ipv4_dst: net4, ...IP }
const V6: Fields = { eth_type: only(0x86dd), ipv6_src: net6, ipv6_dst: net6, ...IP }
const ORIGINAL: Fields = { ...TRACKED, ct_nw_proto: only(6), ct_tp_src: under(uint(16)), ct_tp_dst: under(uint(16)) }
const ORIGINAL4: Fields = { ...V4, ...ORIGINAL, ct_nw_src: net4, ct_nw_dst: net4 }
const ORIGINAL6: Fields = { ...V6, ...ORIGINAL, ct_ipv6_src: net6, ct_ipv6_dst: net6 }
const ND: Fields = { ...V6, ip_proto: only(58), icmpv6_code: only(0), nd_target: net6 }
const ND_OPTIONS: Fields = { nd_reserved: uint(32), nd_options_type: uint(8) }

/** What kind of packet a flow matches; `needs` are always there, the rest by chance. */
const SHAPES: readonly { readonly fields: Fields; readonly needs: readonly string[]; readonly actions: Kind[] }[] = [
  { fields: {}, needs: [], actions: ['any'] },
  {
    fields: { eth_type: uint(16).filter((type) => type >= 0x600 && !SPECIAL.has(type)) },
    needs: ['eth_type'],
    actions: ['any'],
  },
  ...PORTS.map((ports) => ({
    fields: { ...V4, ...ports },
    needs: ['eth_type', 'ip_proto'],
    actions: ['any', 'ip', 'ipv4'] as Kind[],
  })),
  ...PORTS.map((ports) => ({
    fields: { ...V6, ...ports },
    needs: ['eth_type', 'ip_proto'],
    actions: ['any', 'ip', 'ipv6'] as Kind[],
  })),
  { fields: ORIGINAL4, needs: ['eth_type', 'ct_state', 'ct_nw_proto'], actions: ['any', 'ip', 'ipv4', 'tracked'] },
  { fields: ORIGINAL6, needs: ['eth_type', 'ct_state', 'ct_nw_proto'], actions: ['any', 'ip', 'ipv6', 'tracked'] },
  {
    fields: { ...V4, ip_proto: only(1), icmp_type: uint(8), icmp_code: uint(8) },
    needs: ['eth_type', 'ip_proto'],
    actions: ['any', 'ip', 'ipv4'],
  },
  {
    fields: { ...V6, ip_proto: only(58), icmpv6_type: fc.integer({ min: 1, max: 130 }), icmpv6_code: uint(8) },
    needs: ['eth_type', 'ip_proto'],
    actions: ['any', 'ip', 'ipv6'],
  },
  {
    fields: { ...ND, ...ND_OPTIONS, icmpv6_type: only(135), nd_sll: under(mac) },
    needs: ['eth_type', 'ip_proto', 'icmpv6_type', 'icmpv6_code'],
    actions: ['any', 'nd'],
  },
  {
    fields: { ...ND, ...ND_OPTIONS, icmpv6_type: only(136), nd_tll: under(mac) },
    needs: ['eth_type', 'ip_proto', 'icmpv6_type', 'icmpv6_code'],
    actions: ['any', 'nd'],
  },
  {
    fields: {
      eth_type: only(0x0806),
      arp_op: uint(8),
      arp_spa: net4,
      arp_tpa: net4,
      arp_sha: under(mac),
      arp_tha: under(mac),
    },
    needs: ['eth_type'],
    actions: ['any', 'arp'],
  },
]

const SPECIAL: ReadonlySet<number> = new Set([0x0800, 0x86dd, 0x0806, 0x8035, 0x8100, 0x88a8, 0x8847, 0x8848, 0x894f])

type Kind = 'any' | 'tracked' | 'ip' | 'ipv4' | 'ipv6' | 'arp' | 'nd'

const sub = (field: Subfield['field'], bits: number): fc.Arbitrary<Subfield> =>
  fc.nat({ max: 32 - bits }).map((offset) => ({ field, offset, bits }))
const userdata = bytes(5).map((b) => b.toHex())
const set = (field: Subfield['field'], value: fc.Arbitrary<number | bigint | string>): fc.Arbitrary<Action> =>
  fc.oneof(
    value.map((v): Action => ({ op: 'set', field, value: v })),
    fc.tuple(value, value).map(([v, mask]): Action => ({ op: 'set', field, value: v, mask })),
  )
const exact = (field: Subfield['field'], value: fc.Arbitrary<number | bigint | string>): fc.Arbitrary<Action> =>
  value.map((v): Action => ({ op: 'set', field, value: v }))

const nat = (address: fc.Arbitrary<string>): fc.Arbitrary<Nat> =>
  fc.record(
    {
      direction: fc.constantFrom('src' as const, 'dst' as const),
      address: fc.record({ min: address }),
      port: fc.record(
        { min: fc.integer({ min: 1, max: 100 }), max: fc.integer({ min: 100, max: 65535 }) },
        { requiredKeys: ['min'] },
      ),
      flags: fc.constantFrom(['persistent'] as const, ['hash'] as const, ['persistent', 'random'] as const),
    },
    { requiredKeys: ['direction', 'address'] },
  )

const track = (address: fc.Arbitrary<string>): fc.Arbitrary<Action> =>
  fc.record(
    {
      op: fc.constant('ct' as const),
      commit: fc.constant(true),
      force: fc.boolean(),
      zone: fc.oneof(uint(16), sub('reg0', 16)),
      table: fc.integer({ min: 1, max: 200 }),
      nat: fc.oneof(fc.constant({}), nat(address)),
      exec: fc.array(fc.oneof(set('ct_mark', uint(32)), set('ct_label', wide(128))), { maxLength: 2 }),
    },
    { requiredKeys: ['op', 'commit'] },
  )

const copied = (action: fc.Arbitrary<Action>): fc.Arbitrary<Action> =>
  fc
    .array(fc.oneof(action, set('reg2', uint(32)), fc.constant<Action>({ op: 'output', port: 7 })), {
      minLength: 1,
      maxLength: 3,
    })
    .map((actions): Action => ({ op: 'clone', actions }))

const ACTIONS: Readonly<Record<Kind, fc.Arbitrary<Action>>> = {
  any: fc.oneof(
    fc.integer({ min: 1, max: 60000 }).map((port): Action => ({ op: 'output', port })),
    fc
      .constantFrom('in_port' as const, 'local' as const, 'flood' as const, 'all' as const, 'normal' as const)
      .map((port): Action => ({ op: 'output', port })),
    fc.integer({ min: 14, max: 9000 }).map((maxLength): Action => ({ op: 'output', port: 7, maxLength })),
    sub('reg3', 16).map((from): Action => ({ op: 'output_reg', from })),
    set('reg2', uint(32)),
    set('tun_id', wide(64)),
    set('metadata', wide(64)),
    set('eth_dst', mac),
    exact('tun_dst', ipv4),
    exact('in_port', uint(8)),
    fc.tuple(sub('reg4', 8), sub('reg5', 8)).map(([from, to]): Action => ({ op: 'move', from, to })),
    fc.constant<Action>({
      op: 'move',
      from: { field: 'eth_src', offset: 0, bits: 48 },
      to: { field: 'eth_dst', offset: 0, bits: 48 },
    }),
    fc.nat({ max: 253 }).map((table): Action => ({ op: 'resubmit', table })),
    fc.tuple(uint(16), sub('reg6', 1)).map(([size, to]): Action => ({ op: 'check_pkt_larger', size, to })),
    fc.tuple(uint(16), userdata).map(([maxLength, data]): Action => ({ op: 'controller', maxLength, userdata: data })),
    uint(16).map((maxLength): Action => ({ op: 'controller', maxLength, userdata: '' })),
    fc.uint8Array({ maxLength: 20 }).map((b): Action => ({ op: 'note', data: b.toHex() })),
    fc.constant<Action>({ op: 'ct_clear' }),
    fc.constant<Action>({ op: 'pop_vlan' }),
  ),
  tracked: fc.nat({ max: 253 }).map((table): Action => ({ op: 'resubmit', table, ct: true })),
  ip: fc.oneof(
    fc.constant<Action>({ op: 'dec_ttl' }),

    exact('ip_dscp', uint(6)),
    exact('ip_ttl', uint(8)),
  ),
  ipv4: fc.oneof(set('ipv4_src', ipv4), set('ipv4_dst', ipv4), track(ipv4), copied(track(ipv4))),
  ipv6: fc.oneof(set('ipv6_src', ipv6), set('ipv6_dst', ipv6), track(ipv6), copied(track(ipv6))),
  arp: fc.oneof(
    exact('arp_op', uint(8)),
    set('arp_spa', ipv4),
    set('arp_tpa', ipv4),
    set('arp_sha', mac),
    set('arp_tha', mac),
  ),
  nd: fc.oneof(exact('nd_reserved', uint(32)), exact('nd_options_type', uint(8)), set('nd_target', ipv6)),
}

const shapedMatch = ({ fields, needs }: (typeof SHAPES)[number]): fc.Arbitrary<Match> =>
  fc
    .tuple(
      fc.record({ ...COMMON, ...fields }, { requiredKeys: [] }),
      fc.record(Object.fromEntries(needs.map((name) => [name, fields[name] ?? only(0)]))),
      vlan,
    )
    .map(([chosen, needed, tags]) => {
      const match: Record<string, FieldMatch> = { ...chosen, ...needed, ...tags } as Record<string, FieldMatch>
      for (const name of Object.keys(fields)) if (match[name] === undefined) delete match[name]
      return match as Match
    })

/** A tag is only popped where there surely is one. */
const untag = (action: Action): Action[] =>
  action.op === 'pop_vlan'
    ? [{ op: 'push_vlan', ethertype: 0x8100 }, { op: 'set', field: 'vlan_vid', value: 0x1005 }, action]
    : [action]

const shapedActions = (kinds: readonly Kind[]): fc.Arbitrary<readonly Action[]> =>
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc
        .array(fc.oneof(...kinds.map((kind) => ACTIONS[kind])), { maxLength: 6 })
        .map((actions) => actions.flatMap(untag)),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(uint(32), fc.integer({ min: 1, max: 3 }))
        .map(([id, clause]): Action[] => [{ op: 'conjunction', id, clause, of: 3 }]),
    },
    { weight: 1, arbitrary: fc.integer({ min: 101, max: 250 }).map((table): Action[] => [{ op: 'goto', table }]) },
  )

/** Actions that stand in a bucket: a group does not know what will be led to it. */
export const arbitraryBucketAction: fc.Arbitrary<Action> = fc
  .oneof(ACTIONS.any, ACTIONS.ip, track(ipv4), track(ipv6), copied(track(ipv4)))
  .filter(({ op }) => op !== 'pop_vlan')

/** A random flow in table 100 that Open vSwitch takes. */
export const arbitraryFlow: fc.Arbitrary<Flow> = fc.constantFrom(...SHAPES).chain((shape) =>
  fc.record({
    table: fc.constant(100),
    priority: uint(16),
    cookie: wide(64),
    match: shapedMatch(shape),
    actions: shapedActions(shape.actions),
  }),
)
