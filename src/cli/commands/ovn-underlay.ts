import { join } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { createBridge } from '../../bridge/create.ts'
import { sentencesOf } from '../../bridge/tell.ts'
import { execCall } from '../../compat/ovn-underlay/exec.ts'
import { DEFAULT_BRIDGE, DEFAULT_HOST_BRIDGE } from '../../compat/ovn-underlay/netconf.ts'
import { MOST_PORTS } from '../../compat/ovn-underlay/ports.ts'
import { type Cidr, parseCidr } from '../../network/model/address.ts'
import { connectOvsdb } from '../../ovs/ovsdb/index.ts'
import { selfCommand } from '../../playground/self.ts'
import { makeAgain, notedWire, noteWire } from '../../underlay/again.ts'
import { destroySwitch, type SwitchPlace, type SwitchWords, setUpSwitch } from '../../underlay/lswitch.ts'
import { type NodeOptions, previewWire, unwireNode, wireNode } from '../../underlay/node/node.ts'
import { serveExec } from '../../underlay/pods/exec.ts'
import { type NodeState, readState } from '../../underlay/state.ts'
import { usage } from '../errors.ts'
import { printJson, printLines } from '../insight.ts'
import { outputLook } from '../look.ts'
import { wholeNumber } from '../numbers.ts'
import { stateJson, stateLines } from '../ovn-underlay/show.ts'
import { defaultSocket } from '../ovsdb-socket.ts'

/** Where commands lock each other out. */
const RUN_FOLDER = '/run/weft'

interface Common {
  readonly ovsdb: string
  readonly runDir: string
  readonly hostBridge: string
  readonly json?: boolean
}

interface Node extends Common {
  readonly bridge: string
  readonly direct?: boolean
  readonly datapathType: 'system' | 'netdev'
  readonly gatewayCheck: boolean
  readonly dryRun?: boolean
}

interface Switch extends Common {
  readonly ports?: number
  readonly nesting: SwitchWords['nesting']
  readonly securityGroup: readonly string[]
  readonly clusterSubnet: readonly Cidr[]
}

/** `weft ovn-underlay`: pods on a logical switch of OVN that Neutron drives, each behind a VLAN of the machine’s own port. */
export function registerOvnUnderlay(program: Command): void {
  const underlay = program
    .command('ovn-underlay')
    .summary('pods of this machine on a logical switch of OpenStack’s OVN')
    .description(
      'Puts the pods of this machine on a logical switch of the OVN that OpenStack has below: each has a port of Neutron, ' +
        'and a VLAN behind the machine’s own port. Also called ovn-k8-underlay.py.',
    )
    .addHelpText('after', EXAMPLES)
  nodeCommands(underlay)
  switchCommands(underlay)
  withPlaces(underlay.command('show'))
    .summary('the logical switch, and which pod has which port')
    .description('Shows the logical switch of this machine, and which pod has which port.')
    .action(show)
  withPlaces(underlay.command('init'))
    .summary('makes again what a restart of the machine took')
    .description('Makes again what a restart of the machine took: bridge, addresses, neighbours, routes.')
    .action(init)
  for (const verb of ['setup', 'status', 'teardown'] as const) {
    withPlaces(underlay.command(verb))
      .summary('of kubelets before there was CNI')
      .description(`${EXEC[verb]} A call of kubelets before there was CNI.`)
      .argument('<namespace>', 'the pod’s namespace')
      .argument('<pod>', 'its name')
      .argument('<container>', 'the ID of its first container')
      .action(async (namespace: string, pod: string, container: string, { ovsdb }: Common) => {
        const call = execCall(verb, [namespace, pod, container])
        if (call.verb !== 'init') process.stdout.write(await serveExec(call, ovsdb))
      })
  }
}

function nodeCommands(underlay: Command): void {
  withPlaces(underlay.command('node-setup'))
    .summary('bridges for pods’ frames, and the machine’s addresses on them')
    .description(
      'Makes the bridges that pods’ frames pass, and moves addresses, routes and rules of the machine’s interface to them. ' +
        'When the gateway does not answer afterwards, or the command dies, everything is put back by itself.',
    )
    .argument('<uplink>', 'the interface that is the machine’s Neutron port, as eth1')
    .option('--bridge <name>', 'the bridge of Open vSwitch', DEFAULT_BRIDGE)
    .option(
      '--direct',
      'without a Linux bridge: the interface is a port of Open vSwitch. The host translates no services then',
    )
    .addOption(
      new Option('--datapath-type <type>', 'how Open vSwitch forwards; netdev: in user space, for test machines')
        .choices(['system', 'netdev'])
        .default('system'),
    )
    .option('--no-gateway-check', 'do not ask the gateway: only a command that dies is taken back')
    .option('--dry-run', 'tell what would be done')
    .action(nodeSetup)
  withPlaces(underlay.command('node-destroy'))
    .summary('the way back of node-setup')
    .description('Gives the machine’s interface back what it had, and removes the bridges that node-setup made.')
    .option('--no-gateway-check', 'do not ask the gateway')
    .action(nodeDestroy)
}

function switchCommands(underlay: Command): void {
  withPlaces(underlay.command('lswitch-setup'))
    .summary('a logical switch with a port for every pod')
    .description(
      'Makes a logical switch for the pods of this machine: a network and a subnet of Neutron, attached to a router, with a ' +
        'port for every pod. The ports’ addresses, MACs and VLANs are kept in Open vSwitch. Run again, it completes what is missing.',
    )
    .argument('<name>', 'the logical switch, as ls-worker1')
    .argument('<subnet>', 'what its pods have addresses of, as 192.168.1.0/29')
    .argument('[router]', 'the router’s ID or name')
    .option(
      '--ports <number>',
      'pods at most (default: as many as the subnet has room for)',
      wholeNumber(1, MOST_PORTS),
    )
    .addOption(
      new Option('--nesting <way>', 'how ports come to be behind the machine’s one')
        .choices(['auto', 'trunk', 'profile'])
        .default('auto'),
    )
    .option(
      '--security-group <id>',
      'of pods’ ports, several times for several (default: the project’s own)',
      collected,
      [],
    )
    .option(
      '--cluster-subnet <cidr>',
      'the host translates services for pods of this range, as 192.168.0.0/16',
      cidrs,
      [],
    )
    .action(lswitchSetup)
  withPlaces(underlay.command('lswitch-destroy'))
    .summary('removes what lswitch-setup made')
    .description('Removes everything that lswitch-setup made for this machine, and nothing else.')
    .option('--force', 'also when pods have ports of it: they lose their network')
    .action(async (options: Common & { readonly force?: boolean }) => {
      const had = await destroySwitch(placeOf(options), { force: options.force === true })
      if (options.json === true) printJson({ removed: had })
      else printLines([had ? 'the logical switch of this machine is gone' : 'there was nothing to remove'])
    })
}

const EXEC = {
  setup: 'Gives a pod its network.',
  status: 'Prints the address of a pod.',
  teardown: 'Takes a pod’s network away.',
} as const

const EXAMPLES = `
Examples:
  ovs-vsctl set open_vswitch . external_ids:neutron-config=/root/openrc
  weft ovn-underlay node-setup eth1
  weft ovn-underlay lswitch-setup ls-worker1 192.168.1.0/29 k8-router
  weft ovn-underlay show
  weft ovn-underlay lswitch-destroy`

function withPlaces(command: Command): Command {
  return command
    .option('--ovsdb <path>', 'socket of ovsdb-server', defaultSocket())
    .addOption(new Option('--run-dir <folder>', 'where commands lock each other out').default(RUN_FOLDER).hideHelp())
    .option('--host-bridge <name>', 'the Linux bridge with the machine’s addresses', DEFAULT_HOST_BRIDGE)
    .option('--json', 'print JSON')
}

async function nodeSetup(uplink: string, options: Node): Promise<void> {
  const { bridge, hostBridge, datapathType, ovsdb, json } = options
  const wish = { uplink, bridge, hostBridge, datapathType }
  if (options.direct === true) return direct(uplink, options)
  if (options.dryRun === true) {
    const plan = await previewWire(wish, ovsdb)
    return printLines(plan === undefined ? [nothing(uplink, hostBridge)] : sentencesOf(plan))
  }
  const plan = await wireNode(wish, guarded(options))
  await noteWire(ovsdb, wish)
  if (json === true) printJson({ uplink, bridge, hostBridge, done: plan !== undefined })
  else
    printLines([
      plan === undefined
        ? nothing(uplink, hostBridge)
        : `${hostBridge} has ${uplink} and its addresses, and leads to ${bridge}`,
    ])
}

/** The bridge of Open vSwitch has the interface itself: that is what `weft bridge create` makes. */
async function direct(uplink: string, options: Node): Promise<void> {
  const { bridge, datapathType, dryRun, json } = options
  if (dryRun === true)
    throw usage(
      '--dry-run and --direct do not go together',
      `ask \`weft bridge create ${bridge} --uplink ${uplink} --dry-run\``,
    )
  const wish = { bridge, uplink, datapathType, trunks: [], move: true }
  const { isThere } = await createBridge(wish, { ...guarded(options), persist: 'auto', root: '/' })
  if (json === true) printJson({ uplink, bridge, done: !isThere })
  else printLines([`${bridge} has ${uplink} as its port, and its addresses`])
}

async function nodeDestroy(options: Node): Promise<void> {
  const { ovsdb, json } = options
  const wish = await notedWire(ovsdb)
  if (wish === undefined) {
    const remedy = 'what was wired by hand is taken apart by hand; --direct by `weft bridge remove br-int`'
    throw usage('node-setup has not wired this machine', remedy)
  }
  const plan = await unwireNode(wish, guarded(options))
  await noteWire(ovsdb, undefined)
  if (json === true) printJson({ uplink: wish.uplink, done: plan !== undefined })
  else printLines([`${wish.uplink} has its addresses back`])
}

async function lswitchSetup(name: string, subnet: string, router: string | undefined, options: Switch): Promise<void> {
  const { ports, nesting, securityGroup: groups, clusterSubnet: cluster } = options
  const words = {
    name,
    subnet,
    nesting,
    groups,
    cluster,
    ...(router === undefined ? {} : { router }),
    ...(ports === undefined ? {} : { ports }),
  }
  print(await setUpSwitch(words, placeOf(options)), options)
}

async function show({ ovsdb, ...options }: Common): Promise<void> {
  using ovs = await connectOvsdb({ path: ovsdb })
  print(await readState(ovs), { ovsdb, ...options })
}

async function init(options: Node): Promise<void> {
  await makeAgain(placeOf(options), { ...guarded(options), asksGateways: false })
}

function print(state: NodeState, { json }: Common): void {
  if (json === true) printJson(stateJson(state))
  else printLines([...stateLines(state, outputLook())])
}

function nothing(uplink: string, hostBridge: string): string {
  return `${hostBridge} has ${uplink} already: nothing is to do`
}

function placeOf({ ovsdb, runDir, hostBridge, json }: Common): SwitchPlace {
  return { ovsdb, folder: join(runDir, 'underlay'), hostBridge, tell: json === true ? () => undefined : told }
}

function guarded({ ovsdb, runDir, gatewayCheck, json }: Node): NodeOptions {
  return {
    ovsdb,
    // Shared with `weft bridge`: both move addresses.
    folder: join(runDir, 'bridge'),
    gatewayMs: 10_000,
    asksGateways: gatewayCheck,
    guardCommand: (file) => selfCommand('bridge', 'guard', file),
    ...(json === true ? {} : { onStep: told }),
  }
}

function told(sentence: string): void {
  process.stderr.write(`· ${sentence}\n`)
}

function collected(text: string, before: readonly string[]): readonly string[] {
  return [...before, text]
}

function cidrs(text: string, before: readonly Cidr[]): readonly Cidr[] {
  const found = parseCidr(text)
  if (found === undefined || found.includes(':'))
    throw new InvalidArgumentError('a range of IPv4 is wanted, as 192.168.0.0/16.')
  return [...before, found]
}
