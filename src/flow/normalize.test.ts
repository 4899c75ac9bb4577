import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { flowContent, flowKey } from './compare.ts'
import { FlowError } from './errors.ts'
import type { Action, Flow, Match } from './flow.ts'
import { formatActions, formatFlow, formatMatch } from './format.ts'
import { normalize, normalizeMatch } from './normalize.ts'
import { normalizeActions } from './normalize-actions.ts'
import { arbitraryFlow } from './testing/arbitraries.ts'

const MATCHES: readonly (readonly [why: string, given: Match, canonical: Match])[] = [
  [
    'host bits of a CIDR are cleared',
    { eth_type: 0x0800, ipv4_src: '10.1.2.3/8' },
    { eth_type: 0x0800, ipv4_src: '10.0.0.0/8' },
  ],
  [
    'a prefix as mask is a CIDR',
    { eth_type: 0x0800, ipv4_src: { value: '10.1.2.3', mask: '255.0.0.0' } },
    { eth_type: 0x0800, ipv4_src: '10.0.0.0/8' },
  ],
  [
    'a full prefix is exact',
    { eth_type: 0x86dd, ipv6_dst: 'FD00:0:0:0::5/128' },
    { eth_type: 0x86dd, ipv6_dst: 'fd00::5' },
  ],
  ['an empty prefix says nothing', { tun_src: '1.2.3.4/0' }, {}],
  ['a full mask is exact', { reg0: { value: 5, mask: 0xffffffff } }, { reg0: 5 }],
  ['an empty mask says nothing', { reg0: { value: 5, mask: 0 } }, {}],
  ['a full mask on a field without masks', { in_port: { value: 5, mask: 0xffffffff } }, { in_port: 5 }],
  [
    'value bits outside the mask are cleared',
    { reg0: { value: 0xff, mask: 0xf0 } },
    { reg0: { value: 0xf0, mask: 0xf0 } },
  ],
  ['small integers are numbers', { reg0: 5n, eth_type: '0x800' }, { eth_type: 0x0800, reg0: 5 }],
  [
    'wide integers are bigints',
    { tun_id: 5, metadata: '0xffffffffffffffff' },
    { tun_id: 5n, metadata: 0xffffffffffffffffn },
  ],
  ['MAC addresses are lower case', { eth_dst: 'AA:BB:CC:DD:EE:FF' }, { eth_dst: 'aa:bb:cc:dd:ee:ff' }],
  ['vlan_tci is split', { vlan_tci: { value: 0x1000, mask: 0x1000 } }, { vlan_vid: { value: 0x1000, mask: 0x1000 } }],
  ['vlan_tci with priority', { vlan_tci: 0x7005 }, { vlan_vid: 0x1005, vlan_pcp: 3 }],
  ['no VLAN at all', { vlan_tci: 0 }, { vlan_vid: 0 }],
  ['ct_state has eight bits', { ct_state: 0x21 }, { ct_state: { value: 0x21, mask: 0xff } }],
]

for (const [why, given, canonical] of MATCHES) {
  test(`normalizeMatch: ${why}`, () => {
    const once = normalizeMatch(given)
    expect(once).toEqual(canonical)
    expect(normalizeMatch(once)).toBe(once)
  })
}

const REFUSED: readonly (readonly [code: string, match: Match])[] = [
  ['FLOW_PREREQUISITE_MISSING', { ipv4_src: '1.2.3.4' }],
  ['FLOW_PREREQUISITE_MISSING', { eth_type: 0x86dd, ipv4_src: '1.2.3.4' }],
  ['FLOW_PREREQUISITE_MISSING', { eth_type: 0x0800, tcp_dst: 80 }],
  ['FLOW_PREREQUISITE_MISSING', { vlan_pcp: 3 }],
  ['FLOW_PREREQUISITE_MISSING', { eth_type: 0x86dd, ip_proto: 58, icmpv6_type: 135, nd_tll: '00:00:00:00:00:01' }],
  ['FLOW_MATCH_CONFLICT', { vlan_tci: 0, vlan_vid: 0 }],
  ['FLOW_MATCH_CONFLICT', { eth_type: 0x0800, ip_proto: 6, ip_frag: 3, tcp_dst: 80 }],
  ['FLOW_MASK_REFUSED', { in_port: { value: 1, mask: 3 } }],
  ['FLOW_MASK_REFUSED', { vlan_tci: { value: 0x3000, mask: 0x3000 } }],
  ['FLOW_FIELD_UNKNOWN', { reg16: 5 } as Match],
  ...([-1, 2 ** 32, 1.5, Number.NaN, 'x', '-1', '', 1n << 32n] as const).map((reg0): [string, Match] => [
    'FLOW_VALUE_INVALID',
    { reg0 },
  ]),
  ...['1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '1.2.3.4/33', '::1', ''].map((tun_src): [string, Match] => [
    'FLOW_VALUE_INVALID',
    { tun_src },
  ]),
  ...['1::2::3', ':::', '1:2:3:4:5:6:7', '12345::', '1:2:3:4:5:6:7:8::', '::1.2.3', 'g::'].map(
    (address): [string, Match] => ['FLOW_VALUE_INVALID', { tun_ipv6_src: address }],
  ),
  ...['00:00:00:00:00', '00:00:00:00:00:0g', '00-00-00-00-00-00'].map((eth_src): [string, Match] => [
    'FLOW_VALUE_INVALID',
    { eth_src },
  ]),
]

for (const [code, match] of REFUSED) {
  test(`normalizeMatch refuses ${Bun.inspect(match).replaceAll(/\s+/g, ' ')}: ${code}`, () => {
    try {
      normalizeMatch(match)
      throw new Error('was accepted')
    } catch (cause) {
      expect(cause).toBeInstanceOf(FlowError)
      expect(cause).toMatchObject({ code })
    }
  })
}

const ACTIONS: readonly (readonly [text: string, actions: readonly Action[]])[] = [
  ['drop', []],
  ['LOCAL', [{ op: 'output', port: 0xfffffffe }]],
  ['drop', [{ op: 'set', field: 'reg0', value: 5, mask: 0 }]],
  ['set_field:0x5->reg0', [{ op: 'set', field: 'reg0', value: 5, mask: 0xffffffff }]],
  [
    'set_field:0x50000005/0xf000000f->reg0',
    [
      { op: 'set', field: 'reg0', value: 0x50000000, mask: 0xf0000000 },
      { op: 'set', field: 'reg0', value: 5, mask: 0xf },
    ],
  ],
  ['note:01.00.00.00.00.00', [{ op: 'note', data: '01' }]],
  ['ct(commit)', [{ op: 'ct', commit: true, force: false, zone: 0, exec: [] }]],
  ['ct(commit,force)', [{ op: 'ct', force: true }]],
  [
    'output:1',
    [
      { op: 'clone', actions: [] },
      { op: 'output', port: 1 },
    ],
  ],
  [
    'clone(ct(),output:2),output:1',
    [
      { op: 'clone', actions: [{ op: 'ct' }, { op: 'output', port: 2 }] },
      { op: 'output', port: 1 },
    ],
  ],
  [
    'ct(commit,nat(src=1.2.3.4))',
    [{ op: 'ct', commit: true, nat: { direction: 'src', address: { min: '1.2.3.4', max: '1.2.3.4' }, flags: [] } }],
  ],
  ['resubmit(,5)', [{ op: 'resubmit', table: 5, ct: false }]],
  ['controller(userdata=0a.0b)', [{ op: 'controller', maxLength: 65535, userdata: '0A.0B' }]],
]

for (const [text, actions] of ACTIONS) {
  test(`normalizeActions: ${text}`, () => expect(formatActions(normalizeActions(actions))).toBe(text))
}

const BAD_ACTIONS: readonly Action[] = [
  { op: 'note', data: 'abc' },
  { op: 'controller', maxLength: 5, userdata: 'hello' },
  { op: 'move', from: { field: 'reg0', offset: 0, bits: 8 }, to: { field: 'reg1', offset: 0, bits: 16 } },
  { op: 'output_reg', from: { field: 'reg0', offset: 20, bits: 16 } },
  { op: 'check_pkt_larger', size: 5, to: { field: 'reg0', offset: 0, bits: 2 } },
  { op: 'ct', commit: true, nat: { direction: 'src', address: { min: 'nowhere' } } },
  { op: 'clone', actions: [{ op: 'goto', table: 9 }] },
]

for (const action of BAD_ACTIONS) {
  test(`normalizeActions refuses ${action.op}`, () => expect(() => normalizeActions([action])).toThrow(FlowError))
}

test('goto stands last', () => {
  expect(() => normalizeActions([{ op: 'goto', table: 5 }, { op: 'dec_ttl' }])).toThrow(FlowError)
})

test('flows print as ovs-ofctl prints them', () => {
  const match: Match = { reg1: 5, eth_type: 0x0800, ip_proto: 6, tcp_dst: 80, ct_state: { value: 0x22, mask: 0x32 } }
  const flow: Flow = { table: 3, priority: 32768, cookie: 255n, match, actions: [{ op: 'goto', table: 7 }] }
  expect(formatMatch(match)).toBe('ct_state=+est-inv+trk,tcp,reg1=0x5,tp_dst=80')
  expect(formatFlow(flow)).toBe(
    'cookie=0xff, table=3, ct_state=+est-inv+trk,tcp,reg1=0x5,tp_dst=80 actions=goto_table:7',
  )
  expect(formatFlow({ ...flow, match: {}, priority: 0, cookie: 0n, actions: [] })).toBe(
    'table=3, priority=0 actions=drop',
  )
})

test('property: the canonical form is its own canonical form, and equal to what it came from', () => {
  const holds = fc.property(arbitraryFlow, (flow) => {
    const canonical = normalize(flow)
    const again = normalize(structuredClone(canonical))
    expect(again).toEqual(canonical)
    expect(flowKey(flow)).toBe(flowKey(canonical))
    expect(flowContent(flow)).toBe(flowContent(canonical))
  })
  fc.assert(holds, { numRuns: 500 })
})

test('property: the order of fields does not matter, any other difference does', () => {
  const holds = fc.property(arbitraryFlow, fc.integer({ min: 1, max: 1000 }), (flow, by) => {
    const reversed = { ...flow, match: Object.fromEntries(Object.entries(flow.match).reverse()) }
    expect(flowKey(reversed)).toBe(flowKey(flow))
    expect(flowKey({ ...flow, priority: (flow.priority + by) % 65536 })).not.toBe(flowKey(flow))
    const { reg13, ...rest } = flow.match
    expect(flowKey({ ...flow, match: { ...rest, reg13: by } })).not.toBe(flowKey(flow))
    expect(flowContent({ ...flow, cookie: flow.cookie ^ BigInt(by) })).not.toBe(flowContent(flow))
    const more: Flow = { ...flow, actions: [{ op: 'output', port: by }, ...flow.actions] }
    expect(flowContent(more)).not.toBe(flowContent(flow))
    expect(reg13).toBeUndefined()
  })
  fc.assert(holds, { numRuns: 500 })
})
