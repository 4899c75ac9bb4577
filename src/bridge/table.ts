/**
 * Bridges as a table.
 * @module
 */
import type { Look } from '../text/look.ts'
import { table } from '../text/table.ts'
import { marked } from '../text/words.ts'
import type { BridgeView } from './status.ts'

const COLUMNS = [
  { head: 'BRIDGE' },
  { head: 'UPLINK' },
  { head: 'ADDRESSES' },
  { head: 'GATEWAY' },
  { head: 'PODS', align: 'right' },
  { head: 'VLANS' },
  { head: 'MADE BY' },
  { head: 'AT START' },
] as const

/** One row per bridge, then what is wrong, a line each. */
export function bridgeTable(views: readonly BridgeView[], look: Look): readonly string[] {
  const rows = views.map(({ bridge, uplinks, addresses, gateways, pods, vlans, maker, persist }) => [
    bridge,
    list(uplinks),
    list(addresses),
    list(gateways.map(({ address, answers }) => `${address} ${answers ? 'answers' : 'is silent'}`)),
    String(pods),
    vlans.length === 0 ? '-' : ranges(vlans),
    maker,
    maker === 'weft' ? (persist.length === 0 ? 'nobody' : persist.join(', ')) : '-',
  ])
  const problems = views.flatMap(({ bridge, problems: found }) =>
    found.flatMap((problem) => marked(`${bridge}: ${problem}`, look)),
  )
  return [...table(COLUMNS, rows, look), ...problems]
}

function list(words: readonly string[]): string | string[] {
  return words.length === 0 ? '-' : [...words]
}

/** `100, 200-210` */
function ranges(sorted: readonly number[]): string {
  const found: { first: number; last: number }[] = []
  for (const vlan of sorted) {
    const run = found.at(-1)
    if (run !== undefined && vlan === run.last + 1) run.last = vlan
    else found.push({ first: vlan, last: vlan })
  }
  return found.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(', ')
}
