import { type Command, Option } from 'commander'
import { openKeySpace } from '../../etcd/choose.ts'
import { etcdConfig } from '../../etcd/config.ts'
import { runMesh } from '../../mesh/daemon.ts'
import { takeMeshDown } from '../../mesh/down.ts'
import { printMesh } from '../../mesh/print.ts'
import { MESH_FOLDER } from '../../mesh/record.ts'
import { etcdSource, fileSource, type Source } from '../../mesh/source.ts'
import { isWhole, meshStatus } from '../../mesh/status.ts'
import type { DatapathType } from '../../mesh/switch.ts'
import { usage } from '../errors.ts'
import { accountOptions, type EtcdAccount, etcdSettings } from '../etcd-options.ts'
import { EXIT } from '../exit-codes.ts'
import { printJson, printLines } from '../insight.ts'
import { daemonLog } from '../log.ts'
import { outputLook } from '../look.ts'
import { defaultSocket } from '../ovsdb-socket.ts'
import { managerOfThis, signsOfLife, tellOfEnd } from '../service-manager.ts'
import { endSignal } from '../signals.ts'
import { printTakenDown } from '../taken-down.ts'

interface Common {
  readonly ovsdb: string
  readonly runDir: string
  readonly json?: boolean
}

interface Up extends Common, EtcdAccount {
  readonly config?: string
  readonly datapathType: DatapathType
  readonly guard: boolean
  readonly etcdEndpoints?: string
  readonly etcdKey?: string
  readonly etcdApi?: 'v2' | 'v3'
}

const DEFAULT_FILE = '/etc/weft/mesh.yaml'
const DEFAULT_KEY = '/weft/mesh'

/** `weft mesh`: containers of several machines on one network, without Kubernetes. */
export function registerMesh(program: Command): void {
  const mesh = program
    .command('mesh')
    .summary('containers of several machines on one network, without Kubernetes')
    .description(
      'A full mesh of tunnels (GRE, VXLAN or Geneve) between the Docker bridges of some machines, without a loop, or routes between ' +
        'them where they share a segment.',
    )
    .addHelpText('after', EXAMPLES)
  withEtcd(withPlaces(mesh.command('up')))
    .description(
      'Makes this machine’s part of a mesh out of a list of machines, which is the same on all of them, and keeps it: the list is ' +
        'followed. Runs until it is ended; what it made stays.',
    )
    .option('--config <file>', `the list of machines (default: ${DEFAULT_FILE})`)
    .addOption(
      new Option('--datapath-type <type>', 'how Open vSwitch forwards; netdev: in user space, for test machines')
        .choices(['system', 'netdev'])
        .default('system'),
    )
    .option(
      '--no-guard',
      'take tunnel packets of a machine from any link, also from those by which no route leads back to it',
    )
    .action(up)
  withPlaces(mesh.command('status'))
    .description(
      'Shows the other machines: by what way packets go there, whether they answer, the largest packet, and the last change.',
    )
    .option('--json', 'print JSON')
    .addHelpText('after', STATUS_HELP)
    .action(status)
  withPlaces(mesh.command('down'))
    .description('Takes away what `weft mesh up` made on this machine, and nothing else.')
    .option('--json', 'print JSON')
    .action(down)
}

const EXAMPLES = `
Examples:
  weft mesh up --config /etc/weft/mesh.yaml
  weft mesh status
  weft mesh down`

const STATUS_HELP = `
Exit codes: 0 all machines are up and nothing is in the way, 1 otherwise.`

function withPlaces(command: Command): Command {
  return command
    .option('--ovsdb <path>', 'socket of ovsdb-server', defaultSocket())
    .option('--run-dir <folder>', 'where it is noted how the mesh is', MESH_FOLDER)
}

function withEtcd(command: Command): Command {
  const options = [
    new Option('--etcd-endpoints <list>', 'the list is in this etcd: http://host:port, parted by commas'),
    new Option('--etcd-key <key>', `its key (default: ${DEFAULT_KEY})`),
    new Option('--etcd-api <version>', 'which of its interfaces (default: v3)').choices(['v2', 'v3']),
    ...accountOptions(),
  ]
  for (const option of options) command.addOption(option.helpGroup('A list in etcd instead of a file:'))
  return command
}

async function up(options: Up): Promise<void> {
  const log = daemonLog('mesh')
  const signal = endSignal()
  const { source, close } = sourceOf(options)
  const manager = managerOfThis(log)
  if (manager !== undefined) tellOfEnd(manager, signal)
  using _living = manager && signsOfLife(manager)
  try {
    await runMesh({
      source,
      ovsdb: options.ovsdb,
      datapathType: options.datapathType,
      guard: options.guard,
      folder: options.runDir,
      log,
      signal,
      onReady: () => {
        log.info({ source: source.name }, 'the mesh of this machine is made')
        manager?.ready()
      },
      onStatus: (text) => manager?.status(text),
    })
  } finally {
    close()
  }
}

function sourceOf(options: Up): { readonly source: Source; close(): void } {
  const { config, etcdEndpoints: endpoints, etcdKey: key = DEFAULT_KEY } = options
  if (endpoints === undefined) {
    const stray = Object.keys(options).find((name) => /^etcd[A-Z]/.test(name))
    if (stray !== undefined) {
      throw usage('options of etcd say nothing without --etcd-endpoints', 'give both, or --config alone')
    }
    return { source: fileSource(config ?? DEFAULT_FILE), close: () => undefined }
  }
  if (config !== undefined) throw usage('--config and --etcd-endpoints both name a list', 'give one of them')
  if (!/^\/[^/].*[^/]$/.test(key)) throw usage(`${key} is no key`, `write it as ${DEFAULT_KEY}`)
  const space = openKeySpace(etcdConfig(etcdSettings(endpoints, options)), options.etcdApi ?? 'v3', key)
  return { source: etcdSource(space, key), close: () => space.close() }
}

async function status({ ovsdb, runDir, json }: Common): Promise<void> {
  const found = await meshStatus({ ovsdb, folder: runDir })
  if (json === true) printJson(found)
  else printLines(printMesh(found, Date.now() / 1000, outputLook()))
  process.exitCode = isWhole(found) ? EXIT.ok : EXIT.failed
}

async function down({ ovsdb, runDir, json }: Common): Promise<void> {
  printTakenDown(await takeMeshDown({ ovsdb, folder: runDir }), json === true, {
    something: 'the mesh of this machine is taken away',
    nothing: 'nothing to take down: there is no mesh on this machine',
  })
}
