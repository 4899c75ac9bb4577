import { type Command, InvalidArgumentError, Option } from 'commander'
import { type Adopted, openAdoption } from '../../agent/adopt/adopt.ts'
import { easeHere } from '../../agent/adopt/ease.ts'
import { ADOPTION_PLACES } from '../../agent/adopt/observe.ts'
import type { Adoption } from '../../agent/adopt/plan.ts'
import { AGENT_DEFAULTS } from '../../agent/options.ts'
import { table } from '../../text/table.ts'
import { count, printable, wrapWords } from '../../text/words.ts'
import { openRegistry, optionOf, placeNamed, type RegistryChoice, withRegistryOptions } from '../address.ts'
import { usage } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { printJson, printLines } from '../insight.ts'
import { daemonLog } from '../log.ts'
import { outputLook } from '../look.ts'
import { endSignal } from '../signals.ts'

interface Options extends RegistryChoice {
  readonly node?: string
  readonly ovsdb: string
  readonly ovsRunDir: string
  readonly datapath: 'system' | 'netdev'
  readonly cniNetwork: string
  readonly hostLocal: string
  readonly dryRun?: boolean
  readonly prepare?: boolean
  readonly at?: Date
  readonly json?: boolean
}

/** `weft adopt`: takes a node's running pods over from another plugin. */
export function registerAdopt(program: Command): void {
  withRegistryOptions(program.command('adopt'))
    .summary('take this node’s running pods over from k8s-ovs or OpenShift SDN')
    .description(
      'Takes over the pods on the bridge br0 with their addresses, and removes that bridge. What pods notice is one ' +
        'transaction of Open vSwitch. The node must have the range of addresses that it had, and the other plugin’s ' +
        'daemon must be stopped. Killed or failed, it is called again and goes on.',
    )
    .option('--node <name>', 'this node’s name in the registry (needed without --prepare)')
    .option('--dry-run', 'show what would be done; change nothing')
    .option('--prepare', 'before the first node comes over, on each: have br0 take packets of nodes that have')
    .addOption(
      new Option('--at <time>', 'make ready now, switch over then (as 2026-11-21T12:00:00Z)').argParser(moment),
    )
    .option('--ovsdb <path>', 'socket of ovsdb-server', AGENT_DEFAULTS.ovsdb)
    .option('--ovs-run-dir <path>', 'folder of the bridges’ OpenFlow sockets', AGENT_DEFAULTS.ovsRunDir)
    .addOption(
      new Option('--datapath <kind>', 'the datapath of the bridge that is there')
        .choices(['system', 'netdev'])
        .default('system'),
    )
    .option('--cni-network <name>', 'name of the runtime’s network that the pods will belong to', 'weft')
    .option('--host-local <folder>', 'what the plugin host-local remembers', ADOPTION_PLACES.hostLocal)
    .option('--json', 'print JSON')
    .addHelpText('after', HELP)
    .action(run)
}

const HELP = `
Exit codes: 0 done, or nothing left to do; 1 something is in the way.

Examples:
  weft adopt --prepare
  weft adopt --node node1 --kubeconfig /etc/kubernetes/admin.conf --dry-run
  weft adopt --node node1 --kubeconfig /etc/kubernetes/admin.conf`

async function run(options: Options): Promise<void> {
  if (options.prepare === true) return prepare(options)
  const { node } = options
  if (node === undefined) throw usage('--node is missing', 'give this node’s name in the registry')
  const { ovsdb, ovsRunDir, datapath, cniNetwork: network, hostLocal, dryRun, at, json } = options
  const say = json === true ? () => undefined : printLines
  const { registry, close } = openRegistry(options)
  using _closing = { [Symbol.dispose]: close }
  const places = { ...ADOPTION_PLACES, hostLocal }
  const signal = endSignal()
  await using session = await openAdoption(
    { node, ovsdb, ovsRunDir, datapath, network, places },
    registry,
    daemonLog('adopt'),
    signal,
  )
  const { adoption } = session
  say(describePlan(adoption))
  const isBlocked = adoption.obstacles.length > 0
  if (isBlocked || dryRun === true) {
    if (json === true) printJson({ done: false, plan: planAsJson(adoption) })
    process.exitCode = isBlocked ? EXIT.failed : EXIT.ok
    return
  }
  await session.prepare()
  if (at !== undefined) {
    say([`ready; switching over at ${at.toISOString()}`])
    await Bun.sleep(Math.max(0, at.getTime() - Date.now()))
  }
  if (signal.aborted) throw usage('ended before anything was switched over', 'call it again')
  const adopted = await session.perform()
  if (json === true) printJson({ done: true, plan: planAsJson(adoption), ...adopted })
  else say(describeDone(adoption, adopted))
}

async function prepare({ ovsdb, ovsRunDir, json, ...rest }: Options): Promise<void> {
  const stray = rest.dryRun === true ? '--dry-run' : rest.at !== undefined ? '--at' : namesPlace(rest)
  if (stray !== undefined) {
    throw usage(`${stray} says nothing with --prepare, which changes br0 alone`, `leave ${stray} away`)
  }
  const pods = await easeHere({ ovsdb, ovsRunDir }, endSignal())
  if (json === true) return printJson({ pods })
  printLines([
    `br0 knows the MAC addresses of ${count(pods.length, 'pod', outputLook())}; call this again when pods have come`,
  ])
}

function namesPlace({ runDir, ...choice }: RegistryChoice): string | undefined {
  if (runDir !== undefined) return '--run-dir'
  const place = placeNamed(choice)
  return place && optionOf(place)
}

function describePlan({ pods, unfinished, stale, obstacles, removesBridge }: Adoption): string[] {
  const look = outputLook()
  const columns = ['POD', 'ADDRESS', 'MAC', 'LINK', 'BECOMES'].map((head) => ({ head }))
  const rows = pods.map(({ lease: { endpoint, link }, host }) => [
    `${endpoint.namespace}/${endpoint.pod}`,
    endpoint.addresses.join(' '),
    endpoint.mac,
    host.name,
    link,
  ])
  const shrunk = pods.filter(({ shrinkTo }) => shrinkTo !== undefined).length
  return [
    ...(rows.length === 0 ? ['no pod is left to take over'] : table(columns, rows, look)),
    ...(unfinished.length === 0 ? [] : [`${count(unfinished.length, 'pod', look)} taken over before lack our mark`]),
    ...(shrunk === 0 ? [] : [`${count(shrunk, 'pod', look)} get a smaller MTU`]),
    ...(stale.length === 0 ? [] : [`ports without a link go: ${stale.map(printable).join(', ')}`]),
    ...(removesBridge ? ['the bridge br0 goes, with its tunnel and tun0'] : []),
    ...obstacles.flatMap(({ object, cause, remedy }) =>
      wrapWords(
        `${look.bad('in the way:')} ${printable(`${object}: ${cause} → ${remedy}`)}`.split(' '),
        look.width,
        '  ',
      ),
    ),
  ]
}

function describeDone({ pods }: Adoption, { milliseconds, removedRules, drops }: Adopted): string[] {
  const look = outputLook()
  return [
    look.good(
      `${count(pods.length, 'pod', look)} taken over; packets may have been lost for ${Math.ceil(milliseconds)} ms`,
    ),
    ...removedRules.map((rule) => `removed iptables ${rule}`),
    ...drops.map((drop) => look.bad(drop)),
    'Now start the agent. What is left for you: the other plugin’s DaemonSet, its files in /etc/cni/net.d and /var/lib/cni/networks.',
  ]
}

function planAsJson({ pods, unfinished, ...rest }: Adoption): object {
  return {
    pods: pods.map(({ lease, host, shrinkTo }) => ({
      from: host.name,
      ...lease,
      ...(shrinkTo === undefined ? {} : { shrinkTo }),
    })),
    unfinished: unfinished.map(({ lease }) => lease.endpoint.id),
    ...rest,
  }
}

function moment(text: string): Date {
  const date = new Date(text)
  if (Number.isNaN(date.getTime())) throw new InvalidArgumentError('write it as 2026-11-21T12:00:00Z')
  return date
}
