import { asAddress, asCidr, cidrFamily } from './formats.ts'
import {
  asObject,
  asText,
  isObject,
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
import {
  type CniResult,
  NO_DNS,
  type ResultDns,
  type ResultInterface,
  type ResultIp,
  type ResultRoute,
} from './result.ts'
import { type CniVersion, isAtLeast, isCniVersion } from './version.ts'

const UINT32 = [0, 0xffff_ffff] as const

/**
 * Reads a result (`prevResult`, or a delegate's answer) in the form of its own `cniVersion`; without one, of
 * `assumed`, the version of the configuration. Zero MTUs and priorities count as unset.
 * Throws `ShapeError` whose path starts with `path`.
 */
export function parseResult(value: Json, assumed: CniVersion, path: string): CniResult {
  const object = asObject(value, path)
  const version = versionOf(object, assumed, path)
  const dns = parseDns(object, `${path}.dns`)
  return isAtLeast(version, '0.3.0')
    ? checkIndexes({ ...parseLists(object, version, path), dns }, path)
    : { ...parsePerFamily(object, path), dns }
}

function versionOf(object: JsonObject, assumed: CniVersion, path: string): CniVersion {
  const version = optionalText(object, 'cniVersion', `${path}.cniVersion`)
  if (version === undefined) return assumed
  if (!isCniVersion(version)) throw new ShapeError(`${path}.cniVersion`, 'is not a version this plugin knows')
  return version
}

type Body = Omit<CniResult, 'dns'>

function parseLists(object: JsonObject, version: CniVersion, path: string): Body {
  // 0.3.0 spells the list `ip` in its text; libraries of that time write `ips`. Both are read.
  const key = version === '0.3.0' && member(object, 'ips') === undefined ? 'ip' : 'ips'
  return {
    interfaces: list(object, 'interfaces', `${path}.interfaces`, parseInterface),
    ips: list(object, key, `${path}.${key}`, parseIp),
    routes: list(object, 'routes', `${path}.routes`, parseRoute),
  }
}

function parsePerFamily(object: JsonObject, path: string): Body {
  const parts = (['ip4', 'ip6'] as const).map((key) => parseFamily(object, key, `${path}.${key}`))
  return { interfaces: [], ips: parts.flatMap((part) => part.ips), routes: parts.flatMap((part) => part.routes) }
}

function parseFamily(object: JsonObject, key: 'ip4' | 'ip6', path: string): Pick<CniResult, 'ips' | 'routes'> {
  const part = optionalObject(object, key, path)
  if (part === undefined) return { ips: [], routes: [] }
  const address = asCidr(member(part, 'ip') ?? '', `${path}.ip`)
  if (cidrFamily(address) !== Number(key.slice(2))) throw new ShapeError(`${path}.ip`, 'is of the other family')
  const ip = present<ResultIp>({ address, gateway: optionalAddress(part, 'gateway', `${path}.gateway`) })
  return { ips: [ip], routes: list(part, 'routes', `${path}.routes`, parseRoute) }
}

function parseInterface(item: Json, path: string): ResultInterface {
  const value = asObject(item, path)
  const name = optionalText(value, 'name', `${path}.name`)
  if (name === undefined) throw new ShapeError(`${path}.name`, 'is missing')
  return present<ResultInterface>({
    name,
    mac: optionalText(value, 'mac', `${path}.mac`),
    mtu: optionalCount(value, 'mtu', path),
    sandbox: optionalText(value, 'sandbox', `${path}.sandbox`),
    socketPath: optionalText(value, 'socketPath', `${path}.socketPath`),
    pciId: optionalText(value, 'pciID', `${path}.pciID`),
  })
}

function parseIp(item: Json, path: string): ResultIp {
  const value = asObject(item, path)
  return present<ResultIp>({
    address: asCidr(member(value, 'address') ?? '', `${path}.address`),
    gateway: optionalAddress(value, 'gateway', `${path}.gateway`),
    interface: optionalInteger(value, 'interface', `${path}.interface`, UINT32),
  })
}

function parseRoute(item: Json, path: string): ResultRoute {
  const value = asObject(item, path)
  const dst = asCidr(member(value, 'dst') ?? '', `${path}.dst`)
  return present<ResultRoute>({
    dst,
    gw: optionalAddress(value, 'gw', `${path}.gw`),
    mtu: optionalCount(value, 'mtu', path),
    advmss: optionalCount(value, 'advmss', path),
    priority: optionalCount(value, 'priority', path),
    table: optionalInteger(value, 'table', `${path}.table`, UINT32),
    scope: optionalInteger(value, 'scope', `${path}.scope`, [0, 255]),
  })
}

/** Reads the member `dns` of a result or a configuration; missing is none. Throws `ShapeError` whose path starts with `path`. */
export function parseDns(object: JsonObject, path: string): ResultDns {
  const dns = member(object, 'dns')
  if (dns === undefined) return NO_DNS
  if (!isObject(dns)) throw new ShapeError(path, 'must be an object')
  return present<ResultDns>({
    nameservers: list(dns, 'nameservers', `${path}.nameservers`, asText),
    domain: optionalText(dns, 'domain', `${path}.domain`),
    search: list(dns, 'search', `${path}.search`, asText),
    options: list(dns, 'options', `${path}.options`, asText),
  })
}

function checkIndexes(result: CniResult, path: string): CniResult {
  const wrong = result.ips.findIndex((ip) => ip.interface !== undefined && ip.interface >= result.interfaces.length)
  if (wrong >= 0) throw new ShapeError(`${path}.ips[${wrong}].interface`, 'names no entry of interfaces')
  return result
}

function optionalAddress(value: JsonObject, key: string, path: string): string | undefined {
  const text = optionalText(value, key, path)
  return text === undefined ? undefined : asAddress(text, path)
}

/** A number that libraries write as 0 when it is unset. */
function optionalCount(value: JsonObject, key: string, path: string): number | undefined {
  return optionalInteger(value, key, `${path}.${key}`, UINT32) || undefined
}
