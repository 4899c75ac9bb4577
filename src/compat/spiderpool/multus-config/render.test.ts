import { expect, test } from 'bun:test'
import { readMultusConfig } from './read.ts'
import { definitionOf } from './render.ts'
import { multusConfig } from './testing/objects.ts'

function definition(spec: unknown, metadata: Parameters<typeof multusConfig>[1] = {}) {
  const object = multusConfig(spec, metadata)
  const reading = readMultusConfig(object)
  if (reading.is === 'refused') throw new Error(JSON.stringify(reading.problems))
  return definitionOf(object, reading.config)
}

function configOf(spec: unknown, metadata: Parameters<typeof multusConfig>[1] = {}): unknown {
  return (definition(spec, metadata)['spec'] as { config?: string }).config
}

function pluginsOf(spec: unknown): unknown {
  return JSON.parse(String(configOf(spec))).plugins
}

const COORDINATOR = { type: 'coordinator', mode: 'auto', tunePodRoutes: true, txQueueLen: 0 }
const IPAM = { type: 'spiderpool' }
const ETH = { master: ['eth0'] }

test('the seed’s, as it is, to the letter', () => {
  expect(configOf({ cniType: 'ovs', ovs: { bridge: 'br1' } })).toBe(
    '{"cniVersion":"0.3.1","name":"ovs-conf","plugins":[' +
      '{"type":"ovs","bridge":"br1","vlan":0,"ipam":{"type":"spiderpool"}},' +
      '{"type":"coordinator","mode":"auto","tunePodRoutes":true,"txQueueLen":0}]}',
  )
})

test.each<[string, unknown, readonly unknown[]]>([
  [
    'ovs: a VLAN',
    { cniType: 'ovs', ovs: { bridge: 'br1', vlan: 100 } },
    [{ type: 'ovs', bridge: 'br1', vlan: 100, ipam: IPAM }, COORDINATOR],
  ],
  [
    'ovs: a trunk has no VLAN of its own',
    { cniType: 'ovs', ovs: { bridge: 'br1', trunk: [{ id: 5 }, { minID: 10, maxID: 20 }] } },
    [{ type: 'ovs', bridge: 'br1', trunk: [{ id: 5 }, { minID: 10, maxID: 20 }], ipam: IPAM }, COORDINATOR],
  ],
  [
    'ovs: a trunk and a VLAN',
    { cniType: 'ovs', ovs: { bridge: 'br1', vlan: 7, trunk: [{ id: 5, minID: 10, maxID: 20 }] } },
    [{ type: 'ovs', bridge: 'br1', vlan: 7, trunk: [{ id: 5 }, { minID: 10, maxID: 20 }], ipam: IPAM }, COORDINATOR],
  ],
  [
    'macvlan',
    { cniType: 'macvlan', macvlan: ETH },
    [{ type: 'macvlan', master: 'eth0', mode: 'bridge', mtu: 0, ipam: IPAM }, COORDINATOR],
  ],
  [
    'macvlan on a VLAN',
    { cniType: 'macvlan', macvlan: { ...ETH, vlanID: 100, mtu: 1400 } },
    [
      { type: 'ifacer', interfaces: ['eth0'], vlanID: 100 },
      { type: 'macvlan', master: 'eth0.100', mode: 'bridge', mtu: 1400, ipam: IPAM },
      COORDINATOR,
    ],
  ],
  [
    'ipvlan on a VLAN, with pools',
    { cniType: 'ipvlan', ipvlan: { ...ETH, vlanID: 100, ippools: { ipv4: ['a', 'b'], ipv6: ['c'] } } },
    [
      { type: 'ifacer', interfaces: ['eth0'], vlanID: 100 },
      {
        type: 'ipvlan',
        master: 'eth0.100',
        mtu: 0,
        ipam: { ...IPAM, default_ipv4_ippool: ['a', 'b'], default_ipv6_ippool: ['c'] },
      },
      COORDINATOR,
    ],
  ],
  [
    'vlan makes its own',
    { cniType: 'vlan', vlan: { ...ETH, vlanID: 100 } },
    [{ type: 'vlan', master: 'eth0', vlanMode: 'manual', vlanId: 100, mtu: 0, ipam: IPAM }, COORDINATOR],
  ],
  [
    'no addresses',
    { cniType: 'macvlan', macvlan: ETH, disableIPAM: true },
    [{ type: 'macvlan', master: 'eth0', mode: 'bridge', mtu: 0 }, COORDINATOR],
  ],
  [
    'no coordinator',
    { cniType: 'ovs', ovs: { bridge: 'br1' }, enableCoordinator: false },
    [{ type: 'ovs', bridge: 'br1', vlan: 0, ipam: IPAM }],
  ],
  [
    'a chain stands between',
    { cniType: 'ovs', ovs: { bridge: 'br1' }, chainCNIJsonData: ['{"type":"tuning","mtu":1400}'] },
    [{ type: 'ovs', bridge: 'br1', vlan: 0, ipam: IPAM }, { type: 'tuning', mtu: 1400 }, COORDINATOR],
  ],
  [
    'a whole coordinator',
    {
      cniType: 'ovs',
      ovs: { bridge: 'br1' },
      enableCoordinator: true,
      coordinator: {
        mode: 'underlay',
        hijackCIDR: ['10.0.0.7', '10.1.2.3/16', 'fd00::1'],
        policyRoutes: [{ dst: '10.0.0.1', gw: '10.0.0.2' }],
        podMACPrefix: '0a:1b',
        podDefaultRouteNIC: 'net1',
        vethLinkAddress: '169.254.100.1',
        vethMTU: 1400,
        tunePodRoutes: false,
        txQueueLen: 10,
        podRPFilter: 2,
      },
    },
    [
      { type: 'ovs', bridge: 'br1', vlan: 0, ipam: IPAM },
      {
        type: 'coordinator',
        mode: 'underlay',
        hijackCIDR: ['10.0.0.7/32', '10.1.0.0/16', 'fd00::1/128'],
        policyRoutes: [{ dst: '10.0.0.1/32', gw: '10.0.0.2' }],
        podMACPrefix: '0a:1b',
        podDefaultRouteNic: 'net1',
        vethLinkAddress: '169.254.100.1',
        vethMTU: 1400,
        tunePodRoutes: false,
        txQueueLen: 10,
        podRPFilter: 2,
      },
    ],
  ],
  [
    'what the schema fills into a block says nothing',
    {
      cniType: 'ovs',
      ovs: { bridge: 'br1' },
      coordinator: { hostRuleTable: 500, mode: 'auto', podRPFilter: 0, tunePodRoutes: true, txQueueLen: 0 },
    },
    [{ type: 'ovs', bridge: 'br1', vlan: 0, ipam: IPAM }, COORDINATOR],
  ],
  [
    'a filter below 0 leaves it alone',
    { cniType: 'ovs', ovs: { bridge: 'br1' }, coordinator: { podRPFilter: -7 } },
    [
      { type: 'ovs', bridge: 'br1', vlan: 0, ipam: IPAM },
      { ...COORDINATOR, podRPFilter: -1 },
    ],
  ],
  [
    'a filter of 0 where podCIDRType is given',
    { cniType: 'ovs', ovs: { bridge: 'br1' }, coordinator: { podCIDRType: 'none', podRPFilter: 0 } },
    [
      { type: 'ovs', bridge: 'br1', vlan: 0, ipam: IPAM },
      { ...COORDINATOR, podRPFilter: 0 },
    ],
  ],
])('%s', (_, spec, plugins) => {
  expect(pluginsOf(spec)).toEqual([...plugins])
})

test('custom: as it is written; nothing: the definition is empty', () => {
  const text = ' {"type":"bridge",\n "x":1}'
  expect(configOf({ customCNI: text })).toBe(text)
  expect(definition({ cniType: 'custom', customCNI: '' })['spec']).toEqual({})
})

test('names and the version are those of the annotations', () => {
  const annotations = {
    'multus.spidernet.io/cr-name': 'other',
    'multus.spidernet.io/cni-version': '1.0.0',
    'cni.spidernet.io/cniconfig-name': 'net',
  }
  const { metadata, spec } = definition({ cniType: 'ovs', ovs: { bridge: 'br1' } }, { annotations })
  expect(metadata).toMatchObject({ name: 'other', namespace: 'kube-system' })
  expect(String((spec as { config: string }).config)).toStartWith('{"cniVersion":"1.0.0","name":"net",')
  const plain = configOf(
    { cniType: 'ovs', ovs: { bridge: 'br1' } },
    { annotations: { 'multus.spidernet.io/cr-name': 'other' } },
  )
  expect(String(plain)).toContain('"name":"other"')
})

test('labels and annotations go along, and the bridge as a resource; the definition belongs to its author', () => {
  const annotations = {
    team: 'blue',
    'kubectl.kubernetes.io/last-applied-configuration': '{}',
    'weft.dev/made-for': 'me',
  }
  const { apiVersion, kind, metadata } = definition(undefined, { annotations, labels: { a: 'b' } })
  expect({ apiVersion, kind, metadata }).toEqual({
    apiVersion: 'k8s.cni.cncf.io/v1',
    kind: 'NetworkAttachmentDefinition',
    metadata: {
      name: 'ovs-conf',
      namespace: 'kube-system',
      labels: { a: 'b' },
      annotations: { team: 'blue', 'k8s.v1.cni.cncf.io/resourceName': 'ovs-cni.network.kubevirt.io/br1' },
      ownerReferences: [
        {
          apiVersion: 'spiderpool.spidernet.io/v2beta1',
          kind: 'SpiderMultusConfig',
          name: 'ovs-conf',
          uid: 'u1',
          controller: true,
        },
      ],
    },
  })
  const own = { 'k8s.v1.cni.cncf.io/resourceName': 'my/own' }
  expect(definition(undefined, { annotations: own }).metadata.annotations).toEqual(own)
  expect(definition({ customCNI: '' }).metadata.annotations).toBeUndefined()
})
