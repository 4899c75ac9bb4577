import type { Command } from 'commander'
import { lasting } from '../../insight/audit/audit.ts'
import { FINDINGS } from '../../insight/audit/findings.ts'
import { printAudit, printPlan, printResults } from '../../insight/audit/print.ts'
import { describeStep, type NodeRepair, type RepairResult, repairPlan } from '../../insight/audit/repair.ts'
import type { Gathered } from '../../insight/gather/gather.ts'
import { type AuditLook, type AuditOptions, lookOnce } from '../audit/look.ts'
import { EXIT } from '../exit-codes.ts'
import { asTypedFor, printJson, printLines, withInsightOptions } from '../insight.ts'
import { outputLook } from '../look.ts'

interface Options extends AuditOptions {
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
          'with ranges, attachments with the registry’s pods; ports, trunks and address pairs in Neutron with what is written ' +
          'down, where credentials are given; rows in OVN, with --ovn-nb. Only what carries this cluster’s tags or name is ' +
          'compared there. What differs is looked at a second time before it is told.',
      )
      .option(
        '--openstack-cloud <name>',
        'the cloud that nodes’ ports are in: its name in clouds.yaml (default: $OS_CLOUD, $OS_AUTH_URL and its like, the only one)',
      )
      .option(
        '--openstack-clouds-file <path>',
        'a clouds.yaml with the controller’s credentials (default: where openstack finds it, /etc/openstack for one)',
      )
      .option('--repair', 'show a plan, then put right what is recognisably Weft’s'),
  )
    .addHelpText('after', HELP)
    .action(runAudit)
}

const HELP = `
Exit codes: 0 no difference, 1 differences (with --repair: that are left), or
something named by an option does not answer, 3 no agent answers. Lines with !
say what was not looked at, and change no exit code.

Where no agent runs, as in the controller’s pod, options that name a cloud or a
northbound database are enough: that alone is compared then, and it is said.
Nothing is written in Neutron or OVN, --repair or not: each finding says what
to type.

Examples:
  weft audit
  weft audit --openstack-clouds-file /etc/openstack/clouds.yaml
  weft audit --ovn-nb unix:/var/run/ovn/ovnnb_db.sock --ovn-cluster blue \\
    --kubeconfig admin.conf
  weft audit --json | jq -r '.findings[] | [.code, .node, .object] | @tsv'
  weft audit --repair`

/** Between two looks, in milliseconds: longer than an ADD takes; of Neutron, than ports take from being made to being written down. */
const SETTLE = 1000
const NEUTRON_SETTLE = 10_000

interface Repaired {
  readonly repair: NodeRepair
  readonly results: readonly RepairResult[]
}

async function runAudit(options: Options): Promise<void> {
  const found = await lookTwice(options)
  const plan = repairPlan(found.findings)
  const say = options.json === true ? () => undefined : printLines
  const look = outputLook()
  const { compared, notes } = found
  say(printAudit(found.gathered.view, found.findings, look, { asTyped: asTypedFor(options), compared, notes }))
  if (options.repair !== true || found.findings.length === 0) {
    if (options.json === true) printJson(asJson(found, plan))
    process.exitCode = found.findings.length === 0 ? EXIT.ok : EXIT.failed
    return
  }
  say(['', ...printPlan(plan, look), ''])
  const repaired = await repairAll(found.gathered, plan)
  for (const { repair, results } of repaired) say(printResults(repair, results, look))
  const left = await lookTwice(options)
  say(['', ...printAudit(left.gathered.view, left.findings, look, { ...left, repaired: true })])
  if (options.json === true)
    printJson({ ...asJson(found, plan), repaired: repaired.map(resultsAsJson), left: left.findings })
  process.exitCode = left.findings.length === 0 ? EXIT.ok : EXIT.failed
}

async function lookTwice(options: Options): Promise<AuditLook> {
  const first = await lookOnce(options)
  if (first.findings.length === 0) return first
  const isNeutrons = first.findings.some(({ code }) => code.startsWith('neutron-') && code !== 'neutron-silent')
  await new Promise((resolve) => setTimeout(resolve, isNeutrons ? NEUTRON_SETTLE : SETTLE))
  const second = await lookOnce(options)
  return { ...second, findings: lasting(first.findings, second.findings) }
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

function asJson({ findings, notes }: AuditLook, plan: readonly NodeRepair[]) {
  const told = findings.map((one) => ({ ...one, ...FINDINGS[one.code] }))
  return { clean: findings.length === 0, findings: told, plan, notes }
}

function resultsAsJson({ repair: { node, steps }, results }: Repaired) {
  return { node, steps: steps.map((step, i) => ({ step, what: describeStep(step), ...results[i] })) }
}
