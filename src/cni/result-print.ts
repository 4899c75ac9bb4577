import { cniError } from './errors.ts'
import { cidrFamily } from './formats.ts'
import type { Json, JsonObject } from './json.ts'
import type { CniResult, ResultDns, ResultInterface, ResultIp, ResultRoute } from './result.ts'
import { type CniVersion, isAtLeast } from './version.ts'

/** The bytes for standard output, as text: one line of JSON. Throws `result-without-address` as `encodeResult` does. */
export function printResult(result: CniResult, version: CniVersion): string {
  return `${JSON.stringify(encodeResult(result, version))}\n`
}

/**
 * A result in the JSON of a version. What the version cannot hold is left out:
 * - 0.1.0 and 0.2.0 hold the first address of each family, the routes of those families, and no interfaces;
 *   a result without any address cannot be written and throws `result-without-address`.
 * - 0.3.0 to 0.4.0 hold no MTUs and nothing of a route but destination and gateway. The text of 0.3.0 misspells the
 *   list of addresses (`ip`); every runtime reads `ips`, which is what we write.
 * - 1.0.0 no longer says an address's family.
 */
export function encodeResult(result: CniResult, version: CniVersion): JsonObject {
  const body = isAtLeast(version, '0.3.0') ? encodeLists(result, version) : encodePerFamily(result, version)
  return { cniVersion: version, ...body, dns: encodeDns(result.dns) }
}

function encodeLists(result: CniResult, version: CniVersion): JsonObject {
  return withoutEmpty({
    interfaces: result.interfaces.map((item) => encodeInterface(item, version)),
    ips: result.ips.map((item) => encodeIp(item, version)),
    routes: result.routes.map((item) => encodeRoute(item, version)),
  })
}

function encodePerFamily(result: CniResult, version: CniVersion): JsonObject {
  const body = withoutEmpty({ ip4: encodeFamily(result, 4), ip6: encodeFamily(result, 6) })
  if (Object.keys(body).length === 0) throw cniError('result-without-address', { version })
  return body
}

function encodeFamily(result: CniResult, family: 4 | 6): JsonObject | undefined {
  const ip = result.ips.find((item) => cidrFamily(item.address) === family)
  if (ip === undefined) return undefined
  const routes = result.routes.filter((route) => cidrFamily(route.dst) === family)
  return withoutEmpty({ ip: ip.address, gateway: ip.gateway, routes: routes.map(encodeDestination) })
}

function encodeInterface(item: ResultInterface, version: CniVersion): JsonObject {
  const since110 = { mtu: item.mtu, socketPath: item.socketPath, pciID: item.pciId }
  return withoutEmpty({
    name: item.name,
    mac: item.mac,
    ...(isAtLeast(version, '1.1.0') ? since110 : {}),
    sandbox: item.sandbox,
  })
}

function encodeIp(item: ResultIp, version: CniVersion): JsonObject {
  const family = isAtLeast(version, '1.0.0') ? {} : { version: String(cidrFamily(item.address) ?? 4) }
  return withoutEmpty({ ...family, interface: item.interface, address: item.address, gateway: item.gateway })
}

function encodeRoute(item: ResultRoute, version: CniVersion): JsonObject {
  if (!isAtLeast(version, '1.1.0')) return encodeDestination(item)
  const { mtu, advmss, priority, table, scope } = item
  return withoutEmpty({ ...encodeDestination(item), mtu, advmss, priority, table, scope })
}

function encodeDestination(item: ResultRoute): JsonObject {
  return withoutEmpty({ dst: item.dst, gw: item.gw })
}

function encodeDns(dns: ResultDns): JsonObject {
  return withoutEmpty({
    nameservers: dns.nameservers,
    domain: dns.domain,
    search: dns.search,
    options: dns.options,
  })
}

/** Only members that say something: neither missing nor an empty list. */
function withoutEmpty(members: Readonly<Record<string, Json | undefined>>): JsonObject {
  const entries = Object.entries(members).filter(([, value]) => !isEmpty(value))
  return Object.fromEntries(entries) as JsonObject
}

function isEmpty(value: Json | undefined): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0)
}
