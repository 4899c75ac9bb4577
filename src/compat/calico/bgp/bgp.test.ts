import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { KubeObject } from '../../../kube/object.ts'
import { fullMesh } from '../../../network/fabric/bgp/cluster.ts'
import { birdConfiguration } from '../../../network/fabric/bgp/configuration.ts'
import { sessionsOf } from '../../../network/fabric/bgp/sessions.ts'
import { cidr, ip } from '../../../network/model/address.ts'
import type { Node, NodeNetwork } from '../../../network/model/node.ts'
import { decodeValue } from '../../../registry/codec.ts'
import { type BgpObjects, wishedBgp } from './cluster.ts'
import { bgpConfigurationBinding } from './configuration.ts'
import { bgpFilterBinding } from './filter.ts'
import { nodeBgpIn } from './node.ts'
import { bgpPeerBinding } from './peer.ts'
import { bgpRangeBinding } from './pool.ts'

function object(kind: string, name: string, spec: object): KubeObject {
  return { apiVersion: 'crd.projectcalico.org/v1', kind, metadata: { name }, spec } as KubeObject
}

function peering(spec: object, name = 'one') {
  return decodeValue('BgpPeering', name, bgpPeerBinding.decode(object('BGPPeer', name, spec)))
}

function configuration(spec: object) {
  return decodeValue(
    'BgpConfiguration',
    'default',
    bgpConfigurationBinding.decode(object('BGPConfiguration', 'default', spec)),
  )
}

function range(spec: object) {
  return decodeValue('BgpRange', 'pool', bgpRangeBinding.decode(object('IPPool', 'pool', spec)))
}

function node(number: number, rest: Partial<Node> = {}): Node {
  return { name: `n${number}`, uid: `u${number}`, addresses: [ip(`192.0.2.${number}`)], ...rest }
}

const MACHINES: readonly NodeNetwork[] = [1, 2, 3].map((number) => ({
  node: `n${number}`,
  machine: { kind: 'node', uid: `u${number}` },
  addresses: [ip(`192.0.2.${number}`)],
  ranges: [cidr(`10.128.${number}.0/24`)],
}))
const BASE = fullMesh({ networks: [{ cidr: cidr('10.128.0.0/14'), hostBits: 8 }] }, MACHINES)

function wished(objects: Partial<BgpObjects>) {
  return wishedBgp(BASE, { peerings: [], filters: [], ranges: [], nodes: [], ...objects })
}

/** With whom each node speaks. */
function whoIsJoined(objects: Partial<BgpObjects>): readonly string[] {
  const { cluster } = wished(objects)
  return MACHINES.flatMap((machine) =>
    sessionsOf(cluster, machine.node).sessions.map(
      ({ node: other, remote }) => `${machine.node} ${other ?? remote.address}`,
    ),
  ).toSorted()
}

const MESH = ['n1 n2', 'n1 n3', 'n2 n1', 'n2 n3', 'n3 n1', 'n3 n2']

describe('peerings', () => {
  test.each<[string, readonly object[], readonly Node[], readonly string[]]>([
    ['none: a mesh', [], [], MESH],
    [
      'reflectors by label, whose clients keep their mesh',
      [{ peerSelector: "reflects == 'yes'" }],
      [node(3, { labels: { reflects: 'yes' }, bgp: { addresses: [], clusterId: ip('244.0.0.1') } })],
      MESH,
    ],
    [
      'a router of some nodes',
      [{ nodeSelector: 'has(rack)', peerIP: '192.0.2.254', asNumber: 65_001 }],
      [node(2, { labels: { rack: 'a' } })],
      [...MESH, 'n2 192.0.2.254'],
    ],
    [
      'a router of one node',
      [{ node: 'n3', peerIP: '192.0.2.254:1179', asNumber: 65_001 }],
      [],
      [...MESH, 'n3 192.0.2.254'],
    ],
    [
      'a router of all nodes',
      [{ peerIP: '192.0.2.254', asNumber: 65_001 }],
      [],
      [...MESH, 'n1 192.0.2.254', 'n2 192.0.2.254', 'n3 192.0.2.254'],
    ],
  ])('%s', (_, specs, nodes, expected) => {
    expect(whoIsJoined({ peerings: specs.map((spec, i) => peering(spec, `p${i}`)), nodes })).toEqual(
      expected.toSorted(),
    )
  })

  test('without a mesh nothing but peerings joins nodes', () => {
    const reflector = node(3, { labels: { reflects: 'yes' }, bgp: { addresses: [], clusterId: ip('244.0.0.1') } })
    const objects = {
      configuration: configuration({ nodeToNodeMeshEnabled: false }),
      peerings: [peering({ peerSelector: "reflects == 'yes'" })],
      nodes: [reflector],
    }
    expect(whoIsJoined(objects)).toEqual(['n1 n3', 'n2 n3', 'n3 n1', 'n3 n2'])
  })

  test.each<[string, object, RegExp]>([
    ['a filter that is not there', { peerIP: '192.0.2.9', asNumber: 1, filters: ['ours'] }, /filters/],
  ])('%s leaves the peering out, and is told', (_, spec, field) => {
    const { cluster, problems } = wished({ peerings: [peering(spec)] })
    expect(cluster.peers).toEqual([])
    expect(problems.map((problem) => problem.field).join()).toMatch(field)
  })

  test.each<[string, object]>([
    ['a node and a selector', { node: 'n1', nodeSelector: 'all()', peerIP: '192.0.2.9', asNumber: 1 }],
    ['nobody', {}],
    ['an address and a selector', { peerIP: '192.0.2.9', asNumber: 1, peerSelector: 'all()' }],
    ['an address without its AS', { peerIP: '192.0.2.9' }],
    ['a selector that does not parse', { nodeSelector: 'rack == a', peerIP: '192.0.2.9', asNumber: 1 }],
    ['a selector of peers that does not parse', { peerSelector: '((' }],
    ['a name for an address', { peerIP: 'router', asNumber: 1 }],
    ['a port that is none', { peerIP: '192.0.2.9:99999', asNumber: 1 }],
    ['a password in no secret', { peerIP: '192.0.2.9', asNumber: 1, password: {} }],
    ['a password beside its folder', { peerIP: '192.0.2.9', asNumber: 1, password: secret('..', 'x') }],
    ['a time that is none', { peerIP: '192.0.2.9', asNumber: 1, keepaliveTime: 'soon' }],
  ])('%s is no peering', (_, spec) => {
    expect(() => peering(spec)).toThrow()
  })

  test('a selector that does not parse, from where nobody looked at it, leaves the peering out, and is told', () => {
    const { cluster, problems } = wished({ peerings: [{ name: 'one', peerSelector: '((' }] })
    expect(cluster.peers).toEqual([])
    expect(problems.map(({ field }) => field)).toEqual(['BGPPeer one spec.peerSelector'])
  })

  test('where a selector does not parse is told', () => {
    const decoded = () => peering({ nodeSelector: 'rack == a', peerIP: '192.0.2.9', asNumber: 1 })
    expect(decoded).toThrow(/^spec\.nodeSelector: character 9: .*; correct the selector$/)
  })

  test.each<[object, object]>([
    [{ ttlSecurity: 0, keepaliveTime: '0s' }, {}],
    [{ ttlSecurity: 1 }, { ttlSecurity: 1 }],
    [{ ttlSecurity: 255 }, { ttlSecurity: 255 }],
  ])('what the definition allows is understood: %p', (spec, expected) => {
    const { name: _, address: __, asNumber: ___, ...rest } = peering({ peerIP: '192.0.2.9', asNumber: 1, ...spec })
    expect(rest).toEqual(expected as never)
  })

  test('what Calico says is read', () => {
    const spec = {
      peerIP: '[2001:db8::1]:1179',
      asNumber: 65_001,
      nextHopMode: 'Self',
      keepaliveTime: '1m10s',
      maxRestartTime: '2m',
      sourceAddress: 'None',
      reversePeering: 'Manual',
      password: secret('bgp', 'router'),
    }
    expect(peering(spec)).toEqual({
      name: 'one',
      address: ip('2001:db8::1'),
      port: 1179,
      asNumber: 65_001,
      nextHop: 'self',
      keepalive: 70,
      restart: 120,
      source: 'any',
      isMutual: false,
      password: 'bgp/router',
    })
    expect(peering({ ...spec, nextHopMode: undefined, keepOriginalNextHop: true }).nextHop).toBe('keep')
  })
})

describe('filters', () => {
  const rule = { action: 'Reject', matchOperator: 'In', cidr: '10.0.0.0/8' }

  function filter(spec: object) {
    return decodeValue('BgpFilter', 'ours', bgpFilterBinding.decode(object('BGPFilter', 'ours', spec)))
  }

  test('a peering has the rules of its filters', () => {
    const ours = filter({ importV4: [{ ...rule, prefixLength: { min: 24 } }] })
    const one = peering({ peerIP: '192.0.2.9', asNumber: 65_001, filters: ['ours'] })
    const { cluster, problems } = wished({ peerings: [one], filters: [ours] })
    expect(problems).toEqual([])
    expect(cluster.peers[0]?.filters).toEqual(['ours'])
    const self = { name: 'n1', ranges: [], services: [] }
    const text = birdConfiguration(cluster, self, { passwords: new Map() })?.main ?? ''
    expect(text).toMatch(/if net ~ \[ 10\.0\.0\.0\/8\{24,32\} \] then \{ reject; \}/)
  })

  test.each<[string, object]>([
    ['an action that is none', { ...rule, action: 'Maybe' }],
    ['an operator that is none', { ...rule, matchOperator: 'Within' }],
    ['an operator without a network', { action: 'Accept', matchOperator: 'In' }],
    ['a network without an operator', { action: 'Accept', cidr: '10.0.0.0/8' }],
    ['a network of the other family', { ...rule, cidr: 'fd00::/64' }],
    ['a prefix that is too long', { ...rule, prefixLength: { max: 64 } }],
    ['several communities', { ...rule, communities: { values: ['1:1', '1:2'] } }],
    ['a community that is none', { ...rule, communities: { values: ['1:70000'] } }],
    ['an operation that nobody knows', { ...rule, operations: [{ removeCommunity: { value: '1:1' } }] }],
    ['a demand that nobody knows', { ...rule, weekday: 'Monday' }],
  ])('%s makes it none: a rule that means more than was meant would be a hole', (_, one) => {
    expect(() => filter({ importV4: [one] })).toThrow()
  })
})

describe('the cluster', () => {
  test('communities may be named', () => {
    const { cluster } = wished({
      configuration: configuration({
        communities: [{ name: 'site', value: '65000:100' }],
        prefixAdvertisements: [{ cidr: '10.128.0.0/14', communities: ['site', '65000:1:2'] }],
      }),
    })
    expect(cluster.communities).toEqual([
      {
        cidr: cidr('10.128.0.0/14'),
        add: [
          [65_000, 100],
          [65_000, 1, 2],
        ],
      },
    ])
  })

  const REFUSING = fullMesh(
    { networks: [{ cidr: cidr('10.128.0.0/14'), hostBits: 8 }], fabric: { way: 'bgp', otherwise: 'refuse' } },
    MACHINES,
  )
  const PLAIN = { isHidden: false, encapsulated: 'never' }

  test.each<[string, object, object, readonly string[]]>([
    ['nothing said', {}, PLAIN, []],
    ['told to nobody', { disableBGPExport: true }, { ...PLAIN, isHidden: true }, []],
    ['tunnels', { vxlanMode: 'Always', ipipMode: 'Never' }, { ...PLAIN, encapsulated: 'always' }, []],
    ['tunnels between segments', { vxlanMode: 'CrossSubnet' }, { ...PLAIN, encapsulated: 'across' }, []],
    ['ipip tunnels', { ipipMode: 'CrossSubnet' }, { ...PLAIN, encapsulated: 'across' }, ['ipipMode']],
    ['no new addresses', { disabled: true }, PLAIN, ['disabled']],
    ['all is well', { disabled: false, natOutgoing: true, blockSize: 26 }, PLAIN, []],
  ])('a range: %s', (_, spec, expected, told) => {
    const { cluster, problems } = wished({ ranges: [range({ cidr: '10.130.0.0/16', ...spec })] })
    expect(cluster.pools.at(-1)).toMatchObject(expected)
    expect(problems.map(({ field }) => field)).toEqual(told.map((field) => `IPPool pool spec.${field}`))
    expect(problems.every(({ object: { kind, name } }) => kind === 'BgpRange' && name === 'pool')).toBe(true)
  })

  test.each([{ vxlanMode: 'Always' }, { vxlanMode: 'CrossSubnet' }, { ipipMode: 'Always' }])(
    'where the fabric refuses tunnels packets go by routes, and it is said: %p',
    (spec) => {
      const ranges = [range({ cidr: '10.130.0.0/16', ...spec })]
      const { cluster, problems } = wishedBgp(REFUSING, { peerings: [], filters: [], ranges, nodes: [] })
      expect(cluster.pools.at(-1)).toMatchObject(PLAIN)
      expect(problems.map(({ reason }) => reason).join()).toMatch(/its packets go by routes$/)
    },
  )
})

describe('the address that a node says it has', () => {
  const says = (...addresses: readonly string[]): Partial<Node> => ({
    bgp: { addresses: addresses.map((address) => ({ address: ip(address), length: 24 })) },
  })
  const addressOf = (nodes: readonly Node[], name: string) =>
    wished({ nodes }).cluster.nodes.find((one) => one.name === name)?.addresses[4]

  test.each<[string, readonly Node[], string, RegExp | undefined]>([
    ['counts', [node(1, says('198.51.100.1'))], '198.51.100.1', undefined],
    ['counts when it is the one that others reach it at', [node(1, says('192.0.2.1'))], '192.0.2.1', undefined],
    ['does not when it is within a pool', [node(1, says('10.128.5.7'))], '192.0.2.1', /within 10\.128\.0\.0\/14/],
    ['does not when others reach another node at it', [node(1, says('192.0.2.2'))], '192.0.2.1', /address of n2/],
    [
      'does not when another node has it beside the one that it is reached at',
      [node(1, says('198.51.100.2')), node(2, { addresses: [ip('192.0.2.2'), ip('198.51.100.2')] })],
      '192.0.2.1',
      /address of n2/,
    ],
    [
      'does not when another node says so too, and neither has it',
      [node(1, says('198.51.100.9')), node(2, says('198.51.100.9'))],
      '192.0.2.1',
      /address of n2/,
    ],
    [
      'counts although another node says so too',
      [node(1, says('192.0.2.1')), node(3, says('192.0.2.1'))],
      '192.0.2.1',
      undefined,
    ],
  ])('%s', (_, nodes, address, told) => {
    expect(addressOf(nodes, 'n1')).toBe(ip(address))
    const of1 = wished({ nodes }).problems.filter(({ field }) => field.startsWith('Node n1 '))
    expect(of1).toHaveLength(told === undefined ? 0 : 1)
    if (told !== undefined) expect(of1[0]?.reason).toMatch(told)
  })

  test.each([
    ['by an annotation', [node(3, says('10.128.1.9'))], MACHINES],
    ['by the addresses of its object', [], MACHINES.map((one) => ({ ...one, addresses: [...one.addresses] }))],
  ])('never keeps another node’s range out, %s', (_, nodes, machines) => {
    const third = machines.map((one) =>
      one.node === 'n3' && nodes.length === 0 ? { ...one, addresses: [ip('10.128.1.9')] } : one,
    )
    const base = fullMesh({ networks: [{ cidr: cidr('10.128.0.0/14'), hostBits: 8 }] }, third)
    const { cluster } = wishedBgp(base, { peerings: [], filters: [], ranges: [], nodes })
    const text = birdConfiguration(cluster, { name: 'n2', ranges: [], services: [] }, { passwords: new Map() })?.main
    expect(/function weft_is_guarded4.*?\}/s.exec(text ?? '')?.[0]).not.toMatch(/10\.128/)
  })
})

describe('annotations of nodes', () => {
  function said(annotations: object) {
    return nodeBgpIn({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', annotations } } as KubeObject)
  }

  test.each<[string, object, object | undefined]>([
    ['none', {}, undefined],
    ['of others', { 'example.org/x': 'y' }, undefined],
    [
      'an address with its network',
      { 'projectcalico.org/IPv4Address': '192.0.2.1/24' },
      { addresses: [{ address: ip('192.0.2.1'), length: 24 }] },
    ],
    [
      'both families, AS, cluster of reflectors',
      {
        'projectcalico.org/IPv4Address': '192.0.2.1',
        'projectcalico.org/IPv6Address': '2001:db8::1/64',
        'projectcalico.org/ASNumber': '1.10',
        'projectcalico.org/RouteReflectorClusterID': '244.0.0.1',
      },
      {
        addresses: [
          { address: ip('192.0.2.1'), length: 32 },
          { address: ip('2001:db8::1'), length: 64 },
        ],
        asNumber: 65_546,
        clusterId: ip('244.0.0.1'),
      },
    ],
  ])('%s', (_, annotations, expected) => {
    expect(said(annotations)).toEqual(expected as never)
  })

  test.each([
    ['projectcalico.org/IPv4Address', '2001:db8::1/64'],
    ['projectcalico.org/IPv4Address', '192.0.2.1/33'],
    ['projectcalico.org/IPv6Address', 'x'],
    ['projectcalico.org/ASNumber', '0'],
    ['projectcalico.org/ASNumber', '4294967296'],
    ['projectcalico.org/ASNumber', '70000.1'],
    ['projectcalico.org/RouteReflectorClusterID', '2001:db8::1'],
  ])('%s: %s is told and left out', (key, text) => {
    expect(said({ [key]: text })?.problem).toContain(key)
  })

  test('whatever is written is a node with it, valid', () => {
    const keys = ['IPv4Address', 'IPv6Address', 'ASNumber', 'RouteReflectorClusterID']
    const any = fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[\d./:]{0,24}$/))
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys.map((key) => `projectcalico.org/${key}`)), any), (found) => {
        const bgp = said(found)
        const value = { ...node(1), ...(bgp === undefined ? {} : { bgp }) }
        expect(decodeValue('Node', 'n1', value)).toBeDefined()
      }),
    )
  })
})

function secret(name: string, key: string): object {
  return { secretKeyRef: { name, key } }
}

describe('BFD', () => {
  const watching = (bfd: string): KubeObject => {
    const whole = object('BGPPeer', 'one', { peerIP: '192.0.2.9', asNumber: 65_001 })
    return { ...whole, metadata: { ...whole.metadata, annotations: { 'weft.dev/bfd': bfd } } }
  }
  const watchedMesh = (bfd: string) =>
    decodeValue(
      'BgpConfiguration',
      'default',
      bgpConfigurationBinding.decode({ ...watching(bfd), metadata: { ...watching(bfd).metadata, name: 'default' } }),
    )

  test.each([
    ['on', true],
    ['off', false],
  ])('of a peer: %s', (word, bfd) => {
    const one = decodeValue('BgpPeering', 'one', bgpPeerBinding.decode(watching(word)))
    expect(wished({ peerings: [one] }).cluster.peers).toMatchObject([{ bfd }])
  })

  test.each([
    ['on', { interval: 300, multiplier: 3 }],
    ['100ms x 5', { interval: 100, multiplier: 5 }],
  ])('of the mesh, with times for all: %s', (word, bfd) => {
    const { cluster } = wished({ configuration: watchedMesh(word) })
    expect(cluster).toMatchObject({ bfd, mesh: { bfd: true } })
    const main = birdConfiguration(cluster, { name: 'n1', ranges: [], services: [] }, { passwords: new Map() })?.main
    expect(main).toContain(`multihop { interval ${bfd.interval} ms; multiplier ${bfd.multiplier}; };`)
    expect(main?.match(/ bfd on;/g)).toHaveLength(2)
  })

  test.each(['yes', '', '5ms x 3', '100ms x 0', '100ms x 3; }'])('what nobody understands is refused: %j', (word) => {
    expect(() => decodeValue('BgpPeering', 'one', bgpPeerBinding.decode(watching(word)))).toThrow(
      'annotation weft.dev/bfd',
    )
    expect(() => watchedMesh(word)).toThrow()
  })
})
