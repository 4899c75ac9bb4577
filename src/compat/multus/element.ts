import { type RuntimeConfig, readRuntimeConfig } from '../../cni/capabilities.ts'
import {
  asObject,
  type Json,
  type JsonObject,
  list,
  member,
  optionalObject,
  optionalText,
  present,
  ShapeError,
} from '../../cni/json.ts'
import { type Ip, parseIp } from '../../network/model/address.ts'
import { isNamespaceName, isObjectName } from '../../network/model/names.ts'
import { ifnameProblem } from './interface-name.ts'
import type { Selected } from './short-form.ts'

/** Fields that are of the same form in `runtimeConfig`. */
const SHARED_FIELDS = ['mac', 'ips', 'bandwidth', 'portMappings', 'deviceID'] as const
const GUID = /^[0-9a-f]{2}(:[0-9a-f]{2}){7}$/
/** Addresses and gateways of one network beyond this are refused. */
const MAX_ADDRESSES = 64

/** One object of the JSON form; keys we do not know are others'. Throws `ShapeError` whose path starts with `path`. */
export function readElement(item: Json, defaultNamespace: string, path: string): Selected {
  const element = asObject(item, path)
  const name = optionalText(element, 'name', `${path}.name`)
  if (name === undefined || !isObjectName(name)) {
    throw new ShapeError(`${path}.name`, name === undefined ? 'is missing' : 'must be the name of a network')
  }
  const namespace = optionalText(element, 'namespace', `${path}.namespace`) ?? defaultNamespace
  if (!isNamespaceName(namespace)) throw new ShapeError(`${path}.namespace`, 'must be a namespace name')
  const wishes = readWishes(element, path)
  checkClaim(element, wishes, path)
  return present<Selected>({
    namespace,
    name,
    ifname: readIfname(element, path),
    wishes,
    cniArgs: optionalObject(element, 'cni-args', `${path}.cni-args`),
    defaultRoute: readGateways(element, path),
  })
}

/** The name of an IPAMClaim is the business of whoever gives out addresses by claims; Multus does nothing with it, either. */
function checkClaim(element: JsonObject, wishes: JsonObject, path: string): void {
  const field = 'ipam-claim-reference'
  const claim = optionalText(element, field, `${path}.${field}`)
  if (claim !== undefined && Object.hasOwn(wishes, 'ips')) {
    throw new ShapeError(`${path}.${field}`, 'cannot be asked for together with ips')
  }
}

/** `interfaceRequest` is what `interface` was called before Multus 3.2. */
function readIfname(element: JsonObject, path: string): string | undefined {
  const field = member(element, 'interface') === undefined ? 'interfaceRequest' : 'interface'
  const ifname = optionalText(element, field, `${path}.${field}`)
  const problem = ifname === undefined ? undefined : ifnameProblem(ifname)
  if (problem !== undefined) throw new ShapeError(`${path}.${field}`, problem)
  return ifname
}

function readWishes(element: JsonObject, path: string): JsonObject {
  const shared = SHARED_FIELDS.flatMap((field) =>
    Object.hasOwn(element, field) ? [[field, element[field] ?? null]] : [],
  )
  const runtime = readRuntimeConfig(Object.fromEntries(shared), path)
  if (runtime.ips.length > MAX_ADDRESSES) throw new ShapeError(`${path}.ips`, `must not be more than ${MAX_ADDRESSES}`)
  return present<JsonObject>({ ...encodeRuntimeConfig(runtime), infinibandGUID: readGuid(element, path) })
}

/** What is asked for, and no empty list. */
function encodeRuntimeConfig({
  mac,
  ips,
  bandwidth,
  portMappings,
  deviceId,
}: RuntimeConfig): Record<string, Json | undefined> {
  const mappings = portMappings.map(({ hostIp, ...mapping }) => present<JsonObject>({ ...mapping, hostIP: hostIp }))
  return {
    mac,
    ips: ips.length === 0 ? undefined : ips,
    bandwidth: bandwidth === undefined || Object.keys(bandwidth).length === 0 ? undefined : { ...bandwidth },
    portMappings: mappings.length === 0 ? undefined : mappings,
    deviceID: deviceId,
  }
}

function readGuid(element: JsonObject, path: string): string | undefined {
  const field = 'infiniband-guid'
  const guid = optionalText(element, field, `${path}.${field}`)?.replaceAll('-', ':').toLowerCase()
  if (guid === undefined || GUID.test(guid)) return guid
  throw new ShapeError(`${path}.${field}`, 'must be a GUID such as c2:11:22:33:44:55:66:77')
}

function readGateways(element: JsonObject, path: string): readonly Ip[] | undefined {
  const field = 'default-route'
  if (member(element, field) === undefined) return undefined
  const gateways = list(element, field, `${path}.${field}`, (item, at) => {
    const gateway = typeof item === 'string' ? parseIp(item) : undefined
    if (gateway === undefined) throw new ShapeError(at, 'must be an IPv4 or IPv6 address')
    return gateway
  })
  if (gateways.length > MAX_ADDRESSES) {
    throw new ShapeError(`${path}.${field}`, `must not be more than ${MAX_ADDRESSES}`)
  }
  return gateways
}
