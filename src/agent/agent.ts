/**
 * One node's agent: serves container runtimes, watches the cluster, keeps Open vSwitch and the node's stack as planned.
 * Crash-only: it starts from what OVSDB, the kernel and the registry hold, and removes nothing before it has read all.
 * @module
 */
import { mkdirSync } from 'node:fs'
import { openRtnl } from '../linux/index.ts'
import { BEAT_MS } from '../network/model/node.ts'
import { connectOvsdb, type OvsdbClient } from '../ovs/ovsdb/index.ts'
import { aborted } from '../registry/backoff.ts'
import type { Registry } from '../registry/registry.ts'
import { Attachments } from './attach/attachments.ts'
import { serveCni } from './attach/cni-server.ts'
import { EndpointLinks } from './attach/endpoint-links.ts'
import { whyNoTenant } from './attach/missing-tenant.ts'
import { OneAtATime } from './attach/one-at-a-time.ts'
import { AddressPools } from './attach/pools.ts'
import { Ports } from './attach/ports.ts'
import { startBgp } from './bgp/start.ts'
import { NodesView } from './cluster/nodes-view.ts'
import { reflectCluster } from './cluster/reflection.ts'
import { ClusterView } from './cluster/view.ts'
import { AgentReport } from './control/report.ts'
import { serveControl } from './control/server.ts'
import { startDropLog } from './drops/start.ts'
import { every } from './every.ts'
import { HostPorts, takenIn } from './host-ports.ts'
import { announcement, cniConfigPlace } from './install/announce.ts'
import { holdCniConfig } from './install/cni-config.ts'
import type { AgentLog } from './log.ts'
import { startNames } from './names/start.ts'
import type { Networks } from './networks/networks.ts'
import { startNetworks } from './networks/start.ts'
import { coldInKernel, coldInUserspace } from './node/outer-neighbours.ts'
import { Uplink } from './node/uplink.ts'
import { watchNode } from './node/watch.ts'
import { Ways } from './node/ways.ts'
import { NO_NOTICES } from './notices.ts'
import { AGENT_DEFAULTS, type AgentOptions } from './options.ts'
import { UnderlayPorts } from './plugins/ovs/ports.ts'
import { Problems } from './problems.ts'
import { startLimiting } from './qos/start.ts'
import type { AgentState, AgentSurroundings } from './surroundings.ts'
import { Reconciler } from './switch/reconciler.ts'
import { TunnelWatch } from './tunnels/watch.ts'

/** How long an ADD waits for a namespace that is being created. */
const TENANT_WAIT_MS = 5_000
/** How often whoever asked is told how far the agent is. */
const STATE_INTERVAL_MS = 500

/** Runs an agent until `signal` aborts. Rejects with what makes running impossible. */
export async function runAgent(
  options: AgentOptions,
  registry: Registry,
  log: AgentLog,
  signal: AbortSignal,
  surroundings: AgentSurroundings = {},
): Promise<void> {
  mkdirSync(options.runDir, { recursive: true, mode: 0o700 })
  const cniConfig = cniConfigPlace(options)
  if (cniConfig !== undefined) holdCniConfig(cniConfig)
  let node: NodeAgent | undefined
  // Runtimes get a clear answer from the first moment on, also while Open vSwitch is away.
  const waitingFor = `Open vSwitch (ovsdb-server does not answer at ${options.ovsdb})`
  const cni =
    options.external === true
      ? undefined
      : serveCni(`${options.runDir}/cni.sock`, () => node?.networks ?? { waitingFor }, log)
  let control: { stop(): Promise<void> } | undefined
  const state = (): AgentState => node?.state() ?? { waitingFor: [waitingFor], hasSwitch: false }
  using _telling = every(STATE_INTERVAL_MS, () => surroundings.onState?.(state()))
  try {
    control = await serveControl(`${options.runDir}/agent.sock`, () => node?.report ?? { waitingFor })
    node = await NodeAgent.start(options, registry, surroundings, log, signal)
    log.info({ node: options.node, runDir: options.runDir, datapath: options.datapath }, 'agent started')
    await aborted(signal)
  } catch (error) {
    // Told to stop while it was still waiting for Open vSwitch: that is no failure.
    if (!signal.aborted) throw error
  } finally {
    cni?.close()
    await control?.stop()
    await node?.stop()
  }
  log.info({ node: options.node }, 'agent stopped; forwarding goes on')
}

/** What of an agent is asked from outside. */
interface NodeParts {
  readonly networks: Networks
  readonly reconciler: Reconciler
  readonly report: AgentReport
}

/** The parts of an agent, wired. */
class NodeAgent {
  readonly networks: Networks
  readonly report: AgentReport
  readonly #reconciler: Reconciler
  readonly #resources: AsyncDisposableStack

  private constructor({ networks, reconciler, report }: NodeParts, resources: AsyncDisposableStack) {
    this.networks = networks
    this.report = report
    this.#reconciler = reconciler
    this.#resources = resources
  }

  state(): AgentState {
    return { waitingFor: this.#reconciler.notReadyFor(), hasSwitch: this.#reconciler.switch?.connected === true }
  }

  static async start(
    options: AgentOptions,
    registry: Registry,
    { notices = NO_NOTICES, annotate, resources: counts, invalid }: AgentSurroundings,
    log: AgentLog,
    signal: AbortSignal,
  ): Promise<NodeAgent> {
    await using resources = new AsyncDisposableStack()
    const problems = new Problems(log)
    const hostPorts = new HostPorts({ node: options.node, problems, notices, taken: () => takenIn(view) })
    const ovsdb = resources.use(await openOvsdb(options, log, signal))
    const rtnl = resources.use(openRtnl())
    const ports = await Ports.open(ovsdb, options.datapath, signal)
    const underlay = { ports: await UnderlayPorts.open(ovsdb, signal), operations: new OneAtATime() }
    const links = resources.use(
      new EndpointLinks(rtnl, options.datapath, (failure) => {
        if (failure === undefined) problems.solved('links')
        else problems.failed('links', failure.error)
      }),
    )
    const pools = new AddressPools(options.addressRest, Date.now, Math.random)
    const uplink = new Uplink(rtnl, () => view.self)
    const view: ClusterView = new ClusterView(
      options.node,
      () => uplink.mtu,
      {
        context: () => {
          bgp.planned()
          reconciler.requestWhole()
          networks.planned()
        },
        closing: () => reconciler.closingChanged(),
        fragments: () => {
          ways.planned()
          bgp.planned()
          reconciler.requestChanges()
        },
        tenant: (namespace) => networks.tenantChanged(namespace),
      },
      {
        isExternal: options.external === true,
        datapath: options.datapath,
        whyUnreadable: () => invalid?.unreadable.get('Cluster/default'),
      },
    )
    const drops = resources.use(startDropLog(log, () => view.planner))
    const reconciler: Reconciler = new Reconciler({
      options,
      registry,
      ports,
      links,
      pools,
      problems,
      log,
      signal,
      view: () => view,
      uplinkMtu: () => uplink.mtu,
      coldEnds: options.datapath === 'netdev' ? coldInUserspace(options.ovsRunDir) : coldInKernel(rtnl),
      dropped: (packet) => drops.dropped(packet),
      probeAnswered: (frame) => tunnels.heard(frame),
      hijacked: () => networks.hijacked(),
      lookAtWays: () => ways.look(),
      stackApplied: () => networks.stackApplied(),
      ready: announcement(options, { problems, hostPorts, log }),
      attachments: () => attachments,
    })
    const { limiter, shaper, pods, namespaces } = resources.use(
      startLimiting({
        options,
        rtnl,
        ports,
        problems,
        notices,
        log,
        signal,
        busy: () => union(attachments.busy, underlay.operations.busy),
        wires: () => underlay.ports.leases(),
        uplink: () => uplink.index,
        recorded: () => {
          reconciler.lookAtPorts()
          networks.wires.refresh()
        },
      }),
    )
    const attachments: Attachments = new Attachments({
      ports,
      links,
      pools,
      limiter,
      shaper,
      forwarding: reconciler,
      planner: () => view.planner,
      waitingFor: () => reconciler.waitingFor(),
      tenantOf: (namespace) => view.tenantOf(namespace, TENANT_WAIT_MS),
      whyNoTenant: (namespace) => whyNoTenant(registry, namespace),
      signal,
    })
    const nodes = new NodesView()
    const networks = resources.use(
      startNetworks({
        options,
        ...underlay,
        limiting: { limiter, shaper, overlay: ports, waitingFor: () => reconciler.waitingFor() },
        dropped: (packet) => drops.dropped(packet),
        ovsdb,
        rtnl,
        planner: () => view.planner,
        flush: () => reconciler.flush(),
        hijacksChanged: () => reconciler.requestChanges(),
        registry,
        overlay: attachments,
        nodes,
        notices,
        ...(annotate === undefined ? {} : { annotate }),
        ...(counts === undefined ? {} : { resources: counts }),
        problems,
        log,
        signal,
      }),
    )
    resources.use(startNames({ view, problems, resolvConf: options.resolvConf ?? AGENT_DEFAULTS.resolvConf }))
    const ways = resources.use(
      new Ways({
        rtnl,
        planner: () => view.planner,
        changed: () => reconciler.requestChanges(),
        routers: () => bgp.routers,
      }),
    )
    const tunnels = resources.use(
      new TunnelWatch({ problems, log, planner: () => view.planner, sender: () => reconciler.tunnelSender }),
    )
    const { stateDir, runDir } = options
    const bgp = resources.use(
      startBgp({
        ...{ rtnl, stateDir, runDir, planner: () => view.planner, registry, invalid, problems, log, signal },
        outside: view.outside,
        nodes,
        routersChanged: () => ways.lookSoon(),
        watchedChanged: () => reconciler.requestChanges(),
      }),
    )
    resources.use(watchNode({ rtnl, ports, view, uplink, reconciler }))
    resources.use(every(options.resync * 1000, () => reconciler.requestWhole()))
    resources.use(every(BEAT_MS, () => reconciler.beat()))
    const report = new AgentReport({
      options,
      attachments,
      ports,
      links,
      pools,
      view,
      reconciler,
      limiter,
      problems,
      underlay: underlay.ports,
      wires: () => networks.wires,
      ways: (planner) => ways.log.facts(planner),
      bgp,
      tunnels,
      uplinkMtu: () => uplink.mtu,
    })
    const health = {
      failed: (error: unknown) => problems.failed('registry', error),
      recovered: () => problems.solved('registry'),
    }
    reflectCluster(registry, view, health, signal, {
      pods: [pods, hostPorts, networks.pods],
      namespaces: [namespaces, networks.namespaces],
    })
    return new NodeAgent({ networks: networks.networks, reconciler, report }, resources.move())
  }

  stop(): Promise<void> {
    return this.#resources.disposeAsync()
  }
}

/** Connects to ovsdb-server, however long it takes to be there. */
function openOvsdb(options: AgentOptions, log: AgentLog, signal: AbortSignal): Promise<OvsdbClient> {
  return connectOvsdb({
    path: options.ovsdb,
    signal,
    waitForServer: true,
    log: (level, text, fields) => log[level](fields ?? {}, text),
  })
}

function union<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): ReadonlySet<T> {
  if (a.size === 0 || b.size === 0) return a.size === 0 ? b : a
  return new Set([...a, ...b])
}
