/**
 * Who reaches whom: what was measured beside what was expected, as text for a terminal. Pure.
 * @module
 */
import type { Look } from '../text/look.ts'
import { fit, widthOf } from '../text/width.ts'
import { wrap, wrapWords } from '../text/words.ts'
import type { CheckKind, ProbeResult, Verdict } from './checks.ts'

/** Order of the four marks in a cell. */
const ORDER: readonly (readonly [family: 4 | 6, protocol: 'ping' | 'tcp'])[] = [
  [4, 'ping'],
  [4, 'tcp'],
  [6, 'ping'],
  [6, 'tcp'],
]
const TITLE = 'Who reaches whom'
const LEGEND = `${TITLE}, row to column. Marks: ping and TCP over IPv4, then over IPv6; ● answered · not`
const CELL = 5
const EXPECTED_CELL = 4
const GAP = '  │ '
const MEASURED = 'measured'
/** Said where something is wrong: perhaps a policy wants it so. */
const BY_TENANTS = 'Expected is what tenants allow. What policies deny is told by weft explain <from> <to>.'
/** Wrong cells that are told one by one. */
const MAX_TOLD = 20

/** Columns of the lower table, each with a head of two lines. */
const ROWS: readonly (readonly [kind: CheckKind, above: string, below: string])[] = [
  ['node-pod', 'its node', '→ pod'],
  ['remote-pod', 'other node', '→ pod'],
  ['pod-node', 'pod →', 'its node'],
  ['pod-outside', 'pod →', 'outside'],
]

/** The table's lines: pods by pods, then nodes and the outside, then what is wrong. */
export function drawTable(verdicts: readonly Verdict[], look: Look): readonly string[] {
  const pairs = verdicts.filter(({ check }) => check.kind === 'pod-pod')
  const pods = [...new Set(verdicts.filter(({ check }) => check.place.type === 'pod').map(({ check }) => check.from))]
  return [
    ...wrap(LEGEND, look.width).map((line, i) => (i === 0 ? line.replace(TITLE, look.title(TITLE)) : line)),
    '',
    ...matrix(pods, pairs, look),
    '',
    ...nodeRows(pods, verdicts, look),
    '',
    ...wrongCells(verdicts, look),
  ]
}

/** The four marks of a cell; red where they are not as expected. */
export function marks({ probes, problems }: Verdict, look: Look): string {
  const text = ORDER.map(([family, protocol]) =>
    mark(probes.find((p) => p.family === family && p.protocol === protocol)),
  )
  if (problems.length > 0) return look.bad(look.title(`${text.join('')}!`))
  return probes.some(({ reached }) => reached) ? look.good(text.join('')) : look.quiet(text.join(''))
}

function mark(probe: ProbeResult | undefined): string {
  if (probe === undefined) return ' '
  return probe.reached ? '●' : '·'
}

function matrix(pods: readonly string[], pairs: readonly Verdict[], look: Look): readonly string[] {
  const label = Math.max(4, ...pods.map(widthOf)) + 4
  const perBlock = Math.max(1, Math.floor((look.width - label - widthOf(GAP)) / (CELL + EXPECTED_CELL + 2)))
  const find = new Map(pairs.map((verdict) => [`${verdict.check.from} ${verdict.check.to}`, verdict]))
  const blocks = Array.from({ length: Math.ceil(pods.length / perBlock) }, (_, i) => i * perBlock)
  return blocks.flatMap((first) => {
    const columns = pods.slice(first, first + perBlock)
    const width = Math.max(widthOf(MEASURED) + 1, columns.length * (CELL + 1))
    const numbers = columns.map((_, i) => String(first + i + 1))
    const head = [
      fit('', label) + fit(look.title(MEASURED), width) + look.quiet(GAP) + look.title('expected'),
      fit('', label) +
        fit(numbers.map((n) => fit(n, CELL + 1)).join(''), width) +
        look.quiet(GAP) +
        numbers.map((n) => fit(n, EXPECTED_CELL)).join(''),
    ]
    const rows = pods.map((from, i) => {
      const cells = columns.map((to) => find.get(`${from} ${to}`))
      const measured = cells.map((cell) => fit(cell === undefined ? look.quiet('—') : marks(cell, look), CELL + 1))
      const expected = cells.map((cell) =>
        fit(cell === undefined ? look.quiet('—') : wanted(cell, look), EXPECTED_CELL),
      )
      return `${fit(`${String(i + 1).padStart(2)} ${from}`, label)}${fit(measured.join(''), width)}${look.quiet(GAP)}${expected.join('')}`.trimEnd()
    })
    return [...head.map((line) => line.trimEnd()), ...rows, ...(first + perBlock < pods.length ? [''] : [])]
  })
}

function wanted({ check }: Verdict, look: Look): string {
  return check.expected ? look.good('yes') : look.quiet('no')
}

function nodeRows(pods: readonly string[], verdicts: readonly Verdict[], look: Look): readonly string[] {
  const label = Math.max(4, ...pods.map(widthOf)) + 4
  const kinds = ROWS.filter(([kind]) => verdicts.some(({ check }) => check.kind === kind))
  const widths = kinds.map(([, above, below]) => Math.max(widthOf(above), widthOf(below)) + 2)
  const left = look.width - label - widths.reduce((sum, width) => sum + width, 0)
  const headOf = (line: 1 | 2): string =>
    fit('', label) + kinds.map((kind, i) => fit(look.title(kind[line]), widths[i] ?? 0)).join('')
  const rows = pods.map((pod, i) => {
    const cells = kinds.map(([kind]) => verdicts.find((v) => v.check.kind === kind && subject(v) === pod))
    const measured = cells.map((cell, at) => fit(cell === undefined ? '' : marks(cell, look), widths[at] ?? 0)).join('')
    return {
      start: `${fit(`${String(i + 1).padStart(2)} ${pod}`, label)}${measured}`,
      seen: seenOutside(verdicts, pod),
    }
  })
  const fits = rows.every(({ seen }) => widthOf(seen.join(' ')) <= left)
  const note = wrap('all of these are expected; inside the cluster a pod is seen by its own address', look.width - 3)
  return [
    headOf(1).trimEnd(),
    fits ? headOf(2) + look.quiet('outside sees') : headOf(2).trimEnd(),
    ...rows.map(({ start, seen }) => (fits ? `${start}${look.quiet(seen.join(' '))}` : start).trimEnd()),
    ...(fits ? [] : ['', look.title('outside sees'), ...rows.flatMap(({ seen }, i) => seenLines(i, pods, seen, look))]),
    ...note.map((line) => look.quiet(`   ${line}`)),
  ]
}

function seenOutside(verdicts: readonly Verdict[], pod: string): readonly string[] {
  const outside = verdicts.find((v) => v.check.kind === 'pod-outside' && v.check.from === pod)
  return (outside?.probes ?? []).flatMap(({ client }) => (client === undefined ? [] : [client]))
}

function seenLines(row: number, pods: readonly string[], seen: readonly string[], look: Look): readonly string[] {
  const label = Math.max(4, ...pods.map(widthOf)) + 4
  return wrapWords(seen, look.width - label).map((line, i) => {
    const name = i === 0 ? `${String(row + 1).padStart(2)} ${pods[row] ?? ''}` : ''
    return `${fit(name, label)}${look.quiet(line)}`
  })
}

/** The pod that a row is about. */
function subject({ check }: Verdict): string {
  return check.place.type === 'pod' ? check.from : check.to
}

function wrongCells(verdicts: readonly Verdict[], look: Look): readonly string[] {
  const wrong = verdicts.filter(({ problems }) => problems.length > 0)
  const pairs = verdicts.filter(({ check }) => check.kind === 'pod-pod').length
  const all = `${pairs} pairs and ${verdicts.length - pairs} others`
  if (wrong.length === 0) {
    return wrap(`Everything as expected: ${all}, all of them measured.`, look.width).map(look.good)
  }
  const told = wrong.flatMap(({ problems }) => problems)
  const lines = told.slice(0, MAX_TOLD).flatMap((problem) => wrap(problem, look.width - 2))
  return [
    look.title(look.bad(`WRONG: ${wrong.length} of ${all} are not as expected.`)),
    ...wrap(BY_TENANTS, look.width),
    ...lines.map((line) => look.bad(`  ${line}`)),
    ...(told.length > MAX_TOLD ? [look.bad(`  … and ${told.length - MAX_TOLD} more`)] : []),
  ]
}
