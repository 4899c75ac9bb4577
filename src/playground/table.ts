/**
 * Who reaches whom: what was measured beside what was expected, as text for a terminal. Pure.
 * @module
 */
import type { CheckKind, ProbeResult, Verdict } from './checks.ts'
import { fit, type Paint, widthOf } from './text.ts'

/** Order of the four marks in a cell. */
const ORDER: readonly (readonly [family: 4 | 6, protocol: 'ping' | 'tcp'])[] = [
  [4, 'ping'],
  [4, 'tcp'],
  [6, 'ping'],
  [6, 'tcp'],
]
const CELL = 5
const EXPECTED_CELL = 4
const GAP = '  │ '
/** Wrong cells that are told one by one. */
const MAX_TOLD = 20

const ROWS: readonly (readonly [kind: CheckKind, title: string])[] = [
  ['node-pod', 'its node → pod'],
  ['remote-pod', 'other node → pod'],
  ['pod-node', 'pod → its node'],
  ['pod-outside', 'pod → outside'],
]

/** The table's lines: pods by pods, then nodes and the outside, then what is wrong. */
export function drawTable(verdicts: readonly Verdict[], paint: Paint, width = 100): readonly string[] {
  const pairs = verdicts.filter(({ check }) => check.kind === 'pod-pod')
  const pods = [...new Set(verdicts.filter(({ check }) => check.place.type === 'pod').map(({ check }) => check.from))]
  return [
    `${paint.bold('Who reaches whom')}, row to column. Marks: ping and TCP over IPv4, then over IPv6; ● answered · not`,
    '',
    ...matrix(pods, pairs, paint, width),
    '',
    ...nodeRows(pods, verdicts, paint),
    '',
    ...wrongCells(verdicts, paint),
  ]
}

/** The four marks of a cell; red where they are not as expected. */
export function marks({ probes, problems }: Verdict, paint: Paint): string {
  const text = ORDER.map(([family, protocol]) =>
    mark(probes.find((p) => p.family === family && p.protocol === protocol)),
  )
  if (problems.length > 0) return paint.bold(paint.red(`${text.join('')}!`))
  return probes.some(({ reached }) => reached) ? paint.green(text.join('')) : paint.dim(text.join(''))
}

function mark(probe: ProbeResult | undefined): string {
  if (probe === undefined) return ' '
  return probe.reached ? '●' : '·'
}

function matrix(pods: readonly string[], pairs: readonly Verdict[], paint: Paint, width: number): readonly string[] {
  const label = Math.max(4, ...pods.map(widthOf)) + 4
  const perBlock = Math.max(1, Math.floor((width - label - widthOf(GAP)) / (CELL + EXPECTED_CELL + 2)))
  const find = new Map(pairs.map((verdict) => [`${verdict.check.from} ${verdict.check.to}`, verdict]))
  const blocks = Array.from({ length: Math.ceil(pods.length / perBlock) }, (_, i) => i * perBlock)
  return blocks.flatMap((first) => {
    const columns = pods.slice(first, first + perBlock)
    const numbers = columns.map((_, i) => String(first + i + 1))
    const head = [
      fit('', label) +
        fit(paint.bold('measured'), columns.length * (CELL + 1)) +
        paint.dim(GAP) +
        paint.bold('expected'),
      fit('', label) +
        numbers.map((n) => fit(n, CELL + 1)).join('') +
        paint.dim(GAP) +
        numbers.map((n) => fit(n, EXPECTED_CELL)).join(''),
    ]
    const rows = pods.map((from, i) => {
      const cells = columns.map((to) => find.get(`${from} ${to}`))
      const measured = cells.map((cell) => fit(cell === undefined ? paint.dim('—') : marks(cell, paint), CELL + 1))
      const expected = cells.map((cell) =>
        fit(cell === undefined ? paint.dim('—') : wanted(cell, paint), EXPECTED_CELL),
      )
      return `${fit(`${String(i + 1).padStart(2)} ${from}`, label)}${measured.join('')}${paint.dim(GAP)}${expected.join('')}`.trimEnd()
    })
    return [...head.map((line) => line.trimEnd()), ...rows, ...(first + perBlock < pods.length ? [''] : [])]
  })
}

function wanted({ check }: Verdict, paint: Paint): string {
  return check.expected ? paint.green('yes') : paint.dim('no')
}

function nodeRows(pods: readonly string[], verdicts: readonly Verdict[], paint: Paint): readonly string[] {
  const label = Math.max(4, ...pods.map(widthOf)) + 4
  const kinds = ROWS.filter(([kind]) => verdicts.some(({ check }) => check.kind === kind))
  const head =
    fit('', label) + kinds.map(([, title]) => fit(paint.bold(title), 18)).join('') + paint.dim('outside sees')
  const rows = pods.map((pod, i) => {
    const cells = kinds.map(([kind]) => verdicts.find((v) => v.check.kind === kind && subject(v) === pod))
    const outside = verdicts.find((v) => v.check.kind === 'pod-outside' && v.check.from === pod)
    const seen = (outside?.probes ?? []).flatMap(({ client }) => (client === undefined ? [] : [client]))
    const measured = cells.map((cell) => fit(cell === undefined ? '' : marks(cell, paint), 18)).join('')
    return `${fit(`${String(i + 1).padStart(2)} ${pod}`, label)}${measured}${paint.dim(seen.join(' '))}`.trimEnd()
  })
  return [head, ...rows, paint.dim(`   all expected; inside the cluster a pod is seen by its own address`)]
}

/** The pod that a row is about. */
function subject({ check }: Verdict): string {
  return check.place.type === 'pod' ? check.from : check.to
}

function wrongCells(verdicts: readonly Verdict[], paint: Paint): readonly string[] {
  const wrong = verdicts.filter(({ problems }) => problems.length > 0)
  if (wrong.length === 0)
    return [paint.green(`Everything as expected: ${verdicts.length} pairs, all of them measured.`)]
  const told = wrong.flatMap(({ problems }) => problems)
  return [
    paint.bold(paint.red(`WRONG: ${wrong.length} of ${verdicts.length} pairs are not as expected.`)),
    ...told.slice(0, MAX_TOLD).map((problem) => paint.red(`  ${problem}`)),
    ...(told.length > MAX_TOLD ? [paint.red(`  … and ${told.length - MAX_TOLD} more`)] : []),
  ]
}
