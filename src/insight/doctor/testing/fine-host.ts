/**
 * A host on which all is well, for tests to take something away from.
 * @module
 */
import { SAMPLE_CLUSTER, sampleNode } from '../../../../test/tables/sample-node.ts'
import type { Link } from '../../../linux/index.ts'
import type { Expected, HostFacts, Read } from '../facts.ts'

/** A fact that could be read. */
export function yes<T>(value: T): Read<T> {
  return { ok: true, value }
}

/** One that could not. */
export const no: Read<never> = { ok: false, reason: 'permission denied' }

/** A link of the host. */
export function link(index: number, name: string, more: Partial<Link> = {}): Link {
  const flags = { flags: 0, up: true, lowerUp: true, hardware: 1, txQueueLength: 1000, group: 0, promiscuity: 0 }
  return { index, name, mtu: 1500, operState: 6, ...flags, ...more }
}

/** A route of the main table. */
export function route(destination: string, index: number, protocol = 4) {
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
export const FINE: HostFacts = {
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
  tcp: yes([{ port: 22, owner: { pid: 7, name: 'sshd' } }]),
  bird: yes('2.0.12'),
  birdc: yes('/usr/sbin/birdc'),
  cniConfigs: yes([{ name: '10-weft.conflist', types: ['weft', 'portmap'], publishes: true }]),
  plugin: yes({ path: '/opt/cni/bin/weft', uid: 0, mode: 0o755 }),
  portmap: yes({ folder: '/opt/cni/bin', isThere: true }),
  filters: yes([]),
  legacyFilters: yes([]),
}

/** What it is part of. */
export const EXPECTED: Expected = {
  datapath: 'system',
  cluster: SAMPLE_CLUSTER,
  tunnelPort: 4789,
  addresses: sampleNode(1).addresses,
  ranges: sampleNode(1).ranges,
  peers: 2,
  agent: { state: 'runs', ready: true, problems: [] },
  bgp: undefined,
}
