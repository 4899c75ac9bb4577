/**
 * A mesh, for people.
 * @module
 */
import { duration } from '../text/duration.ts'
import type { Look } from '../text/look.ts'
import { type Column, table } from '../text/table.ts'
import { count, marked, wrap } from '../text/words.ts'
import { isWhole, type MeshStatus } from './status.ts'

const COLUMNS: readonly Column[] = [
  { head: 'PEER' },
  { head: 'ADDRESS' },
  { head: 'CONTAINERS' },
  { head: 'WAY', paint: (text, look) => (text.startsWith('none') ? look.bad(text) : text) },
  { head: 'STATE', paint: (text, look) => (text.trim() === 'up' ? look.good(text) : look.bad(text)) },
  { head: 'MTU', align: 'right' },
  { head: 'LAST CHANGE', align: 'right' },
]

/** The lines of `weft mesh status`; `now` in seconds since the epoch. */
export function printMesh(status: MeshStatus, now: number, look: Look): string[] {
  const { host, address, source, attach, bridge, mtu, peers, problems, notes } = status
  const made = bridge === undefined ? `containers on ${attach}` : `${bridge} on ${attach}, MTU ${mtu}`
  const reasons = peers.flatMap(({ why, way }) => (why === undefined || way === 'none' ? [] : [why]))
  const up = peers.filter(({ state }) => state === 'up').length
  const all = `${count(peers.length, 'other machine', look)}, ${up} up`
  return [
    ...wrap(`${host} (${address}): ${made}; the list is ${source}`, look.width),
    '',
    ...table(
      COLUMNS,
      peers.map((peer) => [
        peer.name,
        peer.address,
        [...peer.subnets],
        peer.way,
        peer.state,
        `${peer.mtu ?? '-'}`,
        `${duration(now - peer.since, look)} ago`,
      ]),
      look,
    ),
    ...[...problems, ...reasons].flatMap((one) => marked(one, look)),
    ...notes.flatMap((one) => wrap(one, look.width)),
    '',
    isWhole(status) ? look.good(all) : look.warn(all),
  ]
}
