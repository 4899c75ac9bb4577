/**
 * The table of results, for people.
 * @module
 */
import type { Judged, Target } from './result.ts'

const HEAD = ['what', 'ours', 'peer', 'ratio', 'target', 'met']

/** Results as text in columns: lines first, then the table of those that are its cells. */
export function formatTable(results: readonly Judged[]): string {
  const lines = results.filter(({ cell }) => cell === undefined)
  const cells = results.filter(({ cell }) => cell !== undefined)
  return [...(lines.length === 0 ? [] : [lineTable(lines)]), ...(cells.length === 0 ? [] : [cellTable(cells)])].join(
    '\n\n',
  )
}

function lineTable(results: readonly Judged[]): string {
  const rows = results.map((result) => [
    result.what,
    result.ours === undefined ? '–' : quantity(result.ours, result.unit),
    result.peer === undefined ? '–' : quantity(result.peer, result.unit),
    result.ratio === undefined ? '–' : `${number(result.ratio)} ×`,
    result.target === undefined ? '–' : targetText(result.target, result.unit),
    result.met === undefined ? '–' : result.met ? 'yes' : 'NO',
  ])
  return columns(HEAD, rows)
}

/** Rows and columns in the order in which they first come. What there is none of has the number of its reason. */
function cellTable(results: readonly Judged[]): string {
  const rows = Map.groupBy(results, ({ cell }) => cell?.row ?? '')
  const names = [...new Set(results.map(({ cell }) => cell?.column ?? ''))]
  const reasons = [...new Set(results.flatMap(({ ours, note }) => (ours === undefined ? [note ?? ''] : [])))]
  const text = (one: Judged | undefined): string => {
    if (one === undefined) return '–'
    if (one.ours === undefined) return `n/a [${reasons.indexOf(one.note ?? '') + 1}]`
    const value = number(one.ours)
    return one.ratio === undefined ? value : `${value} (${number(one.ratio)} ×)`
  }
  const unitOf = (name: string) => results.find(({ cell }) => cell?.column === name)?.unit
  const table = columns(
    ['fabric', ...names.map((name) => `${name}, ${unitOf(name)}`)],
    [...rows].map(([row, own]) => [row, ...names.map((name) => text(own.find(({ cell }) => cell?.column === name)))]),
  )
  return [table, ...reasons.map((reason, i) => `[${i + 1}] ${reason}`)].join('\n')
}

function columns(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [line(head), rule, ...rows.map(line)].join('\n')
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
    ...results.flatMap(({ what, note, peerName, cell }) => {
      const words = [
        ...(peerName === undefined || shared.has(peerName) ? [] : [`the peer is ${peerName}`]),
        ...(note === undefined || cell !== undefined ? [] : [note]),
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
