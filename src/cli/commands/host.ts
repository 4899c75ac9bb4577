import { type Command, InvalidArgumentError } from 'commander'
import { type Ip, parseIp } from '../../network/model/address.ts'
import { GLOBAL_VNI, MAX_VNI } from '../../network/model/tenant.ts'
import { table } from '../../text/table.ts'
import { marked } from '../../text/words.ts'
import { openRegistry, type RegistryChoice, withSharedStateOptions } from '../address.ts'
import { usage } from '../errors.ts'
import {
  addHost,
  type ChangedHost,
  changeHost,
  type HostView,
  listHosts,
  removeHost,
  vniOfTenant,
} from '../external-hosts.ts'
import { outputLook } from '../look.ts'
import { machineName, wholeNumber } from '../numbers.ts'
import { endSignal } from '../signals.ts'

interface Options extends RegistryChoice {
  readonly json?: boolean
}

interface ChangeOptions extends Options {
  readonly address?: readonly Ip[]
  readonly vni?: number
  readonly tenant?: string
}

interface AddOptions extends ChangeOptions {
  readonly address: readonly Ip[]
}

/** `weft host`: machines outside the cluster that reach pods. */
export function registerHost(program: Command): void {
  const host = program
    .command('host')
    .summary('let machines outside the cluster reach pods, such as load balancers')
    .description(
      'A machine outside the cluster gets a range of its own and a tunnel to every node. All that it sends is of the VNI ' +
        'given here, whatever it says: 0 reaches every pod, another one a single tenant. Nodes answer nobody who is not ' +
        'in this list.',
    )
    .addHelpText('after', EXAMPLES)
  withSharedStateOptions(host.command('list').description('list those that were let in')).action(list)
  withSharedStateOptions(
    withWhom(
      host
        .command('add')
        .description('let a machine in')
        .argument('<name>', 'its name; its agent is started with --node <name> --external', machineName)
        .requiredOption('--address <address>', ADDRESS, addresses),
    ),
  ).action(add)
  withSharedStateOptions(
    withWhom(
      host
        .command('change')
        .description('change what was said of a machine that was let in, and tell what changed')
        .argument('<name>', 'whom', machineName)
        .option('--address <address>', `${ADDRESS}; these replace all it had`, addresses),
    ),
  ).action(change)
  withSharedStateOptions(
    host
      .command('remove')
      .description('shut a machine out: every node stops answering it')
      .argument('<name>', 'whom', machineName),
  ).action(remove)
}

const ADDRESS = 'where nodes reach it; again for another family'

function withWhom(command: Command): Command {
  return command
    .option('--vni <number>', 'whom it reaches: 0 is every pod', wholeNumber(0, MAX_VNI))
    .option('--tenant <namespace>', 'whom it reaches: the tenant that this namespace has now', machineName)
}

const EXAMPLES = `
Examples:
  weft host add lb1 --address 192.0.2.40 --tenant shop
  weft host add lb2 --address 192.0.2.41 --vni 0
  weft host change lb2 --tenant shop
  weft host list --kubeconfig admin.conf
  weft host remove lb1

On the host itself, with Open vSwitch:
  weft agent --external --node lb1 --kubeconfig lb1.kubeconfig`

async function list(options: Options): Promise<void> {
  const { registry, close } = openRegistry(options)
  const hosts = await listHosts(registry).finally(close)
  if (options.json === true) process.stdout.write(`${JSON.stringify(hosts)}\n`)
  else if (hosts.length === 0) process.stdout.write('no machine outside the cluster was let in\n')
  else print(hosts)
}

async function add(name: string, options: AddOptions): Promise<void> {
  if ((options.vni === undefined) === (options.tenant === undefined)) {
    throw usage('whom it reaches is not said', 'give --tenant NAMESPACE, or --vni 0 for every pod')
  }
  const { registry, close } = openRegistry(options)
  try {
    const vni = options.vni ?? (await vniOfTenant(registry, options.tenant ?? ''))
    const host = await addHost(registry, { name, addresses: options.address, vni }, endSignal())
    if (options.json === true) process.stdout.write(`${JSON.stringify(host)}\n`)
    else print([host])
  } finally {
    close()
  }
}

async function change(name: string, options: ChangeOptions): Promise<void> {
  const { address, vni, tenant } = options
  if (vni !== undefined && tenant !== undefined) {
    throw usage('--vni and --tenant both say whom it reaches', 'give one of them')
  }
  if (address === undefined && vni === undefined && tenant === undefined) {
    throw usage('what should change is not said', 'give --address, --vni or --tenant')
  }
  const { registry, close } = openRegistry(options)
  try {
    const wanted = tenant === undefined ? vni : await vniOfTenant(registry, tenant)
    const parts = {
      ...(address === undefined ? {} : { addresses: address }),
      ...(wanted === undefined ? {} : { vni: wanted }),
    }
    const changed = await changeHost(registry, name, parts, endSignal())
    if (options.json === true) process.stdout.write(`${JSON.stringify(changed)}\n`)
    else process.stdout.write(`${differences(changed).join('\n')}\n`)
  } finally {
    close()
  }
}

function differences({ before, host }: ChangedHost): readonly string[] {
  const rows = [
    ['addresses', before.addresses.join(' '), host.addresses.join(' ')],
    ['VNI', vniText(before.vni), vniText(host.vni)],
  ] as const
  const lines = rows.flatMap(([what, from, to]) => (from === to ? [] : [`${host.name}: ${what} ${from} → ${to}`]))
  return lines.length === 0 ? [`${host.name}: nothing changes`] : lines
}

function vniText(vni: number): string {
  return vni === GLOBAL_VNI ? '0 (all)' : `${vni}`
}

async function remove(name: string, options: Options): Promise<void> {
  const { registry, close } = openRegistry(options)
  await removeHost(registry, name).finally(close)
  process.stdout.write(options.json === true ? `${JSON.stringify({ removed: name })}\n` : `${name} is shut out\n`)
}

const COLUMNS = [
  { head: 'HOST' },
  { head: 'STATE' },
  { head: 'ADDRESSES' },
  { head: 'RANGES' },
  { head: 'VNI', align: 'right' },
] as const

function print(hosts: readonly HostView[]): void {
  const rows = hosts.map(({ name, state, addresses: at, ranges, vni }) => [
    name,
    state,
    [...at],
    ranges.length === 0 ? '-' : [...ranges],
    vniText(vni),
  ])
  const look = outputLook()
  const problems = hosts.flatMap(({ name, problem }) =>
    problem === undefined ? [] : marked(`${name}: ${problem}`, look),
  )
  process.stdout.write(`${[...table(COLUMNS, rows, look), ...problems].join('\n')}\n`)
}

function addresses(text: string, before: readonly Ip[] = []): readonly Ip[] {
  const address = parseIp(text)
  if (address === undefined) throw new InvalidArgumentError('an IP address is wanted.')
  return [...before, address]
}
