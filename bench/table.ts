/**
 * The table of results, for people.
 * @module
 */
import type { Judged, Target } from './result.ts'

const HEAD = ['what', 'ours', 'peer', 'ratio', 'target', 'met']

/** Results as text in columns, with their notes below. */
export function formatTable(results: readonly Judged[]): string {
  const rows = results.map((result) => [
    result.what,
    quantity(result.ours, result.unit),
    result.peer === undefined ? '–' : quantity(result.peer, result.unit),
    result.ratio === undefined ? '–' : `${number(result.ratio)} ×`,
    result.target === undefined ? '–' : targetText(result.target, result.unit),
    result.met === undefined ? '–' : result.met ? 'yes' : 'NO',
  ])
  const widths = HEAD.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [line(HEAD), rule, ...rows.map(line)].join('\n')
}

/** The notes of results, one line each, and one for each peer with all lines that it is in. */
export function formatNotes(results: readonly Judged[]): string {
  const peers = Map.groupBy(
    results.filter(({ peerName }) => peerName !== undefined),
    ({ peerName }) => peerName,
  )
  const shared = new Map([...peers].filter(([, lines]) => lines.length > 1))
  return [
    ...[...shared].map(([peer, lines]) => `- ${lines.length} lines from “${lines[0]?.what}”: the peer is ${peer}`),
    ...results.flatMap(({ what, note, peerName }) => {
      const words = [
        ...(peerName === undefined || shared.has(peerName) ? [] : [`the peer is ${peerName}`]),
        ...(note === undefined ? [] : [note]),
      ]
      return words.length === 0 ? [] : [`- ${what}: ${words.join('; ')}`]
    }),
  ].join('\n')
}

function targetText({ of, atMost, atLeast }: Target, unit: string): string {
  const suffix = of === 'ratio' ? ' ×' : unit === '' ? '' : ` ${unit}`
  return atMost === undefined ? `≥ ${atLeast}${suffix}` : `≤ ${atMost}${suffix}`
}

function quantity(value: number, unit: string): string {
  return unit === '' ? number(value) : `${number(value)} ${unit}`
}

/** Three significant digits, and whole numbers as they are. */
function number(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en')
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2)
}
