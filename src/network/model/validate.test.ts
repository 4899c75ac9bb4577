import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { cidr, ip } from './address.ts'
import type { Decoded } from './decode.ts'
import { decodeCluster, nodeAddressProblems } from './validate-cluster.ts'
import { decodeNode, decodeNodeNetwork } from './validate-node.ts'
import { decodeNamespace, decodePod } from './validate-pod.ts'
import { decodeTenant } from './validate-tenant.ts'

const CLUSTER = {
  networks: [{ cidr: '10.128.0.0/14', hostBits: 9 }],
  serviceNetworks: ['172.30.0.0/16'],
  tenancy: 'multitenant',
  encapsulation: { type: 'vxlan', port: 4789 },
  underlay: 4,
  services: 'weft',
}
const NODE = { name: 'node-1.example', uid: 'u', addresses: ['192.0.2.1', '2001:DB8::1'] }
const NETWORK = {
  node: 'n',
  machine: { kind: 'node', uid: 'u' },
  addresses: ['192.0.2.1'],
  ranges: ['10.128.0.0/23', 'fd01:0:0:1::/64'],
}
const POD = { namespace: 'shop', name: 'web-0', uid: 'u', node: 'n', addresses: [] }
const TENANT = { namespace: 'shop', vni: 10 }
const v4 = (text: string, hostBits: number): object => ({ cidr: text, hostBits })

interface Case {
  readonly title: string
  readonly decode: (input: unknown) => Decoded<unknown>
  readonly input: unknown
  /** Where the problems are; none: the input is valid. */
  readonly paths: readonly string[]
}

const cases: readonly Case[] = [
  ...clusterCases([
    ['as it should be', {}, []],
    [
      'with all there can be',
      {
        networks: [v4('10.128.0.0/14', 9), v4('fd01::/48', 64)],
        mtu: 1280,
        underlay: 6,
        services: 'weft',
        encapsulation: { type: 'gre' },
      },
      [],
    ],
    ['without pod networks', { networks: [] }, ['networks']],
    ['with 1 host bit', { networks: [v4('10.1.0.0/16', 1)] }, ['networks[0].hostBits']],
    ['with 2 host bits', { networks: [v4('10.1.0.0/16', 2)] }, []],
    ['with one node', { networks: [v4('10.1.0.0/16', 16)] }, []],
    ['with more host bits than there are', { networks: [v4('10.1.0.0/16', 17)] }, ['networks[0].hostBits']],
    ['with half a host bit', { networks: [v4('10.1.0.0/16', 8.5)] }, ['networks[0].hostBits']],
    ['with host bits set', { networks: [v4('10.1.0.1/16', 8)] }, ['networks[0].cidr']],
    ['with text for a network', { networks: [v4('pods', 8)] }, ['networks[0].cidr']],
    ['with overlapping pod networks', { networks: [v4('10.0.0.0/8', 8), v4('10.1.0.0/16', 8)] }, ['networks[1].cidr']],
    ['with services among pods', { serviceNetworks: ['10.128.4.0/22'] }, ['serviceNetworks[0]']],
    ['with overlapping services', { serviceNetworks: ['172.30.0.0/16', '172.16.0.0/12'] }, ['serviceNetworks[1]']],
    ['with pods on loopback', { networks: [v4('127.0.0.0/8', 8)] }, ['networks[0].cidr']],
    ['with multicast services', { serviceNetworks: ['ff00::/16'] }, ['serviceNetworks[0]']],
    ['with everything as pods', { networks: [v4('0.0.0.0/0', 8)], serviceNetworks: [] }, ['networks[0].cidr']],
    ['with an MTU too small', { mtu: 575 }, ['mtu']],
    ['with the smallest MTU', { mtu: 576 }, []],
    ['with the largest MTU', { mtu: 65535 }, []],
    ['with an MTU too large', { mtu: 65536 }, ['mtu']],
    ['with an MTU too small for IPv6', { mtu: 1279, networks: [v4('fd01::/48', 64)] }, ['mtu']],
    ['with port 0', { encapsulation: { type: 'vxlan', port: 0 } }, ['encapsulation.port']],
    ['with port 65536', { encapsulation: { type: 'geneve', port: 65536 } }, ['encapsulation.port']],
    ['with a GRE port', { encapsulation: { type: 'gre', port: 1 } }, ['encapsulation']],
    ['with another tunnel', { encapsulation: { type: 'stt' } }, ['encapsulation.type']],
    ['with another tenancy', { tenancy: 'networkpolicy' }, ['tenancy']],
    ['with the underlay as text', { underlay: '4' }, ['underlay']],
    ['with a field that nobody knows', { mut: 1400 }, ['']],
    ['with several mistakes', { mtu: 1, underlay: 5, tenancy: 1 }, ['tenancy', 'underlay', 'mtu']],
  ]),
  { title: 'a node', decode: decodeNode, input: NODE, paths: [] },
  ...['', 'UPPER', '-a', 'a..b', 'a_b', 'x'.repeat(254), '__proto__', 7].map(
    (name): Case => ({
      title: `a node named ${String(name).slice(0, 20)}`,
      decode: decodeNode,
      input: { ...NODE, name },
      paths: ['name'],
    }),
  ),
  ...[
    '127.0.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'ff02::1',
    '::ffff:1.2.3.4',
    'localhost',
    5,
  ].map(
    (address): Case => ({
      title: `a node at ${address}`,
      decode: decodeNode,
      input: { ...NODE, addresses: [address] },
      paths: ['addresses[0]'],
    }),
  ),
  {
    title: 'a node with a hundred addresses',
    decode: decodeNode,
    input: { ...NODE, addresses: Array.from({ length: 100 }, () => '192.0.2.1') },
    paths: ['addresses'],
  },
  { title: "a node's network", decode: decodeNodeNetwork, input: NETWORK, paths: [] },
  {
    title: 'an external host’s',
    decode: decodeNodeNetwork,
    input: { ...NETWORK, machine: { kind: 'external', vni: 7 } },
    paths: [],
  },
  {
    title: 'a VNI of 25 bits',
    decode: decodeNodeNetwork,
    input: { ...NETWORK, machine: { kind: 'external', vni: 0x1000000 } },
    paths: ['machine.vni'],
  },
  {
    title: 'nobody’s machine',
    decode: decodeNodeNetwork,
    input: { ...NETWORK, machine: { kind: 'node', uid: '' } },
    paths: ['machine.uid'],
  },
  {
    title: 'a network with several ranges of a family, one of them closing',
    decode: decodeNodeNetwork,
    input: {
      ...NETWORK,
      ranges: ['10.0.0.0/24', '10.0.1.0/24'],
      closing: [{ range: '10.0.1.0/24', since: 7 }],
    },
    paths: [],
  },
  {
    title: 'a network with a range closed by nobody',
    decode: decodeNodeNetwork,
    input: { ...NETWORK, ranges: ['10.0.0.0/24'], closing: [{ range: '10.0.0.0/24' }] },
    paths: ['closing[0].since'],
  },
  {
    title: 'a network whose agent wants nothing',
    decode: decodeNodeNetwork,
    input: {
      ...NETWORK,
      status: { ready: true, uplinkMtu: 1500, datapath: 'netdev', wants: { 4: 0 }, unused: [{ range: 'x' }] },
    },
    paths: ['status.wants.4', 'status.unused[0].range'],
  },
  {
    title: 'a network with half a status',
    decode: decodeNodeNetwork,
    input: { ...NETWORK, status: { ready: 'yes' } },
    paths: ['status.ready', 'status.uplinkMtu', 'status.datapath'],
  },
  { title: 'a namespace', decode: decodeNamespace, input: { name: 'shop', uid: 'u' }, paths: [] },
  { title: 'a namespace with a dot', decode: decodeNamespace, input: { name: 'a.b', uid: 'u' }, paths: ['name'] },
  {
    title: 'a namespace of 64 letters',
    decode: decodeNamespace,
    input: { name: 'a'.repeat(64), uid: 'u' },
    paths: ['name'],
  },
  { title: 'a pod', decode: decodePod, input: POD, paths: [] },
  { title: 'a pod without a node', decode: decodePod, input: { ...POD, node: '' }, paths: [] },
  { title: 'a pod with a path for a name', decode: decodePod, input: { ...POD, name: '../../etc' }, paths: ['name'] },
  { title: 'a pod with a blank in its uid', decode: decodePod, input: { ...POD, uid: 'a b' }, paths: ['uid'] },
  { title: 'a tenant', decode: decodeTenant, input: TENANT, paths: [] },
  { title: 'a tenant with a VNI of 25 bits', decode: decodeTenant, input: { ...TENANT, vni: 1 << 24 }, paths: ['vni'] },
  { title: 'a tenant with a negative VNI', decode: decodeTenant, input: { ...TENANT, vni: -1 }, paths: ['vni'] },
  {
    title: 'a tenant with an unknown wish',
    decode: decodeTenant,
    input: { ...TENANT, request: { id: 'r', action: 'fly' } },
    paths: ['request.action'],
  },
  {
    title: 'a tenant that joins nobody',
    decode: decodeTenant,
    input: { ...TENANT, request: { id: 'r', action: 'join' } },
    paths: ['request.target'],
  },
  {
    title: 'an outcome that is neither',
    decode: decodeTenant,
    input: { ...TENANT, outcome: { id: 'r', accepted: 'true' } },
    paths: ['outcome.accepted'],
  },
]

function clusterCases(list: readonly (readonly [string, object, readonly string[]])[]): readonly Case[] {
  return list.map(([title, change, paths]) => ({
    title: `a cluster ${title}`,
    decode: decodeCluster,
    input: { ...CLUSTER, ...change },
    paths,
  }))
}

describe('validation', () => {
  for (const { title, decode, input, paths } of cases) {
    test(title, () => {
      const decoded = decode(input)
      const problems = decoded.ok ? [] : decoded.problems
      expect(problems.map(({ path }) => path)).toEqual([...paths])
      for (const { problem, remedy } of problems)
        expect(problem !== '' && remedy !== '' && problem.length < 300).toBe(true)
    })
  }

  test('values are canonical and keep nothing of the input', () => {
    const decoded = decodeNode(NODE)
    expect(decoded.ok && decoded.value).toEqual({
      name: 'node-1.example',
      uid: 'u',
      addresses: [ip('192.0.2.1'), ip('2001:db8::1')],
    })
    expect(decoded.ok && decoded.value.addresses !== (NODE.addresses as unknown)).toBe(true)
  })

  test('node addresses inside the cluster’s networks are refused by name', () => {
    const decoded = decodeCluster(CLUSTER)
    if (!decoded.ok) throw new Error('the cluster is valid')
    const problems = nodeAddressProblems(decoded.value, ['192.0.2.1', '10.129.0.1', '172.30.0.1'].map(ip))
    expect(problems.map(({ path }) => path)).toEqual(['addresses[1]', 'addresses[2]'])
    expect(problems[0]?.problem).toContain(cidr('10.128.0.0/14'))
  })
})

describe('hostile input', () => {
  const decoders = { decodeCluster, decodeNode, decodeNodeNetwork, decodePod, decodeNamespace, decodeTenant }
  const deep: unknown = JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`)
  const trap = new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error('trap')
      },
      get: () => {
        throw new Error('trap')
      },
    },
  )
  const hostile: readonly unknown[] = [
    undefined,
    null,
    0,
    '',
    'x'.repeat(1_000_000),
    [],
    [[]],
    deep,
    { name: deep },
    () => undefined,
    Symbol('s'),
    10n,
    new Date(),
    trap,
    JSON.parse('{"__proto__":{"name":"a","uid":"u","addresses":[]}}'),
    JSON.parse('{"constructor":1,"toString":2}'),
    Object.create({ name: 'a', uid: 'u', addresses: [] }),
    Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, i])),
  ]
  for (const [name, decode] of Object.entries(decoders)) {
    test(`${name} refuses it in few words`, () => {
      for (const input of hostile) {
        const decoded = decode(input)
        expect(decoded.ok).toBe(false)
        expect(JSON.stringify(decoded).length).toBeLessThan(10_000)
      }
    })

    test(`${name} never throws, and takes what it gave`, () => {
      const half = fc.constantFrom<object>(CLUSTER, NODE, NETWORK, POD, TENANT, { name: 'a', uid: 'u' })
      const mutated = fc.tuple(half, fc.string(), fc.jsonValue()).map(([base, key, value]) => {
        const keys = Object.keys(base)
        return { ...base, [keys[key.length % keys.length] ?? key]: value }
      })
      fc.assert(
        fc.property(fc.oneof(fc.anything(), fc.jsonValue(), mutated, half), (input) => {
          const decoded = decode(input)
          if (decoded.ok) expect(decode(JSON.parse(JSON.stringify(decoded.value)))).toEqual(decoded)
          else expect(decoded.problems.length).toBeGreaterThan(0)
        }),
      )
    })
  }
})
