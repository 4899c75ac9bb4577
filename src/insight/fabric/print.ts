/**
 * The fabric, for people.
 * @module
 */
import type { WayName } from '../../network/fabric/way.ts'
import type { Fabric } from '../../network/model/cluster.ts'
import { duration } from '../../text/duration.ts'
import type { Look } from '../../text/look.ts'
import { type Column, table } from '../../text/table.ts'
import { count, marked, printable, wrap } from '../../text/words.ts'
import { countWays, type FabricSession, type FabricTunnel, type FabricView, type FabricWay, isWhole } from './fabric.ts'

const COLUMNS: readonly Column[] = [
  { head: 'NODE' },
  { head: 'TO' },
  { head: 'IP' },
  { head: 'WAY', paint: paintWay },
  { head: 'VIA' },
  { head: 'MTU', align: 'right' },
  { head: 'SINCE', align: 'right' },
  { head: 'BEFORE' },
  { head: 'TUNNEL', paint: paintTunnel },
]

const SESSION_COLUMNS: readonly Column[] = [
  { head: 'NODE' },
  { head: 'BGP WITH' },
  { head: 'AS', align: 'right' },
  { head: 'STATE', paint: paintState },
  { head: 'ROUTES IN', align: 'right' },
  { head: 'OUT', align: 'right' },
  { head: 'SINCE', align: 'right' },
]

/** The lines of `weft fabric show`; `now` in seconds since the epoch. */
export function printFabric(view: FabricView, now: number, look: Look): string[] {
  const { wanted, ways, tunnels, sessions, troubles, silent } = view
  const tunnelOf = new Map(tunnels.map((tunnel) => [`${tunnel.node} ${tunnel.peer}`, tunnel]))
  return [
    ...(wanted === undefined ? [] : [...wrap(wantedLine(wanted), look.width), '']),
    ...table(
      COLUMNS,
      ways.map((way) => [...row(way, now, look), tunnelCell(tunnelOf.get(`${way.node} ${way.peer}`), now, look)]),
      look,
    ),
    ...reasons(ways, look),
    ...tunnelLines(tunnels, look),
    ...sessionLines(sessions, now, look),
    ...troubles.flatMap(({ node, problem }) => marked(`${node}: ${problem}`, look)),
    ...silent.flatMap((node) => marked(`${node}: its agent does not answer`, look)),
    '',
    summary(view, look),
  ]
}

const WANTED: { readonly [W in Fabric['way']]: string } = {
  tunnel: 'packets of pods go to other nodes in tunnels',
  direct: 'packets of pods go to other nodes by the kernels’ routes where both are on one segment',
  bgp: 'packets of pods go to other nodes by the routes that BGP told',
}

function wantedLine({ way, otherwise }: Fabric): string {
  const rest = otherwise === 'tunnel' ? 'else they take the tunnel' : 'else they are refused'
  return way === 'tunnel' ? WANTED.tunnel : `${WANTED[way]}, ${rest}`
}

function row(
  { node, peer, family, way, via, link, others = [], tunnel, mtu, since, before }: FabricWay,
  now: number,
  look: Look,
): string[] {
  const hops =
    via === undefined ? [] : [`${via} on ${link ?? '?'}`, ...others.map((hop) => `${hop.via} on ${hop.link}`)]
  const through = hops.length === 0 ? (tunnel ?? '-') : hops.join(', ')
  return [node, peer, `IPv${family}`, way, through, `${mtu ?? '-'}`, duration(now - since, look), before ?? '-']
}

/** `up, 0.8 ms`, or since when not. */
function tunnelCell(tunnel: FabricTunnel | undefined, now: number, look: Look): string {
  if (tunnel === undefined) return '-'
  const { state, since, roundTripMs, full } = tunnel
  if (state === 'asked') return 'asked'
  if (state !== 'up') return `${STATES[state]} ${duration(now - since, look)}`
  const size = full?.passes === false ? `, no ${full.bytes}` : ''
  return `up${size}${roundTripMs === undefined ? '' : `, ${milliseconds(roundTripMs)}`}`
}

const STATES = { down: 'down', never: 'silent' } as const

function milliseconds(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
}

function paintTunnel(text: string, look: Look): string {
  if (text.startsWith('up') && !text.startsWith('up, no ')) return look.good(text)
  return /^(down|silent|up)/.test(text) ? look.bad(text) : text
}

/** What is wrong with tunnels. */
function tunnelLines(tunnels: readonly FabricTunnel[], look: Look): string[] {
  return tunnels.flatMap(({ node, problem }) => (problem === undefined ? [] : marked(`${node}: ${problem}`, look)))
}

/** Sessions, and why those that are down ended last. */
function sessionLines(sessions: readonly FabricSession[], now: number, look: Look): string[] {
  if (sessions.length === 0) return []
  const rows = sessions.map(({ node, remote, address, asNumber, state, since, routes, bfd }) => [
    node,
    remote === undefined ? address : `${remote}, ${address}`,
    `${asNumber}`,
    `${printable(state)}${bfd === undefined ? '' : `, BFD ${bfd}`}`,
    `${routes?.imported ?? '-'}`,
    `${routes?.exported ?? '-'}`,
    duration(now - since, look),
  ])
  const errors = sessions.flatMap(({ node, remote, address, isUp, error }) =>
    isUp || error === undefined ? [] : [`${node}: BGP with ${remote ?? address}: ${error}`],
  )
  const told = [...new Set(errors)].flatMap((line) => marked(line, look))
  return ['', ...table(SESSION_COLUMNS, rows, look), ...told]
}

function paintState(text: string, look: Look): string {
  return text.startsWith('Established') ? look.good(text) : look.bad(text)
}

function paintWay(text: string, look: Look): string {
  return text.startsWith('none') ? look.bad(text) : text
}

/** What keeps packets from the way that is wanted, each sentence once. */
function reasons(ways: readonly FabricWay[], look: Look): string[] {
  const sentences = new Set(ways.flatMap(({ node, why }) => (why === undefined ? [] : [`${node}: ${why}`])))
  if (sentences.size === 0) return []
  return ['', ...[...sentences].flatMap((sentence) => marked(sentence, look))]
}

const SUMMED: { readonly [W in WayName]: string } = { direct: 'direct', bgp: 'by BGP', tunnel: 'tunnel', none: 'none' }

function summary(view: FabricView, look: Look): string {
  const { ways } = view
  if (ways.length === 0) return 'There is no other machine.'
  const kinds = [...countWays(ways)].map(([kind, some]) => `${some} ${SUMMED[kind]}`)
  const all = `${count(ways.length, 'way', look)}: ${kinds.join(', ')}`
  return isWhole(view) ? look.good(all) : look.warn(all)
}
