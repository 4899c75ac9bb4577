import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { readMultusConfig } from './read.ts'
import { multusConfig } from './testing/objects.ts'

const OVS = { bridge: 'br1' }
const ETH = { master: ['eth0'] }
const bond = { name: 'bond0', mode: 1 }

function problemsOf(spec: unknown, annotations: Readonly<Record<string, string>> = {}): readonly string[] {
  const reading = readMultusConfig(multusConfig(spec, { annotations }))
  return reading.is === 'read' ? [] : reading.problems.map(({ field, reason }) => `${field}: ${reason}`)
}

test.each<[string, unknown]>([
  ['ovs', { cniType: 'ovs', ovs: OVS }],
  [
    'ovs, every VLAN rule at its edge',
    { cniType: 'ovs', ovs: { ...OVS, vlan: 4094, trunk: [{ id: 0 }, { id: 4094 }] } },
  ],
  [
    'ovs, a range and a VLAN in one item',
    { cniType: 'ovs', ovs: { ...OVS, trunk: [{ minID: 1, maxID: 4094, id: 7 }] } },
  ],
  ['macvlan', { cniType: 'macvlan', macvlan: { ...ETH, rdmaResourceName: '', mtu: 0, vlanID: 0 } }],
  ['ipvlan with pools', { cniType: 'ipvlan', ipvlan: { ...ETH, ippools: { ipv4: ['a'], matchMasterSubnet: false } } }],
  ['vlan', { cniType: 'vlan', vlan: { ...ETH, vlanMode: 'manual', vlanID: 100 } }],
  ['vlan without a word about its VLAN, as the webhook fills it in', { cniType: 'vlan', vlan: ETH }],
  ['nothing at all is custom, and a file of the nodes', {}],
  ['no spec', undefined],
  [
    'custom, with what the schema fills in',
    { cniType: 'custom', customCNI: '', chainCNIJsonData: [], enableCoordinator: true },
  ],
  ['custom, a configuration', { cniType: 'custom', customCNI: '{"type":"bridge"}' }],
  ['custom, a list', { cniType: 'custom', customCNI: '{"plugins":[{"type":"bridge"},{"type":"tuning"}]}' }],
  ['an empty customCNI beside another type', { cniType: 'ovs', ovs: OVS, customCNI: '' }],
  ['a chain', { cniType: 'ovs', ovs: OVS, chainCNIJsonData: ['{"type":"tuning"}'] }],
  [
    'a whole coordinator',
    {
      cniType: 'ovs',
      ovs: OVS,
      coordinator: {
        mode: 'underlay',
        podCIDRType: 'none',
        hijackCIDR: ['10.0.0.0/8', '10.0.0.1', 'fd00::1'],
        policyRoutes: [{ dst: '10.0.0.1', gw: '10.0.0.2' }],
        podMACPrefix: '0a:1B',
        podRPFilter: -1,
        txQueueLen: 0,
        vethLinkAddress: '169.254.100.1',
        vethMTU: 1,
      },
    },
  ],
])('%s is read', (_, spec) => {
  expect(problemsOf(spec)).toEqual([])
})

test.each<[string, unknown, readonly string[]]>([
  ['a type that nobody knows', { cniType: 'token-ring' }, ['spec.cniType: is none of the types']],
  ['a type that is no text', { cniType: 7 }, ['spec.cniType: is no text']],
  [
    'sriov',
    { cniType: 'sriov', sriov: { resourceName: 'a/b' } },
    ['spec.cniType: asks for SR-IOV, which is not attached here'],
  ],
  [
    'ib-sriov',
    { cniType: 'ib-sriov', ibsriov: { resourceName: 'a/b' } },
    ['spec.cniType: asks for SR-IOV over InfiniBand, which is not attached here'],
  ],
  [
    'ipoib',
    { cniType: 'ipoib', ipoib: { master: 'ib0' } },
    ['spec.cniType: asks for IP over InfiniBand, which is not attached here'],
  ],
  ['no block', { cniType: 'ovs' }, ['spec.ovs: is missing']],
  ['another block', { cniType: 'ovs', ovs: OVS, macvlan: ETH }, ['spec.macvlan: is not for cniType "ovs"']],
  ['a block beside custom', { ovs: OVS, customCNI: '' }, ['spec.ovs: is not for cniType "custom"']],
  [
    'customCNI beside another type',
    { cniType: 'ovs', ovs: OVS, customCNI: '{"type":"bridge"}' },
    ['spec.customCNI: is not for cniType "ovs"'],
  ],
  ['no bridge', { cniType: 'ovs', ovs: {} }, ['spec.ovs.bridge: is missing']],
  [
    'a bridge that cannot be',
    { cniType: 'ovs', ovs: { bridge: 'br/1' } },
    ['spec.ovs.bridge: cannot be the name of an interface'],
  ],
  [
    'a bridge with too long a name',
    { cniType: 'ovs', ovs: { bridge: 'b'.repeat(16) } },
    ['spec.ovs.bridge: cannot be the name of an interface'],
  ],
  ['a VLAN out of range', { cniType: 'ovs', ovs: { ...OVS, vlan: 4095 } }, ['spec.ovs.vlan: is no number that can be']],
  ['a VLAN below all', { cniType: 'ovs', ovs: { ...OVS, vlan: -1 } }, ['spec.ovs.vlan: is no number that can be']],
  ['a VLAN in quotes', { cniType: 'ovs', ovs: { ...OVS, vlan: '100' } }, ['spec.ovs.vlan: is no number that can be']],
  [
    'a trunk’s VLAN out of range',
    { cniType: 'ovs', ovs: { ...OVS, trunk: [{ id: 4095 }] } },
    ['spec.ovs.trunk[0].id: is no number that can be'],
  ],
  [
    'a trunk’s range out of range',
    { cniType: 'ovs', ovs: { ...OVS, trunk: [{ minID: 1, maxID: 4095 }] } },
    ['spec.ovs.trunk[0].maxID: is no number that can be'],
  ],
  [
    'a trunk’s range from 0, which would not count',
    { cniType: 'ovs', ovs: { ...OVS, trunk: [{ minID: 0, maxID: 9 }] } },
    ['spec.ovs.trunk[0].minID: is no number that can be'],
  ],
  [
    'a trunk’s range with its last one only',
    { cniType: 'ovs', ovs: { ...OVS, trunk: [{ maxID: 9 }] } },
    ['spec.ovs.trunk[0]: has one end of a range only'],
  ],
  [
    'a trunk’s range with its first one only',
    { cniType: 'ovs', ovs: { ...OVS, trunk: [{ id: 1 }, { minID: 9 }] } },
    ['spec.ovs.trunk[1]: has one end of a range only'],
  ],
  [
    'a trunk’s range the wrong way round',
    { cniType: 'ovs', ovs: { ...OVS, trunk: [{ minID: 9, maxID: 1 }] } },
    ['spec.ovs.trunk[0]: ends before it begins'],
  ],
  ['a trunk’s empty item', { cniType: 'ovs', ovs: { ...OVS, trunk: [{}] } }, ['spec.ovs.trunk[0]: names no VLAN']],
  [
    'a device',
    { cniType: 'ovs', ovs: { ...OVS, deviceID: '0000:01:00.1' } },
    ['spec.ovs.deviceID: names an SR-IOV device, and those are not attached here'],
  ],
  [
    'matchMasterSubnet',
    { cniType: 'ovs', ovs: { ...OVS, ippools: { matchMasterSubnet: true } } },
    ['spec.ovs.ippools.matchMasterSubnet: is for SR-IOV only'],
  ],
  ['no master', { cniType: 'macvlan', macvlan: {} }, ['spec.macvlan.master: is missing']],
  ['an empty list of masters', { cniType: 'ipvlan', ipvlan: { master: [] } }, ['spec.ipvlan.master: is missing']],
  [
    'two masters without a bond',
    { cniType: 'vlan', vlan: { master: ['eth0', 'eth1'] } },
    ['spec.vlan.master: asks for a bond, and bonds are not made here'],
  ],
  [
    'two masters with a bond',
    { cniType: 'macvlan', macvlan: { master: ['eth0', 'eth1'], bond } },
    ['spec.macvlan.master: asks for a bond, and bonds are not made here'],
  ],
  [
    'a bond of one',
    { cniType: 'macvlan', macvlan: { ...ETH, bond } },
    ['spec.macvlan.bond: asks for a bond, and bonds are not made here'],
  ],
  [
    'a sub-interface with too long a name',
    { cniType: 'ipvlan', ipvlan: { master: ['enp129s0f0np0'], vlanID: 100 } },
    ['spec.ipvlan.vlanID: needs a sub-interface enp129s0f0np0.100, a name that is too long'],
  ],
  [
    'an MTU below all',
    { cniType: 'macvlan', macvlan: { ...ETH, mtu: -1 } },
    ['spec.macvlan.mtu: is no number that can be'],
  ],
  [
    'an MTU that no IPv4 fits in',
    { cniType: 'vlan', vlan: { ...ETH, mtu: 67 } },
    ['spec.vlan.mtu: is less than IPv4 needs'],
  ],
  [
    'more networks than the plugin takes',
    { cniType: 'ovs', ovs: OVS, coordinator: { hijackCIDR: Array.from({ length: 257 }, () => '10.0.0.0/8') } },
    ['spec.coordinator.hijackCIDR: has too many items'],
  ],
  [
    'a VLAN that somebody else is to name',
    { cniType: 'vlan', vlan: { ...ETH, vlanMode: 'auto' } },
    ['spec.vlan.vlanMode: leaves the VLAN to an outside service, and none is asked here'],
  ],
  [
    'an unknown mode of VLANs',
    { cniType: 'vlan', vlan: { ...ETH, vlanMode: 'x' } },
    ['spec.vlan.vlanMode: is neither manual nor auto'],
  ],
  [
    'pools that are no list',
    { cniType: 'vlan', vlan: { ...ETH, ippools: { ipv4: 'a' } } },
    ['spec.vlan.ippools.ipv4: is no list'],
  ],
  ['custom that is no JSON', { customCNI: '{' }, ['spec.customCNI: is no JSON object']],
  ['custom that is a list', { customCNI: '[]' }, ['spec.customCNI: is no JSON object']],
  ['custom without a type', { customCNI: '{"name":"a"}' }, ['spec.customCNI: has a plugin without a type, or none']],
  ['custom without plugins', { customCNI: '{"plugins":[]}' }, ['spec.customCNI: has a plugin without a type, or none']],
  [
    'custom, deeper than anybody reads',
    { customCNI: `{"type":"a","b":${'['.repeat(100)}${']'.repeat(100)}}` },
    ['spec.customCNI: is no JSON object'],
  ],
  [
    'a chain beside custom',
    { chainCNIJsonData: ['{"type":"tuning"}'] },
    ['spec.chainCNIJsonData: is not for cniType custom'],
  ],
  [
    'a chain that is no JSON',
    { cniType: 'ovs', ovs: OVS, chainCNIJsonData: ['x'] },
    ['spec.chainCNIJsonData[0]: is no JSON object'],
  ],
  [
    'a chain’s step without a type',
    { cniType: 'ovs', ovs: OVS, chainCNIJsonData: ['{"type":"tuning"}', '{}'] },
    ['spec.chainCNIJsonData[1]: has no type'],
  ],
  [
    'a mode that nobody knows',
    { cniType: 'ovs', ovs: OVS, coordinator: { mode: 'x' } },
    ['spec.coordinator.mode: is none of the words for it'],
  ],
  [
    'a type of pods’ ranges that nobody knows',
    { cniType: 'ovs', ovs: OVS, coordinator: { podCIDRType: 'x' } },
    ['spec.coordinator.podCIDRType: is none of the words for it'],
  ],
  [
    'a network that is none',
    { cniType: 'ovs', ovs: OVS, coordinator: { hijackCIDR: ['10.0.0.0/8', '10.0.0.0/33'] } },
    ['spec.coordinator.hijackCIDR[1]: is no address and no network'],
  ],
  [
    'a route of two families',
    { cniType: 'ovs', ovs: OVS, coordinator: { policyRoutes: [{ dst: '10.0.0.0/8', gw: 'fd00::1' }] } },
    ['spec.coordinator.policyRoutes[0]: mixes IPv4 and IPv6'],
  ],
  [
    'a route to nowhere',
    { cniType: 'ovs', ovs: OVS, coordinator: { policyRoutes: [{}] } },
    [
      'spec.coordinator.policyRoutes[0].dst: is no address and no network',
      'spec.coordinator.policyRoutes[0].gw: is no IP address',
    ],
  ],
  [
    'a MAC prefix of a group',
    { cniType: 'ovs', ovs: OVS, coordinator: { podMACPrefix: '0b:1b' } },
    ['spec.coordinator.podMACPrefix: is no prefix of MAC addresses'],
  ],
  [
    'a MAC prefix with a stray comma',
    { cniType: 'ovs', ovs: OVS, coordinator: { podMACPrefix: '0,:1b' } },
    ['spec.coordinator.podMACPrefix: is no prefix of MAC addresses'],
  ],
  [
    'a filter above all',
    { cniType: 'ovs', ovs: OVS, coordinator: { podRPFilter: 3 } },
    ['spec.coordinator.podRPFilter: is no number that can be'],
  ],
  [
    'a queue below all',
    { cniType: 'ovs', ovs: OVS, coordinator: { txQueueLen: -1 } },
    ['spec.coordinator.txQueueLen: is no number that can be'],
  ],
  [
    'an MTU of nothing',
    { cniType: 'ovs', ovs: OVS, coordinator: { vethMTU: 0 } },
    ['spec.coordinator.vethMTU: is no number that can be'],
  ],
  [
    'an address that is none',
    { cniType: 'ovs', ovs: OVS, coordinator: { vethLinkAddress: 'x' } },
    ['spec.coordinator.vethLinkAddress: is no IP address'],
  ],
  [
    'a coordinator that is not used, all the same',
    { cniType: 'ovs', ovs: OVS, enableCoordinator: false, coordinator: { mode: 'x' } },
    ['spec.coordinator.mode: is none of the words for it'],
  ],
  [
    'everything at once',
    { cniType: 'ovs', ovs: { vlan: 5000 }, disableIPAM: 'no' },
    [
      'spec.disableIPAM: is neither true nor false',
      'spec.ovs.bridge: is missing',
      'spec.ovs.vlan: is no number that can be',
    ],
  ],
])('%s is refused', (_, spec, problems) => {
  expect(problemsOf(spec)).toEqual([...problems])
})

test.each<[string, Readonly<Record<string, string>>, readonly string[]]>([
  ['a name', { 'multus.spidernet.io/cr-name': 'other.name' }, []],
  [
    'a name that cannot be',
    { 'multus.spidernet.io/cr-name': 'Other' },
    ['metadata.annotations[multus.spidernet.io/cr-name]: cannot be the name of an object'],
  ],
  [
    'an empty name',
    { 'multus.spidernet.io/cr-name': '' },
    [
      'metadata.annotations[multus.spidernet.io/cr-name]: cannot be the name of an object',
      'metadata.annotations[cni.spidernet.io/cniconfig-name]: cannot be the name of a CNI network',
    ],
  ],
  ...['0.3.0', '0.3.1', '0.4.0', '1.0.0'].map((version): [string, Record<string, string>, string[]] => [
    version,
    { 'multus.spidernet.io/cni-version': version },
    [],
  ]),
  [
    'another version',
    { 'multus.spidernet.io/cni-version': '1.1.0' },
    ['metadata.annotations[multus.spidernet.io/cni-version]: is no version that networks are written in'],
  ],
  ['a CNI name', { 'cni.spidernet.io/cniconfig-name': 'My_net.1' }, []],
  [
    'a CNI name that cannot be',
    { 'cni.spidernet.io/cniconfig-name': '../x' },
    ['metadata.annotations[cni.spidernet.io/cniconfig-name]: cannot be the name of a CNI network'],
  ],
  [
    'injection of RDMA',
    { 'cni.spidernet.io/rdma-resource-inject': 'g' },
    [
      'metadata.annotations[cni.spidernet.io/rdma-resource-inject]: wants pods changed when they are created, which nothing here does',
    ],
  ],
  [
    'injection of networks',
    { 'cni.spidernet.io/network-resource-inject': 'g' },
    [
      'metadata.annotations[cni.spidernet.io/network-resource-inject]: wants pods changed when they are created, which nothing here does',
    ],
  ],
])('annotations: %s', (_, annotations, problems) => {
  expect(problemsOf({ cniType: 'ovs', ovs: OVS }, annotations)).toEqual([...problems])
})

test('nothing that anybody writes makes it throw', () => {
  const some = fc.anything({ maxDepth: 3 })
  const keys = ['cniType', 'ovs', 'macvlan', 'vlan', 'ipvlan', 'coordinator', 'customCNI', 'chainCNIJsonData'] as const
  const types = fc.constantFrom('ovs', 'macvlan', 'ipvlan', 'vlan', 'custom', 'sriov')
  const spec = fc.oneof(some, fc.record({ ...Object.fromEntries(keys.map((key) => [key, some])), cniType: types }))
  fc.assert(
    fc.property(spec, (one) => {
      const reading = readMultusConfig(multusConfig(one))
      if (reading.is === 'refused') expect(reading.problems.length).toBeGreaterThan(0)
    }),
    { numRuns: 500 },
  )
})
