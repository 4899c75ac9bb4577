/**
 * The persistent form for NetworkManager: keyfiles (nm-settings-keyfile(5)) of the connections that people make with nmcli
 * for a bridge, its own port, and the uplink; and what NetworkManager has to leave alone. Pure.
 * @module
 */
import { createHash } from 'node:crypto'
import { type Change, IDS, OWNER, type PlannedFile } from '../model.ts'
import type { Wish } from '../wish.ts'
import { headerOf } from './header.ts'
import type { Layer3, StartRoute } from './layer3.ts'

const CONNECTIONS = '/etc/NetworkManager/system-connections'
export const UNMANAGED_FILE = '/etc/NetworkManager/conf.d/weft.conf'

/** Names of connections and of their files, as the quick start has them. */
const connectionNames = (bridge: string, uplink: string) =>
  ({
    bridge,
    port: `${bridge}-port`,
    interface: `${bridge}-int`,
    uplinkPort: `ovs-port-${uplink}`,
    uplink: `ovs-port-${uplink}-int`,
  }) as const

export const networkManagerFiles = (bridge: string, uplink: string): readonly string[] => [
  ...Object.values(connectionNames(bridge, uplink)).map((name) => `${CONNECTIONS}/${name}.nmconnection`),
  unmanagedFile(bridge),
]

/** What is left alone because of one bridge. It adds to the list of `weft.conf`, and so has to be read behind it. */
const unmanagedFile = (bridge: string): string => `/etc/NetworkManager/conf.d/weft_${bridge}.conf`

/** Universally unique identifiers of the connections: NetworkManager knows rows of the switch by them. */
export function connectionUuids(token: string) {
  const of = (what: string): string => {
    const hex = createHash('sha1').update(`${token}/${what}`).digest('hex')
    // RFC 9562 section 5.5: version 5, variant 10.
    const parts = [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `5${hex.slice(13, 16)}`,
      `a${hex.slice(17, 20)}`,
      hex.slice(20, 32),
    ]
    return parts.join('-')
  }
  return {
    bridge: of('bridge'),
    port: of('port'),
    interface: of('interface'),
    uplinkPort: of('uplink-port'),
    uplink: of('uplink'),
  }
}

export function networkManagerForm(
  wish: Wish,
  layer3: Layer3,
  token: string,
  ridersThere: readonly string[],
): readonly PlannedFile[] {
  const { bridge, uplink } = wish
  const names = connectionNames(bridge, uplink)
  const uuids = connectionUuids(token)
  const ids: readonly Entry[] = [
    [`data.${IDS.owner}`, OWNER],
    [`data.${IDS.uplink}`, uplink],
    [`data.${IDS.token}`, token],
    [`data.${IDS.state}`, 'moved'],
    [`data.${IDS.persist}`, 'networkmanager'],
  ]
  const connection = (what: keyof typeof uuids, type: string, link: string, more: readonly Entry[] = []): string =>
    section('connection', [
      ['id', names[what]],
      ['uuid', uuids[what]],
      ['type', type],
      ['interface-name', link],
      ...more,
    ])
  const slave = (master: string, type: string): readonly Entry[] => [
    ['master', master],
    ['slave-type', type],
  ]
  const files: Readonly<Record<keyof typeof names, readonly string[]>> = {
    bridge: [
      connection('bridge', 'ovs-bridge', bridge),
      section('ovs-bridge', [
        ['fail-mode', 'standalone'],
        ...(wish.datapathType === 'netdev' ? [['datapath-type', 'netdev'] as const] : []),
      ]),
      section('ovs-external-ids', ids),
    ],
    port: [connection('port', 'ovs-port', bridge, slave(uuids.bridge, 'ovs-bridge')), section('ovs-port', [])],
    interface: [
      connection('interface', 'ovs-interface', bridge, slave(uuids.port, 'ovs-port')),
      section('ethernet', [['cloned-mac-address', layer3.mac.toUpperCase()], ...mtuOf(layer3)]),
      section('ovs-interface', [['type', 'internal']]),
      ...families(layer3),
    ],
    uplinkPort: [
      connection('uplinkPort', 'ovs-port', names.uplinkPort.slice(0, LINK_NAME_MAX), slave(uuids.bridge, 'ovs-bridge')),
      section('ovs-port', trunks(wish)),
    ],
    uplink: [
      // It wins over the connection that the card had.
      connection('uplink', 'ethernet', uplink, [
        ...slave(uuids.uplinkPort, 'ovs-port'),
        ['autoconnect-priority', '999'],
      ]),
      section('ethernet', mtuOf(layer3)),
    ],
  }
  const keyfiles = Object.entries(files).map(([what, sections]): PlannedFile => {
    const name = names[what as keyof typeof names]
    return {
      path: `${CONNECTIONS}/${name}.nmconnection`,
      mode: 0o600,
      content: `${headerOf(bridge)}\n${sections.join('\n')}`,
    }
  })
  const except = ridersThere.map((rider) => `;except:interface-name:${rider}`).join('')
  return [
    ...keyfiles,
    {
      path: unmanagedFile(bridge),
      mode: 0o644,
      content: `${headerOf(bridge)}\n[keyfile]\nunmanaged-devices+=interface-name:${uplink}.*${except}\n`,
    },
  ]
}

/** What pods have on every node: it belongs to no bridge, and stays when one goes. */
export const UNMANAGED: PlannedFile = {
  path: UNMANAGED_FILE,
  mode: 0o644,
  content:
    // Added: the site's own list stays.
    '# Written by `weft bridge create`: links of pods, which NetworkManager has to leave alone.\n\n' +
    '[keyfile]\nunmanaged-devices+=interface-name:veth*;interface-name:weft*;interface-name:br-weft;interface-name:ovs-system\n',
}

/**
 * NetworkManager removes rows that bear the mark of a connection when it starts, and makes them anew; others it takes for
 * somebody else's, and cannot make its own of the same name (nm-ovsdb.c).
 */
export function networkManagerRows({ bridge, uplink }: Wish, token: string): readonly Change[] {
  const uuids = connectionUuids(token)
  const marked = (table: 'Bridge' | 'Port' | 'Interface', name: string, uuid: string): Change => ({
    do: 'ids',
    table,
    name,
    ids: { 'NM.connection.uuid': uuid },
  })
  return [
    marked('Bridge', bridge, uuids.bridge),
    marked('Port', bridge, uuids.port),
    marked('Interface', bridge, uuids.interface),
    marked('Port', uplink, uuids.uplinkPort),
    marked('Interface', uplink, uuids.uplink),
  ]
}

type Entry = readonly [string, string]

const LINK_NAME_MAX = 15
const STANDARD_MTU = 1500

function mtuOf({ mtu }: Layer3): readonly Entry[] {
  return mtu === STANDARD_MTU ? [] : [['mtu', String(mtu)]]
}

function trunks(wish: Wish): readonly Entry[] {
  return wish.trunks.length === 0 ? [] : [['trunks', ['0', ...wish.trunks.map(String)].join(',')]]
}

function families(layer3: Layer3): readonly string[] {
  const of = (family: 4 | 6, method: string): string => {
    const isOf = (text: string): boolean => text.includes(':') === (family === 6)
    const addresses = layer3.addresses.filter(isOf)
    const servers = layer3.dns.servers.filter(isOf)
    const domains = family === 4 || layer3.dns.servers.every((one) => one.includes(':')) ? layer3.dns.domains : []
    const routes = layer3.routes.filter(({ to }) => isOf(to))
    return section(family === 4 ? 'ipv4' : 'ipv6', [
      ['method', method],
      ...addresses.map((address, i): Entry => [`address${i + 1}`, address]),
      ...routes.flatMap((route, i) => routeEntries(route, i + 1, family)),
      ...(servers.length === 0 ? [] : [['dns', `${servers.join(';')};`] as const]),
      ...(domains.length === 0 || method === 'disabled' ? [] : [['dns-search', `${domains.join(';')};`] as const]),
    ])
  }
  const has = (family: 4 | 6): boolean => layer3.addresses.some((one) => one.includes(':') === (family === 6))
  return [
    of(4, layer3.dhcp4 ? 'auto' : has(4) ? 'manual' : 'disabled'),
    of(6, layer3.acceptRa ? 'auto' : has(6) ? 'manual' : 'link-local'),
  ]
}

function routeEntries(
  { to, via, source, table, metric, onlink }: StartRoute,
  number: number,
  family: 4 | 6,
): readonly Entry[] {
  const unspecified = family === 4 ? '0.0.0.0' : '::'
  const options = [
    ...(onlink ? ['onlink=true'] : []),
    ...(source === undefined ? [] : [`src=${source}`]),
    ...(table === undefined ? [] : [`table=${table}`]),
  ]
  return [
    [`route${number}`, [to, via ?? unspecified, ...(metric === undefined ? [] : [String(metric)])].join(',')],
    ...(options.length === 0 ? [] : [[`route${number}_options`, options.join(',')] as const]),
  ]
}

function section(name: string, entries: readonly Entry[]): string {
  return `[${name}]\n${entries.map(([key, value]) => `${key}=${value}\n`).join('')}`
}
