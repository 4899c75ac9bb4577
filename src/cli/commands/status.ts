import type { Command } from 'commander'
import { printStatus } from '../../insight/status/print.ts'
import { clusterStatus } from '../../insight/status/status.ts'
import { EXIT } from '../exit-codes.ts'
import { type InsightOptions, lookAt, printJson, printLines, withInsightOptions } from '../insight.ts'
import { outputLook } from '../look.ts'

interface Options extends InsightOptions {
  readonly nodes?: boolean
}

/** `weft status`: cluster, nodes, tenants and pods at a glance. */
export function registerStatus(program: Command): void {
  withInsightOptions(
    program
      .command('status')
      .summary('nodes, tenants and pods at a glance')
      .description(
        'Asks every agent on this machine about its node: ready or waiting for what, address ranges and how full they ' +
          'are, peers, MTU, pods and flows; and lists the virtual networks with their namespaces and pods.',
      )
      .option('--nodes', 'tell more about each node instead of listing tenants'),
  )
    .addHelpText('after', HELP)
    .action(runStatus)
}

const HELP = `
Exit codes: 0 everything is ready, 1 something is not, 3 no agent answers.

Examples:
  weft status
  weft status --nodes
  weft status --json | jq '.nodes[] | select(.state != "ready")'`

async function runStatus(options: Options): Promise<void> {
  const { view } = await lookAt(options)
  const status = clusterStatus(view)
  if (options.json === true) printJson(status)
  else printLines(printStatus(status, options.nodes === true, Date.now() / 1000, outputLook()))
  process.exitCode = status.ready ? EXIT.ok : EXIT.failed
}
