/**
 * The configuration of a Multus, for runtimes that call us under its name.
 * @module
 */

import { readingConfig } from '../../cni/config-fault.ts'
import { cniError } from '../../cni/errors.ts'
import { asText, type JsonObject, list, member, optionalText, present, ShapeError } from '../../cni/json.ts'
import { type NetworkList, networkListIn } from '../../cni/network-list.ts'
import { isNamespaceName } from '../../network/model/names.ts'

/** What a Multus is told by its configuration. What is about its log, its API access and its files is not ours. */
export interface MultusOptions {
  readonly networks: MultusNetworks
  /** Where networks are looked up by name besides definitions. */
  readonly confDir: string
  /** Comes before the folders of CNI_PATH. */
  readonly binDir: string
  /** Namespaces whose definitions every pod may name; undefined: all namespaces' definitions. */
  readonly isolation?: { readonly globalNamespaces: ReadonlySet<string> }
  /** Pods of these get no default networks. */
  readonly systemNamespaces: readonly string[]
  /** Where cluster and default networks are looked up. */
  readonly multusNamespace: string
  /** A file without which nothing is attached yet. */
  readonly readinessFile?: string
}

/** The networks of every pod: as they are, the first being the cluster's, or by name. */
export type MultusNetworks =
  | { readonly kind: 'delegates'; readonly delegates: readonly [NetworkList, ...NetworkList[]] }
  | { readonly kind: 'named'; readonly clusterNetwork: string; readonly defaultNetworks: readonly string[] }

const CONF_DIR = '/etc/cni/multus/net.d'
const BIN_DIR = '/opt/cni/bin'
const SYSTEM_NAMESPACE = 'kube-system'
const DEFAULT_GLOBAL_NAMESPACE = 'default'
const AUXILIARY_CHAIN = 'auxiliaryCNIChainName'
const MAX_DELEGATES = 64

/**
 * Reads a Multus's configuration; keys we do not know are others'. Throws `config-invalid`, naming the field, and
 * `unsupported-field` for a chain of plugins beside the cluster network's file: pods would lack what it does.
 */
export function multusNetconf(config: JsonObject): MultusOptions {
  const chain = member(config, AUXILIARY_CHAIN)
  if (chain !== undefined && chain !== '') {
    throw cniError('unsupported-field', { key: AUXILIARY_CHAIN, value: String(chain) })
  }
  return readingConfig(() => read(config))
}

/** Whether a pod may name a definition of a namespace. */
export function mayName(
  { isolation }: Pick<MultusOptions, 'isolation'>,
  podNamespace: string,
  namespace: string,
): boolean {
  return isolation === undefined || podNamespace === namespace || isolation.globalNamespaces.has(namespace)
}

function read(config: JsonObject): MultusOptions {
  return present<MultusOptions>({
    networks: readNetworks(config),
    confDir: optionalText(config, 'confDir', 'confDir') ?? CONF_DIR,
    binDir: optionalText(config, 'binDir', 'binDir') ?? BIN_DIR,
    isolation: readIsolation(config),
    systemNamespaces: readNames(config, 'systemNamespaces') ?? [SYSTEM_NAMESPACE],
    multusNamespace: readNamespace(config, 'multusNamespace') ?? SYSTEM_NAMESPACE,
    readinessFile: optionalText(config, 'readinessindicatorfile', 'readinessindicatorfile'),
  })
}

function readNetworks(config: JsonObject): MultusNetworks {
  const clusterNetwork = optionalText(config, 'clusterNetwork', 'clusterNetwork')
  const [first, ...rest] = list(config, 'delegates', 'delegates', (item, path) => networkListIn(item, NO_NAME, path))
  if (rest.length >= MAX_DELEGATES) throw new ShapeError('delegates', `must not be more than ${MAX_DELEGATES}`)
  if (first !== undefined && clusterNetwork !== undefined) {
    throw new ShapeError('delegates', 'cannot be given together with clusterNetwork')
  }
  if (first !== undefined) return { kind: 'delegates', delegates: [first, ...rest] }
  if (clusterNetwork === undefined) throw new ShapeError('clusterNetwork', 'is missing, and so is delegates')
  const defaultNetworks = list(config, 'defaultNetworks', 'defaultNetworks', asText)
  if (defaultNetworks.length > MAX_DELEGATES) {
    throw new ShapeError('defaultNetworks', `must not be more than ${MAX_DELEGATES}`)
  }
  return { kind: 'named', clusterNetwork, defaultNetworks }
}

/** A delegate without a name has none to fall back to, and is refused for it. */
const NO_NAME = ''

function readIsolation(config: JsonObject): MultusOptions['isolation'] {
  const isIsolated = member(config, 'namespaceIsolation') ?? false
  if (typeof isIsolated !== 'boolean') throw new ShapeError('namespaceIsolation', 'must be true or false')
  if (!isIsolated) return undefined
  const text = optionalText(config, 'globalNamespaces', 'globalNamespaces') ?? DEFAULT_GLOBAL_NAMESPACE
  return { globalNamespaces: new Set(text.split(',').map((name) => name.trim())) }
}

function readNames(config: JsonObject, key: string): readonly string[] | undefined {
  return member(config, key) === undefined ? undefined : list(config, key, key, asText)
}

function readNamespace(config: JsonObject, key: string): string | undefined {
  const name = optionalText(config, key, key)
  if (name === undefined || isNamespaceName(name)) return name
  throw new ShapeError(key, 'must be a namespace name')
}
