import type { Command } from 'commander'
import { type LimitLooks, limitRows } from '../../insight/bandwidth/bandwidth.ts'
import { limitProblems, printBandwidth } from '../../insight/bandwidth/print.ts'
import type { Gathered } from '../../insight/gather/gather.ts'
import { sleep } from '../../registry/backoff.ts'
import { EXIT } from '../exit-codes.ts'
import { type InsightOptions, lookAt, onlyNode, printJson, printLines, withInsightOptions } from '../insight.ts'
import { outputLook } from '../look.ts'
import { endSignal } from '../signals.ts'

interface Options extends InsightOptions {
  readonly node?: string
}

/** `weft bandwidth`: what pods are held to, and what passes. */
export function registerBandwidth(program: Command): void {
  withInsightOptions(
    program
      .command('bandwidth')
      .summary('what pods are held to, and what passes')
      .description(
        'Lists every pod whose annotations kubernetes.io/ingress-bandwidth or kubernetes.io/egress-bandwidth limit it: ' +
          'what they ask for, what the kernel holds the pod to, and what passes (looked at for a second).',
      )
      .option('--node <name>', 'only this node'),
  )
    .addHelpText('after', HELP)
    .action(runBandwidth)
}

const HELP = `
Exit codes: 0 all that is asked for is in force, 1 something is not,
3 no agent answers.

Examples:
  weft bandwidth
  weft bandwidth --json | jq '.limits[] | select(.problem != null)'`

/** Between the two looks that a rate is told from, in milliseconds. */
const INTERVAL = 1000

async function runBandwidth(options: Options): Promise<void> {
  const rows = limitRows(await lookTwice(onlyNode(await lookAt(options), options.node)))
  if (options.json === true) printJson({ limits: rows })
  else printLines(printBandwidth(rows, outputLook()))
  process.exitCode = limitProblems(rows).length === 0 ? EXIT.ok : EXIT.failed
}

function lookTwice({ view, agents }: Gathered): Promise<readonly LimitLooks[]> {
  const end = endSignal()
  return Promise.all(
    view.nodes.map(async ({ status: { node }, limits }): Promise<LimitLooks> => {
      const client = agents.get(node)
      if (limits.length === 0 || client === undefined) return { node, now: limits }
      const now = await client.bandwidth()
      const since = performance.now()
      await sleep(INTERVAL, end)
      const facts = await client.bandwidth()
      return { node, now, later: { seconds: (performance.now() - since) / 1000, facts } }
    }),
  )
}
