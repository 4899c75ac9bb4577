/**
 * An audit for people.
 * @module
 */
import type { Look } from '../../text/look.ts'
import { count, marked, printable, wrap } from '../../text/words.ts'
import type { ClusterView } from '../view.ts'
import { FINDINGS, type Finding, type FindingCode } from './findings.ts'
import { describeStep, type NodeRepair, type RepairResult } from './repair.ts'

/** How an audit is printed. */
export interface AuditPrintOptions {
  /** These are what a repair left: it is not advised again. */
  readonly repaired?: boolean
  /** Rewrites a command as people have to type it. */
  readonly asTyped?: (text: string) => string
  /** What else was compared: `[12, 'Neutron port']`. */
  readonly compared?: readonly (readonly [number, string])[]
  /** What was not looked at, a sentence each. */
  readonly notes?: readonly string[]
}

const same = (text: string): string => text

/** The lines of `weft audit`: differences by kind, each kind with its meaning, and one line to end with. */
export function printAudit(
  view: ClusterView,
  findings: readonly Finding[],
  look: Look,
  { repaired = false, asTyped = same, compared = [], notes = [] }: AuditPrintOptions = {},
): string[] {
  const line = comparedLine(view, compared, look)
  const unseen = notes.flatMap((note) => marked(note, look))
  if (findings.length === 0) return [...unseen, look.good(`✔ ${line}: no difference`)]
  const codes = [...new Set(findings.map(({ code }) => code))]
  const repairable = findings.filter(({ step }) => step !== undefined).length
  return [
    ...codes.flatMap((code) => [...kindLines(code, findings, look), '']),
    ...unseen,
    look.bad(`✘ ${line}: ${count(findings.length, 'difference', look)}${repaired ? ' left' : ''}`),
    ...(repairable === 0 || repaired
      ? []
      : [`  ${asTyped('weft audit --repair')} can try to put ${repairable} of them right`]),
  ]
}

/** The lines of a repair's plan. */
export function printPlan(plan: readonly NodeRepair[], look: Look): string[] {
  if (plan.length === 0) return ['There is nothing that --repair could do.']
  return [
    look.title('The plan:'),
    ...plan.flatMap(({ node, steps }) =>
      steps.map((step, i) => `  ${node} ${i + 1}. ${printable(describeStep(step))}`),
    ),
  ]
}

/** The lines of what became of a node's part. */
export function printResults({ node, steps }: NodeRepair, results: readonly RepairResult[], look: Look): string[] {
  return steps.flatMap((step, i) => {
    const result = results[i] ?? { done: false, message: 'the agent gave no answer to this step' }
    const line = printable(`${node}: ${describeStep(step)}: ${result.message}`)
    const mark = result.done ? look.good('✔') : look.bad('✘')
    return wrap(line, look.width - 4).map((text, at) => `  ${at === 0 ? mark : ' '} ${text}`)
  })
}

function comparedLine(
  { nodes, registry }: ClusterView,
  compared: readonly (readonly [number, string])[],
  look: Look,
): string {
  const pods = nodes.reduce((sum, { leases, underlay }) => sum + leases.length + underlay.length, 0)
  const tables = nodes.flatMap(({ installed, wires }) => [installed, ...wires.map((wire) => wire.installed)])
  const flows = tables.reduce((sum, { length }) => sum + length, 0)
  const against = registry === undefined && nodes.length > 0 ? ' (without the registry)' : ''
  const here = [
    [nodes.length, 'node'],
    [pods, 'attachment'],
    [flows, 'flow'],
  ] as const
  const all = [...(nodes.length === 0 && compared.length > 0 ? [] : here), ...compared]
  return `${all.map(([n, what]) => count(n, what, look)).join(', ')} compared${against}`
}

function kindLines(code: FindingCode, findings: readonly Finding[], look: Look): string[] {
  const { means, repair } = FINDINGS[code]
  return [
    look.title(code),
    ...wrap(means, look.width - 2).map((line) => `  ${line}`),
    ...findings.filter((finding) => finding.code === code).flatMap((finding) => findingLines(finding, look)),
    ...wrap(`→ ${repair.startsWith('--') ? repair : `--repair ${repair}`}`, look.width - 2).map((line) =>
      look.quiet(`  ${line}`),
    ),
  ]
}

function findingLines({ node, object, detail }: Finding, look: Look): string[] {
  // What is no node's is told as `-` in JSON.
  const where = node === '-' ? '' : `${node}: `
  const text = wrap(printable(`${where}${object}: ${detail}`).replaceAll(/,(?=\S)/g, ', '), look.width - 6)
  return text.map((line, i) => `    ${i === 0 ? '- ' : '  '}${line}`)
}
