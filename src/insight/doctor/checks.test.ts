import { expect, test } from 'bun:test'
import { SAMPLE_CLUSTER } from '../../../test/tables/sample-node.ts'
import { examine } from './check.ts'
import { CHECKS } from './checks/index.ts'
import type { Expected, HostFacts } from './facts.ts'
import { parseIni } from './ini.ts'
import { EXPECTED, FINE, link, no, route, yes } from './testing/fine-host.ts'

/** What is not fine, as `check state`. */
function complaints(change: Partial<HostFacts>, expected: Partial<Expected> = {}): readonly string[] {
  const rows = examine(CHECKS, { ...FINE, ...change }, { ...EXPECTED, ...expected })
  return rows.flatMap(({ check, state }) => (state === 'ok' ? [] : [`${check} ${state}`]))
}

function withSysctl(change: Partial<HostFacts['sysctls']>): Partial<HostFacts> {
  return { sysctls: { ...FINE.sysctls, ...change } }
}

const running = (...names: readonly string[]) => yes(names.map((name, i) => ({ pid: i + 10, name })))
const ini = (text: string) => yes(parseIni(text))
const NETWORKD = running('systemd-network')
const FORWARD = { family: 'ip', table: 'filter', name: 'FORWARD', rules: [] }
const OURS = { name: '10-weft.conflist', types: ['weft', 'portmap'], publishes: true }
const NO_PORTMAP = yes({ folder: '/opt/cni/bin', isThere: false })
const DROPS = { ...FORWARD, base: { type: 'filter', hook: 'forward', policy: 'drop' as const } }
const BGP = { ...SAMPLE_CLUSTER, fabric: { way: 'bgp', otherwise: 'tunnel' } } as const
const UP = { isRunning: true, sessions: 2, down: 0 }
const ROUTED = { tcp: yes([{ port: 179, owner: { pid: 9, name: 'bgpd' } }]) }

const BFD_BY = (name: string, port: number) => ({ udp: yes([{ port, owner: { pid: 9, name } }]) })

const CASES: readonly (readonly [string, Partial<HostFacts>, Partial<Expected>, readonly string[]])[] = [
  ['all is well', {}, {}, []],
  ['an agent that waits', {}, { agent: { state: 'runs', ready: false, problems: ['x'] } }, ['agent fail']],
  ['an agent with problems', {}, { agent: { state: 'runs', ready: true, problems: ['x'] } }, ['agent warn']],
  ['no agent', {}, { agent: { state: 'none', reason: 'no' } }, ['agent warn']],
  ['no ovsdb-server', { ovsdb: no }, {}, ['ovsdb fail', 'datapath unknown']],
  ['an old Open vSwitch', { ovsdb: yes({ version: '2.13.0', datapathTypes: [], bridges: [] }) }, {}, ['ovsdb fail']],
  ['a rather old one', { ovsdb: yes({ version: '2.17.2', datapathTypes: [], bridges: [] }) }, {}, ['ovsdb warn']],
  ['no ovs-vswitchd', { vswitchd: no }, {}, ['vswitchd fail']],
  [
    'no kernel datapath',
    { ovsdb: yes({ version: '3.1.0', datapathTypes: ['netdev'], bridges: [] }) },
    {},
    ['datapath fail'],
  ],
  ['user space in spite of the module', {}, { datapath: 'netdev' }, ['datapath warn']],
  ['no module', { modules: yes({ loaded: new Set(), known: new Set(['vport_vxlan']) }) }, {}, ['modules fail']],
  [
    'modules that can be loaded',
    { modules: yes({ loaded: new Set(), known: new Set(['openvswitch', 'vport_vxlan']) }) },
    {},
    [],
  ],
  ['IPv6 missing', withSysctl({ ipv6Off: no, ipv6OffDefault: no }), {}, ['ipv6 fail']],
  ['IPv6 off where it is used', withSysctl({ ipv6Off: yes('1') }), {}, ['ipv6 fail']],
  [
    'IPv6 off where it is not',
    withSysctl({ ipv6Off: yes('1') }),
    { cluster: { ...SAMPLE_CLUSTER, networks: SAMPLE_CLUSTER.networks.slice(0, 1) } },
    ['ipv6 warn'],
  ],
  ['forwarding off', withSysctl({ ipForward: yes('0') }), {}, ['forwarding fail']],
  [
    'forwarding off before the agent',
    withSysctl({ ipForward: yes('0') }),
    { agent: { state: 'none', reason: 'no' } },
    ['agent warn'],
  ],
  [
    'strict reverse path with two uplinks',
    { ...withSysctl({ rpFilterAll: yes('1') }), routes: yes([route('0.0.0.0/0', 2), route('0.0.0.0/0', 4)]) },
    {},
    ['rp-filter warn'],
  ],
  ['few neighbours', withSysctl({ neighbours4: yes('1024') }), { peers: 900 }, ['neighbours warn']],
  ['connections nearly full', withSysctl({ connections: yes('250000') }), {}, ['connections fail']],
  ['few connections', withSysctl({ connectionsMax: yes('8192') }), {}, ['connections warn']],
  ['an MTU that is too large for the uplink', {}, { cluster: { ...SAMPLE_CLUSTER, mtu: 1500 } }, ['mtu fail']],
  [
    'an uplink that is too small',
    { links: yes([link(2, 'eth0', { mtu: 1300 }), link(3, 'weft0', { kind: 'tun' })]) },
    {},
    ['mtu fail'],
  ],
  ['an address that no link has', { addresses: yes([]) }, {}, ['mtu fail']],
  [
    'a VXLAN device of others',
    { links: yes([link(2, 'eth0'), link(9, 'flannel.1', { kind: 'vxlan', data: { kind: 'vxlan', port: 4789 } })]) },
    {},
    ['tunnel-port fail'],
  ],
  [
    'Open vSwitch’s own',
    {
      links: yes([link(2, 'eth0'), link(9, 'vxlan_sys_4789', { kind: 'vxlan', data: { kind: 'vxlan', port: 4789 } })]),
    },
    {},
    [],
  ],
  ['a socket of others', { udp: yes([{ port: 4789, owner: { pid: 5, name: 'iperf' } }]) }, {}, ['tunnel-port fail']],
  ['a socket at another port', { udp: yes([{ port: 53, owner: 'unknown' }]) }, {}, []],
  ['networkd as it comes', { processes: NETWORKD }, {}, ['networkd warn']],
  [
    'networkd with one of two',
    { processes: NETWORKD, networkd: ini('[Network]\nManageForeignRoutes=no') },
    {},
    ['networkd warn'],
  ],
  [
    'networkd told',
    { processes: NETWORKD, networkd: ini('[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=false') },
    {},
    [],
  ],
  [
    'networkd told again otherwise',
    {
      processes: NETWORKD,
      networkd: ini(
        '[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no\n[Network]\nManageForeignRoutes=yes',
      ),
    },
    {},
    ['networkd warn'],
  ],
  ['NetworkManager as it comes', { processes: running('NetworkManager') }, {}, ['network-manager warn']],
  [
    'NetworkManager told',
    {
      processes: running('NetworkManager'),
      networkManager: ini('[keyfile]\nunmanaged-devices=interface-name:weft*;interface-name:br-weft'),
    },
    {},
    [],
  ],
  [
    'NetworkManager told more',
    {
      processes: running('NetworkManager'),
      networkManager: ini(
        '[keyfile]\nunmanaged-devices=interface-name:site\n[keyfile]\nunmanaged-devices+=interface-name:weft*;interface-name:br-weft',
      ),
    },
    {},
    [],
  ],
  [
    'NetworkManager told by device',
    {
      processes: running('NetworkManager'),
      networkManager: ini('[device-x]\nmatch-device=interface-name:*weft*\nmanaged=0'),
    },
    {},
    [],
  ],
  [
    'persistent MAC addresses',
    {
      processes: running('systemd-udevd'),
      linkFiles: yes([
        { path: '/x', sections: parseIni('[Match]\nOriginalName=*\n[Link]\nMACAddressPolicy=persistent') },
      ]),
    },
    {},
    ['mac-policy warn'],
  ],
  [
    'persistent for others',
    {
      processes: running('systemd-udevd'),
      linkFiles: yes([
        { path: '/a', sections: parseIni('[Match]\nOriginalName=weft* br-weft\n[Link]\nMACAddressPolicy=none') },
        { path: '/x', sections: parseIni('[Match]\nOriginalName=*\n[Link]\nMACAddressPolicy=persistent') },
      ]),
    },
    {},
    [],
  ],
  [
    'persistent for a driver',
    {
      processes: running('systemd-udevd'),
      linkFiles: yes([
        { path: '/x', sections: parseIni('[Match]\nDriver=virtio\n[Link]\nMACAddressPolicy=persistent') },
      ]),
    },
    {},
    [],
  ],
  [
    'a bridge of our name',
    { links: yes([link(2, 'eth0'), link(4, 'br-weft', { kind: 'bridge' })]) },
    {},
    ['names fail'],
  ],
  [
    'a bridge of others in Open vSwitch',
    { ovsdb: yes({ version: '3.1.0', datapathTypes: [], bridges: [{ name: 'br-weft', isOurs: false }] }) },
    {},
    ['names fail'],
  ],
  [
    'what k8s-ovs left',
    {
      links: yes([link(2, 'eth0'), link(4, 'tun0', { kind: 'openvswitch' })]),
      ovsdb: yes({ version: '3.1.0', datapathTypes: [], bridges: [{ name: 'br0', isOurs: false }] }),
    },
    {},
    ['names warn'],
  ],
  ['a route in our range', { routes: yes([route('10.129.5.0/24', 2)]) }, {}, ['ranges fail']],
  ['a route around the service range', { routes: yes([route('172.16.0.0/12', 2)]) }, {}, ['ranges fail']],
  ['no nft', { filters: no }, {}, ['nft fail', 'forward-drops unknown']],
  ['a filter that drops', { filters: yes([DROPS]) }, {}, ['forward-drops fail']],
  [
    'a filter that drops, before the agent',
    { filters: yes([DROPS]) },
    { agent: { state: 'none', reason: 'no' } },
    ['agent warn'],
  ],
  [
    'another that drops, before the agent',
    { filters: yes([{ ...DROPS, table: 'own' }]) },
    { agent: { state: 'none', reason: 'no' }, cluster: undefined },
    ['agent warn', 'ranges unknown', 'forward-drops fail'],
  ],
  [
    'a configuration before ours',
    {
      cniConfigs: yes([{ name: '05-x.conf', types: ['bridge'], publishes: false }, OURS]),
    },
    {},
    ['cni-config fail'],
  ],
  [
    'only that of others',
    { cniConfigs: yes([{ name: '05-x.conf', types: ['bridge'], publishes: false }]) },
    {},
    ['cni-config warn'],
  ],
  [
    'nonsense behind ours',
    {
      cniConfigs: yes([OURS, { name: '99.conf', types: undefined, publishes: false }]),
    },
    {},
    ['cni-config warn'],
  ],
  ['no plugin', { plugin: no }, {}, ['cni-plugin warn']],
  ['a plugin that cannot run', { plugin: yes({ path: '/p', uid: 0, mode: 0o644 }) }, {}, ['cni-plugin fail']],
  ['a plugin that others can write', { plugin: yes({ path: '/p', uid: 0, mode: 0o777 }) }, {}, ['cni-plugin fail']],
  ['a plugin that is called and missing', { portmap: NO_PORTMAP }, {}, ['host-ports fail']],
  [
    'another that publishes host ports',
    { cniConfigs: yes([{ ...OURS, types: ['weft', 'their-own'] }]), portmap: NO_PORTMAP },
    {},
    [],
  ],
  [
    'nobody who publishes host ports',
    { cniConfigs: yes([{ ...OURS, types: ['weft'], publishes: false }]), portmap: NO_PORTMAP },
    {},
    ['host-ports warn'],
  ],
  ['a portmap that is not called', { cniConfigs: yes([{ ...OURS, publishes: false }]) }, {}, ['host-ports warn']],
  [
    'a single plugin',
    { cniConfigs: yes([{ name: '80-k8s-ovs.conf', types: ['k8s-ovs'], publishes: false }]) },
    {},
    ['host-ports warn'],
  ],
  ['a portmap before the agent', { cniConfigs: yes([]) }, {}, []],
  ['kube-proxy as well', { processes: running('kube-proxy') }, {}, ['kube-proxy warn']],
  ['no kube-proxy', {}, { cluster: { ...SAMPLE_CLUSTER, services: 'kube-proxy' } }, ['kube-proxy warn']],
  ['no BIRD where nobody asks for it', { bird: no }, {}, []],
  ['no BIRD', { bird: no }, { cluster: BGP, bgp: UP }, ['bird fail']],
  ['a BIRD that runs', {}, { cluster: BGP, bgp: UP }, []],
  ['a BIRD that does not', {}, { cluster: BGP, bgp: { ...UP, isRunning: false } }, ['bird fail']],
  ['somebody else at its port', ROUTED, { cluster: BGP, bgp: { ...UP, isRunning: false } }, ['bird fail']],
  ['its own port taken by itself', ROUTED, { cluster: BGP, bgp: UP }, []],
  ['objects that it cannot have', {}, { cluster: BGP, bgp: { ...UP, problem: 'x' } }, ['bird warn']],
  ['sessions that are down', {}, { cluster: BGP, bgp: { ...UP, down: 1 } }, ['bird warn']],
  ['no birdc', { birdc: no }, { cluster: BGP, bgp: UP }, ['birdc warn']],
  ['no birdc where nobody asks for it', { birdc: no }, {}, []],
  ['somebody else at the ports of BFD', BFD_BY('bfdd', 4784), { cluster: BGP, bgp: UP }, ['bfd-ports warn']],
  ['the ports of BFD taken by BIRD', BFD_BY('bird', 3784), { cluster: BGP, bgp: UP }, []],
  ['BIRD before the agent', {}, { cluster: BGP, agent: { state: 'none', reason: 'no' } }, ['agent warn']],
]

test.each(CASES)('%s', (_, change, expected, found) => {
  expect(complaints(change, expected)).toEqual(found)
})

test('whoever has the port of BGP is named, where it can be seen', () => {
  const down = { ...EXPECTED, cluster: BGP, bgp: { ...UP, isRunning: false } }
  const found = (facts: Partial<HostFacts>) =>
    examine(CHECKS, { ...FINE, ...facts }, down).find(({ check }) => check === 'bird')?.found
  expect(found(ROUTED)).toBe('TCP port 179 is taken by bgpd (process 9)')
  expect(found({ tcp: yes([{ port: 179, owner: 'unknown' }]) })).toBe('TCP port 179 is taken by another program')
})

test('every check complains in some case', () => {
  const named = new Set(CASES.flatMap(([, , , found]) => found.map((one) => one.split(' ')[0] ?? '')))
  expect(CHECKS.map(({ id }) => id).filter((id) => !named.has(id))).toEqual([])
})
