import type { Command } from 'commander'
import { audit, lasting } from '../../insight/audit/audit.ts'
import { FINDINGS, type Finding } from '../../insight/audit/findings.ts'
import { printAudit, printPlan, printResults } from '../../insight/audit/print.ts'
import { describeStep, type NodeRepair, type RepairResult, repairPlan } from '../../insight/audit/repair.ts'
import type { Gathered } from '../../insight/gather/gather.ts'
import { EXIT } from '../exit-codes.ts'
import { asTypedFor, type InsightOptions, lookAt, printJson, printLines, withInsightOptions } from '../insight.ts'
import { outputLook } from '../look.ts'

interface Options extends InsightOptions {
  readonly repair?: boolean
}

/** `weft audit`: whether everything that should agree does. */
export function registerAudit(program: Command): void {
  withInsightOptions(
    program
      .command('audit')
      .summary('compare leases, ports, links, flows, addresses and the registry')
      .description(
        'Compares what should agree: leases with ports and links, flows of the plan with those in the switch, addresses ' +
          'with ranges, attachments with the registry’s pods. What differs is looked at a second time before it is told.',
      )
      .option('--repair', 'show a plan, then put right what is recognisably Weft’s'),
  )
    .addHelpText('after', HELP)
    .action(runAudit)
}

const HELP = `
Exit codes: 0 no difference, 1 differences (with --repair: that are left),
3 no agent answers.

Examples:
  weft audit
  weft audit --json | jq -r '.findings[] | [.code, .node, .object] | @tsv'
  weft audit --repair`

/** Between two looks, in milliseconds: longer than an ADD takes. */
const SETTLE = 1000

interface Looked {
  readonly gathered: Gathered
  readonly findings: readonly Finding[]
}

interface Repaired {
  readonly repair: NodeRepair
  readonly results: readonly RepairResult[]
}

async function runAudit(options: Options): Promise<void> {
  const found = await lookTwice(options)
  const plan = repairPlan(found.findings)
  const say = options.json === true ? () => undefined : printLines
  const look = outputLook()
  say(printAudit(found.gathered.view, found.findings, look, { asTyped: asTypedFor(options) }))
  if (options.repair !== true || found.findings.length === 0) {
    if (options.json === true) printJson(asJson(found, plan))
    process.exitCode = found.findings.length === 0 ? EXIT.ok : EXIT.failed
    return
  }
  say(['', ...printPlan(plan, look), ''])
  const repaired = await repairAll(found.gathered, plan)
  for (const { repair, results } of repaired) say(printResults(repair, results, look))
  const left = await lookTwice(options)
  say(['', ...printAudit(left.gathered.view, left.findings, look, { repaired: true })])
  if (options.json === true)
    printJson({ ...asJson(found, plan), repaired: repaired.map(resultsAsJson), left: left.findings })
  process.exitCode = left.findings.length === 0 ? EXIT.ok : EXIT.failed
}

async function lookTwice(options: Options): Promise<Looked> {
  const first = await lookAt(options)
  const earlier = audit(first.view)
  if (earlier.length === 0) return { gathered: first, findings: [] }
  await new Promise((resolve) => setTimeout(resolve, SETTLE))
  const second = await lookAt(options)
  return { gathered: second, findings: lasting(earlier, audit(second.view)) }
}

function repairAll({ agents }: Gathered, plan: readonly NodeRepair[]): Promise<Repaired[]> {
  return Promise.all(
    plan.map(async (repair) => {
      const client = agents.get(repair.node)
      try {
        const answer = await client?.repair(repair.steps)
        return { repair, results: answer?.results ?? [] }
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        return { repair, results: repair.steps.map(() => ({ done: false, message })) }
      }
    }),
  )
}

function asJson({ findings }: Looked, plan: readonly NodeRepair[]) {
  return { clean: findings.length === 0, findings: findings.map((one) => ({ ...one, ...FINDINGS[one.code] })), plan }
}

function resultsAsJson({ repair: { node, steps }, results }: Repaired) {
  return { node, steps: steps.map((step, i) => ({ step, what: describeStep(step), ...results[i] })) }
}
