import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CniError } from '../../cni/index.ts'
import { DEFAULT_NETWORK, NETWORKS } from '../../compat/multus/selection.ts'
import { DEFAULT_ROUTE_NIC } from './interfaces.ts'
import { type NetworkDefaults, needsResolving, resolveNetworks } from './resolve.ts'
import { addCall, podWith, resolvingBy } from './testing/call.ts'

const OVS = {
  cniVersion: '0.3.1',
  name: 'ovs-conf',
  plugins: [
    { type: 'ovs', bridge: 'br1', vlan: 0, ipam: { type: 'spiderpool' } },
    { type: 'coordinator', mode: 'auto' },
  ],
}
const DEFINITIONS = {
  'kube-system/ovs-conf': OVS,
  'kube-system/empty': '',
  'kube-system/bridge': { cniVersion: '0.3.1', type: 'bridge' },
  'shop/own': { cniVersion: '1.0.0', type: 'ovs', bridge: 'br1', vlan: 7 },
  'shop/overlay': { cniVersion: '1.0.0', type: 'weft' },
  'shop/program': { cniVersion: '1.0.0', type: 'bridge' },
  'shop/hollow': '',
  'shop/broken': '{',
  'bank/vault': { cniVersion: '1.0.0', type: 'weft' },
}

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-networks-'))
  writeFileSync(join(folder, '10-a.conf'), JSON.stringify({ cniVersion: '0.4.0', name: 'empty', type: 'bridge' }))
  writeFileSync(join(folder, '05-b.conflist'), JSON.stringify({ name: 'filed', plugins: [{ type: 'macvlan' }] }))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function resolved(
  wishes: Record<string, string>,
  defaults: Partial<NetworkDefaults> = {},
): Promise<readonly string[]> {
  const parts = resolvingBy(DEFINITIONS, { configDir: folder, ...defaults })
  const wanted = await resolveNetworks(addCall(), podWith(wishes), parts)
  return wanted.map(({ ifname, definition, network, origin, plugins }) =>
    [ifname, definition ?? '-', network, origin.kind, plugins.map(({ type }) => type).join('+')].join(' '),
  )
}

const OVERLAY = 'eth0 - weft node weft'
const ON_BR1 = 'kube-system/ovs-conf ovs-conf definition ovs+coordinator'

test.each<[string, Record<string, string>, Partial<NetworkDefaults>, readonly string[]]>([
  [
    'a default route by an interface of its own',
    { [NETWORKS]: 'kube-system/ovs-conf@lan', [DEFAULT_ROUTE_NIC]: 'lan' },
    {},
    [OVERLAY, `lan ${ON_BR1}`],
  ],
  [
    'a coordinator’s name where there is none, and a wish that nobody reads',
    { [NETWORKS]: 'own@veth0', [DEFAULT_ROUTE_NIC]: 'net7' },
    {},
    [OVERLAY, 'veth0 shop/own own definition ovs'],
  ],
  [
    'as many networks as pods may have',
    { [NETWORKS]: Array.from({ length: 16 }, () => 'own').join() },
    {},
    [OVERLAY, ...Array.from({ length: 16 }, (_, i) => `net${i + 1} shop/own own definition ovs`)],
  ],
  ['nothing but the overlay', {}, {}, [OVERLAY]],
  ['the seed’s pod: another first network', { [DEFAULT_NETWORK]: 'kube-system/ovs-conf' }, {}, [`eth0 ${ON_BR1}`]],
  ['a bare name is of the install namespace', { [DEFAULT_NETWORK]: 'ovs-conf' }, {}, [`eth0 ${ON_BR1}`]],
  [
    'further networks',
    { [NETWORKS]: 'kube-system/ovs-conf,own@vlan7' },
    {},
    [OVERLAY, `net1 ${ON_BR1}`, 'vlan7 shop/own own definition ovs'],
  ],
  [
    'one network twice',
    { [NETWORKS]: 'own,own' },
    {},
    [OVERLAY, 'net1 shop/own own definition ovs', 'net2 shop/own own definition ovs'],
  ],
  [
    'the overlay as a second interface',
    { [DEFAULT_NETWORK]: 'ovs-conf', [NETWORKS]: 'overlay' },
    {},
    [`eth0 ${ON_BR1}`, 'net1 shop/overlay overlay definition weft'],
  ],
  ['a cluster network by definition', {}, { clusterNetwork: 'ovs-conf' }, [`eth0 ${ON_BR1}`]],
  ['the same with its namespace', {}, { clusterNetwork: 'kube-system/ovs-conf' }, [`eth0 ${ON_BR1}`]],
  ['a cluster network by the name in a file', {}, { clusterNetwork: 'filed' }, ['eth0 - filed node macvlan']],
  ['by the path of a file', {}, { clusterNetwork: 'FOLDER/10-a.conf' }, ['eth0 - empty node bridge']],
  ['by the path of a folder: its first file', {}, { clusterNetwork: 'FOLDER' }, ['eth0 - filed node macvlan']],
  [
    'a pod’s own word against the cluster’s',
    { [DEFAULT_NETWORK]: 'ovs-conf' },
    { clusterNetwork: 'filed' },
    [`eth0 ${ON_BR1}`],
  ],
  [
    'networks of every pod',
    { [NETWORKS]: 'own' },
    { defaultNetworks: ['ovs-conf'] },
    [OVERLAY, `net1 ${ON_BR1}`, 'net2 shop/own own definition ovs'],
  ],
  [
    'none of those for pods of the system',
    {},
    { defaultNetworks: ['ovs-conf'], systemNamespaces: ['shop'] },
    [OVERLAY],
  ],
  [
    'an administrator’s definition that isolated namespaces may name',
    { [NETWORKS]: 'kube-system/ovs-conf,own', [DEFAULT_NETWORK]: 'ovs-conf' },
    { isolation: { globalNamespaces: new Set(['kube-system']) } },
    [`eth0 ${ON_BR1}`, `net1 ${ON_BR1}`, 'net2 shop/own own definition ovs'],
  ],
  [
    'another first network, whatever is isolated',
    { [DEFAULT_NETWORK]: 'ovs-conf' },
    { isolation: { globalNamespaces: new Set() } },
    [`eth0 ${ON_BR1}`],
  ],
  [
    'an empty definition stands for the file of its name',
    { [DEFAULT_NETWORK]: 'empty' },
    {},
    ['eth0 kube-system/empty empty node bridge'],
  ],
  [
    'a program, in an administrator’s definition',
    { [NETWORKS]: 'kube-system/bridge' },
    {},
    [OVERLAY, 'net1 kube-system/bridge bridge definition bridge'],
  ],
])('%s', async (_, wishes, defaults, expected) => {
  const clusterNetwork = defaults.clusterNetwork?.replace('FOLDER', folder)
  expect(await resolved(wishes, { ...defaults, ...(clusterNetwork === undefined ? {} : { clusterNetwork }) })).toEqual(
    expected,
  )
})

test.each<[string, Record<string, string>, Partial<NetworkDefaults>, string, string]>([
  [
    'an unknown definition',
    { [NETWORKS]: 'none' },
    {},
    'network-unknown',
    'cannot find a network-attachment-definition (none) in namespace (shop), which annotation k8s.v1.cni.cncf.io/networks',
  ],
  [
    'an unknown first network',
    { [DEFAULT_NETWORK]: 'none' },
    {},
    'network-unknown',
    '(kube-system), which annotation v1.multus-cni.io/default-network',
  ],
  [
    'an unknown network of the cluster',
    {},
    { clusterNetwork: 'none' },
    'network-unknown',
    'the configuration of the node',
  ],
  [
    'a path where nothing is',
    {},
    { clusterNetwork: '/nonexistent/a' },
    'network-unknown',
    'the configuration of the node',
  ],
  [
    'an administrator’s definition, where namespaces are isolated',
    { [NETWORKS]: 'kube-system/ovs-conf' },
    { isolation: { globalNamespaces: new Set(['default']) } },
    'request-refused',
    'kube-system/ovs-conf: pods of shop may name their own',
  ],
  ['a definition of another namespace', { [NETWORKS]: 'bank/vault' }, {}, 'request-refused', 'bank/vault'],
  [
    'the same as the first',
    { [DEFAULT_NETWORK]: 'bank/vault' },
    {},
    'request-refused',
    'annotation v1.multus-cni.io/default-network asks for bank/vault',
  ],
  [
    'a fixed MAC address of the first',
    { [DEFAULT_NETWORK]: '[{"name":"ovs-conf","mac":"02:00:00:00:00:01"}]' },
    {},
    'request-refused',
    'annotation v1.multus-cni.io/default-network asks for [0].mac',
  ],
  [
    'fixed addresses of the first',
    { [DEFAULT_NETWORK]: '[{"name":"ovs-conf","ips":["172.18.0.9/16"]}]' },
    {},
    'request-refused',
    'annotation v1.multus-cni.io/default-network asks for [0].ips',
  ],
  [
    'words for plugins of the first',
    { [DEFAULT_NETWORK]: '[{"name":"ovs-conf","cni-args":{"mac":"02:00:00:00:00:01"}}]' },
    {},
    'request-refused',
    'annotation v1.multus-cni.io/default-network asks for [0].cni-args',
  ],
  [
    'two first networks',
    { [DEFAULT_NETWORK]: 'ovs-conf,ovs-conf' },
    {},
    'annotation-invalid',
    'annotation v1.multus-cni.io/default-network of the pod: networks: must name one network and names 2',
  ],
  [
    'a first network of no form',
    { [DEFAULT_NETWORK]: 'a/b/c' },
    {},
    'annotation-invalid',
    'annotation v1.multus-cni.io/default-network of the pod: [0]',
  ],
  [
    'a program, in a tenant’s definition',
    { [NETWORKS]: 'program' },
    {},
    'choice-refused',
    'shop/program asks for type: plugin bridge',
  ],
  [
    'a tenant’s empty definition, though a file has its name',
    { [NETWORKS]: 'hollow' },
    {},
    'network-empty',
    'shop/hollow',
  ],
  ['a definition that is no JSON', { [NETWORKS]: 'broken' }, {}, 'input-not-json', 'shop/broken'],
  ['an interface that is there twice', { [NETWORKS]: 'own@a,own@a' }, {}, 'annotation-invalid', 'interface'],
  [
    'an interface of the name that a coordinator’s has',
    { [DEFAULT_NETWORK]: 'ovs-conf', [NETWORKS]: 'own,own@veth0' },
    {},
    'annotation-invalid',
    '[1].interface: must not be veth0',
  ],
  [
    'a default route by what is no interface',
    { [DEFAULT_NETWORK]: 'ovs-conf', [DEFAULT_ROUTE_NIC]: 'eth0;reboot' },
    {},
    'annotation-invalid',
    'default-route-nic of the pod: value: must be an interface of the pod, which has eth0',
  ],
  [
    'a default route by another pod’s interface',
    { [NETWORKS]: 'kube-system/ovs-conf@lan', [DEFAULT_ROUTE_NIC]: 'net1' },
    {},
    'annotation-invalid',
    'which has eth0, lan',
  ],
  [
    'more networks than pods may have',
    { [NETWORKS]: 'own,'.repeat(16).concat('own') },
    {},
    'annotation-invalid',
    'networks: must not be more than 16 (attachments.networksPerPod), and are 17',
  ],
  ['an annotation of no form', { [NETWORKS]: '[{]' }, {}, 'annotation-invalid', 'k8s.v1.cni.cncf.io/networks'],
  [
    'two default routes',
    { [NETWORKS]: '[{"name":"own","default-route":["10.0.0.1"]},{"name":"own","default-route":["10.0.0.2"]}]' },
    {},
    'annotation-invalid',
    'ECMP',
  ],
])('%s is refused', async (_, wishes, defaults, id, words) => {
  const error = await resolved(wishes, defaults).catch((thrown: unknown) => thrown)
  if (!(error instanceof CniError)) throw error
  expect([error.id, error.message]).toEqual([id, expect.stringContaining(words)])
})

test('what is of the node goes to the plugins of an administrator’s definition as it is', async () => {
  const plugin = {
    type: 'bridge',
    confDir: '/a',
    binDir: '/b',
    cniDir: '/c',
    ipam: { type: 'dhcp', daemonSocketDir: '/d', ipam_unix_socket_path: '/e', resolvConf: '/f' },
  }
  const parts = resolvingBy({ 'kube-system/net': { cniVersion: '1.0.0', ...plugin } })
  const [wanted] = await resolveNetworks(addCall(), podWith({ [DEFAULT_NETWORK]: 'net' }), parts)
  expect<unknown>(wanted?.plugins).toEqual([{ cniVersion: '1.0.0', name: 'net', ...plugin }])
})

test('what the runtime asks for goes to the first network, what the pod asks for to its own', async () => {
  const bare = { type: 'weft', capabilities: { portMappings: true, bandwidth: true } }
  const parts = resolvingBy({
    'kube-system/a': { ...bare, cniVersion: '1.0.0' },
    'kube-system/b': { ...bare, cniVersion: '1.0.0' },
  })
  const request = addCall({
    cniVersion: '1.0.0',
    name: 'weft',
    type: 'weft',
    runtimeConfig: { portMappings: [{ hostPort: 80, containerPort: 8080, protocol: 'tcp' }] },
  })
  const wishes = {
    [DEFAULT_NETWORK]: 'a',
    [NETWORKS]: '[{"name":"b","namespace":"kube-system","bandwidth":{"ingressRate":1000}}]',
  }
  const wanted = await resolveNetworks(request, podWith(wishes), parts)
  expect(wanted.map(({ plugins }) => plugins[0]?.['runtimeConfig'])).toEqual([
    { portMappings: [{ hostPort: 80, containerPort: 8080, protocol: 'tcp' }] },
    { bandwidth: { ingressRate: 1000 } },
  ])
})

test('pods that ask for nothing need no look, unless the node has networks for all', () => {
  const none = { defaultNetworks: [], namespace: 'kube-system', configDir: '' }
  expect(needsResolving(undefined, none)).toBe(false)
  expect(needsResolving(podWith({ 'ipam.spidernet.io/ippool': '{}', [NETWORKS]: '' }), none)).toBe(false)
  expect(needsResolving(podWith({ [NETWORKS]: 'a' }), none)).toBe(true)
  expect(needsResolving(podWith({ [DEFAULT_NETWORK]: 'a' }), none)).toBe(true)
  expect(needsResolving(undefined, { ...none, clusterNetwork: 'a' })).toBe(true)
  expect(needsResolving(undefined, { ...none, defaultNetworks: ['a'] })).toBe(true)
})
