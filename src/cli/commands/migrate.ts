import type { Command } from 'commander'
import { hostSubnetSource } from '../../compat/openshift/host-subnet-ranges.ts'
import { InvalidObjects, linesOf } from '../../kube/invalid.ts'
import { openEtcd } from '../../place/etcd.ts'
import { openPlace, type RegistryPlace } from '../../place/place.ts'
import { type Migration, migrate, readPlan } from '../../registry/migrate.ts'
import type { MigrationPlan, MigrationStep } from '../../registry/migration.ts'
import { table } from '../../text/table.ts'
import { type PlaceOptions, placeNamed, withPlaceOptions } from '../address.ts'
import { usage } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { outputLook } from '../look.ts'

interface Options extends PlaceOptions {
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** `weft migrate`: shared state from one place to another. */
export function registerMigrate(program: Command): void {
  const command = program
    .command('migrate')
    .summary('take over the ranges of a cluster of k8s-ovs or OpenShift SDN')
    .description('Takes shared state from one place to another: no address, no range and no VNI changes.')
  withPlaceOptions(
    command
      .command('etcd-to-kubernetes')
      .description(
        'Takes configuration, machines and tenants out of k8s-ovs’s registry in etcd and makes ClusterNetwork, ' +
          'NodeNetworks and NetNamespaces of them. What is in etcd stays there, with a key that keeps weft controller ' +
          'from writing to it. It can be stopped at any point and run again.',
      ),
    'none: it is where to go to, as --kubeconfig is',
  )
    .option('--dry-run', 'show what would be done, and do nothing')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(run)
  command
    .command('hostsubnets')
    .description(
      'Makes a NodeNetwork of every node’s HostSubnet, so that nodes of OpenShift SDN keep their ranges. It comes after ' +
        'the definitions and before weft controller, which writes HostSubnets itself. It can be run again.',
    )
    .requiredOption('--kubeconfig <file>', 'the API server that has the HostSubnets, as this file tells')
    .option('--context <name>', 'another context of the kubeconfig than its current one')
    .option('--dry-run', 'show what would be done, and do nothing')
    .option('--json', 'print JSON')
    .action(takeHostSubnets)
}

const EXAMPLES = `
Exit codes: 0 both sides agree (or would), 1 something is in the way.

Examples:
  weft migrate etcd-to-kubernetes --etcd-endpoints http://192.0.2.10:2379 \\
    --kubeconfig admin.conf --dry-run`

async function run(options: Options): Promise<void> {
  const place = placeNamed(options)
  if (place?.kind !== 'etcd' || place.beside === undefined) {
    throw usage('where from and where to is not said', 'give --etcd-endpoints and --kubeconfig')
  }
  if (place.etcd.layout === 'calico') {
    throw usage('what Calico keeps in etcd is not taken over', 'give --etcd-layout k8s-ovs, or none')
  }
  const invalid = new InvalidObjects()
  const source = openEtcd(place.etcd, true, invalid)
  const target = openPlace(place.beside)
  const unreadable = (): readonly string[] => [...linesOf(invalid), ...linesOf(target.unreadable)]
  const migration: Migration = { source: source.registry, target: target.registry }
  try {
    const plan = await readPlan(migration)
    const isPossible = plan.conflicts.length === 0 && unreadable().length === 0
    if (options.dryRun === true || !isPossible) return show(options, plan, unreadable(), false)
    await source.registry.leave(wordOf(place.beside))
    const end = await migrate(migration, (step) => tell(options, step))
    show(options, end, unreadable(), true)
  } finally {
    source.close()
    target.close()
  }
}

async function takeHostSubnets(options: Options): Promise<void> {
  const place = placeNamed(options)
  if (place?.kind !== 'kubeconfig') {
    throw usage('whose HostSubnets is not said', 'give --kubeconfig')
  }
  const target = openPlace(place)
  try {
    const { api, registry } = target
    if (api === undefined) throw usage('that is no API server', 'give --kubeconfig')
    if ((await registry.get('Cluster', 'default')) === undefined) {
      throw usage('there is no ClusterNetwork default', 'this is for clusters of OpenShift SDN')
    }
    const { source, unreadable } = await hostSubnetSource(api, registry)
    const migration: Migration = { source, target: registry }
    const plan = await readPlan(migration)
    const wrong = (): readonly string[] => [...linesOf(target.unreadable), ...unreadable]
    const isPossible = plan.conflicts.length === 0 && wrong().length === 0
    if (options.dryRun === true || !isPossible) return show(options, plan, wrong(), false)
    const end = await migrate(migration, (step) => tell(options, step))
    show(options, end, wrong(), true)
  } finally {
    target.close()
  }
}

function wordOf({ kind }: RegistryPlace): string {
  return kind === 'socket' ? 'registry' : 'kubernetes'
}

function tell({ json }: Options, { kind, name }: MigrationStep): void {
  if (json !== true) process.stderr.write(`${kind} ${name} created\n`)
}

function show(
  { json }: Options,
  { steps, conflicts }: MigrationPlan,
  unreadable: readonly string[],
  isDone: boolean,
): void {
  const isFine = conflicts.length === 0 && unreadable.length === 0
  process.exitCode = isFine ? EXIT.ok : EXIT.failed
  if (json === true) {
    const plan = { done: isDone && isFine, steps: steps.map(inJson), conflicts, unreadable }
    process.stdout.write(`${JSON.stringify(plan)}\n`)
    return
  }
  const rows = steps.map((step) => [step.kind, step.name, inWords(step), step.why ?? DOES[step.does]])
  const columns = [{ head: 'KIND' }, { head: 'NAME' }, { head: 'HAS' }, { head: isDone ? 'STATE' : 'PLAN' }] as const
  const lines = table(columns, rows, outputLook())
  const against = [
    ...conflicts.map(({ kind, name, reason, remedy }) => `${kind} ${name}: ${reason} → ${remedy}`),
    ...unreadable.map((problem) => `cannot be read: ${problem}`),
  ]
  process.stdout.write([...lines, '', ...against, endWords(isFine, isDone), ''].join('\n'))
}

const DOES = { create: 'to be created', same: 'there, and the same', left: 'left' } as const

function endWords(isFine: boolean, isDone: boolean): string {
  if (!isFine) return 'Nothing is done: remove what is in the way, and run this again.'
  return isDone ? 'Both sides agree.' : 'Nothing was done. Without --dry-run this would be.'
}

function inWords(step: MigrationStep): string {
  if (step.kind === 'Tenant') return `VNI ${step.value.vni}`
  if (step.kind === 'NodeNetwork') return step.value.ranges.join(', ') || 'no range'
  return step.value.networks.map(({ cidr }) => cidr).join(', ')
}

function inJson({ kind, name, does, why, value }: MigrationStep): object {
  return { kind, name, does, ...(why === undefined ? {} : { why }), value }
}
