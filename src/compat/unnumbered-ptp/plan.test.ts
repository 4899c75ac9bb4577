/** Which packet goes where: the reference's cases, as routes and rules in words. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Family, ip, type Mac } from '../../network/model/address.ts'
import type { WayRoute, WayRule } from '../../network/model/ways.ts'
import { parsePtpNetconf } from './netconf.ts'
import { type LegInput, planLeg } from './plan.ts'

const INPUT: LegInput = {
  netconf: parsePtpNetconf({ hostInterface: 'eth0', containerInterface: 'veth0' }),
  ifname: 'eth0',
  isByNode: false,
  ips: [{ address: '10.0.0.50/24', gateway: '10.0.0.1' }],
  routes: [{ dst: '172.20.0.0/16' }],
  node: [ip('10.0.0.10'), ip('10.0.0.11')],
  link: 'weftleg',
  macs: { pod: '0a:00:00:00:00:01' as Mac, host: '0a:00:00:00:00:02' as Mac },
  table: 256,
}
const DUAL: LegInput = {
  ...INPUT,
  ips: [...INPUT.ips, { address: 'fd00::50/64', gateway: 'fd00::1' }],
  node: [...INPUT.node, ip('fd00::10')],
}

test('a pod of one family, as the original has it', () => {
  const { pod, node } = planLeg(INPUT)
  expect(routes(pod.routes)).toEqual([
    'main: 10.0.0.10/32 dev veth0 src 10.0.0.50',
    'main: 10.0.0.11/32 dev veth0 src 10.0.0.50',
    'main: 0.0.0.0/0 via 10.0.0.10 dev veth0 src 10.0.0.50',
    'main: 169.254.77.6/32 dev veth0',
    '110: 0.0.0.0/0 via 10.0.0.10 dev veth0 src 10.0.0.50',
    '111: 10.0.0.0/24 dev eth0 src 10.0.0.50',
    '111: 172.20.0.0/16 via 10.0.0.1 dev eth0',
    '111: 0.0.0.0/0 via 10.0.0.1 dev eth0',
  ])
  expect(rules(pod.rules)).toEqual([
    '900: fwmark 5721089 lookup 110',
    '900: fwmark 5721090 lookup 111',
    '901: iif veth0 lookup 111',
    '902: iif veth0 blackhole',
    '903: to 169.254.77.6/32 iif eth0 lookup main',
    '904: iif eth0 blackhole',
  ])
  expect(routes(node.routes)).toEqual([
    '22348: 10.0.0.50/32 dev weftleg src 10.0.0.10',
    '256: 10.0.0.0/24 via 169.254.77.5 dev weftleg',
    '256: 172.20.0.0/16 via 169.254.77.5 dev weftleg',
    '256: 0.0.0.0/0 via 169.254.77.5 dev weftleg',
  ])
  expect(rules(node.rules)).toEqual([
    '511: lookup 22348',
    '512: fwmark 8192/8192 lookup main',
    '1024: iif weftleg lookup 256 suppress 0',
    '1025: iif weftleg lookup main suppress 0',
    '1026: iif weftleg lookup 256',
  ])
  expect(pod.neighbours.map(({ address, mac }) => `${address} ${mac}`)).toEqual([
    '10.0.0.10 0a:00:00:00:00:02',
    '10.0.0.11 0a:00:00:00:00:02',
    '169.254.77.6 0a:00:00:00:00:02',
  ])
  expect(node.neighbours.map(({ address, mac }) => `${address} ${mac}`)).toEqual([
    '10.0.0.50 0a:00:00:00:00:01',
    '169.254.77.5 0a:00:00:00:00:01',
  ])
})

describe('what goes by the leg', () => {
  const pod = (config: object, input: Partial<LegInput> = {}): readonly string[] => {
    const netconf = parsePtpNetconf({ hostInterface: 'eth0', containerInterface: 'veth0', ...config })
    return routes(planLeg({ ...INPUT, ...input, netconf }).pod.routes).filter((one) => one.startsWith('main'))
  }

  test('is everything that the wire is not told of, the node first', () => {
    expect(pod({})).toContain('main: 0.0.0.0/0 via 10.0.0.10 dev veth0 src 10.0.0.50')
  })

  test('is what is named, and the pod’s default route stays on the wire', () => {
    const ways = pod({ serviceCIDR: ['10.96.0.0/12', 'fd00:96::/108'] }, { routes: [{ dst: '0.0.0.0/0' }] })
    expect(ways).toContain('main: 10.96.0.0/12 via 10.0.0.10 dev veth0 src 10.0.0.50')
    expect(ways.filter((one) => one.includes('0.0.0.0/0') || one.includes('fd00'))).toEqual([])
  })

  test('has to be named where the wire has the default route', () => {
    expect(() => pod({}, { routes: [{ dst: '0.0.0.0/0' }] })).toThrow('0.0.0.0/0 goes by eth0 already')
    // Of the other family that is another matter.
    expect(pod({}, { routes: [{ dst: '::/0' }] })).toContain('main: 0.0.0.0/0 via 10.0.0.10 dev veth0 src 10.0.0.50')
  })

  test('does not lead the node itself by a gateway', () => {
    expect(pod({ serviceCIDR: '10.0.0.10/32' }).filter((one) => one.includes('10.0.0.10/32'))).toEqual([
      'main: 10.0.0.10/32 dev veth0 src 10.0.0.50',
    ])
  })
})

test('under ipMasq what nobody knows leaves under the node’s address, and not by the pod', () => {
  const netconf = { ...INPUT.netconf, ipMasq: true }
  expect(routes(planLeg({ ...INPUT, netconf }).node.routes)).not.toContain(
    '256: 0.0.0.0/0 via 169.254.77.5 dev weftleg',
  )
})

test('a wire without a gateway is a way to its own networks alone', () => {
  const { pod, node } = planLeg({ ...INPUT, ips: [{ address: '10.0.0.50/24' }], routes: [] })
  expect(routes(pod.routes).filter((one) => one.startsWith('111'))).toEqual(['111: 10.0.0.0/24 dev eth0 src 10.0.0.50'])
  expect(routes(node.routes).filter((one) => one.startsWith('256'))).toEqual([
    '256: 10.0.0.0/24 via 169.254.77.5 dev weftleg',
  ])
})

test('where answers pass the node anyway, nothing goes back into the pod', () => {
  const { node } = planLeg({ ...INPUT, isByNode: true })
  expect(routes(node.routes)).toEqual(['22348: 10.0.0.50/32 dev weftleg src 10.0.0.10'])
  expect(rules(node.rules)).toEqual(['511: lookup 22348', '512: fwmark 8192/8192 lookup main'])
  const netconf = { ...INPUT.netconf, ipMasq: true }
  expect(() => planLeg({ ...INPUT, isByNode: true, netconf })).toThrow('ipMasq: must be false')
})

test('a family that only one of both has is left out', () => {
  const families = ({ rules: all }: { readonly rules: readonly WayRule[] }): readonly Family[] => [
    ...new Set(all.map(({ family }) => family)),
  ]
  expect(families(planLeg(DUAL).pod)).toEqual([4, 6])
  expect(families(planLeg({ ...DUAL, node: INPUT.node }).pod)).toEqual([4])
  expect(families(planLeg({ ...DUAL, ips: INPUT.ips }).node)).toEqual([4])
  expect(() => planLeg({ ...INPUT, node: [ip('fd00::10')] })).toThrow('must have an address of a family')
})

test('what comes by the leg never leaves by the leg, whatever routes there are', () => {
  const octet = fc.integer({ min: 0, max: 255 })
  const network = fc
    .tuple(octet, octet, fc.integer({ min: 1, max: 32 }))
    .map(([a, b, bits]) => `10.${a}.${b}.0/${bits}`)
  fc.assert(
    fc.property(fc.array(network, { maxLength: 5 }), fc.boolean(), fc.boolean(), (dsts, ipMasq, hasGateway) => {
      const { pod, node } = planLeg({
        ...INPUT,
        netconf: { ...INPUT.netconf, ipMasq },
        ips: [{ address: '10.0.0.50/24', ...(hasGateway ? { gateway: '10.0.0.1' } : {}) }],
        routes: dsts.map((dst) => ({ dst })),
      })
      // The pod asks this table alone for what came by the leg, and its next rule ends the packet.
      for (const { table, link } of pod.routes) if (table === 111) expect(link).toBe('eth0')
      const fromLeg = pod.rules.filter(({ inputLink }) => inputLink === 'veth0')
      expect(fromLeg.map(({ table }) => table)).toEqual([111, undefined])
      // The node sends back nothing that the pod has no way for.
      const back = node.routes.filter(({ table }) => table === 256).map(({ destination }) => destination)
      const wire = pod.routes.filter(({ table }) => table === 111).map(({ destination }) => destination)
      expect(back.filter((one) => !wire.includes(one))).toEqual([])
    }),
  )
})

test('nothing of a plan has a number that is not ours to use', () => {
  const { pod, node } = planLeg(DUAL)
  expect(new Set(pod.routes.map(({ table }) => table))).toEqual(new Set([254, 110, 111]))
  expect(new Set(node.routes.map(({ table }) => table))).toEqual(new Set([22_348, 256]))
  expect(node.nftables.name).toBe('weft-ptp-2000')
})

function routes(all: readonly WayRoute[]): readonly string[] {
  return all.map(({ table, destination, gateway, link, source }) =>
    [
      `${table === 254 ? 'main' : table}: ${destination}`,
      ...(gateway === undefined ? [] : [`via ${gateway}`]),
      `dev ${link}`,
      ...(source === undefined ? [] : [`src ${source}`]),
    ].join(' '),
  )
}

function rules(all: readonly WayRule[]): readonly string[] {
  return all.map(({ priority, mark, mask, to, inputLink, table, suppressPrefixLength }) =>
    [
      `${priority}:`,
      ...(mark === undefined ? [] : [`fwmark ${mark}${mask === undefined ? '' : `/${mask}`}`]),
      ...(to === undefined ? [] : [`to ${to}`]),
      ...(inputLink === undefined ? [] : [`iif ${inputLink}`]),
      table === undefined ? 'blackhole' : `lookup ${table === 254 ? 'main' : table}`,
      ...(suppressPrefixLength === undefined ? [] : [`suppress ${suppressPrefixLength}`]),
    ].join(' '),
  )
}
