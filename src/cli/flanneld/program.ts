/**
 * Weft under the names `flanneld` and `flanneld-start`: that program's flags and answers, and what it did.
 * @module
 */
import type { Logger } from 'pino'
import { openKeySpace } from '../../etcd/choose.ts'
import { etcdConfig, readSecret } from '../../etcd/config.ts'
import { runFlanneld } from '../../flanneld/daemon.ts'
import { serveHealth } from '../../flanneld/health.ts'
import { EtcdLeases } from '../../flanneld/leases/etcd.ts'
import { KubeLeases, nodeName } from '../../flanneld/leases/kubernetes.ts'
import type { LeaseManager } from '../../flanneld/leases/manager.ts'
import { runProxy } from '../../flanneld/udp/process.ts'
import { KubeClient } from '../../kube/client.ts'
import { loadKubeconfig, loadMaster } from '../../kube/kubeconfig.ts'
import { selfCommand } from '../../playground/self.ts'
import { VERSION } from '../../version.ts'
import { describeError } from '../errors.ts'
import { EXIT, exitCodeOf } from '../exit-codes.ts'
import { daemonLog } from '../log.ts'
import { managerOfThis, signsOfLife, tellOfEnd } from '../service-manager.ts'
import { endSignal } from '../signals.ts'
import { FLAGS, type Flag } from './flag-table.ts'
import {
  type EtcdWish,
  FLANNELD_DEFAULTS,
  type FlanneldWish,
  FORWARD_WORD,
  type KubeWish,
  parseFlanneld,
} from './flags.ts'
import { startWords } from './start.ts'

/** Runs a command line of `flanneld` without the program's name. Never throws; resolves to the exit code. */
export async function runFlanneldProgram(words: readonly string[]): Promise<number> {
  try {
    const command = parseFlanneld(words, process.env)
    // Both go where flannel and Go's flag package write them.
    if (command.does === 'version') process.stderr.write(`${VERSION}\n`)
    else if (command.does === 'help') process.stderr.write(HELP)
    else if (command.does === 'forward') await runProxy(command.socket, daemonLog('flanneld-udp'))
    else await run(command)
    return Number(process.exitCode ?? EXIT.ok)
  } catch (error) {
    process.stderr.write(`flanneld: ${describeError(error, (text) => text)}\n`)
    return exitCodeOf(error)
  }
}

/** The same for `flanneld-start`. */
export function runFlanneldStart(words: readonly string[]): Promise<number> {
  return runFlanneldProgram(startWords(words, process.env))
}

async function run(wish: FlanneldWish): Promise<void> {
  const log = daemonLog('flanneld', wish.logLevel)
  for (const sentence of wish.idle) log.warn({}, sentence)
  const signal = endSignal()
  const manager = managerOfThis(log)
  if (manager !== undefined) tellOfEnd(manager, signal)
  using _living = manager && signsOfLife(manager)
  let isReady = false
  const health = wish.health && serveHealth(wish.health.address, wish.health.port, () => isReady)
  const [file = process.execPath, ...args] = selfCommand(FORWARD_WORD)
  const { ifaceCanReach, publicIp, publicIpv6 } = wish
  try {
    await runFlanneld({
      manager: await leasesOf(wish, log, signal),
      options: {
        ...wish,
        uplink: {
          iface: wish.iface,
          ifaceRegex: wish.ifaceRegex,
          ...(ifaceCanReach && { ifaceCanReach }),
          ...(publicIp && { publicIp }),
          ...(publicIpv6 && { publicIpv6 }),
        },
      },
      proxy: { file, args, argv0: 'flanneld' },
      log,
      signal,
      onReady: () => {
        isReady = true
        manager?.ready()
      },
      onStatus: statusTeller((text) => manager?.status(text)),
    })
  } finally {
    await health?.stop()
  }
}

/** What was said already is not said again. */
function statusTeller(tell: (text: string) => void): (text: string) => void {
  let told = ''
  return (text) => {
    if (text !== told) tell(text)
    told = text
  }
}

async function leasesOf({ leases }: FlanneldWish, log: Logger, signal: AbortSignal): Promise<LeaseManager> {
  return leases.kind === 'etcd' ? etcdLeases(leases, log) : await kubeLeases(leases, log, signal)
}

function etcdLeases({ api, prefix, renewMargin, passwordFile, ...settings }: EtcdWish, log: Logger): LeaseManager {
  const password = passwordFile && readSecret(passwordFile, 'the password file').replace(/\r?\n$/, '')
  const config = etcdConfig({ ...settings, ...(password === undefined ? {} : { password }) })
  const space = openKeySpace(config, api, `${prefix}/config`)
  return new EtcdLeases(space, { prefix, renewMargin: 60 * renewMargin }, log)
}

async function kubeLeases(wish: KubeWish, log: Logger, signal: AbortSignal): Promise<LeaseManager> {
  const { server, kubeconfig, annotationPrefix, configPath, setCondition } = wish
  const isOpen = server !== undefined && kubeconfig === undefined
  const config = isOpen ? loadMaster(server) : loadKubeconfig(kubeconfig, process.env, undefined, NAME_SERVER)
  const api = new KubeClient(config)
  const node = await nodeName(api, process.env, signal)
  return new KubeLeases(api, { node, configPath, annotationPrefix, setCondition }, log)
}

const NAME_SERVER =
  'name a kubeconfig by --kubeconfig-file or KUBECONFIG, or a server without accounts by --kube-api-url; in a pod, mount ' +
  'its service account'

const HELP = [
  'Usage: flanneld [flags]',
  '',
  'Weft as flannel’s daemon: takes a subnet for this machine, and keeps the way to the pods of the others. The',
  `configuration is in etcd, at ${FLANNELD_DEFAULTS.prefix}/config, or with --kube-subnet-mgr in a file. Flags take one dash or two.`,
  '',
  ...Object.entries<Flag>(FLAGS).map(([name, flag]) => {
    const about = flag.idle !== undefined ? ' (accepted; changes nothing)' : flag.isOurs === true ? ' (Weft’s own)' : ''
    return `  --${name}${flag.kind === 'switch' ? '' : ' VALUE'}${about}`
  }),
  '',
  'Each flag may stand in the environment: FLANNELD_ETCD_PREFIX for --etcd-prefix. WEFT_ETCD_PASSWORD holds a password that',
  'no list of processes shows. flanneld-start takes FLANNEL_ETCD_ENDPOINTS, FLANNEL_ETCD_PREFIX and FLANNEL_OPTIONS as well.',
  '',
].join('\n')
