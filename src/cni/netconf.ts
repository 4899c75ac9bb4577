import { NO_RUNTIME_CONFIG, parseRuntimeConfig, type RuntimeConfig } from './capabilities.ts'
import { asAddressOrCidr, isNamespaceName } from './formats.ts'
import {
  asObject,
  type Json,
  type JsonObject,
  list,
  optionalInteger,
  optionalObject,
  optionalText,
  ShapeError,
} from './json.ts'
import { NO_DNS, type ResultDns } from './result.ts'
import { parseDns } from './result-parse.ts'
import type { CniVersion } from './version.ts'

/** A label of `args.cni.labels`. */
export interface ArgsLabel {
  readonly key: string
  readonly value: string
}

/** `args.cni` of the configuration: hints of the runtime, which win over CNI_ARGS. */
export interface ConfigArgs {
  readonly labels: readonly ArgsLabel[]
  readonly ips: readonly string[]
}

/** One plugin's network configuration. */
export interface NetworkConfig {
  readonly version: CniVersion
  /** The network's name, unique on the node. */
  readonly name: string
  /** The name the plugin is called by in this network. */
  readonly type: string | undefined
  /** `ipam.type`: the plugin that gives out addresses, if the network names one. */
  readonly ipamType: string | undefined
  /** Ours: the tenant's namespace, written by the administrator for runtimes without Kubernetes. */
  readonly namespace: string | undefined
  /** Ours: MTU of the container's interface in bytes; unset means as large as the fabric allows. */
  readonly mtu: number | undefined
  /** `dns`: name resolution as the administrator wrote it, for the result of a plugin that has none of its own. */
  readonly dns: ResultDns
  readonly runtime: RuntimeConfig
  readonly args: ConfigArgs
  /** Everything, others' keys included, as it came. */
  readonly raw: JsonObject
}

/** IPv6 needs links of 1280 bytes or more (RFC 8200 section 5), and pods have both families. */
const MTU_RANGE = [1280, 65_535] as const
const NO_CONFIG_ARGS: ConfigArgs = { labels: [], ips: [] }

/** Reads what a plugin needs of its configuration. Keys we do not know are kept. Throws `ShapeError`. */
export function parseNetworkConfig(raw: JsonObject, version: CniVersion, name: string): NetworkConfig {
  return {
    ...parseIpamConfig(raw, version, name),
    namespace: parseNamespace(raw),
    mtu: raw['mtu'] === 0 ? undefined : optionalInteger(raw, 'mtu', 'mtu', MTU_RANGE),
  }
}

/** The same of another plugin's configuration, for one that gives out addresses: what is for the link is not its business. */
export function parseIpamConfig(raw: JsonObject, version: CniVersion, name: string): NetworkConfig {
  return {
    ...bareNetworkConfig(raw, version, name),
    type: optionalText(raw, 'type', 'type'),
    ipamType: ipamTypeOf(raw),
    dns: parseDns(raw, 'dns'),
    runtime: parseRuntimeConfig(raw),
    args: parseConfigArgs(raw),
  }
}

/** The plugin that gives out addresses, if a configuration names one. Throws `ShapeError`. */
export function ipamTypeOf(raw: JsonObject): string | undefined {
  return optionalText(optionalObject(raw, 'ipam', 'ipam') ?? {}, 'type', 'ipam.type')
}

/** The configuration reduced to what DEL cannot do without: no malformed key may stand in the way of cleaning up. */
export function bareNetworkConfig(raw: JsonObject, version: CniVersion, name: string): NetworkConfig {
  return {
    version,
    name,
    type: undefined,
    ipamType: undefined,
    namespace: undefined,
    mtu: undefined,
    dns: NO_DNS,
    runtime: NO_RUNTIME_CONFIG,
    args: NO_CONFIG_ARGS,
    raw,
  }
}

function parseNamespace(raw: JsonObject): string | undefined {
  const namespace = optionalText(raw, 'namespace', 'namespace')
  if (namespace === undefined || isNamespaceName(namespace)) return namespace
  throw new ShapeError('namespace', 'must be a namespace name: lower case letters, digits and dashes, 63 at most')
}

function parseConfigArgs(raw: JsonObject): ConfigArgs {
  const cni = optionalObject(optionalObject(raw, 'args', 'args') ?? {}, 'cni', 'args.cni')
  if (cni === undefined) return NO_CONFIG_ARGS
  return {
    labels: list(cni, 'labels', 'args.cni.labels', parseLabel),
    ips: list(cni, 'ips', 'args.cni.ips', asAddressOrCidr),
  }
}

function parseLabel(item: Json, path: string): ArgsLabel {
  const label = asObject(item, path)
  const key = optionalText(label, 'key', `${path}.key`)
  if (key === undefined) throw new ShapeError(`${path}.key`, 'is missing')
  return { key, value: optionalText(label, 'value', `${path}.value`) ?? '' }
}
