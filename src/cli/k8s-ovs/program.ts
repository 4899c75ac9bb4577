/**
 * Weft under the name `k8s-ovs`: that program's flags, its answers, and what it did.
 * @module
 */
import { hostname } from 'node:os'
import type { Logger } from 'pino'
import { AGENT_DEFAULTS } from '../../agent/options.ts'
import { readSecret } from '../../etcd/config.ts'
import { type OpenOptions, openPlace, placeInEnvironment, type RegistryPlace } from '../../place/place.ts'
import { clusterWish } from '../../settings/cluster.ts'
import { loadSettings } from '../../settings/load.ts'
import type { Settings } from '../../settings/table.ts'
import { VERSION } from '../../version.ts'
import { serveAgent, serveController } from '../daemons.ts'
import { describeError } from '../errors.ts'
import { EXIT, exitCodeOf } from '../exit-codes.ts'
import { daemonLog } from '../log.ts'
import { managerOfThis } from '../service-manager.ts'
import { endSignal } from '../signals.ts'
import { agentOptions } from './agent-options.ts'
import { FLAGS, type Flag } from './flag-table.ts'
import { K8S_OVS_DEFAULTS, type K8sOvsRun, parseK8sOvs } from './flags.ts'

/** Runs a command line without the program's name. Never throws; resolves to the exit code. */
export async function runK8sOvs(words: readonly string[]): Promise<number> {
  try {
    const command = parseK8sOvs(words, process.env)
    // Both go where k8s-ovs and Go's flag package write them.
    if (command.does === 'version') process.stderr.write(`${VERSION}\n`)
    else if (command.does === 'help') process.stderr.write(HELP)
    else await run(command)
    return Number(process.exitCode ?? EXIT.ok)
  } catch (error) {
    process.stderr.write(`k8s-ovs: ${describeError(error, (text) => text)}\n`)
    return exitCodeOf(error)
  }
}

/**
 * Both daemons in one process. Without a Kubernetes API server it is a host outside the cluster: it reaches pods, and takes
 * no part in the election.
 */
async function run(command: K8sOvsRun): Promise<void> {
  const settings = command.config === undefined ? {} : loadSettings(command.config)
  const log = daemonLog('k8s-ovs', settings['log.level'] ?? command.logLevel)
  for (const sentence of command.idle) log.warn({}, sentence)
  const node = command.hostname ?? settings['agent.node'] ?? hostname().toLowerCase()
  // kubectl's flag says what the environment would.
  if (command.server !== undefined) process.env['KUBERNETES_MASTER'] = command.server
  const place = placeOf(command)
  const tellers: Tellers = {
    onInvalid: (problem) => log.warn({}, problem),
    onSettled: (sentence) => log.info({}, sentence),
  }
  const isExternal = place.beside === undefined || settings['agent.external'] === true
  if (place.beside === undefined) log.info({}, 'no Kubernetes API server is named: this host is outside the cluster')
  const ending = new AbortController()
  const signal = AbortSignal.any([endSignal(), ending.signal])
  const manager = managerOfThis(log)
  const agent = serveAgent({
    options: { ...agentOptions(settings, node), external: isExternal },
    opened: openPlace(place, tellers),
    ...(manager === undefined ? {} : { manager }),
    log,
    signal,
  })
  const daemons = isExternal ? [agent] : [agent, controller(place, settings, log, signal, tellers)]
  // What ends one ends the program; its manager starts both again.
  await Promise.all(daemons).finally(() => ending.abort())
}

/** Who hears of objects that mean nothing. */
type Tellers = Pick<OpenOptions, 'onInvalid' | 'onSettled'>

function controller(
  place: RegistryPlace,
  settings: Settings,
  log: Logger,
  signal: AbortSignal,
  tellers: Tellers,
): Promise<void> {
  return serveController({
    opened: openPlace(place, { isController: true, ...tellers }),
    runDir: settings['agent.runDir'] ?? AGENT_DEFAULTS.runDir,
    election: settings['controller.election'] ?? true,
    wish: clusterWish(settings),
    log,
    signal,
  })
}

function placeOf({ etcd, api, layout, kubeconfig: file, context }: K8sOvsRun): EtcdPlaceMeant {
  const named = file === undefined ? placeInEnvironment() : ({ kind: 'kubeconfig', file } as const)
  const beside = named?.kind === 'kubeconfig' && context !== undefined ? { ...named, context } : named
  return {
    kind: 'etcd',
    etcd: { settings: withPassword(etcd), api, prefix: layout.prefix, network: layout.network },
    ...(beside === undefined ? {} : { beside }),
  }
}

function withPassword({ passwordFile, ...settings }: K8sOvsRun['etcd']): EtcdPlaceMeant['etcd']['settings'] {
  if (passwordFile === undefined) return settings
  return { ...settings, password: readSecret(passwordFile, 'the password file').replace(/\r?\n$/, '') }
}

type EtcdPlaceMeant = Extract<RegistryPlace, { readonly kind: 'etcd' }>

const HELP = [
  'Usage: k8s-ovs [flags]',
  '',
  'Weft as k8s-ovs: the agent of this node, and the controller of the cluster where it is elected. The configuration',
  `is in etcd, at ${K8S_OVS_DEFAULTS.prefix}/config. Flags take one dash or two.`,
  '',
  ...Object.entries<Flag>(FLAGS).flatMap(([name, flag]) => {
    if (flag.fate === 'refused') return []
    const about = flag.fate === 'idle' ? ' (accepted; changes nothing)' : ''
    return [`  --${name}${flag.kind === 'switch' ? '' : ' VALUE'}${about}`]
  }),
  '',
  'The environment names the Kubernetes API server: KUBECONFIG, or KUBERNETES_MASTER=host:port. WEFT_ETCD_PASSWORD holds a',
  'password that no list of processes shows. Where neither is set the host is outside the cluster: it reaches pods and has none.',
  '',
].join('\n')
