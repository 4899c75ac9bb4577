/**
 * What pods and namespaces ask for by Spiderpool's annotations (Spiderpool 1.2, `docs/reference/annotation`). Tenants
 * write them: what is malformed is refused, with its field.
 * @module
 */
import { cniError } from '../../../cni/errors.ts'
import { ifnameFault } from '../../../cni/formats.ts'
import {
  asObject,
  asText,
  decodeJson,
  type Json,
  type JsonObject,
  list,
  member,
  optionalText,
  ShapeError,
} from '../../../cni/json.ts'
import { type Cidr, type Family, familyOf, parseIp } from '../../../network/model/address.ts'
import type { PoolRoute } from '../../../network/model/pool.ts'
import { networkIn } from '../../network-text.ts'
import { isPattern, parsePattern } from './pattern.ts'

/** Names of pools, or of subnets, as they are written, by family. */
export type NamesByFamily = { readonly [F in Family]: readonly string[] }

/** What is asked for one interface. */
export interface InterfaceWish {
  /** Absent: by its place in the list. */
  readonly ifname?: string
  readonly names: NamesByFamily
  /** Absent: as the network's configuration has it. */
  readonly hasCleanGateway?: boolean
}

/** More names in one list, interfaces or routes are refused. */
const MAX_NAMES = 64
const MAX_INTERFACES = 64
const MAX_ROUTES = 100
const MAX_NAME = 253

/** Annotations of pods. */
export const IPPOOL = 'ipam.spidernet.io/ippool'
export const IPPOOLS = 'ipam.spidernet.io/ippools'
export const ROUTES = 'ipam.spidernet.io/routes'
export const SUBNET = 'ipam.spidernet.io/subnet'
export const SUBNETS = 'ipam.spidernet.io/subnets'

/** How they are written, for whoever wrote something else. */
const FORMS = {
  [IPPOOL]: '{"ipv4": ["pool-a"], "ipv6": ["pool-b"]}',
  [IPPOOLS]: '[{"interface": "eth0", "ipv4": ["pool-a"]}]',
  [ROUTES]: '[{"dst": "10.0.0.0/16", "gw": "192.168.1.1"}]',
  [SUBNET]: '{"ipv4": ["subnet-a"]}',
  [SUBNETS]: '[{"interface": "eth0", "ipv4": ["subnet-a"]}]',
} as const

/** Annotations of namespaces. */
export const NAMESPACE_DEFAULTS = {
  4: 'ipam.spidernet.io/default-ipv4-ippool',
  6: 'ipam.spidernet.io/default-ipv6-ippool',
} as const

/** `{"ipv4": ["p1"], "ipv6": ["p2"]}`, of every interface. Throws `annotation-invalid`. */
export function parseForAll(annotation: typeof IPPOOL | typeof SUBNET, text: string): NamesByFamily {
  return reading(annotation, text, (json) => {
    const names = readNames(asObject(json, 'value'), '')
    if (isNone(names)) throw new ShapeError('ipv4', 'names no pool, and neither does ipv6')
    return names
  })
}

/**
 * `[{"interface": "eth0", "ipv4": ["p1"], "ipv6": [], "cleangateway": false}, …]`: all items have an interface, each
 * another, or none has. Throws `annotation-invalid`.
 */
export function parseByInterface(annotation: typeof IPPOOLS | typeof SUBNETS, text: string): readonly InterfaceWish[] {
  return reading(annotation, text, (json) => {
    if (!Array.isArray(json)) throw new ShapeError('value', 'must be a list')
    if (json.length === 0) throw new ShapeError('value', 'must have an item for each interface, and has none')
    if (json.length > MAX_INTERFACES) throw new ShapeError('value', `must not have more than ${MAX_INTERFACES} items`)
    const wishes = json.map((item: Json, index) => readInterface(item, `[${index}]`))
    for (const [index, { ifname }] of wishes.entries()) {
      const first = wishes.findIndex((one) => one.ifname === ifname)
      const path = `[${index}].interface`
      if ((ifname === undefined) !== (wishes[0]?.ifname === undefined)) {
        throw new ShapeError(path, 'interfaces are named in all items or in none')
      }
      if (ifname !== undefined && first !== index) throw new ShapeError(path, `is that of item ${first}, too`)
    }
    return wishes
  })
}

/** `[{"dst": "10.0.0.0/16", "gw": "192.168.1.1"}, …]`. Throws `annotation-invalid`. */
export function parseRoutes(text: string): readonly PoolRoute[] {
  return reading(ROUTES, text, (json) => {
    if (!Array.isArray(json)) throw new ShapeError('value', 'must be a list')
    if (json.length > MAX_ROUTES) throw new ShapeError('value', `must not have more than ${MAX_ROUTES} items`)
    return json.map((item: Json, index) => readRoute(item, `[${index}]`))
  })
}

/** `["p1", "p2"]`, of a namespace. Throws `namespace-annotation-invalid`. */
export function parseNamespaceDefaults(family: Family, namespace: string, text: string): readonly string[] {
  try {
    return readPoolNames({ value: decoded(text) }, 'value', 'value')
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error
    const { path: field, expected } = error
    throw cniError('namespace-annotation-invalid', {
      annotation: NAMESPACE_DEFAULTS[family],
      namespace,
      field,
      expected: `${expected}; the form is ["pool-a", "pool-b"]`,
    })
  }
}

/** Names of pools in a member, each a name or a pattern. Throws `ShapeError` whose path starts with `path`. */
export function readPoolNames(object: JsonObject, key: string, path: string): readonly string[] {
  const names = list(object, key, path, readPoolName)
  if (names.length > MAX_NAMES) throw new ShapeError(path, `must not have more than ${MAX_NAMES} items`)
  return names
}

function readPoolName(item: Json, path: string): string {
  const name = asText(item, path)
  if (name === '' || name.length > MAX_NAME) throw new ShapeError(path, `must have 1 to ${MAX_NAME} characters`)
  if (isPattern(name) && parsePattern(name) === undefined) throw new ShapeError(path, 'is a malformed pattern')
  return name
}

function readNames(object: JsonObject, path: string): NamesByFamily {
  const at = (key: string): string => (path === '' ? key : `${path}.${key}`)
  return { 4: readPoolNames(object, 'ipv4', at('ipv4')), 6: readPoolNames(object, 'ipv6', at('ipv6')) }
}

function isNone(names: NamesByFamily): boolean {
  return names[4].length === 0 && names[6].length === 0
}

function readInterface(item: Json, path: string): InterfaceWish {
  const object = asObject(item, path)
  const ifname = optionalText(object, 'interface', `${path}.interface`)
  const fault = ifname === undefined ? undefined : ifnameFault(ifname)
  if (fault !== undefined) throw new ShapeError(`${path}.interface`, fault)
  const names = readNames(object, path)
  if (isNone(names)) throw new ShapeError(`${path}.ipv4`, 'names no pool, and neither does ipv6')
  const isClean = member(object, 'cleangateway')
  if (isClean !== undefined && typeof isClean !== 'boolean') {
    throw new ShapeError(`${path}.cleangateway`, 'must be true or false')
  }
  return {
    names,
    ...(ifname === undefined ? {} : { ifname }),
    ...(isClean === undefined ? {} : { hasCleanGateway: isClean }),
  }
}

function readRoute(item: Json, path: string): PoolRoute {
  const object = asObject(item, path)
  const destination: Cidr | undefined = networkIn(member(object, 'dst'))
  const gateway = parseIp(optionalText(object, 'gw', `${path}.gw`) ?? '')
  if (destination === undefined) throw new ShapeError(`${path}.dst`, 'must be a network such as 10.0.0.0/16')
  if (gateway === undefined) throw new ShapeError(`${path}.gw`, 'must be an address')
  if (familyOf(gateway) !== familyOf(destination)) throw new ShapeError(`${path}.gw`, 'must be of the family of dst')
  return { destination, gateway }
}

function reading<T>(annotation: keyof typeof FORMS, text: string, read: (json: Json) => T): T {
  try {
    return read(decoded(text))
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error
    const expected = `${error.expected}; the form is ${FORMS[annotation]}`
    throw cniError('annotation-invalid', { annotation, field: error.path, expected })
  }
}

function decoded(text: string): Json {
  try {
    return decodeJson(text)
  } catch (error) {
    throw new ShapeError('value', `must be JSON: ${error instanceof SyntaxError ? error.message : 'it is not'}`)
  }
}
