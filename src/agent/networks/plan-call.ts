/**
 * What a runtime's call is about, by the name that it called the plugin by: all networks of a pod, or one plugin alone.
 * @module
 */
import { existsSync } from 'node:fs'
import {
  type AddRequest,
  type CniArgs,
  cniError,
  type DelRequest,
  formatArgs,
  type JsonObject,
} from '../../cni/index.ts'
import { multusNetconf } from '../../compat/multus/netconf.ts'
import type { Origin } from '../../network/model/grants.ts'
import { configurationsIn } from './definitions.ts'
import type { ResolveParts, Wanted } from './resolve.ts'

/** What a call is about. */
export type CallPlan =
  /** Everything that the pod is to be attached to. */
  | {
      readonly kind: 'networks'
      readonly resolving: ResolveParts
      /** Folders with plugins, before those of the call. */
      readonly path: readonly string[]
      /** A file without which nothing can be attached yet. */
      readonly readinessFile?: string
    }
  /** One plugin, as a delegate of somebody else or alone. */
  | { readonly kind: 'plugin'; readonly plugin: JsonObject; wanted(request: AddRequest | DelRequest): Wanted }

/** Names of the plugin that mean all networks of a pod. */
const MULTUS: ReadonlySet<string> = new Set(['multus', 'multus-shim'])
/** Names that mean one plugin; the configuration is of the plugin that calls an IPAM plugin, so the name counts. */
export const SINGLE_PLUGINS: ReadonlySet<string> = new Set([
  ...['ovs', 'coordinator', 'ifacer', 'spiderpool', 'neutron'],
  ...['ipam-neutron', 'cni-ipam-neutron'],
  ...['unnumbered-ptp', 'ipvlan-ptp', 'macvlan-ptp'],
])

/** Where runtimes look for configurations. */
const RUNTIME_DIR = '/etc/cni/net.d'

/**
 * The meaning of a call by this name with this configuration. `runtimeDir` is where the runtime looks for configurations.
 * Throws what is wrong with a Multus's configuration.
 */
export function planCall(
  program: string,
  config: JsonObject,
  resolving: ResolveParts,
  runtimeDir: string = RUNTIME_DIR,
): CallPlan {
  if (MULTUS.has(program)) return asMultus(config, resolving)
  if (!SINGLE_PLUGINS.has(program)) return { kind: 'networks', resolving, path: [] }
  const { prevResult: _, ...plugin } = config
  return { kind: 'plugin', plugin, wanted: (request) => wantedOf(request, program, plugin, runtimeDir) }
}

function asMultus(config: JsonObject, resolving: ResolveParts): CallPlan {
  const { networks, confDir, multusNamespace, binDir, readinessFile, ...rules } = multusNetconf(config)
  const chosen =
    networks.kind === 'named'
      ? { clusterNetwork: networks.clusterNetwork, defaultNetworks: networks.defaultNetworks }
      : {
          clusterNetwork: networks.delegates[0].name,
          defaultNetworks: networks.delegates.slice(1).map(({ name }) => name),
          delegates: networks.delegates,
        }
  return {
    kind: 'networks',
    resolving: { ...resolving, defaults: { ...chosen, namespace: multusNamespace, configDir: confDir, ...rules } },
    path: [binDir],
    ...(readinessFile === undefined ? {} : { readinessFile }),
  }
}

/** Throws while a file is missing that says that what a call needs is there. */
export function checkReadiness(plan: CallPlan): void {
  const file = plan.kind === 'networks' ? plan.readinessFile : undefined
  if (file !== undefined && !existsSync(file)) throw cniError('agent-starting', { waiting: `${file} is not there yet` })
}

function wantedOf(
  { ifname, config, args }: AddRequest | DelRequest,
  program: string,
  plugin: JsonObject,
  runtimeDir: string,
): Wanted {
  return {
    ordinal: ordinalOf(ifname),
    ifname,
    isFirst: true,
    droppedDefaults: [],
    gateways: [],
    origin: originOf(plugin, args, runtimeDir),
    network: config?.name ?? '',
    version: config?.version ?? '1.0.0',
    args: formatArgs(args),
    plugins: [{ ...plugin, type: program }],
  }
}

/** As Multus and kubelets' runtimes name interfaces: `eth0`, then `net1`. */
function ordinalOf(ifname: string): number {
  const [, number] = /^net(\d{1,4})$/.exec(ifname) ?? []
  return number === undefined ? 0 : Number(number)
}

/**
 * A plugin's configuration that is in a file of the runtime's folder is an administrator's. Nobody knows whose else, nor
 * what a Kubernetes pod chose beside the file: a Multus that calls us adds what its annotation asks for.
 */
function originOf(plugin: JsonObject, { pod, pairs }: CniArgs, runtimeDir: string): Origin {
  const runtimeConfig = Object(plugin['runtimeConfig'])
  const chooses =
    [...pairs.keys()].some((key) => CHOSEN_BY_ARGS.has(key.toLowerCase())) ||
    Object.hasOwn(plugin, 'args') ||
    CHOSEN.some((key) => Object.hasOwn(runtimeConfig, key))
  if (pod !== undefined && chooses) return { kind: 'caller' }
  for (const text of configurationsIn(runtimeDir)) if (holds(text, plugin)) return { kind: 'node' }
  return { kind: 'caller' }
}

/** What makes a pod somebody else on the wire, or takes the node's devices. */
const CHOSEN = ['mac', 'ips', 'infinibandGUID', 'deviceID'] as const
/** The same in CNI_ARGS, in whatever case. */
const CHOSEN_BY_ARGS: ReadonlySet<string> = new Set(['mac', 'ip', 'ovnport'])
/** What a runtime adds to a configuration. */
const ADDED: ReadonlySet<string> = new Set(['name', 'cniVersion', 'runtimeConfig', 'args', 'prevResult'])

function holds(text: string, plugin: JsonObject): boolean {
  try {
    const written = Object(JSON.parse(text))
    const all: readonly unknown[] = Array.isArray(written.plugins) ? written.plugins : [written]
    return (
      written.name === plugin['name'] &&
      all.some((one) => Bun.deepEquals(withoutAdded(Object(one)), withoutAdded(plugin)))
    )
  } catch {
    return false
  }
}

function withoutAdded(plugin: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(plugin).filter(([key]) => !ADDED.has(key))) as JsonObject
}
