import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { SAMPLE_CLUSTER, sampleNode } from '../../../test/tables/sample-node.ts'
import type { Link } from '../../linux/index.ts'
import { PLAIN } from '../../text/look.ts'
import { examine } from './check.ts'
import { CHECKS } from './checks/index.ts'
import { type Expected, type HostFacts, type Read, SYSCTLS } from './facts.ts'
import { matchesGlob, parseIni } from './ini.ts'
import { cniConfigs, linkFiles, networkdConfig, networkManagerConfig, pluginFile } from './observe/files.ts'
import { observeHost } from './observe/observe.ts'
import { decodeUdpTable } from './observe/proc.ts'
import { printReport } from './print.ts'

const root = mkdtempSync(join(tmpdir(), 'weft-doctor-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

function yes<T>(value: T): Read<T> {
  return { ok: true, value }
}
const no: Read<never> = { ok: false, reason: 'permission denied' }

function link(index: number, name: string, more: Partial<Link> = {}): Link {
  const flags = { flags: 0, up: true, lowerUp: true, hardware: 1, txQueueLength: 1000, group: 0, promiscuity: 0 }
  return { index, name, mtu: 1500, operState: 6, ...flags, ...more }
}

function route(destination: string, index: number, protocol = 4) {
  const rest = { type: 'unicast', table: 254, priority: 0, scope: 'global', onlink: false, flags: 0 } as const
  return { family: 4 as const, destination, link: index, protocol, ...rest }
}

const SYSCTL_VALUES = {
  ipForward: '1',
  forwarding6: '1',
  rpFilterAll: '0',
  rpFilterGateway: '0',
  ipv6Off: '0',
  ipv6OffDefault: '0',
  neighbours4: '65536',
  neighbours6: '65536',
  connectionsMax: '262144',
  connections: '12',
} as const

/** A host on which all is well. */
const FINE: HostFacts = {
  processes: yes([{ pid: 1, name: 'systemd' }]),
  links: yes([link(2, 'eth0'), link(3, 'weft0', { kind: 'openvswitch' })]),
  addresses: yes([{ link: 2, address: '192.0.2.11/24' }]),
  routes: yes([route('0.0.0.0/0', 2), route('192.0.2.0/24', 2), route('10.128.0.0/14', 3, 77)]),
  sysctls: Object.fromEntries(
    Object.entries(SYSCTL_VALUES).map(([key, value]) => [key, yes(value)]),
  ) as HostFacts['sysctls'],
  networkd: yes([]),
  networkManager: yes([]),
  linkFiles: yes([]),
  modules: yes({ loaded: new Set(['openvswitch', 'vport_vxlan']), known: new Set<string>() }),
  ovsdb: yes({ version: '3.1.0', datapathTypes: ['netdev', 'system'], bridges: [{ name: 'br-weft', isOurs: true }] }),
  vswitchd: yes('ovs-vswitchd (Open vSwitch) 3.1.0'),
  udp: yes([{ port: 4789, owner: undefined }]),
  cniConfigs: yes([{ name: '10-weft.conflist', types: ['weft'] }]),
  plugin: yes({ path: '/opt/cni/bin/weft', uid: 0, mode: 0o755 }),
  filters: yes([]),
  legacyFilters: yes([]),
}

const EXPECTED: Expected = {
  datapath: 'system',
  cluster: SAMPLE_CLUSTER,
  tunnelPort: 4789,
  addresses: sampleNode(1).addresses,
  ranges: sampleNode(1).ranges,
  peers: 2,
  agent: { state: 'runs', ready: true, problems: [] },
}

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
const DROPS = { ...FORWARD, base: { type: 'filter', hook: 'forward', policy: 'drop' as const } }

const CASES: readonly (readonly [string, Partial<HostFacts>, Partial<Expected>, readonly string[]])[] = [
  ['all is well', {}, {}, []],
  ['an agent that waits', {}, { agent: { state: 'runs', ready: false, problems: ['x'] } }, ['agent fail']],
  ['an agent with problems', {}, { agent: { state: 'runs', ready: true, problems: ['x'] } }, ['agent warn']],
  ['no agent', {}, { agent: { state: 'none', reason: 'no' } }, ['agent warn']],
  ['no ovsdb-server', { ovsdb: no }, {}, ['ovsdb fail']],
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
  ['no nft', { filters: no }, {}, ['nft fail', 'forward-drops warn']],
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
    ['agent warn', 'forward-drops fail'],
  ],
  [
    'a configuration before ours',
    {
      cniConfigs: yes([
        { name: '05-x.conf', types: ['bridge'] },
        { name: '10-weft.conflist', types: ['weft'] },
      ]),
    },
    {},
    ['cni-config fail'],
  ],
  ['only that of others', { cniConfigs: yes([{ name: '05-x.conf', types: ['bridge'] }]) }, {}, ['cni-config warn']],
  [
    'nonsense behind ours',
    {
      cniConfigs: yes([
        { name: '10-weft.conflist', types: ['weft'] },
        { name: '99.conf', types: undefined },
      ]),
    },
    {},
    ['cni-config warn'],
  ],
  ['no plugin', { plugin: no }, {}, ['cni-plugin warn']],
  ['a plugin that cannot run', { plugin: yes({ path: '/p', uid: 0, mode: 0o644 }) }, {}, ['cni-plugin fail']],
  ['a plugin that others can write', { plugin: yes({ path: '/p', uid: 0, mode: 0o777 }) }, {}, ['cni-plugin fail']],
  ['kube-proxy as well', { processes: running('kube-proxy') }, {}, ['kube-proxy warn']],
  ['no kube-proxy', {}, { cluster: { ...SAMPLE_CLUSTER, services: 'kube-proxy' } }, ['kube-proxy warn']],
]

test.each(CASES)('%s', (_, change, expected, found) => {
  expect(complaints(change, expected)).toEqual(found)
})

test('every check complains in some case', () => {
  const named = new Set(CASES.flatMap(([, , , found]) => found.map((one) => one.split(' ')[0] ?? '')))
  expect(CHECKS.map(({ id }) => id).filter((id) => !named.has(id))).toEqual([])
})

test('whatever cannot be read is a row, and none is without advice', () => {
  const keys = Object.keys(FINE).filter((key) => key !== 'sysctls') as (keyof HostFacts)[]
  const sysctlNames = Object.keys(SYSCTLS) as (keyof typeof SYSCTLS)[]
  fc.assert(
    fc.property(fc.subarray(keys), fc.subarray(sysctlNames), fc.boolean(), (missing, off, known) => {
      const facts = {
        ...FINE,
        ...Object.fromEntries(missing.map((key) => [key, no])),
        sysctls: { ...FINE.sysctls, ...Object.fromEntries(off.map((key) => [key, no])) },
      } as HostFacts
      const rows = examine(
        CHECKS,
        facts,
        known ? EXPECTED : { ...EXPECTED, cluster: undefined, ranges: [], addresses: [] },
      )
      expect(rows.map(({ check }) => check)).toEqual(CHECKS.map(({ id }) => id))
      expect(rows.filter((row) => row.found === '' || row.found.includes('could not be judged'))).toEqual([])
      expect(rows.filter((row) => row.state !== 'ok' && row.remedy === '')).toEqual([])
    }),
    { numRuns: 60 },
  )
})

test('a check that fails itself is a row', () => {
  const broken = {
    id: 'broken',
    look: () => {
      throw new Error('ouch')
    },
  }
  expect(examine([broken], FINE, EXPECTED)).toEqual([
    expect.objectContaining({ check: 'broken', state: 'warn', found: expect.stringContaining('ouch') }),
  ])
})

test('the report: a line per check, advice, a sum', () => {
  const lines = printReport(examine(CHECKS, { ...FINE, vswitchd: no, plugin: no }, EXPECTED), PLAIN)
  expect(lines.filter((line) => line.length > 100)).toEqual([])
  expect(lines.at(-1)).toBe('22 checks: 1 failed, 1 warning')
  expect(lines.join('\n')).toContain('vswitchd: start Open vSwitch')
})

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

beforeAll(() => {
  write('etc/systemd/networkd.conf', '[Network]\n# ManageForeignRoutes=no\nManageForeignRoutes=yes\n')
  write('usr/lib/systemd/networkd.conf.d/20-b.conf', '[Network]\nManageForeignRoutes=no\n')
  write('run/systemd/networkd.conf.d/10-a.conf', '[Network]\nManageForeignRoutes=yes\n')
  write('usr/lib/systemd/network/99-default.link', '[Match]\nOriginalName=*\n[Link]\nMACAddressPolicy=persistent\n')
  write('etc/systemd/network/99-default.link', '[Match]\nOriginalName=*\n[Link]\nMACAddressPolicy=none\n')
  write('etc/NetworkManager/NetworkManager.conf', '[keyfile]\nunmanaged-devices=none\n')
  write('etc/NetworkManager/conf.d/weft.conf', '[keyfile]\nunmanaged-devices=interface-name:weft*\n')
  write('cni/20-x.conf', '{"type": "bridge"}')
  write('cni/10-weft.conflist', '{"plugins": [{"type": "weft"}, {"type": "portmap"}]}')
  write('cni/30-broken.conf', '{')
  write('cni/README', 'x')
  write('bin/weft', '#!/bin/sh\n')
})

test('files are read in the order and with the precedence of those who own them', () => {
  const routes = networkdConfig(root)
  expect(routes.ok && routes.value.flatMap(({ entries }) => entries.map(([, value]) => value))).toEqual([
    'yes',
    'yes',
    'no',
  ])
  const links = linkFiles(root)
  expect(links.ok && links.value.map(({ sections }) => sections[1]?.entries)).toEqual([[['MACAddressPolicy', 'none']]])
  const manager = networkManagerConfig(root)
  expect(manager.ok && manager.value.at(-1)?.entries).toEqual([['unmanaged-devices', 'interface-name:weft*']])
  const configs = cniConfigs(join(root, 'cni'))
  expect(configs.ok && configs.value).toEqual([
    { name: '10-weft.conflist', types: ['weft', 'portmap'] },
    { name: '20-x.conf', types: ['bridge'] },
    { name: '30-broken.conf', types: undefined },
  ])
  expect(cniConfigs(join(root, 'nowhere'))).toEqual(yes([]))
  expect(pluginFile(join(root, 'bin'))).toEqual(
    yes({ path: join(root, 'bin/weft'), uid: process.getuid?.() ?? 0, mode: 0o644 }),
  )
  expect(pluginFile(join(root, 'nowhere')).ok).toBe(false)
})

test('garbage in configuration files means nothing', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseIni(text)))
  fc.assert(fc.property(fc.string(), fc.string(), (pattern, name) => void matchesGlob(pattern, name)))
  fc.assert(fc.property(fc.string(), (text) => void decodeUdpTable(text)))
})

test('this very host can be looked at', async () => {
  const socket = await Bun.udpSocket({ port: 0, hostname: '127.0.0.1' })
  try {
    const paths = {
      ovsdb: join(root, 'no.sock'),
      ovsRunDir: root,
      cniConfDir: join(root, 'cni'),
      cniBinDir: join(root, 'bin'),
    }
    const facts = await observeHost({ ...paths, root })
    expect(facts.udp.ok && facts.udp.value.find(({ port }) => port === socket.port)?.owner).toMatchObject({
      pid: process.pid,
    })
    expect(facts.links.ok && facts.links.value.some(({ name }) => name === 'lo')).toBe(true)
    expect(facts.sysctls.ipForward.ok).toBe(true)
    expect(facts.ovsdb.ok).toBe(false)
    expect(examine(CHECKS, facts, EXPECTED)).toHaveLength(CHECKS.length)
  } finally {
    socket.close()
  }
})
