import { type Command, InvalidArgumentError } from 'commander'
import { ATTACHMENT_DEFAULTS } from '../../agent/options.ts'
import { auditIpam, lastingFindings } from '../../insight/ipam/audit.ts'
import { explainChoice, isServed } from '../../insight/ipam/explain.ts'
import { IPAM_FINDINGS, type IpamFinding } from '../../insight/ipam/findings.ts'
import { gatherIpam } from '../../insight/ipam/gather.ts'
import { lookAtPools } from '../../insight/ipam/pools.ts'
import { printChoice, printIpamAudit, printPools, printReturned, printWho } from '../../insight/ipam/print.ts'
import { giveBack } from '../../insight/ipam/repair.ts'
import type { IpamView } from '../../insight/ipam/view.ts'
import { whoHas } from '../../insight/ipam/who.ts'
import type { KubeApi } from '../../kube/api.ts'
import { type Ip, parseIp } from '../../network/model/address.ts'
import type { OpenRegistry } from '../../place/place.ts'
import { openRegistry, type RegistryChoice, withSharedStateOptions } from '../address.ts'
import { usage } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { printJson, printLines } from '../insight.ts'
import { outputLook } from '../look.ts'
import { type PodName, podName } from '../numbers.ts'

interface Options extends RegistryChoice {
  readonly json?: boolean
}

interface AuditOptions extends Options {
  readonly repair?: boolean
}

interface ExplainOptions extends Options {
  readonly interface: string
  readonly clusterNetwork?: string
  readonly installNamespace: string
}

/** `weft ipam`: addresses of pools: whose they are, how many there are, and whether all that should agree does. */
export function registerIpam(program: Command): void {
  const ipam = program
    .command('ipam')
    .summary('whose an address is, what pools have left, what nobody gave back')
    .description(
      'Addresses that pods get from pools (SpiderIPPool): whose they are, what is left, and whether claims, pods, pools and ' +
        'endpoints agree.',
    )
  withSharedStateOptions(
    ipam
      .command('who')
      .description('Whose an address is: its claim, pool, pod, node, sandbox and SpiderEndpoint; or why nobody has it.')
      .argument('<address>', 'an IPv4 or IPv6 address', addressArgument),
  )
    .addHelpText('after', WHO_HELP)
    .action(runWho)
  withSharedStateOptions(
    ipam.command('pools').description('What each pool has, gave out and has left; of one that gives nothing out, why.'),
  )
    .addHelpText('after', POOLS_HELP)
    .action(runPools)
  withSharedStateOptions(
    ipam
      .command('explain')
      .description(
        'Which pools an interface of a pod gets its addresses from: what named them, and of each that is not taken from, why.',
      )
      .argument('<pod>', 'namespace/name', podName)
      .option('-i, --interface <name>', 'the pod’s interface', 'eth0')
      .option('--cluster-network <name>', 'the agents’ attachments.clusterNetwork, where it is set')
      .option('--install-namespace <name>', 'the agents’ attachments.namespace', ATTACHMENT_DEFAULTS.namespace),
  )
    .addHelpText('after', EXPLAIN_HELP)
    .action(runExplain)
  withSharedStateOptions(
    ipam
      .command('audit')
      .description(
        'Compares claims with pods, pools and what pods say they have, and counters and SpiderEndpoints with claims. What ' +
          'differs is looked at a second time before it is told, with what fixes it.',
      )
      .option('--repair', 'give back addresses that are held for nobody'),
  )
    .addHelpText('after', AUDIT_HELP)
    .action(runAudit)
}

const WHO_HELP = `
An address that was given back not long ago is free here. That it rests, and is
taken last, only agents know, each for five minutes since it heard of the
claim's end: the API server keeps nothing of a claim that is gone.

Exit codes: 0 the address is held for a pod, 1 it is not, 3 the API server does
not answer.

Examples:
  weft ipam who 172.18.30.131
  weft ipam who fd00:18::131 --json`

const POOLS_HELP = `
Examples:
  weft ipam pools
  weft ipam pools --kubeconfig ~/.kube/config --json`

const EXPLAIN_HELP = `
Exit codes: 0 there is a pool with an address left for every family that is
asked for, 1 there is not, 3 the API server does not answer.

Examples:
  weft ipam explain default/test-app-6f8dddd88d-hstg7
  weft ipam explain shop/db-0 --interface net1`

const AUDIT_HELP = `
Exit codes: 0 no difference, 1 differences (with --repair: that are left),
3 the API server does not answer.

Examples:
  weft ipam audit
  weft ipam audit --json | jq -r '.findings[] | [.code, .object] | @tsv'
  weft ipam audit --repair`

/** Between two looks, in milliseconds: longer than an attachment and the controller's next write take. */
const SETTLE_MS = 1_500

async function runWho(address: Ip, options: Options): Promise<void> {
  const found = await asking(options, async (api) => {
    const view = await gatherIpam(api)
    return { look: whoHas(view, address), now: view.now }
  })
  if (options.json === true) printJson(found.look)
  else printLines(printWho(found.look, found.now, outputLook()))
  process.exitCode = found.look.state === 'claimed' ? EXIT.ok : EXIT.failed
}

async function runPools(options: Options): Promise<void> {
  const pools = lookAtPools(await asking(options, gatherIpam))
  if (options.json === true) printJson(pools)
  else printLines(printPools(pools, outputLook()))
}

async function runExplain({ namespace, name }: PodName, options: ExplainOptions): Promise<void> {
  const { clusterNetwork, installNamespace } = options
  const settings = {
    installNamespace,
    ...(clusterNetwork === undefined ? {} : { clusterNetwork }),
    families: new Set([4, 6] as const),
    hasSubnets: true,
  }
  const choice = await asking(options, async (api, { registry }) =>
    explainChoice(registry, await gatherIpam(api), `${namespace}/${name}`, options.interface, settings),
  )
  if (options.json === true) printJson(choice)
  else printLines(printChoice(choice, outputLook()))
  process.exitCode = isServed(choice) ? EXIT.ok : EXIT.failed
}

async function runAudit(options: AuditOptions): Promise<void> {
  await asking(options, async (api) => {
    const found = await lookTwice(api)
    const look = outputLook()
    const say = options.json === true ? () => undefined : printLines
    say(printIpamAudit(found.view, found.findings, look))
    const isRepair = options.repair === true && found.findings.some(({ claim }) => claim !== undefined)
    const repaired = isRepair ? await giveBack(api, found.view, found.findings) : []
    if (isRepair) say(['', ...printReturned(repaired, look), ''])
    const left = isRepair ? await lookTwice(api) : found
    if (isRepair) say(printIpamAudit(left.view, left.findings, look, true))
    if (options.json === true) {
      const findings = found.findings.map(asJson)
      printJson({
        clean: findings.length === 0,
        findings,
        ...(isRepair ? { repaired, left: left.findings.map(asJson) } : {}),
      })
    }
    process.exitCode = left.findings.length === 0 ? EXIT.ok : EXIT.failed
  })
}

async function lookTwice(
  api: KubeApi,
): Promise<{ readonly view: IpamView; readonly findings: readonly IpamFinding[] }> {
  const first = await gatherIpam(api)
  const earlier = auditIpam(first)
  if (earlier.length === 0) return { view: first, findings: [] }
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  const view = await gatherIpam(api)
  return { view, findings: lastingFindings(earlier, auditIpam(view)) }
}

function asJson({ code, object, sentence }: IpamFinding) {
  return { code, object, sentence, ...IPAM_FINDINGS[code] }
}

/** Claims are objects of a Kubernetes API server: another registry has none. */
async function asking<T>(options: Options, ask: (api: KubeApi, opened: OpenRegistry) => Promise<T>): Promise<T> {
  const opened = openRegistry(options)
  try {
    if (opened.kubernetes === undefined) {
      throw usage(
        'addresses of pools are kept in a Kubernetes API server, and this is none',
        'name one by --kubeconfig FILE',
      )
    }
    return await ask(opened.kubernetes, opened)
  } finally {
    opened.close()
  }
}

function addressArgument(text: string): Ip {
  const address = parseIp(text)
  if (address === undefined) throw new InvalidArgumentError(`${JSON.stringify(text.slice(0, 60))} is no IP address`)
  return address
}
