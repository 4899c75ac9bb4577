/**
 * Sessions as protocols of BIRD.
 *
 * Every node marks its sessions with nodes of its AS as those of a reflector's clients; whether it reflects anything is up to
 * its filter. So a node becomes a reflector, and none again, while its sessions last: BIRD would end them otherwise.
 * @module
 */
import type { Family, Ip } from '../../model/address.ts'
import { exportFilter, importFilter } from './announce.ts'
import { routerIdOf } from './identity.ts'
import type { BgpCluster, BgpNode } from './model.ts'
import { type BgpSession, isInternal } from './session.ts'
import { addressText, asNumber, description, indented, symbolsFor, whole } from './text.ts'

/** What all sessions of a family have in common. */
export function templateText(cluster: BgpCluster, self: BgpNode, own: Ip, family: Family): string {
  return `template bgp weft_peer${family} {
  local ${addressText(own)} port ${port(cluster.port)} as ${asNumber(self.asNumber ?? cluster.asNumber)};
${cluster.isStrictlyBound ? '  strict bind on;\n' : ''}  graceful restart on;
  hold time ${HOLD};
  connect delay time 1;
  connect retry time 5;
  error wait time 2, 30;
  error forget time 60;
}
`
}

/** Symbols of filters by their bodies. */
export type FilterSymbols = ReadonlyMap<string, string>

/**
 * The filters of all sessions, each once: most have the same, and BIRD takes the square of their number to read filters that stand
 * in the sessions. A filter's symbol comes from its body, so that it stays while others come and go.
 */
export function sessionFilters(
  cluster: BgpCluster,
  sessions: readonly BgpSession[],
): { readonly symbols: FilterSymbols; readonly text: string } {
  const bodies = sessions.flatMap((session) => [importBody(cluster, session), exportBody(cluster, session)])
  const symbols = symbolsFor('session', bodies)
  return { symbols, text: [...symbols].map(([body, symbol]) => `filter ${symbol} {\n${body}}\n`).join('') }
}

function importBody(cluster: BgpCluster, session: BgpSession): string {
  return indented(importFilter(cluster, session))
}

function exportBody(cluster: BgpCluster, session: BgpSession): string {
  return indented(exportFilter(cluster, session))
}

/** One session, whose filters are among `filters`. `password`: the symbol that stands for it. */
export function sessionText(
  cluster: BgpCluster,
  self: BgpNode,
  session: BgpSession,
  filters: FilterSymbols,
  password: string | undefined,
): string {
  const { name, family, local, remote } = session
  const source = local.address === undefined ? '' : ` ${addressText(local.address)}`
  const there = `${addressText(remote.address)} port ${port(remote.port ?? STANDARD_PORT)}`
  return `protocol bgp ${name} from weft_peer${family} {
${indented([
  ...description(session.node),
  `local${source} port ${port(cluster.port)} as ${asNumber(local.asNumber)};`,
  `neighbor ${there} as ${asNumber(remote.asNumber)};`,
  ...options(self, session),
  ...(password === undefined ? [] : [`password ${password};`]),
])}  ipv${family} {
${indented(channel(cluster, session, filters))}  };
}
`
}

/** In seconds: a peer that says nothing for so long is away. */
const HOLD = 90
const STANDARD_PORT = 179

function options(self: BgpNode, session: BgpSession): readonly string[] {
  const { keepalive, restart, bfd, ttlSecurity, allowedLocalAs, isPassive } = session
  const hasHops = ttlSecurity !== undefined
  return [
    ...(hasHops ? [`multihop ${whole(ttlSecurity, 1, 255)};`, 'ttl security on;'] : [distance(session)]),
    ...(isPassive ? ['passive on;'] : []),
    ...(keepalive === undefined ? [] : timers(keepalive)),
    ...(restart === undefined ? [] : [`graceful restart time ${whole(restart, 0, 4095)};`]),
    ...(bfd ? ['bfd on;'] : []),
    ...(allowedLocalAs === undefined ? [] : [`allow local as ${whole(allowedLocalAs, 0, 255)};`]),
    ...(session.kind === 'node' && isInternal(session) ? reflection(self) : []),
  ]
}

function reflection(self: BgpNode): readonly string[] {
  const { clusterId } = self
  const isUsual = clusterId === undefined || clusterId === routerIdOf(self)
  return ['rr client;', ...(isUsual ? [] : [`rr cluster id ${addressText(clusterId)};`])]
}

/** Without a router between them, two ends watch each other as neighbours; next hops are found alike either way. */
function distance({ isConnected, kind }: BgpSession): string {
  return isConnected && kind === 'external' ? 'direct;' : 'multihop;'
}

function timers(keepalive: number): readonly string[] {
  return [`keepalive time ${whole(keepalive, 1, 21_845)};`, `hold time ${Math.max(3, 3 * keepalive)};`]
}

function channel(cluster: BgpCluster, session: BgpSession, filters: FilterSymbols): readonly string[] {
  const { kind, nextHop } = session
  // Without a filter of its own nothing passes.
  const called = (body: string): string => {
    const symbol = filters.get(body)
    return symbol === undefined ? 'none' : `filter ${symbol}`
  }
  return [
    ...(kind === 'node' ? ['gateway recursive;', 'add paths on;'] : []),
    ...(nextHop === 'auto' ? [] : [`next hop ${nextHop};`]),
    `import ${called(importBody(cluster, session))};`,
    `export ${called(exportBody(cluster, session))};`,
  ]
}

function port(number: number): string {
  return whole(number, 1, 65_535)
}
