/**
 * The persistent form for systemd-networkd, systemd.network(5). It knows no Open vSwitch: the bridge is in the switch's own
 * database, and comes back with it; here is only what its port and the uplink are given. Pure.
 * @module
 */
import type { PlannedFile } from '../model.ts'
import type { Wish } from '../wish.ts'
import { headerOf } from './header.ts'
import type { Layer3, StartRoute } from './layer3.ts'

/** Names sort before those of installers: of several files for a link, the first one counts. */
export const networkdFiles = (bridge: string, uplink: string) =>
  ({
    port: `/etc/systemd/network/05-weft-${bridge}.network`,
    link: `/etc/systemd/network/05-weft-${bridge}.link`,
    uplink: `/etc/systemd/network/05-weft-${bridge}-${uplink}.network`,
  }) as const

export function networkdForm(wish: Wish, layer3: Layer3): readonly PlannedFile[] {
  const { bridge, uplink } = wish
  const paths = networkdFiles(bridge, uplink)
  const { addresses, dhcp4, acceptRa, routes, dns, mtu } = layer3
  const port = [
    section('Match', [['Name', bridge]]),
    section('Link', [['MTUBytes', String(mtu)]]),
    section('Network', [
      ['DHCP', dhcp4 ? 'ipv4' : 'no'],
      ['IPv6AcceptRA', acceptRa ? 'yes' : 'no'],
      ['LinkLocalAddressing', 'ipv6'],
      ...addresses.map((address) => ['Address', address] as const),
      ...dns.servers.map((server) => ['DNS', server] as const),
      ...(dns.domains.length === 0 ? [] : [['Domains', dns.domains.join(' ')] as const]),
    ]),
    // The server knows the node by the address of its card, which is now the bridge's.
    ...(dhcp4 ? [section('DHCPv4', [['ClientIdentifier', 'mac']])] : []),
    ...routes.map(routeSection),
  ]
  const quiet = [
    section('Match', [['Name', uplink]]),
    section('Link', [['RequiredForOnline', 'carrier']]),
    section('Network', [
      ['DHCP', 'no'],
      ['IPv6AcceptRA', 'no'],
      ['LinkLocalAddressing', 'no'],
    ]),
  ]
  const link = [
    section('Match', [['OriginalName', bridge]]),
    section('Link', [
      ['MACAddressPolicy', 'none'],
      ['NamePolicy', 'keep'],
    ]),
  ]
  const file = (path: string, sections: readonly string[]): PlannedFile => ({
    path,
    mode: 0o644,
    content: `${headerOf(bridge)}\n${sections.join('\n')}`,
  })
  return [file(paths.link, link), file(paths.port, port), file(paths.uplink, quiet)]
}

function routeSection({ to, via, source, table, metric, onlink }: StartRoute): string {
  return section('Route', [
    ['Destination', to],
    ...(via === undefined ? [['Scope', 'link'] as const] : [['Gateway', via] as const]),
    ...(source === undefined ? [] : [['PreferredSource', source] as const]),
    ...(table === undefined ? [] : [['Table', String(table)] as const]),
    ...(metric === undefined ? [] : [['Metric', String(metric)] as const]),
    ...(onlink ? [['GatewayOnLink', 'yes'] as const] : []),
  ])
}

function section(name: string, entries: readonly (readonly [string, string])[]): string {
  return `[${name}]\n${entries.map(([key, value]) => `${key}=${value}\n`).join('')}`
}
