import { join } from 'node:path'
import type { Command } from 'commander'
import { gatherBgp } from '../../insight/bgp/gather.ts'
import { type PlanPrograms, printReflectorPlan, reflectorSteps } from '../../insight/bgp/print.ts'
import { LARGE_MESH, reflectorPlan } from '../../network/fabric/bgp/reflectors.ts'
import { openRegistry, type RegistryChoice, withSharedStateOptions } from '../address.ts'
import { EXIT } from '../exit-codes.ts'
import { printJson, printLines } from '../insight.ts'
import { outputLook } from '../look.ts'
import { wholeNumber } from '../numbers.ts'

interface Options extends RegistryChoice {
  readonly above: number
  readonly reflectors?: number
  readonly json?: boolean
}

/** `weft bgp`: how nodes tell each other and routers of pods. */
export function registerBgp(program: Command): void {
  const bgp = program.command('bgp').description('how nodes tell each other of their pods by BGP')
  withSharedStateOptions(
    bgp
      .command('plan')
      .summary('which nodes could reflect routes when the mesh grows large')
      .description(
        'Counts the sessions of the cluster, and proposes reflectors where there are too many: how many, which nodes, ' +
          'and what to type for it. It changes nothing.',
      )
      .option('--above <nodes>', 'a mesh of up to so many nodes stays one', wholeNumber(1, 100_000), LARGE_MESH)
      .option('--reflectors <count>', 'how many there are to be', wholeNumber(2, 100)),
  )
    .addHelpText('after', HELP)
    .action(plan)
}

const HELP = `
Exit codes: 0 nothing is proposed, 5 something is.

Examples:
  weft bgp plan
  weft bgp plan --above 50 --reflectors 2
  weft bgp plan --json | jq -r '.steps[]'`

async function plan(options: Options): Promise<void> {
  const { registry, close } = openRegistry(options)
  const view = await gatherBgp(registry).finally(close)
  const { above, reflectors } = options
  const found = reflectorPlan({ ...view, above, ...(reflectors === undefined ? {} : { count: reflectors }) })
  const programs = planPrograms(options)
  if (options.json === true) printJson({ ...found, problems: view.problems, steps: reflectorSteps(found, programs) })
  else printLines(printReflectorPlan(found, view, outputLook(), programs))
  process.exitCode = found.proposal === undefined ? EXIT.ok : EXIT.changes
}

/** What was said of the cluster here leads the commands of the plan there, too. */
export function planPrograms({ runDir, kubeconfig, context }: RegistryChoice): PlanPrograms {
  const file = kubeconfig ?? (runDir === undefined ? undefined : join(runDir, 'kubeconfig'))
  const to = [
    ...(file === undefined ? [] : ['--kubeconfig', file]),
    ...(context === undefined ? [] : ['--context', context]),
  ]
  return {
    kubectl: ['kubectl', ...to].map(shellWord).join(' '),
    fabric: ['weft', 'fabric', 'show', ...(runDir === undefined ? [] : ['--run-dir', runDir])].map(shellWord).join(' '),
  }
}

function shellWord(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
