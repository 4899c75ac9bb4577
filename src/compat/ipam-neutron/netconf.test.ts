/** The configuration by the table of its keys, and what is made of addresses that are asked for. */
import { describe, expect, test } from 'bun:test'
import { type NetworkConfig, NO_ARGS, parseArgs, parseIpamConfig } from '../../cni/index.ts'
import { sanitize } from '../../cni/json.ts'
import type { Subnet } from '../../openstack/neutron/model.ts'
import { addressesAsked, wishesFor } from './asked.ts'
import { accountIn, networksIn, readNeutronNetconf } from './netconf.ts'
import { parseResolvConf } from './resolv-conf.ts'

const NETWORK = '782ec9ac-44f9-4318-8c67-a2fed2ccca4f'
const OTHER = '11111111-44f9-4318-8c67-a2fed2ccca4f'
const DOCUMENT = { name: 'myipam', type: 'ipam-neutron', openstackConf: {}, neutronConf: { networks: [NETWORK] } }

function config(ipam: unknown, more: object = {}): NetworkConfig {
  const raw = sanitize({ name: 'examplenet', ipam, ...more }) as NetworkConfig['raw']
  return parseIpamConfig(raw, '0.3.1', 'examplenet')
}
const neutronConf = (more: object) => config({ ...DOCUMENT, neutronConf: { networks: [NETWORK], ...more } })

test('the document’s own', () => {
  expect(readNeutronNetconf(config(DOCUMENT))).toEqual({
    networks: [NETWORK],
    securityGroups: undefined,
    routes: [],
    resolvConf: undefined,
    warnings: [],
  })
})

test('every key', () => {
  const routes = [{ dst: '10.96.0.0/12', gw: '203.0.113.9' }, { dst: '0.0.0.0/0' }]
  const all = { routes, resolvConf: '/etc/resolv.conf', rangeStart: '203.0.113.5', subnet: '203.0.113.0/24' }
  const read = readNeutronNetconf(
    config({ ...DOCUMENT, ...all, neutronConf: { networks: [NETWORK, OTHER, NETWORK], securityGroups: ['web'] } }),
  )
  expect(read).toEqual(
    expect.objectContaining({
      ...{ networks: [NETWORK, OTHER], securityGroups: ['web'], routes, resolvConf: '/etc/resolv.conf' },
      warnings: [expect.stringMatching(/^ipam.rangeStart has no/), expect.stringMatching(/^ipam.subnet has no/)],
    }),
  )
})

test.each<[string, NetworkConfig, string]>([
  ['no neutronConf', config({ ...DOCUMENT, neutronConf: undefined }), 'ipam.neutronConf'],
  ['neutronConf as the old README has it', config({ ...DOCUMENT, neutronConf: [[NETWORK]] }), 'ipam.neutronConf'],
  ['no networks', neutronConf({ networks: undefined }), 'ipam.neutronConf.networks'],
  ['an empty list', neutronConf({ networks: [] }), 'ipam.neutronConf.networks'],
  ['no list', neutronConf({ networks: NETWORK }), 'ipam.neutronConf.networks'],
  ['a number', neutronConf({ networks: [7] }), 'ipam.neutronConf.networks[0]'],
  ['a path', neutronConf({ networks: [NETWORK, '../x'] }), 'ipam.neutronConf.networks[1]'],
  ['an empty text', neutronConf({ networks: [''] }), 'ipam.neutronConf.networks[0]'],
  ['groups that are none', neutronConf({ securityGroups: [''] }), 'ipam.neutronConf.securityGroups[0]'],
  ['groups by nearly their key', neutronConf({ securityGroup: ['web'] }), 'ipam.neutronConf.securityGroup'],
  ['groups as Neutron writes them', neutronConf({ security_groups: ['web'] }), 'ipam.neutronConf.security_groups'],
  ['a route that is none', config({ ...DOCUMENT, routes: [{ dst: 'x' }] }), 'ipam.routes[0].dst'],
  ['a file that is none', config({ ...DOCUMENT, resolvConf: 7 }), 'ipam.resolvConf'],
])('%s is refused by its name', (_, one, path) => {
  expect(() => readNeutronNetconf(one)).toThrow(expect.objectContaining({ path }))
})

test('keys that nobody knows are warned of', () => {
  expect(readNeutronNetconf(neutronConf({ zebra: 1, 'a\nb': 1 })).warnings).toEqual([
    'ipam.neutronConf.zebra is not known, and has no effect.',
    'ipam.neutronConf.… is not known, and has no effect.',
  ])
})

test.each([undefined, {}, { neutronConf: 7 }, { neutronConf: { networks: [7] } }])('DEL passes over %j', (ipam) => {
  expect(networksIn(config(ipam))).toEqual([])
  expect(accountIn(config(ipam))).toBeUndefined()
})

describe('addresses that are asked for', () => {
  const asked = (args: string, more: object = {}) =>
    addressesAsked({ args: args === '' ? NO_ARGS : parseArgs(args), config: config(DOCUMENT, more) })

  test.each<[string, object, readonly string[]]>([
    ['', {}, []],
    ['IP=203.0.113.9', {}, ['203.0.113.9']],
    ['IgnoreUnknown=1;IP=203.0.113.9/24,2001:DB8::9', {}, ['203.0.113.9', '2001:db8::9']],
    ['', { runtimeConfig: { ips: ['203.0.113.9/24'] } }, ['203.0.113.9']],
    ['', { args: { cni: { ips: ['203.0.113.9'] } } }, ['203.0.113.9']],
    ['IP=203.0.113.9', { args: { cni: { ips: ['203.0.113.9', '203.0.113.8'] } } }, ['203.0.113.9', '203.0.113.8']],
  ])('%s %j', (args, more, expected) => {
    expect(asked(args, more)).toEqual([...expected] as never)
  })

  test.each(['IP=x', 'IP=203.0.113.9,', 'IP=203.0.113.9/33', 'IP=203.0.113'])('%s', (args) => {
    if (args.endsWith(',')) expect(asked(args)).toHaveLength(1)
    else expect(() => asked(args)).toThrow(expect.objectContaining({ id: 'environment-invalid', code: 4 }))
  })

  const subnet = (networkId: string, cidr: string) => ({ id: cidr, networkId, cidr }) as unknown as Subnet
  const networks = new Map([
    [NETWORK, [subnet(NETWORK, '203.0.113.0/24')]],
    [OTHER, [subnet(OTHER, '198.51.100.0/24'), subnet(OTHER, '2001:db8::/64')]],
  ])

  test('go to the networks that they belong to', () => {
    expect(wishesFor(networks, [...asked('IP=2001:db8::9')])).toEqual([
      { networkId: NETWORK, addresses: undefined },
      { networkId: OTHER, addresses: [{ subnetId: '2001:db8::/64', address: '2001:db8::9' as never }] },
    ])
  })

  test('and to none are refused, with what there is', () => {
    expect(() => wishesFor(networks, [...asked('IP=192.0.2.1')])).toThrow(
      `address 192.0.2.1 is asked for and in no subnet of Neutron network ${NETWORK}, ${OTHER}; there are 203.0.113.0/24, 198.51.100.0/24, 2001:db8::/64`,
    )
  })
})

test('name servers of a file', () => {
  const text =
    '# me\nnameserver 10.0.0.2\n nameserver 10.0.0.3 # x\n;search no\nsearch a\nsearch b c\noptions ndots:5\ndomain d\n'
  expect(parseResolvConf(text)).toEqual({
    nameservers: ['10.0.0.2', '10.0.0.3'],
    search: ['b', 'c'],
    options: ['ndots:5'],
    domain: 'd',
  })
})
