/**
 * From a runtime's call to the networks that the pod is to be attached to: which, in which order, by which plugins with
 * which configuration. Nothing has been done when this refuses.
 * @module
 */
import { readdirSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { type AddRequest, cniError, formatArgs, type JsonObject } from '../../cni/index.ts'
import { type NetworkList, networkListOf } from '../../cni/network-list.ts'
import type { DefaultRoutes } from '../../compat/multus/default-route.ts'
import { delegateArgs, delegateConfigs } from '../../compat/multus/delegate-request.ts'
import { type DelegatePlan, delegatesOf } from '../../compat/multus/delegates.ts'
import { type MultusOptions, mayName } from '../../compat/multus/netconf.ts'
import { parseDefaultNetwork, parseNetworks } from '../../compat/multus/networks.ts'
import { DEFAULT_NETWORK, NETWORKS, type NetworkSelection } from '../../compat/multus/selection.ts'
import type { Grants, Origin } from '../../network/model/grants.ts'
import type { Pod } from '../../network/model/pod.ts'
import { readRegularFile } from '../install/regular-file.ts'
import { type Definitions, fileOfNetwork } from './definitions.ts'
import { checkCount, checkNames } from './interfaces.ts'
import type { Attached } from './record.ts'
import { checkPlugins, checkSelection } from './refusals.ts'

/** Which networks pods have unless they say otherwise, and where networks are looked for. */
export interface NetworkDefaults {
  /** Name of a definition, a network of a file, or a path; absent: the overlay, as the runtime called for it. */
  readonly clusterNetwork?: string
  readonly defaultNetworks: readonly string[]
  /** Networks in full, in place of names; the first is the cluster's. */
  readonly delegates?: readonly NetworkList[]
  /** Where definitions are that are named without a namespace. */
  readonly namespace: string
  readonly configDir: string
  /** Pods of these get no default networks; absent: there are none. */
  readonly systemNamespaces?: readonly string[]
  /** Which definitions pods may name, of those that are granted; absent: all. */
  readonly isolation?: NonNullable<MultusOptions['isolation']>
}

/** What resolving looks at. */
export interface ResolveParts {
  readonly definitions: Pick<Definitions, 'find' | 'isEmpty'>
  readonly grants: Grants
  readonly defaults: NetworkDefaults
  /** How many a pod may ask for besides those that it gets anyway. */
  readonly networksPerPod: number
}

/** A network that a pod is to be attached to. */
export interface Wanted extends Attached, DefaultRoutes {
  readonly isFirst: boolean
}

/** Whether a pod may get anything but the overlay. */
export function needsResolving(
  pod: Pod | undefined,
  { clusterNetwork, defaultNetworks, delegates }: NetworkDefaults,
): boolean {
  const asks = [NETWORKS, DEFAULT_NETWORK].some((key) => (pod?.wishes?.[key] ?? '') !== '')
  return asks || clusterNetwork !== undefined || defaultNetworks.length > 0 || delegates !== undefined
}

/** The networks of a pod. Throws what is wrong with the annotation, definition or field that is at fault. */
export async function resolveNetworks(
  request: AddRequest,
  pod: Pod | undefined,
  parts: ResolveParts,
): Promise<readonly Wanted[]> {
  const { defaults } = parts
  const podNamespace = request.args.pod?.namespace ?? ''
  const asked = pod?.wishes?.[DEFAULT_NETWORK] ?? ''
  const wishes = parseNetworks(pod?.wishes?.[NETWORKS] ?? '', podNamespace)
  checkCount(wishes, parts.networksPerPod)
  const plans = delegatesOf({
    ifname: request.ifname,
    clusterNetwork: defaults.clusterNetwork ?? '',
    defaultNetworks: defaultNetworksOf(defaults, podNamespace),
    ...(asked === '' ? {} : { defaultNetwork: parseDefaultNetwork(asked, defaults.namespace) }),
    wishes,
  })
  const wanted: Wanted[] = []
  for (const plan of plans) wanted.push(await wantedOf(plan, request, podNamespace, parts))
  checkNames(pod, plans, wanted)
  return wanted
}

/** The names of the networks of a pod that asks for none, the first of its first interface; '' is the overlay. */
export function configuredNames({ clusterNetwork = '', defaultNetworks }: NetworkDefaults): readonly string[] {
  return [clusterNetwork, ...defaultNetworks]
}

/** The steps of one of them, and the version they are spoken to in. Throws as {@link resolveNetworks}. */
export async function configuredSteps(
  name: string,
  ordinal: number,
  parts: ResolveParts,
): Promise<Pick<Attached, 'plugins' | 'version'>> {
  const { list, origin } = await configured(name, ordinal, parts)
  checkPlugins(parts.grants, origin, list.plugins)
  return { plugins: delegateConfigs(list, {}), version: list.version }
}

/**
 * The steps that a recorded network has today; none where it is not to be found. What an administrator gave under the name of a definition's
 * network is not that network's. Throws as {@link resolveNetworks}.
 */
export async function stepsToday(
  { definition, network }: Pick<Attached, 'definition' | 'network'>,
  parts: ResolveParts,
): Promise<readonly JsonObject[]> {
  const { definitions, defaults } = parts
  if (definition !== undefined) {
    const [namespace = '', name = ''] = definition.split('/')
    const found = await definitions.find(namespace, name)
    return found === undefined ? [] : delegateConfigs(ofDefinition(namespace, name, found.config, parts).list, {})
  }
  const given = defaults.delegates?.find(({ name }) => name === network)
  if (given !== undefined) return delegateConfigs(given, {})
  const text = fileOfNetwork(defaults.configDir, network)
  return text === undefined ? [] : delegateConfigs(ofFile(text, network).list, {})
}

/** Pods of the system get none by name. What is given in full is everybody's. */
function defaultNetworksOf(
  { defaultNetworks, delegates, systemNamespaces = [] }: NetworkDefaults,
  podNamespace: string,
): readonly string[] {
  return delegates === undefined && systemNamespaces.includes(podNamespace) ? [] : defaultNetworks
}

async function wantedOf(
  plan: DelegatePlan,
  request: AddRequest,
  podNamespace: string,
  parts: ResolveParts,
): Promise<Wanted> {
  const { ordinal, ifname, isFirst, network, droppedDefaults, gateways } = plan
  const place = { ordinal, ifname, isFirst, droppedDefaults, gateways }
  const isOverlay = network.kind === 'configured' && network.name === ''
  if (isOverlay) return { ...place, ...overlayOf(request) }
  const selection = network.kind === 'selected' ? network.selection : undefined
  const found =
    network.kind === 'selected'
      ? await selected(network.selection, podNamespace, parts)
      : await configured(network.name, ordinal, parts)
  const { list, origin, definition } = found
  checkPlugins(parts.grants, origin, list.plugins)
  const wishes = {
    ...(isFirst ? { runtimeConfig: runtimeConfigOf(request) } : {}),
    ...(selection === undefined ? {} : { selection }),
  }
  return {
    ...place,
    ...(definition === undefined ? {} : { definition }),
    origin,
    network: list.name,
    version: list.version,
    args: formatArgs(delegateArgs(request.args, wishes)),
    plugins: delegateConfigs(list, wishes),
    ...(list.disableCheck ? { disableCheck: true as const } : {}),
  }
}

/** A network's configuration, and whose it is. */
interface Found {
  readonly list: NetworkList
  readonly origin: Origin
  /** `<namespace>/<name>`. */
  readonly definition?: string
}

/** The overlay as the runtime called for it. */
function overlayOf({ config, args }: AddRequest): Omit<Wanted, 'ordinal' | 'ifname' | 'isFirst' | keyof DefaultRoutes> {
  const { prevResult: _, ...own } = config.raw
  return {
    origin: { kind: 'node' },
    network: config.name,
    version: config.version,
    args: formatArgs(args),
    plugins: [{ ...own, type: OVERLAY }],
  }
}

/** The type of the overlay's plugin, whatever name it was called by. */
const OVERLAY = 'weft'

/** What a pod's annotation names. */
async function selected(selection: NetworkSelection, podNamespace: string, parts: ResolveParts): Promise<Found> {
  const { namespace, name, place } = selection
  checkSelection(parts.grants, podNamespace, selection)
  if (place.annotation === NETWORKS && !mayName(parts.defaults, podNamespace, namespace)) {
    const reason = `pods of ${podNamespace} may name their own and those of globalNamespaces (namespaceIsolation)`
    throw cniError('request-refused', { who: `annotation ${place.annotation}`, field: `${namespace}/${name}`, reason })
  }
  const definition = await parts.definitions.find(namespace, name)
  if (definition === undefined) {
    throw cniError('network-unknown', { who: `annotation ${place.annotation}`, namespace, name })
  }
  return ofDefinition(namespace, name, definition.config, parts)
}

/** What the administrator names: a definition, a network of a file, or a path. */
async function configured(name: string, ordinal: number, parts: ResolveParts): Promise<Found> {
  const { definitions, defaults } = parts
  const given = defaults.delegates?.[ordinal]
  if (given !== undefined) return { list: given, origin: { kind: 'node' } }
  if (isAbsolute(name)) return ofFile(textAt(name), name)
  const [own, namespace = defaults.namespace] = name.split('/').toReversed()
  const definition = await definitions.find(namespace, own ?? name)
  if (definition !== undefined) return ofDefinition(namespace, own ?? name, definition.config, parts)
  const text = fileOfNetwork(defaults.configDir, name)
  if (text !== undefined) return ofFile(text, name)
  throw cniError('network-unknown', { who: 'the configuration of the node', namespace, name })
}

/** One without a configuration stands for a file of the node, where an administrator wrote it. */
function ofDefinition(namespace: string, name: string, config: string, { grants, defaults }: ResolveParts): Found {
  const definition = `${namespace}/${name}`
  const origin: Origin = { kind: 'definition', namespace, name }
  if (config.trim() !== '') return { list: networkListOf(config, name, definition), origin, definition }
  const isTheirs = grants.trustedNamespaces.has(namespace)
  const text = isTheirs ? fileOfNetwork(defaults.configDir, name) : undefined
  if (text === undefined) throw cniError('network-empty', { definition, name, folder: defaults.configDir })
  return { ...ofFile(text, name), definition }
}

function ofFile(text: string | undefined, name: string): Found {
  if (text === undefined)
    throw cniError('network-unknown', { who: 'the configuration of the node', namespace: '-', name })
  return { list: networkListOf(text, name, name), origin: { kind: 'node' } }
}

/** A file, or the first one of a folder. */
function textAt(path: string): string | undefined {
  for (const candidate of [path, firstIn(path)]) {
    try {
      if (candidate !== undefined) return readRegularFile(candidate)
    } catch {
      // A folder is no file.
    }
  }
  return undefined
}

function firstIn(folder: string): string | undefined {
  try {
    const [first] = readdirSync(folder).sort()
    return first === undefined ? undefined : join(folder, first)
  } catch {
    return undefined
  }
}

/** What the runtime asks of the pod's first network. */
function runtimeConfigOf({ config }: AddRequest): JsonObject {
  const given = config.raw['runtimeConfig']
  return typeof given === 'object' && given !== null && !Array.isArray(given) ? (given as JsonObject) : {}
}
