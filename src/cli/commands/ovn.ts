import { type Command, InvalidArgumentError, Option } from 'commander'
import { formatCache } from '../../compat/ovn-underlay/cache.ts'
import { newCluster } from '../../controller/new-cluster.ts'
import { type Cidr, parseCidr } from '../../network/model/address.ts'
import type { Cluster } from '../../network/model/cluster.ts'
import { connectNorthbound, type Northbound } from '../../ovn/connect.ts'
import { OvnRegistry } from '../../ovn/registry/registry.ts'
import { type OwnedRow, ownedRows } from '../../ovn/rows/owned.ts'
import { ensurePool } from '../../ovn/rows/pool.ts'
import { type Following, followingOf } from '../../ovn/rows/status.ts'
import { removeSwitch } from '../../ovn/rows/switches.ts'
import type { OvnPlace } from '../../place/ovn.ts'
import { table } from '../../text/table.ts'
import { usage } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { printJson, printLines } from '../insight.ts'
import { outputLook } from '../look.ts'
import { wholeNumber } from '../numbers.ts'
import { type OvnOptions, ovnPlaceNamed, splitOvnOptions, withOvnOptions } from '../ovn-options.ts'

interface Options extends OvnOptions {
  readonly json?: boolean
}

interface Init extends Options {
  readonly podNetwork: readonly Cidr[]
  readonly serviceNetwork: readonly Cidr[]
  readonly tenancy?: Cluster['tenancy']
}

interface Prepare extends Options {
  readonly parent: string
  readonly router?: string
  readonly ports?: number
}

const DEFAULT_NB = 'unix:/var/run/ovn/ovnnb_db.sock'

/** `weft ovn`: OVN's northbound database, without OpenStack. */
export function registerOvn(program: Command): void {
  const ovn = program
    .command('ovn')
    .summary('switches and nested ports in OVN, without OpenStack')
    .description(
      "Works on OVN's northbound database. Every row that it makes carries the cluster's name; rows of others, Neutron's " +
        'among them, are never changed.',
    )
    .addHelpText('after', EXAMPLES)
  withPlace(
    ovn.command('status').description('whether the database answers, who follows it, and what of it is ours'),
  ).action(status)
  withPlace(ovn.command('rows').description('lists every row of ours')).action(rows)
  withPlace(
    ovn
      .command('init')
      .description(
        'Writes the configuration of a new cluster, for agents and controllers with --ovn-nb. What is there already stays.',
      )
      .requiredOption('--pod-network <cidr>', 'where nodes get their ranges from; again for the other family', more)
      .requiredOption('--service-network <cidr>', 'where services get addresses from; again for the other family', more)
      .addOption(
        new Option('--tenancy <how>', 'whether namespaces are parted (default: multitenant)').choices([
          'multitenant',
          'subnet',
        ]),
      ),
  ).action(init)
  withPlace(
    ovn
      .command('prepare')
      .description(
        'Makes a logical switch and ports in advance behind a virtual machine, a VLAN each, and prints them as ' +
          '`external_ids:lport-cache` has them. What is there already stays.',
      )
      .argument('<switch>', 'its name')
      .argument('<subnet>', 'of IPv4; its first address is the gateway', subnet)
      .requiredOption('--parent <port>', "the machine's own port: the iface-id of its interface")
      .option('--router <name>', 'joined to the switch; made when it is not there')
      .option('--ports <number>', 'so many (default: one per address)', wholeNumber(1, 4094)),
  ).action(prepare)
  withPlace(
    ovn
      .command('release')
      .description('Removes a switch of ours with all its ports. None is fine; one with ports of others stays.')
      .argument('<switch>', 'its name'),
  ).action(release)
}

const EXAMPLES = `
Examples:
  weft ovn status --ovn-cluster blue
  weft ovn prepare ls-worker1 192.168.1.0/29 --parent vm1 --router k8-router \\
    --ovn-cluster blue --ovn-nb ssl:192.0.2.1:6641,ssl:192.0.2.2:6641 \\
    --ovn-cafile ca.pem --ovn-certfile node.pem --ovn-keyfile node.key
  weft ovn release ls-worker1 --ovn-cluster blue
  weft ovn init --ovn-cluster blue --pod-network 10.244.0.0/16 \\
    --service-network 10.96.0.0/12`

function withPlace(command: Command): Command {
  return withOvnOptions(command, `$OVN_NB_DB, else ${DEFAULT_NB}`).option('--json', 'print JSON')
}

/** As OVN's own tools. */
function placeOtherwise(): string {
  return process.env['OVN_NB_DB'] || DEFAULT_NB
}

async function status(options: Options): Promise<void> {
  const { following, owned } = await connected(options, async (nbd) => ({
    following: await followingOf(nbd),
    owned: await ownedRows(nbd),
  }))
  if (following.isFollowed === false) process.exitCode = EXIT.failed
  if (options.json === true) printJson({ ...following, rows: counted(owned) })
  else printLines(statusLines(placeOf(options), following, owned))
}

async function rows(options: Options): Promise<void> {
  const owned = await connected(options, ownedRows)
  if (options.json === true) {
    printJson(owned.map((row) => ({ ...row, ids: Object.fromEntries(row.ids) })))
    return
  }
  const cells = owned.map(({ table: name, name: row, purpose, uuid }) => [name, row, purpose, uuid])
  printLines(table([{ head: 'TABLE' }, { head: 'NAME' }, { head: 'FOR' }, { head: 'UUID' }], cells, outputLook()))
}

async function init(options: Init): Promise<void> {
  const { podNetwork: podNetworks, serviceNetwork: serviceNetworks, tenancy } = options
  const wish = tenancy === undefined ? {} : { tenancy }
  const made = newCluster(wish, { podNetworks, serviceNetworks, kubernetes: [], nodeAddresses: [] })
  if (made.is === 'impossible') throw usage(made.why, made.remedy)
  const is = await connected(options, async (nbd) => {
    const registry = await OvnRegistry.open(nbd)
    return (await registry.get('Cluster', 'default')) ?? registry.create('Cluster', 'default', made.cluster)
  })
  const same = JSON.stringify(is.value) === JSON.stringify(made.cluster)
  if (options.json === true) printJson(is.value)
  else
    printLines([
      same ? 'The cluster is configured.' : `There is another configuration already: ${JSON.stringify(is.value)}`,
    ])
  if (!same) process.exitCode = EXIT.failed
}

async function prepare(name: string, cidr: Cidr, options: Prepare): Promise<void> {
  const { parent, router, ports: count } = options
  const wish = {
    ...{ switch: name, subnet: cidr, parent },
    ...(router === undefined ? {} : { router }),
    ...(count === undefined ? {} : { count }),
  }
  const ports = await connected(options, (nbd) => ensurePool(nbd, wish))
  if (options.json === true) printJson(ports)
  else printLines([formatCache(ports)])
}

async function release(name: string, options: Options): Promise<void> {
  await connected(options, (nbd) => removeSwitch(nbd, name))
  if (options.json === true) printJson({ released: name })
  else printLines([`${name} is gone.`])
}

async function connected<T>(options: Options, use: (nbd: Northbound) => Promise<T>): Promise<T> {
  const nbd = await connectNorthbound(placeOf(options))
  try {
    return await use(nbd)
  } finally {
    nbd.close()
  }
}

function placeOf(options: Options): OvnPlace {
  const { ovn } = splitOvnOptions(options)
  const place = ovnPlaceNamed({ ...ovn, ovnNb: ovn.ovnNb ?? placeOtherwise() })
  if (place !== undefined) return place
  throw usage('nothing says where the database is', 'give --ovn-nb')
}

function statusLines(
  { remotes, cluster }: OvnPlace,
  following: Following,
  owned: readonly OwnedRow[],
): readonly string[] {
  const { wanted, translated, onChassis } = following
  const counts = Object.entries(counted(owned)).map(([purpose, count]) => `  ${purpose}: ${count}`)
  return [
    `northbound  ${remotes}`,
    `ovn-northd  ${answered(translated, wanted)}${following.isFollowed ? '' : ': it is behind, or does not run'}`,
    `chassis     ${answered(onChassis, wanted)}`,
    `rows of ${cluster}: ${owned.length}`,
    ...counts,
  ]
}

/** Requests are counted by whoever waits for an answer, as `ovn-nbctl --wait=sb`. */
function answered(last: number, asked: number): string {
  return asked === 0 ? 'was not asked for an answer yet' : `answered request ${last} of ${asked}`
}

function counted(owned: readonly OwnedRow[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>()
  for (const { purpose } of owned) counts.set(purpose, (counts.get(purpose) ?? 0) + 1)
  return Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function more(text: string, before: readonly Cidr[] | undefined): readonly Cidr[] {
  return [...(before ?? []), subnet(text)]
}

function subnet(text: string): Cidr {
  const parsed = parseCidr(text)
  if (parsed !== undefined) return parsed
  throw new InvalidArgumentError('a subnet such as 192.168.1.0/29 is wanted.')
}
