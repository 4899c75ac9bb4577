/**
 * The daemons, as the programs `weft` and `k8s-ovs` run them.
 * @module
 */
import { mkdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { runAgent } from '../agent/agent.ts'
import { kubeNodeResources } from '../agent/bridges/node-resources.ts'
import { installPlugin, pluginBeside } from '../agent/install/plugin.ts'
import { podAnnotator, podEvents } from '../agent/notices.ts'
import type { AgentOptions } from '../agent/options.ts'
import { ControllerDaemon } from '../controller/daemon.ts'
import { serveHealth } from '../controller/health.ts'
import type { AttachmentPlace } from '../controller/spiderpool/options.ts'
import { identityOf } from '../kube/election/options.ts'
import { EventRecorder } from '../kube/events.ts'
import type { ServiceManager } from '../linux/sd-notify.ts'
import type { Neutron } from '../openstack/neutron/neutron.ts'
import type { OpenRegistry } from '../place/place.ts'
import { companionFolder } from '../playground/self.ts'
import type { ClusterWish } from '../settings/cluster.ts'
import { agentTeller, signsOfLife, tellOfEnd } from './service-manager.ts'

/** What an agent is run with. */
export interface AgentRun {
  readonly options: AgentOptions
  readonly opened: OpenRegistry
  /** Whoever started the program, where it wants to know how far it is. */
  readonly manager?: ServiceManager
  readonly log: Logger
  readonly signal: AbortSignal
}

/** Runs the node's agent until the signal aborts. */
export async function serveAgent({ options, opened, manager, log, signal }: AgentRun): Promise<void> {
  const { registry, kubernetes } = opened
  const { node: host, cniBinDir } = options
  const notices =
    kubernetes === undefined
      ? {}
      : {
          notices: podEvents(kubernetes, new EventRecorder(kubernetes, { component: 'weft-agent', host })),
          annotate: podAnnotator(kubernetes),
          // A host outside the cluster is none of its nodes.
          ...(options.external === true ? {} : { resources: kubeNodeResources(kubernetes, host) }),
        }
  if (cniBinDir !== undefined) putPlugin(cniBinDir, options, log)
  if (manager !== undefined) tellOfEnd(manager, signal)
  const onState = manager === undefined ? {} : { onState: agentTeller(manager, () => performance.now()) }
  await runAgent(options, registry, log, signal, { invalid: opened, ...onState, ...notices })
}

/** Without the plugin no new pod is attached; standing ones are looked after all the same. */
function putPlugin(folder: string, { cniConfigName, attachments }: AgentOptions, log: Logger): void {
  const required = cniConfigName?.endsWith('k8s-ovs.conf') === true ? 'k8s-ovs' : 'weft'
  try {
    const done = installPlugin(pluginBeside(companionFolder()), folder, required, attachments?.plugins)
    for (const [name, what] of done) log.info({ plugin: `${folder}/${name}` }, `CNI plugin ${name}: ${what}`)
  } catch (err) {
    log.error({ err, folder }, 'the CNI plugin is not installed')
  }
}

/** What a controller is run with. */
export interface ControllerRun {
  readonly opened: OpenRegistry
  /** Whoever started the program, where it wants to know how far it is. */
  readonly manager?: ServiceManager
  /** Folder of the socket that `weft health` asks. */
  readonly runDir: string
  /** Several may run: they elect one where there is a Kubernetes API server. */
  readonly election: boolean
  readonly wish: ClusterWish
  /** Networks by name. Absent: there are none. */
  readonly attachments?: AttachmentPlace
  /** A session at the cloud that nodes' ports are made in. Throws `OPENSTACK_CONFIG`. */
  readonly openStack?: () => Neutron
  readonly log: Logger
  readonly signal: AbortSignal
}

/** Runs the cluster's controller until the signal aborts. */
export async function serveController(run: ControllerRun): Promise<void> {
  const { opened, manager, runDir, election, log, signal } = run
  if (manager !== undefined) tellOfEnd(manager, signal)
  using _living = manager && signsOfLife(manager)
  const identity = election && opened.kubernetes !== undefined ? { identity: identityOf(hostname()) } : {}
  const daemon = new ControllerDaemon({ ...run, ...opened, ...identity })
  mkdirSync(runDir, { recursive: true, mode: 0o700 })
  const health = await serveHealth(join(runDir, 'controller.sock'), () => daemon.health())
  log.info({}, 'starting')
  // Its manager waits for a program that does its part, be it to lead or to wait for its turn.
  const telling = setInterval(() => daemon.health().ready && manager?.ready(), READY_INTERVAL_MS)
  try {
    await daemon.run()
  } finally {
    clearInterval(telling)
    await health.stop()
    opened.close()
  }
}

const READY_INTERVAL_MS = 500
