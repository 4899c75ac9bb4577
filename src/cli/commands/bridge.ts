import { type Command, InvalidArgumentError, Option } from 'commander'
import { type CreateOptions, createBridge, type Outcome, previewCreate } from '../../bridge/create.ts'
import { guard } from '../../bridge/guard/guard.ts'
import { BRIDGE_FOLDER } from '../../bridge/guard/state.ts'
import { PERSIST_CHOICES, type PersistChoice } from '../../bridge/persist/choose.ts'
import { previewRemove, type RemoveOptions, removeBridge } from '../../bridge/remove.ts'
import { bridgeStatus } from '../../bridge/status.ts'
import { bridgeTable } from '../../bridge/table.ts'
import { sentencesOf, toJson } from '../../bridge/tell.ts'
import { selfCommand } from '../../playground/self.ts'
import { printJson, printLines } from '../insight.ts'
import { outputLook } from '../look.ts'
import { wholeNumber } from '../numbers.ts'
import { defaultSocket } from '../ovsdb-socket.ts'

interface Common {
  readonly ovsdb: string
  readonly runDir: string
  readonly root: string
  readonly json?: boolean
  readonly dryRun?: boolean
  readonly gatewayCheck: boolean
}

interface Create extends Common {
  readonly uplink: string
  readonly mtu?: number
  readonly trunks?: readonly number[]
  readonly datapathType: 'system' | 'netdev'
  readonly move: boolean
  readonly persist: PersistChoice
  readonly yes?: boolean
}

interface Remove extends Common {
  readonly force?: boolean
}

/** `weft bridge`: bridges on the physical network, for pods that are on it. */
export function registerBridge(program: Command): void {
  const bridge = program
    .command('bridge')
    .summary('bridges of this node on the physical network')
    .description('Bridges of Open vSwitch that have a network card of this node, for pods on the physical network.')
    .addHelpText('after', EXAMPLES)
  withPlaces(bridge.command('create'))
    .description(
      'Makes a bridge with a network card as its uplink. Addresses, routes, rules and DNS of the card move to the bridge, ' +
        'and connections stay. When the gateway does not answer on the bridge within ten seconds, or the command dies, ' +
        'everything is put back by itself.',
    )
    .argument('<name>', 'the bridge, up to 15 characters')
    .requiredOption('--uplink <link>', 'the network card')
    .option('--mtu <bytes>', 'of the bridge’s own port (default: the uplink’s)', wholeNumber(68, 65_535))
    .option(
      '--trunks <vlans>',
      'VLANs that the uplink carries besides untagged frames: 100,200-210 (default: all)',
      vlans,
    )
    .addOption(
      new Option('--datapath-type <type>', 'how Open vSwitch forwards; netdev: in user space, for test machines')
        .choices(['system', 'netdev'])
        .default('system'),
    )
    .option('--no-move', 'the uplink has no addresses, and none are moved')
    .addOption(
      new Option('--persist <form>', 'who makes the bridge again at start; auto: whoever configures the uplink now')
        .choices(PERSIST_CHOICES)
        .default('auto'),
    )
    .option('--no-gateway-check', 'do not ask the gateway: only a command that dies is taken back')
    .option('--dry-run', 'tell what would be done')
    .option('-y, --yes', 'do not say what is about to happen to the only way into the machine')
    .addHelpText('after', CREATE_HELP)
    .action(create)
  withPlaces(bridge.command('status'))
    .description(
      'Shows the bridges of this node: uplinks, addresses, VLANs of pods, who made them, and whether gateways answer.',
    )
    .argument('[name]', 'this one only')
    .action(status)
  withPlaces(bridge.command('remove'))
    .description('Gives the uplink of a bridge of ours back what it had, and removes the bridge, under the same guard.')
    .argument('<name>', 'the bridge')
    .option('--force', 'also when pods have ports on it: they lose this network')
    .option('--no-gateway-check', 'do not ask the gateway')
    .option('--dry-run', 'tell what would be done')
    .action(remove)
  bridge
    .command('guard', { hidden: true })
    .argument('<file>')
    .action(async (file: string) => {
      await guard(file)
    })
}

function withPlaces(command: Command): Command {
  return command
    .option('--ovsdb <path>', 'socket of ovsdb-server', defaultSocket())
    .option('--run-dir <folder>', 'where it is noted what is under way', BRIDGE_FOLDER)
    .addOption(new Option('--root <folder>', 'the folder that stands for /').default('/').hideHelp())
    .option('--json', 'print JSON')
}

const EXAMPLES = `
Examples:
  weft bridge create br1 --uplink eth0 --dry-run
  weft bridge create br1 --uplink eth0
  weft bridge status
  weft bridge remove br1`

const CREATE_HELP = `
Exit codes: 0 done, or nothing was to do; 1 refused, or everything was put
back; 3 Open vSwitch does not answer.`

async function create(name: string, options: Create): Promise<void> {
  const { uplink, datapathType, trunks = [], move, mtu, persist } = options
  const wish = { bridge: name, uplink, datapathType, trunks, move, ...(mtu === undefined ? {} : { mtu }) }
  const says = options.yes !== true && options.json !== true
  const given: CreateOptions = {
    ...places(options),
    persist,
    asksGateways: options.gatewayCheck,
    ...(says ? { onNotice: (sentence) => process.stderr.write(`${sentence}\n`) } : {}),
  }
  const preview = options.dryRun === true ? await previewCreate(wish, given) : undefined
  const outcome = preview ?? (await createBridge(wish, given))
  if (options.json === true)
    printJson({ ...summary(name, uplink, outcome), done: preview === undefined && !outcome.isThere })
  else if (outcome.isThere) printLines([`${name} has ${uplink} as its uplink already: nothing is to do`])
  else if (preview !== undefined) printLines(sentencesOf(outcome.plan))
  else printLines([doneSentence(name, uplink, outcome), ...(outcome.plan?.notes ?? [])])
}

async function remove(name: string, options: Remove): Promise<void> {
  const given: RemoveOptions = { ...places(options), force: options.force === true, asksGateways: options.gatewayCheck }
  const plan = options.dryRun === true ? await previewRemove(name, given) : await removeBridge(name, given)
  if (options.json === true) printJson({ bridge: name, done: options.dryRun !== true, ...toJson(plan) })
  else if (options.dryRun === true) printLines(sentencesOf(plan))
  else
    printLines([
      `${name} is removed${plan.uplink === '' ? '' : `; ${plan.uplink} has its addresses back`}`,
      ...plan.notes,
    ])
}

async function status(name: string | undefined, { ovsdb, runDir, root, json }: Common): Promise<void> {
  const views = await bridgeStatus(name, { ovsdb, folder: runDir, root, gatewayMs: 2000 })
  if (json === true) printJson(views)
  else if (views.length === 0) printLines(['there is no bridge'])
  else printLines(bridgeTable(views, outputLook()))
}

function summary(bridge: string, uplink: string, { plan, persist, isThere }: Outcome): object {
  return { bridge, uplink, there: isThere, persist, ...(plan === undefined ? {} : toJson(plan)) }
}

function doneSentence(name: string, uplink: string, { plan, persist }: Outcome): string {
  const asked = (plan?.gateways ?? []).map(({ address }) => address)
  const answered = asked.length === 0 ? '' : `; ${asked.join(' and ')} ${asked.length === 1 ? 'answers' : 'answer'}`
  const lasting = persist === 'none' ? '' : `; ${persist} makes it again at start`
  return `${name} has ${uplink} as its uplink${answered}${lasting}`
}

function places({ ovsdb, runDir, root, json }: Common): Omit<CreateOptions, 'persist' | 'asksGateways'> {
  return {
    ovsdb,
    folder: runDir,
    root,
    gatewayMs: 10_000,
    guardCommand: (file) => selfCommand('bridge', 'guard', file),
    ...(json === true ? {} : { onStep: (title) => process.stderr.write(`· ${title}\n`) }),
  }
}

function vlans(text: string): readonly number[] {
  const parts = text.split(',').map((part) => /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part.trim()))
  return parts.flatMap((found) => {
    const [first, last] = [Number(found?.[1] ?? Number.NaN), Number(found?.[2] ?? found?.[1] ?? Number.NaN)]
    if (!(first >= 1 && last <= 4094 && first <= last)) {
      throw new InvalidArgumentError('VLANs from 1 to 4094 and ranges of them are wanted.')
    }
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
}
