/**
 * Pods on the physical network, wired: their ports on bridges, what guards those, and the plugins that make them.
 * @module
 */
import type { PodReference } from '../../cni/index.ts'
import type { RtnlSocket } from '../../linux/index.ts'
import type { Coordinator } from '../../network/model/definition.ts'
import type { Grants } from '../../network/model/grants.ts'
import type { NodePlanner } from '../../network/planner.ts'
import type { PacketIn } from '../../ovs/openflow/index.ts'
import type { OvsdbClient } from '../../ovs/ovsdb/index.ts'
import type { OneAtATime } from '../attach/one-at-a-time.ts'
import type { NodeResources } from '../bridges/node-resources.ts'
import { publishBridges } from '../bridges/publish.ts'
import type { AgentLog } from '../log.ts'
import { OverlayGuests, watchRules } from '../node/guests.ts'
import type { AgentOptions } from '../options.ts'
import { coordinatorPlugin } from '../plugins/coordinator/coordinator.ts'
import { bridgeOfLink, linkPlugins } from '../plugins/links/index.ts'
import { NeutronPlugin, type NeutronPluginParts } from '../plugins/neutron/plugin.ts'
import { nicPlugin } from '../plugins/nics/index.ts'
import { keepPorts } from '../plugins/ovs/keeper.ts'
import { MIRROR_TYPES, mirrorPlugin } from '../plugins/ovs/mirrors.ts'
import { OvsPlugin } from '../plugins/ovs/plugin.ts'
import { PodLinks } from '../plugins/ovs/pod-link.ts'
import type { UnderlayPorts } from '../plugins/ovs/ports.ts'
import type { Plugin, Plugins } from '../plugins/plugin.ts'
import { joinedPlugins } from '../plugins/ptp/joined.ts'
import { ptpPlugin } from '../plugins/ptp/ptp.ts'
import type { Problems } from '../problems.ts'
import { type WireBridge, Wires } from '../switch/wires.ts'
import { announce } from '../wire/announce.ts'
import { Guarding, type GuardLimits } from './guarding.ts'
import { DEFAULT_ROUTE_NIC } from './interfaces.ts'

/** What the physical network needs of the agent. */
export interface UnderlayStart {
  readonly options: AgentOptions
  readonly ovsdb: OvsdbClient
  readonly rtnl: RtnlSocket
  /** Pods' ports on the physical network. */
  readonly ports: UnderlayPorts
  /** What is under way there. */
  readonly operations: OneAtATime
  readonly limiting: GuardLimits
  readonly grants: Grants
  readonly problems: Problems
  readonly log: AgentLog
  readonly signal: AbortSignal
  planner(): NodePlanner | undefined
  /** Sends what changed in the node's plan now. */
  flush(): Promise<void>
  coordinator(): Coordinator | undefined
  /** What a pod asks for by an annotation. */
  wishOf(pod: PodReference | undefined, annotation: string): string | undefined
  /** A packet that a policy drops which asks for it to be logged. */
  dropped(packet: PacketIn): void
  /** Where the cluster counts the node's bridges; absent: nobody does. */
  readonly resources?: NodeResources
  /** The node's ports of OpenStack's. */
  readonly neutron: Pick<NeutronPluginParts, 'ports' | 'groups'>
  /** For IPAM, once all plugins are there. */
  plugins(): Pick<Plugins, 'ipam'>
}

/** The physical network under way. */
export interface Underlay extends Disposable {
  readonly plugins: ReadonlyMap<string, Plugin>
  readonly wires: Wires
  /** Pods that reach the overlay by way of the node. */
  readonly guests: OverlayGuests
  /** The node's plan is another, or there is one now: bridges of ours are compared with it. */
  look(): void
}

/** Starts serving the physical network. */
export function startUnderlay(start: UnderlayStart): Underlay {
  const { options, ovsdb, rtnl, ports, operations, problems, log, signal } = start
  const { planner, flush, coordinator, plugins: all } = start
  using resources = new DisposableStack()
  const links = resources.use(
    new PodLinks(rtnl, (failure) => {
      if (failure === undefined) problems.solved('links')
      else problems.failed('links', failure.error)
    }),
  )
  const wires = new Wires({
    options,
    log,
    problems,
    signal,
    planner,
    bridges: () => bridgesIn(ports),
    ports: () => ports.guarded(),
    dropped: start.dropped,
    flush,
  })
  const look = (): void => {
    wires.look().catch((error: unknown) => problems.failed('wires', error))
  }
  resources.use(
    keepPorts({
      ports,
      links,
      operations,
      log,
      signal,
      looked: (failure) => {
        if (failure !== undefined) return problems.failed('ports', failure.error)
        problems.solved('ports')
        look()
      },
    }),
  )
  if (start.resources !== undefined) {
    resources.use(
      publishBridges({
        tables: ports.tables,
        resources: start.resources,
        published: (failure) => {
          if (failure === undefined) problems.solved('bridges')
          else problems.failed('bridges', failure.error)
        },
        log,
        signal,
        random: Math.random,
      }),
    )
  }
  const grants = (): Grants => start.grants
  const guests = new OverlayGuests({ tenants: planner })
  resources.use(watchRules(() => problems.watch('guests', () => guests.refresh())))
  const delegate = { ipam: (type: string) => all().ipam(type) }
  const ovs = new OvsPlugin({
    ports,
    links,
    operations,
    plugins: delegate,
    guard: new Guarding(wires, ports, start.limiting),
    announce,
    ovsdb: options.ovsdb,
    grants,
  })
  const bridgeOf = (link: string): Promise<string | undefined> => bridgeOfLink(ovsdb, link, signal)
  const linkParts = { rtnl, bridgeOf, plugins: delegate, grants, announce }
  const onLinks = linkPlugins(linkParts)
  const legs = { rtnl, grants }
  const plugins = new Map<string, Plugin>([
    ['ovs', ovs],
    ...MIRROR_TYPES.map((type) => [type, mirrorPlugin(type)] as const),
    [
      'coordinator',
      coordinatorPlugin({
        coordinator,
        grants,
        guests,
        macChanged: (pod, mac) => ovs.macChanged(pod, mac),
        wantedRouteNic: ({ args }) => start.wishOf(args.pod, DEFAULT_ROUTE_NIC) || undefined,
      }),
    ],
    ...onLinks,
    ['unnumbered-ptp', ptpPlugin(legs)],
    ...joinedPlugins(onLinks, legs),
    ['neutron', new NeutronPlugin({ ...linkParts, ...start.neutron })],
    [
      'host-device',
      nicPlugin({
        ...linkParts,
        stateDir: options.stateDir,
        unreadable: (file, error) => log.warn({ file, err: error }, 'this note of a NIC in a pod cannot be read'),
      }),
    ],
  ])
  const owned = resources.move()
  return { plugins, wires, guests, look, [Symbol.dispose]: () => owned.dispose() }
}

function bridgesIn({ tables }: UnderlayPorts): readonly WireBridge[] {
  return [...tables.rows('Bridge').values()].map(({ name, datapath_type: datapath, external_ids: externalIds }) => ({
    name,
    datapath: datapath === 'netdev' ? 'netdev' : 'system',
    externalIds,
  }))
}
