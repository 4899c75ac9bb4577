import type { Command } from 'commander'
import type { NodeFacts } from '../../agent/control/facts.ts'
import {
  byPackets,
  countNode,
  type DropCount,
  increments,
  isBenign,
  namesStrangers,
} from '../../insight/drops/drops.ts'
import { printDrops, printIncrement } from '../../insight/drops/print.ts'
import { explainDrop } from '../../insight/explain/drop-sentences/explain-drop.ts'
import type { AgentClient } from '../../insight/gather/agent-client.ts'
import type { Gathered } from '../../insight/gather/gather.ts'
import { DROPS } from '../../network/pipeline/drops.ts'
import { sleep } from '../../registry/backoff.ts'
import { marked } from '../../text/words.ts'
import { usage } from '../errors.ts'
import { type InsightOptions, lookAt, onlyNode, printJson, printLines, withInsightOptions } from '../insight.ts'
import { outputLook } from '../look.ts'
import { wholeNumber } from '../numbers.ts'
import { endSignal } from '../signals.ts'

interface Options extends InsightOptions {
  readonly follow?: boolean
  readonly count?: number
  readonly node?: string
  readonly all?: boolean
}

/** `weft drops`: what was dropped, and why. */
export function registerDrops(program: Command): void {
  withInsightOptions(
    program
      .command('drops')
      .summary('what was dropped, and why')
      .description(
        'Every drop of the pipeline has a name and a counter. This lists them with the pod whose flow dropped the packets ' +
          'where a flow is of one pod, what the reason means and what to do. Ordinary noise is left out.',
      )
      .option('--follow', 'print what comes in addition, until Ctrl-C')
      .option('--count <looks>', 'with --follow: stop after this many looks, one per second', wholeNumber(1, 1e8))
      .option('--node <name>', 'only this node')
      .option('--all', 'ordinary noise, too'),
  )
    .addHelpText('after', HELP)
    .action(runDrops)
}

const HELP = `
Examples:
  weft drops
  weft drops --follow --node node1
  weft drops --json --all`

/** Between two looks of --follow, in milliseconds. */
const INTERVAL = 1000

async function runDrops(options: Options): Promise<void> {
  if (options.count !== undefined && options.follow !== true) {
    throw usage('--count is for --follow', 'add --follow, or leave --count out')
  }
  const gathered = onlyNode(await lookAt(options), options.node)
  if (options.follow === true) return follow(gathered, options)
  const counts = gathered.view.nodes.flatMap((facts) => countNode(facts)).sort(byPackets)
  if (options.json === true) printJson({ drops: counts.filter((one) => isShown(one, options)).map(explained) })
  else {
    printLines([
      ...printDrops(counts, options.all === true, outputLook()),
      ...gathered.view.silent.flatMap(({ cause, remedy }) => marked(`${cause} → ${remedy}`, outputLook())),
    ])
  }
}

async function follow({ view, agents }: Gathered, options: Options): Promise<void> {
  const end = endSignal()
  const watched = view.nodes.flatMap((facts) => {
    const client = agents.get(facts.status.node)
    return client === undefined ? [] : [{ facts, client, counts: countNode(facts) }]
  })
  for (let looks = 0; looks < (options.count ?? Number.POSITIVE_INFINITY); looks += 1) {
    await sleep(INTERVAL, end)
    if (end.aborted) return
    for (const one of watched) {
      const next = await lookAgain(one.client, one.facts)
      tell(increments(one.counts, next.counts), options)
      one.facts = next.facts
      one.counts = next.counts
    }
  }
}

/** The drops now; the facts are asked for again only when a flow names an object that they do not have. */
async function lookAgain(client: AgentClient, facts: NodeFacts) {
  const flows = await client.drops()
  const known = [...facts.fragments, ...facts.wires.flatMap(({ fragments }) => fragments)]
  const current = namesStrangers(flows, known) ? await client.facts() : facts
  return { facts: current, counts: countNode(current, flows) }
}

function tell(news: readonly DropCount[], options: Options): void {
  for (const one of news.filter((count) => isShown(count, options))) {
    if (options.json === true) printJson(explained(one))
    else printLines([printIncrement(one, outputLook())])
  }
}

function isShown({ reason, packets }: DropCount, { all }: Options): boolean {
  return packets > 0n && (all === true || !isBenign(reason))
}

function explained(count: DropCount): object {
  const { because, says, remedy } = explainDrop(count.reason, count)
  return { ...count, stage: DROPS[count.reason].stage, because, says, remedy }
}
