import type { Command } from 'commander'
import { fabricView, isWhole } from '../../insight/fabric/fabric.ts'
import { printFabric } from '../../insight/fabric/print.ts'
import { EXIT } from '../exit-codes.ts'
import { type InsightOptions, lookAt, printJson, printLines, withInsightOptions } from '../insight.ts'
import { outputLook } from '../look.ts'

/** `weft fabric`: how nodes reach each other. */
export function registerFabric(program: Command): void {
  const fabric = program.command('fabric').description('how nodes reach each other’s pods')
  withInsightOptions(
    fabric
      .command('show')
      .summary('by which way packets of pods go to each node')
      .description(
        'Asks every agent on this machine by which way packets of its pods go to the pods of the others: the tunnel, the ' +
          'kernel’s route over the other node’s address, or a route that BGP told; with the MTU, since when, and what ' +
          'keeps them from the way that the cluster wants.',
      ),
  )
    .addHelpText('after', HELP)
    .action(show)
}

const HELP = `
Exit codes: 0 all is as the cluster wants it, 1 some is not, 3 no agent answers.

Examples:
  weft fabric show
  weft fabric show --json | jq '.ways[] | select(.why != null)'`

async function show(options: InsightOptions): Promise<void> {
  const { view } = await lookAt(options)
  const fabric = fabricView(view)
  if (options.json === true) printJson(fabric)
  else printLines(printFabric(fabric, Date.now() / 1000, outputLook()))
  process.exitCode = isWhole(fabric) ? EXIT.ok : EXIT.failed
}
