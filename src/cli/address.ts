/**
 * How a command or a daemon is told where shared state is.
 * @module
 */
import type { Command } from 'commander'
import {
  type OpenOptions,
  type OpenRegistry,
  openPlace,
  placeIn,
  placeInEnvironment,
  type RegistryPlace,
  type WholePlace,
} from '../place/place.ts'
import { DEFAULT_RUN_DIR } from '../playground/layout.ts'
import { CliError, usage } from './errors.ts'
import { type EtcdOptions, etcdPlaceNamed, splitEtcdOptions, withEtcdOptions } from './etcd-options.ts'
import { type OvnOptions, ovnPlaceNamed, splitOvnOptions, withOvnOptions } from './ovn-options.ts'

/**
 * The options that name a place. Each of them begins another kind; `context` says more of a kubeconfig, and beside an etcd
 * or OVN's northbound the others say where Kubernetes' own objects are.
 */
export interface PlaceOptions extends EtcdOptions, OvnOptions {
  readonly registry?: string
  readonly kubeconfig?: string
  readonly context?: string
}

/** The options of a daemon. */
export interface DaemonPlaceOptions extends PlaceOptions {
  /** Where a pod reaches the API server: `host:port`. */
  readonly server?: string
}

/** What says where shared state is. */
export interface RegistryChoice extends PlaceOptions {
  /** A playground's folder. */
  readonly runDir?: string
}

/** Adds the options that name a place. `otherwise` is what holds without them. */
export function withPlaceOptions(command: Command, otherwise: string): Command {
  command
    .option('--registry <address>', `the registry, as unix:PATH (default: ${otherwise})`)
    .option('--kubeconfig <file>', 'a Kubernetes API server instead, as this file tells')
    .option('--context <name>', 'another context of the kubeconfig than its current one')
  return withOvnOptions(withEtcdOptions(command), 'shared state is not there')
}

/** Adds the options that {@link openRegistry} understands. */
export function withRegistryOptions(command: Command): Command {
  return withPlaceOptions(command, '$WEFT_REGISTRY, else the playground’s')
}

/** Adds the options of a command about shared state: where it is, a playground's folder included, and JSON for programs. */
export function withSharedStateOptions(command: Command): Command {
  return withRegistryOptions(command)
    .option('--run-dir <folder>', 'a playground’s folder: ask its registry')
    .option('--json', 'print JSON')
}

/** Adds the options of a daemon, which runs in a pod too. */
export function withDaemonPlaceOptions(command: Command): Command {
  const environment = '$WEFT_REGISTRY, $KUBECONFIG, $KUBERNETES_MASTER, the pod’s own account'
  return withPlaceOptions(command, environment).option(
    '--server <address>',
    'where a pod reaches the API server, as host:port (default: what Kubernetes tells it)',
  )
}

/**
 * Opens the place that a daemon is told. It never takes a playground's by itself: a machine would join what somebody
 * tries out there. Throws CLI_NOT_RUNNING when nothing says which, and as {@link openRegistry} does.
 */
export function openForDaemon({ server, ...choice }: DaemonPlaceOptions, options: OpenOptions): OpenRegistry {
  const named = placeNamed(choice, server)
  const isTold = named !== undefined || process.env['WEFT_REGISTRY'] !== undefined
  if (isTold) return openPlace(named ?? placeMeant(choice), options)
  const place = placeInEnvironment(server)
  if (place !== undefined) return openPlace(place, options)
  throw new CliError(
    'CLI_NOT_RUNNING',
    'nothing says where shared state is',
    'name a Kubernetes API server by --kubeconfig, $KUBECONFIG or $KUBERNETES_MASTER (host:port), run in a pod with its ' +
      'service account, or name another registry by --registry, --etcd-endpoints or --ovn-nb',
  )
}

/**
 * The place that options name, if they name one. Beside an etcd or OVN the environment may say where Kubernetes is, whose server
 * a pod reaches at `server`. Throws CLI_USAGE when they name two.
 */
export function placeNamed(options: PlaceOptions, server?: string): RegistryPlace | undefined {
  const whole = wholePlaceNamed(options)
  const etcd = etcdPlaceNamed(splitEtcdOptions(options).etcd)
  const ovn = ovnPlaceNamed(splitOvnOptions(options).ovn)
  if (etcd !== undefined && ovn !== undefined) throw namedTwice('--etcd-endpoints', '--ovn-nb')
  if (etcd === undefined && ovn === undefined) return whole
  const kubernetes = whole ?? placeInEnvironment(server)
  const beside = kubernetes === undefined ? {} : { beside: kubernetes }
  if (ovn !== undefined) return { kind: 'ovn', ovn, ...beside }
  return etcd === undefined ? whole : { kind: 'etcd', etcd, ...beside }
}

function wholePlaceNamed({ registry, kubeconfig, context }: PlaceOptions): WholePlace | undefined {
  if (registry !== undefined && kubeconfig !== undefined) throw namedTwice('--registry', '--kubeconfig')
  if (context !== undefined && kubeconfig === undefined) {
    throw usage('--context says nothing without --kubeconfig', 'give both')
  }
  if (registry !== undefined) return { kind: 'socket', path: socketPath(registry) }
  if (kubeconfig === undefined) return undefined
  return { kind: 'kubeconfig', file: kubeconfig, ...(context === undefined ? {} : { context }) }
}

/**
 * The place that the user means: the one named, that of the folder named, the environment's, the playground's.
 * Throws CLI_USAGE when two are named, CLI_NOT_RUNNING when nothing says which.
 */
function placeMeant(choice: RegistryChoice): RegistryPlace {
  const { runDir } = choice
  const named = placeNamed(choice)
  if (named !== undefined) {
    if (runDir !== undefined) throw namedTwice(optionOf(named), '--run-dir')
    return named
  }
  const environment = process.env['WEFT_REGISTRY']
  if (runDir === undefined && environment !== undefined) return { kind: 'socket', path: socketPath(environment) }
  const found = placeIn(runDir ?? DEFAULT_RUN_DIR)
  if (found !== undefined) return found
  const where = runDir === undefined ? ', and no registry was named' : ` in ${runDir}`
  // A variable that is left over in a shell must not change somebody's cluster; whoever counts on it is told.
  const unread = (process.env['KUBECONFIG'] ?? '') === '' ? '' : '; commands do not read $KUBECONFIG'
  const remedy =
    '`weft play` brings one up; a cluster is named by --kubeconfig FILE, another registry by --registry unix:PATH'
  throw new CliError('CLI_NOT_RUNNING', `no playground is up${where}`, `${remedy}${unread}`)
}

/** Opens what the user means. Throws as {@link placeMeant} does, `KUBE_CONFIG` and `ETCD_CONFIG`. */
export function openRegistry(choice: RegistryChoice, options: OpenOptions = {}): OpenRegistry {
  return openPlace(placeMeant(choice), options)
}

/** The option that begins a kind of place. */
export function optionOf({ kind }: RegistryPlace): string {
  if (kind === 'etcd') return '--etcd-endpoints'
  if (kind === 'ovn') return '--ovn-nb'
  return kind === 'socket' ? '--registry' : '--kubeconfig'
}

function namedTwice(one: string, other: string): CliError {
  return usage(`${one} and ${other} both name a registry`, 'give one of them')
}

/** The path in `unix:PATH`. Throws CLI_USAGE for anything else. */
function socketPath(text: string): string {
  const path = text.startsWith('unix:') ? text.slice('unix:'.length) : ''
  if (path.startsWith('/')) return path
  const told = JSON.stringify(text.slice(0, 80))
  throw usage(`${told} is not the address of a registry`, 'write unix:/path/to/socket')
}
