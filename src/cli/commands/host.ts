import { type Command, InvalidArgumentError } from 'commander'
import { type Ip, parseIp } from '../../network/model/address.ts'
import { GLOBAL_VNI, MAX_VNI } from '../../network/model/tenant.ts'
import { table } from '../../text/table.ts'
import { openRegistry, type RegistryChoice, withRegistryOptions } from '../address.ts'
import { CliError } from '../errors.ts'
import { addHost, type HostView, listHosts, removeHost, vniOfTenant } from '../external-hosts.ts'
import { outputLook } from '../look.ts'
import { machineName, wholeNumber } from '../numbers.ts'
import { endSignal } from '../signals.ts'

interface Options extends RegistryChoice {
  readonly json?: boolean
}

interface AddOptions extends Options {
  readonly address: readonly Ip[]
  readonly vni?: number
  readonly tenant?: string
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
  withOptions(host.command('list').description('list those that were let in')).action(list)
  withOptions(
    host
      .command('add')
      .description('let a machine in, or change what was said of it')
      .argument('<name>', 'its name; its agent is started with --node <name> --external', machineName)
      .requiredOption('--address <address>', 'where nodes reach it; again for another family', addresses)
      .option('--vni <number>', 'whom it reaches: 0 is every pod', wholeNumber(0, MAX_VNI))
      .option('--tenant <namespace>', 'whom it reaches: the tenant that this namespace has now', machineName),
  ).action(add)
  withOptions(
    host
      .command('remove')
      .description('shut a machine out: every node stops answering it')
      .argument('<name>', 'whom', machineName),
  ).action(remove)
}

const EXAMPLES = `
Examples:
  weft host add lb1 --address 192.0.2.40 --tenant shop
  weft host add lb2 --address 192.0.2.41 --vni 0
  weft host list
  weft host remove lb1

On the host itself, with Open vSwitch:
  weft agent --external --node lb1 --kubeconfig lb1.kubeconfig`

function withOptions(command: Command): Command {
  return withRegistryOptions(command)
    .option('--run-dir <folder>', 'a playground’s folder: ask its registry')
    .option('--json', 'print JSON')
}

async function list(options: Options): Promise<void> {
  const { registry, close } = openRegistry(options)
  const hosts = await listHosts(registry).finally(close)
  if (options.json === true) process.stdout.write(`${JSON.stringify(hosts)}\n`)
  else if (hosts.length === 0) process.stdout.write('no machine outside the cluster was let in\n')
  else print(hosts)
}

async function add(name: string, options: AddOptions): Promise<void> {
  if ((options.vni === undefined) === (options.tenant === undefined)) {
    throw new CliError('CLI_USAGE', 'whom it reaches is not said', 'give --tenant NAMESPACE, or --vni 0 for every pod')
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
    vni === GLOBAL_VNI ? '0 (all)' : `${vni}`,
  ])
  const problems = hosts.flatMap(({ name, problem }) => (problem === undefined ? [] : [`! ${name}: ${problem}`]))
  process.stdout.write(`${[...table(COLUMNS, rows, outputLook()), ...problems].join('\n')}\n`)
}

function addresses(text: string, before: readonly Ip[] = []): readonly Ip[] {
  const address = parseIp(text)
  if (address === undefined) throw new InvalidArgumentError('an IP address is wanted.')
  return [...before, address]
}
