import { asAddress, asAddressOrCidr, asUnicastMac } from './formats.ts'
import {
  asObject,
  asText,
  type Json,
  type JsonObject,
  list,
  member,
  optionalInteger,
  optionalObject,
  optionalText,
  present,
  ShapeError,
} from './json.ts'

/** Rates in bit/s and bursts in bits, as seen from the container. 0 or missing means unlimited. */
export interface Bandwidth {
  readonly ingressRate?: number
  readonly ingressBurst?: number
  readonly egressRate?: number
  readonly egressBurst?: number
}

/** One port of the node that leads to one of the container. */
export interface PortMapping {
  readonly hostPort: number
  readonly containerPort: number
  readonly protocol: 'tcp' | 'udp' | 'sctp'
  readonly hostIp?: string
}

/** Name servers the runtime asks for. */
export interface RuntimeDns {
  readonly servers: readonly string[]
  readonly searches: readonly string[]
  readonly options: readonly string[]
}

/** `runtimeConfig`: what the runtime asks for this one attachment (conventions of the CNI project). */
export interface RuntimeConfig {
  readonly mac?: string
  readonly ips: readonly string[]
  readonly bandwidth?: Bandwidth
  readonly portMappings: readonly PortMapping[]
  readonly dns?: RuntimeDns
  readonly aliases: readonly string[]
  readonly deviceId?: string
}

/** No capability asked for. */
export const NO_RUNTIME_CONFIG: RuntimeConfig = { ips: [], portMappings: [], aliases: [] }

const ANY_RATE = [0, Number.MAX_SAFE_INTEGER] as const
const PORT = [1, 65_535] as const

/** Reads `runtimeConfig`; keys we do not know are others'. Throws `ShapeError` naming the field. */
export function parseRuntimeConfig(config: JsonObject): RuntimeConfig {
  const path = 'runtimeConfig'
  const runtime = optionalObject(config, path, path)
  return runtime === undefined ? NO_RUNTIME_CONFIG : readRuntimeConfig(runtime, path)
}

/** Reads an object with the keys of `runtimeConfig`. Throws `ShapeError` naming the field, whose path starts with `path`. */
export function readRuntimeConfig(runtime: JsonObject, path: string): RuntimeConfig {
  const mac = optionalText(runtime, 'mac', `${path}.mac`)
  return present<RuntimeConfig>({
    mac: mac === undefined ? undefined : asUnicastMac(mac, `${path}.mac`),
    ips: list(runtime, 'ips', `${path}.ips`, asAddressOrCidr),
    bandwidth: parseBandwidth(runtime, `${path}.bandwidth`),
    portMappings: list(runtime, 'portMappings', `${path}.portMappings`, parsePortMapping),
    dns: parseDns(runtime, `${path}.dns`),
    aliases: list(runtime, 'aliases', `${path}.aliases`, asText),
    deviceId: optionalText(runtime, 'deviceID', `${path}.deviceID`),
  })
}

function parseBandwidth(runtime: JsonObject, path: string): Bandwidth | undefined {
  const value = optionalObject(runtime, 'bandwidth', path)
  if (value === undefined) return undefined
  return present<Bandwidth>({
    ingressRate: optionalInteger(value, 'ingressRate', `${path}.ingressRate`, ANY_RATE),
    ingressBurst: optionalInteger(value, 'ingressBurst', `${path}.ingressBurst`, ANY_RATE),
    egressRate: optionalInteger(value, 'egressRate', `${path}.egressRate`, ANY_RATE),
    egressBurst: optionalInteger(value, 'egressBurst', `${path}.egressBurst`, ANY_RATE),
  })
}

function parsePortMapping(item: Json, path: string): PortMapping {
  const value = asObject(item, path)
  const hostIp = optionalText(value, 'hostIP', `${path}.hostIP`)
  return present<PortMapping>({
    hostPort: requiredPort(value, 'hostPort', path),
    containerPort: requiredPort(value, 'containerPort', path),
    protocol: parseProtocol(value, `${path}.protocol`),
    hostIp: hostIp === undefined ? undefined : asAddress(hostIp, `${path}.hostIP`),
  })
}

function requiredPort(value: JsonObject, key: string, path: string): number {
  const port = optionalInteger(value, key, `${path}.${key}`, PORT)
  if (port === undefined) throw new ShapeError(`${path}.${key}`, 'is missing')
  return port
}

function parseProtocol(value: JsonObject, path: string): PortMapping['protocol'] {
  const protocol = (optionalText(value, 'protocol', path) ?? 'tcp').toLowerCase()
  if (protocol === 'tcp' || protocol === 'udp' || protocol === 'sctp') return protocol
  throw new ShapeError(path, 'must be tcp, udp or sctp')
}

function parseDns(runtime: JsonObject, path: string): RuntimeDns | undefined {
  if (member(runtime, 'dns') === undefined) return undefined
  const dns = optionalObject(runtime, 'dns', path) ?? {}
  return {
    servers: list(dns, 'servers', `${path}.servers`, asText),
    searches: list(dns, 'searches', `${path}.searches`, asText),
    options: list(dns, 'options', `${path}.options`, asText),
  }
}
