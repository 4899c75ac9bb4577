/**
 * The networks of a node's pods, wired: what is read of the cluster for them, and the plugins that make them.
 * @module
 */
import { readFileSync } from 'node:fs'
import { machineId } from '../../files/machine-id.ts'
import type { Coordinator } from '../../network/model/definition.ts'
import type { Grants } from '../../network/model/grants.ts'
import type { IpRange } from '../../network/model/ip-range.ts'
import type { Node } from '../../network/model/node.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Attachments } from '../attach/attachments.ts'
import { reflectKinds } from '../cluster/reflection.ts'
import { type NamespaceWatcher, type PodWatcher, toAll, type Watcher } from '../cluster/watcher.ts'
import { startNeutron } from '../neutron/start.ts'
import { presentHijacked } from '../node/hijacked.ts'
import type { PodNotices } from '../notices.ts'
import { ATTACHMENT_DEFAULTS, type AttachmentOptions } from '../options.ts'
import { DirectNeutron } from '../plugins/neutron/direct.ts'
import { DirectNotes } from '../plugins/neutron/direct-notes.ts'
import { NeutronIpamPlugin } from '../plugins/neutron/ipam.ts'
import { overlayPlugin } from '../plugins/overlay.ts'
import type { IpamPlugin, Plugins } from '../plugins/plugin.ts'
import { pluginsFrom } from '../plugins/plugins.ts'
import { programIpam, programPlugin } from '../plugins/program.ts'
import { ClusterPools } from '../plugins/spiderpool/cluster-pools.ts'
import { SpiderpoolPlugin } from '../plugins/spiderpool/plugin.ts'
import type { Wires } from '../switch/wires.ts'
import { checkWire } from '../wire/check.ts'
import { Definitions } from './definitions.ts'
import { Hijacks } from './hijacks.ts'
import { LocalPods } from './local-pods.ts'
import { Networks } from './networks.ts'
import { Records } from './records.ts'
import { restoreStanding } from './restore.ts'
import { type AnnotatePod, StatusWriter } from './status-writer.ts'
import { startUnderlay, type UnderlayStart } from './underlay.ts'

/** What networks need of the agent. */
export interface NetworksStart
  extends Pick<
    UnderlayStart,
    | 'options'
    | 'ovsdb'
    | 'rtnl'
    | 'ports'
    | 'operations'
    | 'limiting'
    | 'dropped'
    | 'planner'
    | 'flush'
    | 'problems'
    | 'log'
    | 'signal'
    | 'resources'
  > {
  readonly registry: Registry
  readonly overlay: Attachments
  readonly notices: PodNotices
  readonly annotate?: AnnotatePod
  /** Is told of Nodes, too. */
  readonly nodes: Watcher<Node>
  /** Guests of the overlay are led elsewhere by an administrator than before. */
  hijacksChanged(): void
}

/** Networks under way. */
export interface RunningNetworks extends Disposable {
  readonly networks: Networks
  readonly wires: Wires
  /** Where an administrator leads guests of the overlay by way of their node. */
  hijacked(): Promise<readonly IpRange[]>
  /** Are to be told of pods and namespaces. */
  readonly pods: PodWatcher
  readonly namespaces: NamespaceWatcher
  /** The node's plan is another. */
  planned(): void
  /** The node's own stack is as planned. */
  stackApplied(): void
  /** A namespace has another tenant, or none any more. */
  tenantChanged(namespace: string): void
}

/** Starts serving pods' networks. Pods that ask for nothing but the overlay wait for nothing of it. */
export function startNetworks(start: NetworksStart): RunningNetworks {
  const { options, registry, overlay, notices, annotate, problems, log, signal } = start
  const attachments = options.attachments ?? ATTACHMENT_DEFAULTS
  const grants = grantsOf(attachments)
  const pods = new LocalPods(options.node, registry)
  const definitions = new Definitions(registry)
  const records: Records = new Records(options.stateDir, () => hijacks.look())
  const hijacks = new Hijacks(
    { coordinator: () => coordinators.isRead && coordinators.inForce, records: () => records.values(), grants },
    presentHijacked,
    start.hijacksChanged,
  )
  const coordinators: Coordinators = new Coordinators(() => hijacks.look())
  if (options.external === true) coordinators.read()
  const status = new StatusWriter(annotate, notices, (error) => problems.failed('networks', error))
  const pools = new ClusterPools({ node: options.node })
  const neutron = startNeutron({
    ...{ node: options.node, stateDir: options.stateDir, registry, problems, notices, signal },
    isExternal: options.external === true,
  })
  const groups = { pods, registry, namespace: (name: string) => pools.namespace(name) }
  const readFile = (path: string): string => readFileSync(path, 'utf8')
  const direct = new DirectNeutron({
    node: options.node,
    machine: machineId(),
    readFile,
    warn: (sentence) => log.warn({ plugin: 'ipam-neutron' }, sentence),
  })
  const notes = new DirectNotes(options.stateDir, (file, error) =>
    log.warn({ err: error, file }, 'a note about a port of Neutron cannot be read'),
  )
  const ipamNeutron = new NeutronIpamPlugin({ ports: neutron.ports, groups, direct, notes, readFile })
  const underlay = startUnderlay({
    ...start,
    neutron: { ports: neutron.ports, groups },
    grants,
    coordinator: () => coordinators.inForce,
    wishOf: (pod, annotation) => (pod === undefined ? undefined : pods.known(pod)?.wishes?.[annotation]),
    plugins: () => plugins,
  })
  const spiderpool = new SpiderpoolPlugin({
    pools,
    registry,
    pods,
    settings: {
      installNamespace: attachments.namespace,
      ...(attachments.clusterNetwork === undefined ? {} : { clusterNetwork: attachments.clusterNetwork }),
      families: new Set([4, 6]),
      hasSubnets: true,
    },
    notices,
    checkWire,
    findsConflicts: attachments.findsConflicts,
    findsGateway: attachments.findsGateway,
  })
  const heard = (plugin: string, text: string): void => log.info({ plugin, text }, 'a plugin wrote this')
  // A program may call us for an IPAM plugin of ours, wherever our socket is.
  const programs = { heard, environment: { WEFT_CNI_SOCKET: `${options.runDir}/cni.sock` } }
  const plugins: Plugins = pluginsFrom({
    plugins: new Map([['weft', overlayPlugin(overlay)], ...underlay.plugins]),
    ipam: new Map<string, IpamPlugin>([
      ['spiderpool', spiderpool],
      ['ipam-neutron', ipamNeutron],
      ['cni-ipam-neutron', ipamNeutron],
    ]),
    program: (type) => programPlugin(type, programs),
    programIpam: (type) => programIpam(type, programs),
  })
  const networks = new Networks({
    overlay,
    plugins,
    records,
    pods,
    resolving: { definitions, grants, defaults: attachments, networksPerPod: attachments.networksPerPod },
    notices,
    status,
    problems,
    signal,
  })
  if (options.external !== true) {
    const { AddressPool, ReservedAddresses, AddressClaim, Node } = pools.watchers
    const watchers = {
      AttachmentDefinition: definitions,
      Coordinator: coordinators,
      AddressPool,
      ReservedAddresses,
      AddressClaim,
      Node: toAll(Node, start.nodes),
    }
    reflectKinds(registry, watchers, problems, signal)
  }
  for (const record of records.values()) if (record.isLeaving !== true) status.write(record)
  void restoreStanding(records.values(), plugins, (error, { pod }) =>
    log.warn({ err: error, pod }, 'what is missing of a pod cannot be put back'),
  )
  return {
    networks,
    wires: underlay.wires,
    hijacked: () => hijacks.ranges(),
    pods,
    namespaces: pools.watchers.Namespace,
    planned: underlay.look,
    stackApplied: () => {
      problems.watch('guests', () => underlay.guests.refresh())
      underlay.look()
    },
    tenantChanged: (namespace) => problems.watch('guests', () => underlay.guests.tenantChanged(namespace)),
    [Symbol.dispose]: () => {
      networks[Symbol.dispose]()
      underlay[Symbol.dispose]()
      neutron[Symbol.dispose]()
      direct[Symbol.dispose]()
    },
  }
}

function grantsOf({ trustedNamespaces, types, bridges }: AttachmentOptions): Grants {
  return { trustedNamespaces: new Set(trustedNamespaces), types: new Set(types), bridges }
}

/** SpiderCoordinators; the one named `default` counts. */
class Coordinators implements Watcher<Coordinator> {
  readonly #changed: () => void
  inForce: Coordinator | undefined
  isRead = false

  constructor(changed: () => void) {
    this.#changed = changed
  }

  put(coordinator: Coordinator): void {
    if (coordinator.name === IN_FORCE) this.#set(coordinator)
  }

  remove(name: string): void {
    if (name === IN_FORCE) this.#set(undefined)
  }

  read(): void {
    this.isRead = true
    this.#changed()
  }

  #set(coordinator: Coordinator | undefined): void {
    this.inForce = coordinator
    this.#changed()
  }
}

const IN_FORCE = 'default'
