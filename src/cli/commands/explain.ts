import { type Command, InvalidArgumentError, Option } from 'commander'
import { explanationAsJson } from '../../insight/explain/as-json.ts'
import { EXPLAINED_PROTOCOLS, type ExplainedProtocol } from '../../insight/explain/conversation.ts'
import { type Explanation, explainRequest } from '../../insight/explain/explain.ts'
import { printExplanation } from '../../insight/explain/print.ts'
import { familyWanted } from '../../insight/trace/trace.ts'
import { EXIT } from '../exit-codes.ts'
import { asTypedFor, type InsightOptions, lookAt, printJson, printLines, withInsightOptions } from '../insight.ts'
import { outputLook } from '../look.ts'

interface Options extends InsightOptions {
  readonly port?: number | string
  readonly protocol: ExplainedProtocol
  readonly family?: '4' | '6'
}

/** `weft explain`: whether a pod can open a connection, and which object, rule and field decides. */
export function registerExplain(program: Command): void {
  withInsightOptions(
    program
      .command('explain')
      .summary('whether a pod can open a connection, and what decides')
      .description(
        'Says in one sentence whether a pod (or a node) can open a connection, and which object, rule and field ' +
          'decides; then every step: spoof guard, tenant, service, route, policies of both ends, egress firewall, ' +
          'MTU, answer. It judges the objects of the cluster, and holds that against the agents’ flows.',
      )
      .argument('<from>', 'namespace/pod, or node/name')
      .argument('<to>', 'the same, an address, or a service: service/<namespace>/<name>')
      .option('--port <port>', 'its number or name; otherwise 80, of a service its own', portGiven)
      .addOption(new Option('--protocol <name>', 'of the connection').choices(EXPLAINED_PROTOCOLS).default('tcp'))
      .addOption(new Option('--family <number>', 'over IPv4, unless an address says otherwise').choices(['4', '6'])),
  )
    .addHelpText('after', HELP)
    .action(runExplain)
}

const HELP = `
Exit codes: 0 reachable, 1 not reachable, 3 no agent or no registry answers,
4 the agents’ flows do otherwise than the objects say.

Examples:
  weft explain shop/web bank/vault --port 5432
  weft explain shop/web service/shop/api --port http --family 6
  weft explain shop/web 198.51.100.7 --protocol icmp
  weft explain node/node1 shop/web --json`

/** A port's number, or a name of letters, digits and dashes, as Kubernetes has them. */
function portGiven(text: string): number | string {
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= 1 && number <= 65_535) return number
  if (/^(?=.*[a-z])[a-z0-9-]{1,63}$/.test(text)) return text
  throw new InvalidArgumentError('1 to 65535, or a port’s name, is wanted.')
}

async function runExplain(from: string, to: string, options: Options): Promise<void> {
  const { protocol, port } = options
  const named = options.family === undefined ? undefined : options.family === '6' ? 6 : 4
  const family = familyWanted({ from, to, family: named })
  const { view } = await lookAt(options)
  const explanation = explainRequest(view, { from, to, protocol, port, family })
  if (options.json === true) printJson(explanationAsJson(explanation))
  else printLines(printExplanation(explanation, outputLook(), asTypedFor(options)))
  process.exitCode = exitCode(explanation)
}

function exitCode({ ways, reachable }: Explanation): number {
  if (ways.some(({ flows }) => flows.agrees === false)) return EXIT.disagrees
  return reachable ? EXIT.ok : EXIT.failed
}
