/**
 * Takes the running pods of a node over from k8s-ovs or OpenShift SDN, with their addresses. Everything that can be made
 * ready beforehand is; what pods notice is one transaction of Open vSwitch.
 * @module
 */
import { openRtnl, type RtnlSocket } from '../../linux/index.ts'
import { type HostPlan, hostPlan, TUNNEL } from '../../network/host.ts'
import type { NodePlanner } from '../../network/planner.ts'
import { connectOvsdb, type OvsdbClient } from '../../ovs/ovsdb/index.ts'
import type { Registry } from '../../registry/registry.ts'
import { EndpointLinks } from '../attach/endpoint-links.ts'
import { syncEndpoints } from '../attach/endpoints.ts'
import { Ports } from '../attach/ports.ts'
import { reflectCluster } from '../cluster/reflection.ts'
import { ClusterView } from '../cluster/view.ts'
import { AgentError } from '../errors.ts'
import type { AgentLog } from '../log.ts'
import { admitPods } from '../node/foreign-filters.ts'
import { applyHost } from '../node/host.ts'
import { Uplink } from '../node/uplink.ts'
import { Forwarding } from '../switch/forwarding.ts'
import { Switch } from '../switch/switch.ts'
import { type AdoptionPlaces, observeForeign } from './observe.ts'
import type { Observed } from './observed.ts'
import { type Adoption, planAdoption } from './plan.ts'
import { removeTheirRules } from './remove-theirs.ts'
import { finish, switchOver } from './switch-over.ts'

/** How it is told what to do; as the agent is. */
export interface AdoptOptions {
  readonly node: string
  readonly ovsdb: string
  readonly ovsRunDir: string
  readonly datapath: 'system' | 'netdev'
  /** Name of the CNI network that leases will belong to. */
  readonly network: string
  readonly places: AdoptionPlaces
}

/** What was done. */
export interface Adopted {
  /** Milliseconds in which packets may have been lost. */
  readonly milliseconds: number
  /** Rules of the other plugin that were removed, in iptables' words. */
  readonly removedRules: readonly string[]
  /** What filters of others still drop, in words. */
  readonly drops: readonly string[]
}

/** A node that has been looked at. */
export interface AdoptionSession extends AsyncDisposable {
  readonly adoption: Adoption
  /** Makes all ready; nothing that pods notice. */
  prepare(): Promise<void>
  /** Switches over, and removes what is left of the other plugin. */
  perform(): Promise<Adopted>
}

/** How long the registry may take to be read. */
const PATIENCE_MS = 30_000

/** Looks at a node and plans. Throws ADOPT_… when the cluster or Open vSwitch cannot be read. */
export async function openAdoption(
  options: AdoptOptions,
  registry: Registry,
  log: AgentLog,
  signal: AbortSignal,
): Promise<AdoptionSession> {
  await using resources = new AsyncDisposableStack()
  const stopping = new AbortController()
  resources.defer(() => stopping.abort())
  const until = AbortSignal.any([signal, stopping.signal])
  const client = resources.use(await connectOvsdb({ path: options.ovsdb, signal: until }))
  const rtnl = resources.use(openRtnl())
  const planner = await clusterPlan(options, registry, rtnl, until)
  const ports = await Ports.open(client, options.datapath, until)
  const observed = await observeForeign(client, rtnl, ports.leases(), options.places)
  const pods = (await registry.list('Pod')).objects.map(({ value }) => value)
  const numbers = new Set<number>()
  const adoption = planAdoption(observed, {
    context: planner.context,
    datapath: options.datapath,
    pods: pods.filter(({ node }) => node === options.node),
    hasTenant: (namespace) => planner.vniOf(namespace) !== undefined,
    freeOfport: () => {
      const number = ports.freeOfport((one) => numbers.has(one))
      numbers.add(number)
      return number
    },
    network: options.network,
  })
  const links = new EndpointLinks(rtnl, options.datapath)
  const held = resources.move()
  const parts: Parts = { options, client, rtnl, planner, ports, links, observed, adoption, log, signal: until, held }
  return {
    adoption,
    prepare: () => prepare(parts),
    perform: () => perform(parts),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

interface Parts {
  readonly options: AdoptOptions
  readonly client: OvsdbClient
  readonly rtnl: RtnlSocket
  readonly planner: NodePlanner
  readonly ports: Ports
  readonly links: EndpointLinks
  readonly observed: Observed
  readonly adoption: Adoption
  readonly log: AgentLog
  readonly signal: AbortSignal
  readonly held: AsyncDisposableStack
}

async function prepare({ options, planner, ports, adoption, log, signal }: Parts): Promise<void> {
  await ports.prepareBridge(planOf(planner).bridge, signal)
  syncEndpoints(planner, ports, new Set())
  for (const { lease } of adoption.pods) planner.putEndpoint(lease.endpoint)
  const nothing = { connected: () => undefined, disconnected: () => undefined, mtu: () => undefined }
  const bridge = await Switch.open(options.ovsRunDir, options.datapath, nothing, log, signal)
  await bridge.ensureMeters()
  const forwarding = new Forwarding(bridge)
  forwarding.follow(planner)
  await forwarding.sync()
}

async function perform({ client, rtnl, planner, ports, links, observed, adoption, signal }: Parts): Promise<Adopted> {
  const plan = planOf(planner)
  const { pods, unfinished } = adoption
  const hasTunnel = ports.has(TUNNEL)
  let hostProblem: unknown
  const meanwhile = async (): Promise<void> => {
    // The node's own stack follows at once; what fails here is done again below.
    await applyHost(plan).catch((error: unknown) => {
      hostProblem = error
    })
  }
  const { bridge } = observed
  const milliseconds = await switchOver(pods, unfinished, {
    client,
    rtnl,
    links,
    bridge,
    plan: plan.bridge,
    hasTunnel,
    meanwhile,
    signal,
  })
  finish([...unfinished, ...pods], links, rtnl)
  if (hostProblem !== undefined) await applyHost(plan)
  const { cluster } = planner.context
  const port = cluster.encapsulation.type === 'gre' ? 0 : cluster.encapsulation.port
  const ranges = cluster.networks.map(({ cidr }) => cidr).filter((network) => !network.includes(':'))
  const removedRules = await removeTheirRules(ranges, port)
  // All is done by now: what cannot be looked at is told, and the agent looks again.
  const drops = await admitPods(plan).catch((error: unknown) => [
    error instanceof Error ? error.message : String(error),
  ])
  return { milliseconds, removedRules, drops }
}

function planOf(planner: NodePlanner): HostPlan {
  return hostPlan(planner.context, planner.publication())
}

/** The node's plan, as an agent would have it. */
async function clusterPlan(
  { node }: AdoptOptions,
  registry: Registry,
  rtnl: RtnlSocket,
  signal: AbortSignal,
): Promise<NodePlanner> {
  const uplink = new Uplink(rtnl, () => view.self)
  let problem: unknown
  const { promise, resolve } = Promise.withResolvers<NodePlanner>()
  const view: ClusterView = new ClusterView(node, () => uplink.mtu, { context: resolve, fragments: () => undefined })
  const health = {
    failed: (error: unknown) => {
      problem = error
    },
    recovered: () => {
      problem = undefined
    },
  }
  reflectCluster(registry, view, health, signal)
  const late = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => late.resolve(undefined), PATIENCE_MS)
  const inTime = await Promise.race([promise, late.promise])
  clearTimeout(timer)
  const waiting = view.waitingFor()
  if (inTime === undefined || waiting.length > 0) {
    const why = problem instanceof Error ? `: ${problem.message}` : ''
    const remedy = 'see weft doctor, and bring the cluster’s networks over first: weft migrate'
    throw new AgentError(
      'AGENT_NOT_READY',
      `cannot plan for node ${node}: waits for ${waiting.join('; ')}${why}`,
      remedy,
    )
  }
  return inTime
}
