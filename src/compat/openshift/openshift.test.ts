import { describe, expect, test } from 'bun:test'
import type { KubeObject } from '../../kube/object.ts'
import { cidr, ip } from '../../network/model/address.ts'
import { decodeCluster } from '../../network/model/validate-cluster.ts'
import { decodeTenant } from '../../network/model/validate-tenant.ts'
import { mergePatched } from '../testing/merge-patch.ts'
import { clusterNetworkBinding } from './cluster-network.ts'
import { hostSubnetOf, hostSubnetRepair, isNodesHostSubnet } from './host-subnet.ts'
import { netNamespaceBinding } from './net-namespace.ts'

const THEIRS = {
  apiVersion: 'network.openshift.io/v1',
  kind: 'ClusterNetwork',
  metadata: { name: 'default' },
  network: '10.128.0.0/14',
  hostsubnetlength: 9,
  serviceNetwork: '172.30.0.0/16',
  pluginName: 'redhat/openshift-ovs-multitenant',
  clusterNetworks: [{ CIDR: '10.128.0.0/14', hostSubnetLength: 9 }],
  vxlanPort: 4789,
  mtu: 1450,
}

describe('ClusterNetwork', () => {
  test('an object of OpenShift SDN works as it is', () => {
    expect(decodeCluster(clusterNetworkBinding.decode(THEIRS))).toEqual({
      ok: true,
      value: {
        networks: [{ cidr: cidr('10.128.0.0/14'), hostBits: 9 }],
        serviceNetworks: [cidr('172.30.0.0/16')],
        tenancy: 'multitenant',
        encapsulation: { type: 'vxlan', port: 4789 },
        underlay: 4,
        services: 'weft',
        mtu: 1450,
      },
    })
  })

  test.each([
    ['one of the first version', { clusterNetworks: undefined, vxlanPort: undefined }, {}],
    ['one without legacy fields', { network: '', hostsubnetlength: 0 }, {}],
    ['another case', { pluginName: 'RedHat/OpenShift-OVS-Subnet' }, { tenancy: 'subnet' }],
    ['a plugin by its suffix alone', { pluginName: 'subnet' }, { tenancy: 'subnet' }],
    ['no plugin at all', { pluginName: undefined }, { tenancy: 'multitenant' }],
    ['a port', { vxlanPort: 4790 }, { encapsulation: { type: 'vxlan', port: 4790 } }],
    ['Geneve', { weft: { encapsulation: { type: 'geneve' } } }, { encapsulation: { type: 'geneve', port: 6081 } }],
    ['GRE', { weft: { encapsulation: { type: 'gre' } } }, { encapsulation: { type: 'gre' } }],
    ['an IPv6 underlay', { weft: { underlayFamily: 'IPv6' } }, { underlay: 6 }],
    ['kube-proxy', { weft: { services: 'kube-proxy' } }, { services: 'kube-proxy' }],
    [
      'two service networks',
      { weft: { serviceNetworks: ['172.30.0.0/16', 'fd02::/112'] } },
      { serviceNetworks: ['172.30.0.0/16', 'fd02::/112'] },
    ],
  ])('%s', (_, changed, value) => {
    expect(decodeCluster(clusterNetworkBinding.decode({ ...THEIRS, ...changed } as never))).toMatchObject({
      ok: true,
      value,
    })
  })

  test.each([
    [
      'policies',
      { pluginName: 'redhat/openshift-ovs-networkpolicy' },
      'tenancy',
      'network policies are followed in each',
    ],
    ['another plugin', { pluginName: 'calico' }, 'tenancy', '"calico" is not known'],
    [
      'networks at odds',
      { network: '10.1.0.0/16' },
      'networks[0].cidr',
      'network 10.1.0.0/16, but clusterNetworks[0] 10',
    ],
    [
      'lengths at odds',
      { hostsubnetlength: 8 },
      'networks[0].hostBits',
      'hostsubnetlength 8, but clusterNetworks[0] 9',
    ],
    ['ports at odds', { weft: { encapsulation: { port: 1 } } }, 'encapsulation.port', 'vxlanPort 4789, but'],
    [
      'host bits set',
      { network: '', clusterNetworks: [{ CIDR: '10.1.2.3/14', hostSubnetLength: 9 }] },
      'networks[0].cidr',
      'is not a network',
    ],
    [
      'service networks at odds',
      { weft: { serviceNetworks: ['172.31.0.0/16'] } },
      'serviceNetworks[0]',
      'serviceNetwork 172.30.0.0/16 is not in',
    ],
    ['a family', { weft: { underlayFamily: 'toString' } }, 'underlay', '"toString" is not known'],
    ['services', { weft: { services: 'ipvs' } }, 'services', '"ipvs" is not known'],
  ])('%s: refused by name', (_, changed, path, problem) => {
    const decoded = decodeCluster(clusterNetworkBinding.decode({ ...THEIRS, ...changed } as never))
    expect(decoded.ok ? [] : decoded.problems).toContainEqual({
      path,
      problem: expect.stringContaining(problem),
      remedy: expect.any(String),
    })
  })

  test('only the one named default counts', () => {
    expect(clusterNetworkBinding.nameOf(THEIRS)).toBe('default')
    expect(clusterNetworkBinding.nameOf({ ...THEIRS, metadata: { name: 'other' } })).toBeUndefined()
  })
})

const CHANGE = 'pod.network.openshift.io/multitenant.change-network'

function netNamespace(annotations: Readonly<Record<string, string>> = {}, rest: object = {}): KubeObject {
  return {
    apiVersion: 'network.openshift.io/v1',
    kind: 'NetNamespace',
    metadata: { name: 'shop', annotations },
    netname: 'shop',
    netid: 4711,
    ...rest,
  }
}

function requestIn(object: KubeObject) {
  const decoded = decodeTenant(netNamespaceBinding.decode(object))
  if (!decoded.ok) throw new Error(JSON.stringify(decoded.problems))
  return decoded.value.request
}

describe('NetNamespace', () => {
  test.each(
    [
      ['global', { action: 'global' }],
      ['isolate', { action: 'isolate' }],
      ['join:till', { action: 'join', target: 'till' }],
      ['join:', { action: 'join', target: '' }],
      ['join:a:b', { action: 'join', target: 'a:b' }],
      ['join', { action: 'unknown', text: 'join' }],
      ['Global', { action: 'unknown', text: 'Global' }],
      [' global', { action: 'unknown', text: ' global' }],
      ['global:x', { action: 'unknown', text: 'global:x' }],
      ['', { action: 'unknown', text: '' }],
      ['x'.repeat(9999), { action: 'unknown', text: 'x'.repeat(4096) }],
      [`join:${'x'.repeat(300)}`, { action: 'unknown', text: `join:${'x'.repeat(300)}` }],
    ].map(([words, expected]) => [String(words).slice(0, 30), words, expected] as const),
  )('%p asks for', (_, words, expected) => {
    expect(requestIn(netNamespace({ [CHANGE]: String(words) }))).toMatchObject(expected as never)
  })

  test('the same words are the same request, other words another', () => {
    const idOf = (words: string) => requestIn(netNamespace({ [CHANGE]: words }))?.id ?? ''
    expect(idOf('join:a')).toBe(idOf('join:a'))
    expect(idOf('join:a')).not.toBe(idOf('join:b'))
    const long = 'x'.repeat(5000)
    expect(idOf(long)).toBe(idOf(long.slice(0, 4096)))
    expect(idOf(long)).not.toBe(idOf(`y${long}`))
  })

  test('an id that somebody wrote counts only for the words it was written with', () => {
    const asked = netNamespaceBinding.encode({
      namespace: 'shop',
      vni: 10,
      request: { id: 'mine', action: 'join', target: 'a' },
    })
    expect(requestIn(asked)?.id).toBe('mine')
    const overwritten = mergePatched(asked, { metadata: { annotations: { [CHANGE]: 'join:b' } } }) as never
    expect(requestIn(overwritten)).toMatchObject({ action: 'join', target: 'b' })
    expect(requestIn(overwritten)?.id).not.toBe('mine')
  })

  test('a refusal is a condition as well; nothing of it is left when it is taken back', () => {
    const request = { id: 'r', action: 'join', target: 'b' } as const
    const outcome = {
      id: 'r',
      accepted: false,
      code: 'TENANT_UNKNOWN_TARGET',
      message: 'none',
      remedy: 'look',
    } as const
    const refused = netNamespaceBinding.encode({ namespace: 'shop', vni: 10, request, outcome })
    expect(refused['status']).toMatchObject({
      conditions: [{ type: 'ChangeAccepted', status: 'False', reason: 'TENANT_UNKNOWN_TARGET', message: 'none: look' }],
    })
    const patch = netNamespaceBinding.patch({ namespace: 'shop', vni: 10, outcome: { id: 'q', accepted: true } })
    const granted = mergePatched(refused, patch)
    expect(granted['status']).toEqual({
      outcome: { id: 'q', accepted: true },
      conditions: [{ type: 'ChangeAccepted', status: 'True', reason: 'Accepted', message: '' }],
    })
    expect(granted).toMatchObject({ metadata: { annotations: {} } })
    expect(mergePatched(granted, netNamespaceBinding.patch({ namespace: 'shop', vni: 10 }))['status']).toBeUndefined()
  })

  test.each([[-1], [0x1000000], ['12'], [1.5], [undefined]])('a netid of %p is refused', (netid) => {
    expect(decodeTenant(netNamespaceBinding.decode(netNamespace({}, { netid }))).ok).toBe(false)
  })

  test.each([
    ['what is left of an outcome', { status: { outcome: { id: 'x', accepted: 'maybe' } } }],
    ['a status that is none', { status: 7 }],
    ['another netname', { netname: 'elsewhere' }],
  ])('%s makes no difference', (_, odd) => {
    expect(decodeTenant(netNamespaceBinding.decode(netNamespace({}, odd)))).toEqual({
      ok: true,
      value: { namespace: 'shop', vni: 4711 },
    })
  })
})

describe('HostSubnet', () => {
  const network = {
    node: 'a',
    machine: { kind: 'node' as const, uid: 'u' },
    addresses: [ip('2001:db8::1'), ip('192.0.2.1')],
    ranges: [cidr('10.128.0.0/23'), cidr('fd01:0:0:1::/64')],
  }
  const view = hostSubnetOf(network) as KubeObject

  test('shows what is of IPv4', () => {
    expect(view).toEqual({
      apiVersion: 'network.openshift.io/v1',
      kind: 'HostSubnet',
      metadata: { name: 'a', annotations: { 'pod.network.openshift.io/node-uid': 'u' } },
      host: 'a',
      hostIP: '192.0.2.1',
      subnet: '10.128.0.0/23',
    })
    expect(hostSubnetOf({ ...network, ranges: [cidr('fd01:0:0:1::/64')] })).toBeUndefined()
    expect(hostSubnetOf({ ...network, addresses: [ip('2001:db8::1')] })).toBeUndefined()
    expect(hostSubnetOf({ ...network, machine: { kind: 'external', vni: 0 } })).toBeUndefined()
  })

  test('is put back, without touching what others keep in it', () => {
    expect(hostSubnetRepair({ ...view, egressIPs: ['192.0.2.7'] }, view)).toBeUndefined()
    expect(hostSubnetRepair({ ...view, subnet: '10.0.0.0/23' }, view)).toEqual({ subnet: '10.128.0.0/23' })
    const unstamped = { ...view, metadata: { name: 'a' } }
    expect(hostSubnetRepair(unstamped, view)).toEqual({
      metadata: { annotations: { 'pod.network.openshift.io/node-uid': 'u' } },
    })
  })

  test('those of hosts outside the cluster are told apart', () => {
    const assign = { 'pod.network.openshift.io/assign-subnet': '' }
    expect(isNodesHostSubnet(view)).toBe(true)
    expect(isNodesHostSubnet({ ...view, metadata: { name: 'a' } })).toBe(false)
    const asking = { ...view.metadata.annotations, ...assign }
    expect(isNodesHostSubnet({ ...view, metadata: { name: 'a', annotations: asking } })).toBe(false)
  })
})
