/**
 * What pools, reserved addresses and claims must be.
 * @module
 */
import { BITS, type Cidr, familyOf, ipValue } from './address.ts'
import { below, type Decode, type Decoded, decodeWith, reject } from './decode.ts'
import { address, checked, flag, integer, list, literal, network, optional, record, text } from './decoders.ts'
import { sharedList, sharedRecord, sharedText } from './interned.ts'
import type { IpRange } from './ip-range.ts'
import { labels, selector } from './labels.ts'
import { ifname, namespaceName, objectName, sandboxId, uid } from './names.ts'
import type { AddressClaim, AddressPool, PoolRoute, ReservedAddresses } from './pool.ts'
import { poolFaults } from './pool-fault.ts'
import { podOwner } from './validate-pod.ts'

/** The most of a pool's ranges, routes and names, and of a sentence about it. */
export const MAX_POOL_RANGES = 20_000
export const MAX_POOL_ROUTES = 1000
export const MAX_POOL_NAMES = 10_000
export const MAX_POOL_PROBLEM = 1024
/** The most runs that others gave out: more than one object can tell of. */
export const MAX_POOL_OCCUPIED = 65_536

/** The most different texts, owners and lists of routes that claims share. */
const MOST_SHARED = 20_000

const range: Decode<IpRange> = checked(record<IpRange>({ first: address, last: address }), ({ first, last }, at) => {
  if (familyOf(first) !== familyOf(last) || ipValue(first) > ipValue(last)) {
    reject(at, `${first} to ${last} is no range`, 'give two addresses of one family, the lower first')
  }
})
const ranges = list(range, MAX_POOL_RANGES)

const route: Decode<PoolRoute> = record<PoolRoute>({ destination: network, gateway: address })
const problem = optional(text(1, MAX_POOL_PROBLEM))
const names = list(text(1, 320), MAX_POOL_NAMES)

const pool: Decode<AddressPool> = checked(
  record<AddressPool>({
    name: objectName,
    uid,
    createdAt: text(0, 64),
    family: literal(4, 6),
    subnet: network,
    ranges,
    excluded: ranges,
    gateway: optional(address),
    routes: list(route, MAX_POOL_ROUTES),
    isDefault: flag,
    isDisabled: flag,
    isTerminating: flag,
    nodes: names,
    nodeSelector: optional(selector),
    namespaces: names,
    namespaceSelector: optional(selector),
    podSelector: optional(selector),
    definitions: names,
    labels: optional(labels),
    occupied: optional(list(range, MAX_POOL_OCCUPIED)),
    problem,
  }),
  (value, at) => {
    if (value.problem !== undefined) return
    for (const { field, reason } of poolFaults(value)) reject(below(at, field), reason, 'correct it')
  },
)

const reserved: Decode<ReservedAddresses> = record<ReservedAddresses>({ name: objectName, ranges, problem })

const claim: Decode<AddressClaim> = checked(
  record<AddressClaim>({
    address,
    prefix: integer(0, BITS[6]),
    pool: sharedText(objectName, MOST_SHARED),
    namespace: sharedText(namespaceName, MOST_SHARED),
    pod: objectName,
    podUid: uid,
    ifname: sharedText(ifname, MOST_SHARED),
    containerId: sandboxId,
    node: sharedText(objectName, MOST_SHARED),
    owner: optional(sharedRecord(podOwner, MOST_SHARED)),
    isSticky: flag,
    gateway: optional(address),
    routes: sharedList(list(route, MAX_POOL_ROUTES), MOST_SHARED),
    hasCleanGateway: flag,
  }),
  ({ address, prefix, gateway, routes }, at) => {
    const family = familyOf(address)
    if (prefix > BITS[family]) reject(below(at, 'prefix'), `${prefix} bits are more than ${address} has`, 'give fewer')
    const others: readonly (readonly [string, Cidr | typeof address])[] = [
      ...(gateway === undefined ? [] : [['gateway', gateway] as const]),
      ...routes.flatMap(({ destination, gateway: by }) => [['routes', destination] as const, ['routes', by] as const]),
    ]
    for (const [field, other] of others) {
      if (familyOf(other) !== family)
        reject(below(at, field), `${other} is not of ${address}'s family`, 'give one that is')
    }
  },
)

/** The pool in this input, or what is wrong with it. */
export function decodeAddressPool(input: unknown): Decoded<AddressPool> {
  return decodeWith(pool, input)
}

/** The reserved addresses in this input, or what is wrong with them. */
export function decodeReservedAddresses(input: unknown): Decoded<ReservedAddresses> {
  return decodeWith(reserved, input)
}

/** The claim in this input, or what is wrong with it. */
export function decodeAddressClaim(input: unknown): Decoded<AddressClaim> {
  return decodeWith(claim, input)
}
