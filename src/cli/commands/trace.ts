import { type Command, Option } from 'commander'
import { InsightError } from '../../insight/errors.ts'
import type { Gathered } from '../../insight/gather/gather.ts'
import { checkHops, type HopCheck } from '../../insight/trace/check.ts'
import { explain } from '../../insight/trace/explain.ts'
import { printTraced } from '../../insight/trace/print.ts'
import type { Probe } from '../../insight/trace/probe.ts'
import { answerWords, sentenceOf } from '../../insight/trace/sentence.ts'
import { type Traced, traceAll } from '../../insight/trace/service.ts'
import { isReachable, serviceSentence } from '../../insight/trace/service-sentence.ts'
import type { Trace } from '../../insight/trace/trace.ts'
import { EXIT } from '../exit-codes.ts'
import { asTypedFor, type InsightOptions, lookAt, printJson, printLines, withInsightOptions } from '../insight.ts'
import { outputLook } from '../look.ts'
import { wholeNumber } from '../numbers.ts'

interface Options extends InsightOptions {
  readonly port: number
  readonly protocol: Probe['protocol']
  readonly size: number
  readonly fromNode?: string
  readonly backend?: string
  readonly check?: boolean
  readonly '6'?: boolean
}

/** `weft trace`: the way of a packet, stage by stage and node by node. */
export function registerTrace(program: Command): void {
  withInsightOptions(
    program
      .command('trace')
      .summary('follow a packet from a pod, stage by stage and node by node')
      .description(
        'Builds the packet that a pod (or a node) would send and follows it through the pipeline of each node on its ' +
          'way: the question each stage asks, what was decided, and by which object’s flow. Then the way of the answer. ' +
          'No packet is sent.',
      )
      .argument('<from>', 'namespace/pod, a pod’s name if it is the only one, or a node')
      .argument('<to>', 'the same, an address, or service/<namespace>/<name>[:<port>]')
      .option('--port <number>', 'destination port', wholeNumber(0, 65_535), 80)
      .addOption(new Option('--protocol <name>', 'what to send').choices(['tcp', 'udp', 'icmp']).default('tcp'))
      .option('-6', 'over IPv6; otherwise IPv4 unless an address says so')
      .option('--size <bytes>', 'size of the IP packet', wholeNumber(20, 65_535), 60)
      .option('--from-node <name>', 'take the sender’s attachment on this node')
      .option('--backend <endpoint>', 'of a service’s endpoints only this one: an address or a pod')
      .option('--check', 'ask Open vSwitch (ofproto/trace) whether it agrees'),
  )
    .addHelpText('after', HELP)
    .action(runTrace)
}

const HELP = `
Exit codes: 0 reachable, 1 not reachable, 3 no agent answers,
4 with --check: Open vSwitch disagrees.

Examples:
  weft trace shop/web bank/vault --port 5432
  weft trace shop/web 198.51.100.7 --protocol icmp
  weft trace node1 shop/web -6 --check
  weft trace shop/web service/shop/api:http`

async function runTrace(from: string, to: string, options: Options): Promise<void> {
  const gathered = await lookAt(options)
  const { port, protocol, size, fromNode, backend } = options
  const family = options[6] === true ? 6 : undefined
  const traced = traceAll(gathered.view, { from, to, port, protocol, size, fromNode, family, backend })
  const checks: Checks[] = []
  for (const { trace } of traced.ways) checks.push(options.check === true ? await checkAll(gathered, trace) : UNCHECKED)
  if (options.json === true) printJson(allAsJson(traced, checks))
  else printLines(printTraced(traced, checks, outputLook(), asTypedFor(options)))
  process.exitCode = exitCode(
    traced,
    checks.flatMap(({ there, back }) => [...there, ...back]),
  )
}

interface Checks {
  readonly there: readonly HopCheck[]
  readonly back: readonly HopCheck[]
}

const UNCHECKED: Checks = { there: [], back: [] }

async function checkAll({ agents }: Gathered, { there, back }: Trace): Promise<Checks> {
  const ask = (node: string, flow: string): Promise<string> => {
    const client = agents.get(node)
    if (client !== undefined) return client.ofprotoTrace(flow)
    throw new InsightError('INSIGHT_AGENT_UNREACHABLE', `no agent of ${node} answers`, 'start it')
  }
  return { there: await checkHops(there.hops, ask), back: await checkHops(back?.hops ?? [], ask) }
}

function exitCode(traced: Traced, checks: readonly HopCheck[]): number {
  if (checks.some(({ agrees }) => !agrees)) return EXIT.disagrees
  return isReachable(traced) ? EXIT.ok : EXIT.failed
}

/** A trace to one end as it ever was; to a service, one for each endpoint. */
function allAsJson(traced: Traced, checks: readonly Checks[]) {
  const { service, ways } = traced
  const traces = ways.map(({ backend, trace }, i) => ({ backend, ...asJson(trace, checks[i] ?? UNCHECKED) }))
  if (service === undefined) return traces[0]
  const { name, address, port, endpoints, byClient } = service
  const sentence = serviceSentence(service, ways)
  return {
    reachable: isReachable(traced),
    ...sentence,
    service: { name, address, port, endpoints, byClient },
    ways: traces,
  }
}

function asJson(result: Trace, checks: Checks) {
  const { probe, from, to, there, back, reachable } = result
  const { says, remedy } = sentenceOf(result)
  return {
    reachable,
    says,
    remedy,
    answer: answerWords(result),
    probe,
    from: { kind: from.kind, name: from.name, address: from.address },
    to: { kind: to.kind, name: to.name, address: to.address },
    there: { verdict: there.verdict, hops: hopsAsJson(there.hops, checks.there) },
    back: back === undefined ? undefined : { verdict: back.verdict, hops: hopsAsJson(back.hops, checks.back) },
  }
}

function hopsAsJson(hops: Trace['there']['hops'], checks: readonly HopCheck[]) {
  return hops.map((hop, i) => ({ node: hop.facts.status.node, steps: explain(hop), check: checks[i] }))
}
