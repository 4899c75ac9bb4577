/**
 * A pool of addresses as Spiderpool's SpiderIPPool. Its `status` is a subresource that the controller derives from
 * claims: nothing of it is read but what Spiderpool itself wrote there (docs/adr/0029).
 * @module
 */
import type { KubeBinding } from '../../kube/binding.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type Cidr, type Family, familyOf, type Ip } from '../../network/model/address.ts'
import { describeProblems } from '../../network/model/decode.ts'
import { formatIpRange, type IpRange, mergedRanges } from '../../network/model/ip-range.ts'
import type { Selector } from '../../network/model/policy.ts'
import { type AddressPool, NO_SUBNET, type PoolRoute } from '../../network/model/pool.ts'
import { type PoolFault, poolFaults } from '../../network/model/pool-fault.ts'
import {
  decodeAddressPool,
  MAX_POOL_NAMES,
  MAX_POOL_PROBLEM,
  MAX_POOL_RANGES,
  MAX_POOL_ROUTES,
} from '../../network/model/validate-pool.ts'
import { at, labelsIn, nameOf, optionalField, textAt } from '../fields.ts'
import { clusterPlace, type MergePatch, objectOf } from '../merge.ts'
import { Notes } from '../policy/notes.ts'
import { selectorIn } from '../policy/reading.ts'
import { selectorOf } from '../policy/writing.ts'
import { foreignAllocations } from './pool-status/foreign.ts'
import { addressIn, eachIn, flagIn, nameIn, networkIn, problemOf, rangeIn, routeIn } from './reading.ts'
import { SPIDER_IP_POOLS } from './resources.ts'

/** Of a node, a namespace, an attachment definition with its namespace. */
const LONGEST_NAME = 320

/** SpiderIPPool ↔ AddressPool. One that cannot be understood is there all the same, and says why it gives nothing out. */
export const ipPoolBinding: KubeBinding<'AddressPool'> = {
  resource: SPIDER_IP_POOLS,
  isOptional: true,
  place: clusterPlace,
  nameOf,
  decode,
  encode: ({ labels, ...pool }) =>
    objectOf(SPIDER_IP_POOLS, clusterPlace(pool.name), { metadata: optionalField('labels', labels), ...patch(pool) }),
  patch,
}

function decode(object: KubeObject): unknown {
  const head = {
    name: nameOf(object),
    uid: at(object, 'metadata', 'uid'),
    createdAt: textAt(object, 'metadata', 'creationTimestamp')?.slice(0, LONGEST_NAME) ?? '',
    isTerminating: at(object, 'metadata', 'deletionTimestamp') !== undefined,
  }
  const notes = new Notes('spec')
  const occupied = optionalField('occupied', occupiedIn(object))
  const pool = { ...head, ...bodyIn(object, notes), ...optionalField('labels', labelsIn(object)), ...occupied }
  if (notes.problems.length === 0) for (const fault of poolFaults(pool)) noteFault(notes, fault)
  const value = { ...pool, ...optionalField('problem', problemOf(notes, MAX_POOL_PROBLEM)) }
  const decoded = decodeAddressPool(value)
  if (decoded.ok) return value
  const problem = describeProblems(decoded.problems).slice(0, MAX_POOL_PROBLEM)
  return { ...head, ...NOTHING, ...occupied, problem }
}

function occupiedIn(object: KubeObject): readonly IpRange[] | undefined {
  const addresses = foreignAllocations(at(object, 'status', 'allocatedIPs')).map(({ address }) => address)
  if (addresses.length === 0) return undefined
  return mergedRanges(addresses.map((address) => ({ first: address, last: address })))
}

type Body = Omit<AddressPool, 'name' | 'uid' | 'createdAt' | 'isTerminating' | 'labels' | 'occupied' | 'problem'>

/** The pool that says nothing. */
const NOTHING: Body = {
  family: 4,
  subnet: NO_SUBNET,
  ranges: [],
  excluded: [],
  routes: [],
  isDefault: false,
  isDisabled: false,
  nodes: [],
  namespaces: [],
  definitions: [],
}

function bodyIn(object: KubeObject, notes: Notes): Body {
  const field = (key: string): unknown => at(object, 'spec', key)
  const subnet = networkIn(field('subnet'), notes.at('subnet'))
  const names = (key: string): readonly string[] =>
    eachIn(field(key), MAX_POOL_NAMES, notes.at(key), nameIn(LONGEST_NAME))
  const gateway =
    textAt(object, 'spec', 'gateway') === undefined ? undefined : addressIn(field('gateway'), notes.at('gateway'))
  const selector = (key: string): Selector | undefined =>
    field(key) === undefined ? undefined : selectorIn(field(key), notes.at(key))
  return {
    family: familyIn(field('ipVersion'), subnet, notes.at('ipVersion')),
    subnet: subnet ?? NO_SUBNET,
    ranges: rangesIn(field('ips'), notes.at('ips')),
    excluded: rangesIn(field('excludeIPs'), notes.at('excludeIPs')),
    ...optionalField('gateway', gateway),
    routes: eachIn<PoolRoute>(field('routes'), MAX_POOL_ROUTES, notes.at('routes'), routeIn),
    isDefault: flagIn(field('default'), false, notes.at('default')),
    isDisabled: flagIn(field('disable'), false, notes.at('disable')),
    nodes: names('nodeName'),
    ...optionalField('nodeSelector', selector('nodeAffinity')),
    namespaces: names('namespaceName'),
    ...optionalField('namespaceSelector', selector('namespaceAffinity')),
    ...optionalField('podSelector', selector('podAffinity')),
    definitions: names('multusName'),
  }
}

/** Without a word the subnet's. */
function familyIn(input: unknown, subnet: Cidr | undefined, notes: Notes): Family {
  const family = subnet === undefined ? 4 : familyOf(subnet)
  if (input === undefined || input === family) return family
  if (input !== 4 && input !== 6) notes.problem('it is neither 4 nor 6')
  else if (subnet !== undefined) notes.problem(`${input} is not the family of ${subnet}`)
  return family
}

function rangesIn(input: unknown, notes: Notes): readonly IpRange[] {
  const ranges = eachIn(input, MAX_POOL_RANGES, notes, rangeIn)
  const isMixed = ranges.some(({ first }) => familyOf(first) !== familyOf(ranges[0]?.first ?? first))
  return isMixed ? (notes.problem('it has addresses of both families') ?? []) : mergedRanges(ranges)
}

/** As the object's author calls the fields of the model. */
const FIELDS = {
  family: 'ipVersion',
  ranges: 'ips',
  excluded: 'excludeIPs',
  gateway: 'gateway',
  podSelector: 'podAffinity',
} as const

function noteFault(notes: Notes, { field, reason }: PoolFault): void {
  const name = Object.hasOwn(FIELDS, field) ? FIELDS[field as keyof typeof FIELDS] : field
  notes.at(name).problem(reason)
}

function patch(pool: Omit<AddressPool, 'labels'>): MergePatch {
  return {
    spec: {
      ipVersion: pool.family,
      subnet: pool.subnet,
      ips: pool.ranges.map(formatIpRange),
      excludeIPs: listOf(pool.excluded.map(formatIpRange)),
      gateway: pool.gateway ?? null,
      routes: listOf(pool.routes.map(routeOf)),
      default: pool.isDefault,
      disable: pool.isDisabled,
      nodeName: listOf(pool.nodes),
      nodeAffinity: affinityOf(pool.nodeSelector),
      namespaceName: listOf(pool.namespaces),
      namespaceAffinity: affinityOf(pool.namespaceSelector),
      podAffinity: affinityOf(pool.podSelector),
      multusName: listOf(pool.definitions),
    },
  }
}

/** `{dst, gw}`, as every object of Spiderpool's has routes. */
export function routeOf({ destination, gateway }: { readonly destination: Cidr; readonly gateway: Ip }): MergePatch {
  return { dst: destination, gw: gateway }
}

function listOf<T>(items: readonly T[]): readonly T[] | null {
  return items.length === 0 ? null : items
}

/** A merge patch leaves what it does not speak of: both parts are said. */
function affinityOf(selector: Selector | undefined): MergePatch | null {
  return selector === undefined ? null : { matchLabels: null, matchExpressions: null, ...selectorOf(selector) }
}
