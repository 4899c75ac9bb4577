import { expect, test } from 'bun:test'
import {
  impossibleService,
  kubeadmNetworks,
  networkInRefusal,
  serviceAddresses,
  serviceCidrs,
} from '../compat/kubernetes/cluster-facts.ts'
import { KubeError } from '../kube/errors.ts'
import type { KubeObject } from '../kube/object.ts'
import { cidr, ip } from '../network/model/address.ts'
import { type ClusterFacts, differences, newCluster } from './new-cluster.ts'

const FACTS: ClusterFacts = {
  serviceNetworks: [cidr('10.96.0.0/12')],
  kubernetes: [ip('10.96.0.1')],
  podNetworks: [],
  nodeAddresses: [ip('192.0.2.11')],
}
const DEFAULT = {
  networks: [{ cidr: cidr('10.128.0.0/14'), hostBits: 9 }],
  serviceNetworks: [cidr('10.96.0.0/12')],
  tenancy: 'multitenant',
  encapsulation: { type: 'vxlan', port: 4789 },
  underlay: 4,
  services: 'weft',
} as const

test('without a word in the settings', () => {
  expect(newCluster({}, FACTS)).toEqual({ is: 'made', cluster: DEFAULT })
})

test('what the settings say counts more than what is found out', () => {
  const wish = {
    podNetworks: [{ cidr: cidr('10.244.0.0/16'), hostBits: 7 }],
    serviceNetworks: [cidr('10.96.0.0/16')],
    tenancy: 'subnet',
    encapsulation: 'geneve',
    underlay: 6,
    services: 'kube-proxy',
    mtu: 1400,
  } as const
  expect(newCluster(wish, { ...FACTS, podNetworks: [cidr('10.0.0.0/16')] })).toEqual({
    is: 'made',
    cluster: {
      networks: wish.podNetworks,
      serviceNetworks: wish.serviceNetworks,
      tenancy: 'subnet',
      encapsulation: { type: 'geneve', port: 6081 },
      underlay: 6,
      services: 'kube-proxy',
      mtu: 1400,
    },
  })
})

test('pods have the families that services have', () => {
  const serviceNetworks = [cidr('10.96.0.0/12'), cidr('fd02::/112')]
  const made = newCluster({}, { ...FACTS, serviceNetworks, kubernetes: [ip('10.96.0.1'), ip('fd02::1')] })
  expect(made.is === 'made' && made.cluster.networks).toEqual([
    ...DEFAULT.networks,
    { cidr: cidr('fd00:10:128::/48'), hostBits: 64 },
  ])
})

test.each([
  ['10.244.0.0/16', 8],
  ['10.244.0.0/26', 6],
  ['fd01::/56', 64],
] as const)('what kubeadm was told is taken: %s with %p host bits', (network, hostBits) => {
  const made = newCluster({}, { ...FACTS, podNetworks: [cidr(network)] })
  expect(made.is === 'made' && made.cluster.networks).toEqual([{ cidr: cidr(network), hostBits }])
})

test('tunnels run over IPv6 where nodes have nothing else', () => {
  const made = newCluster({}, { ...FACTS, nodeAddresses: [ip('2001:db8::11')] })
  expect(made.is === 'made' && made.cluster.underlay).toBe(6)
})

test.each([
  ['nobody tells', {}, { serviceNetworks: [] }, 'nobody tells where services get addresses from'],
  [
    'another network',
    { serviceNetworks: [cidr('172.30.0.0/16')] },
    {},
    'kubernetes has 10.96.0.1, which is not in 172',
  ],
  ['an overlap', { podNetworks: [{ cidr: cidr('10.96.0.0/16'), hostBits: 8 }] }, {}, 'overlaps'],
  ['a node inside', {}, { nodeAddresses: [ip('10.129.0.1')] }, 'node address 10.129.0.1 lies inside the pod network'],
] as const)('%s: there is none, for a reason', (_, wish, facts, why) => {
  const made = newCluster(wish, { ...FACTS, ...facts })
  expect(made.is === 'impossible' && `${made.why} ${made.remedy}`).toContain(why)
})

test('a difference is told by its key, and only what the settings say can differ', () => {
  expect(differences({}, DEFAULT)).toEqual([])
  expect(
    differences({ tenancy: 'multitenant', tunnelPort: 4789, serviceNetworks: DEFAULT.serviceNetworks }, DEFAULT),
  ).toEqual([])
  expect(differences({ tenancy: 'subnet', mtu: 1400 }, DEFAULT)).toEqual([
    'cluster.tenancy is "subnet" in the settings and "multitenant" in the ClusterNetwork',
    'cluster.mtu is 1400 in the settings and not given in the ClusterNetwork',
  ])
})

test('addresses of a service, and networks of ServiceCIDRs', () => {
  const service = (spec: object): KubeObject => object({ spec })
  expect(serviceAddresses(service({ clusterIP: '10.96.0.1' }))).toEqual([ip('10.96.0.1')])
  expect(serviceAddresses(service({ clusterIPs: ['10.96.0.1', 'fd02::1', 5, 'None'] }))).toEqual([
    ip('10.96.0.1'),
    ip('fd02::1'),
  ])
  expect(serviceCidrs([object({ spec: { cidrs: ['10.96.0.0/12', 'nonsense'] } }), object({})])).toEqual([
    cidr('10.96.0.0/12'),
  ])
})

test('the refusal of an impossible service names the network', () => {
  const refusal =
    'Service "x" is invalid: spec.clusterIPs: Invalid value: []string{"192.0.2.1"}: failed to allocate IP 192.0.2.1: the provided IP (192.0.2.1) is not in the valid range. The range of valid IPs is 10.96.0.0/12'
  expect(networkInRefusal(new KubeError('KUBE_INVALID', refusal, ''))).toBe(cidr('10.96.0.0/12'))
  expect(networkInRefusal(new KubeError('KUBE_INVALID', 'this cluster is not dual-stack', ''))).toBeUndefined()
  expect(networkInRefusal(new Error(refusal))).toBeUndefined()
  expect(impossibleService('2001:db8::1', 'weft-system')['spec']).toMatchObject({ ipFamilies: ['IPv6'] })
})

test.each([
  ['networking:\n  podSubnet: 10.244.0.0/16,fd01::/56\n', ['10.244.0.0/16', 'fd01::/56']],
  ['networking: {}\n', []],
  ['networking: [', []],
])('kubeadm’s pod networks in %j', (text, networks) => {
  expect(kubeadmNetworks(object({ data: { ClusterConfiguration: text } })).pods).toEqual(networks.map(cidr))
})

function object(fields: object): KubeObject {
  return { apiVersion: 'v1', kind: 'Any', metadata: { name: 'any' }, ...fields }
}
