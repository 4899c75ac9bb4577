/**
 * Who has which addresses, pod by pod, as Spiderpool's SpiderEndpoint. It is a view of claims, which are the truth: nothing
 * reads it but people and their tools, so nothing holds it back when its pod goes (docs/ipam.md).
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import type { KubeObject, ObjectMeta } from '../../../kube/object.ts'
import { familyOf } from '../../../network/model/address.ts'
import type { AddressClaim, PodOwner } from '../../../network/model/pool.ts'
import { at } from '../../fields.ts'
import { type MergePatch, objectOf } from '../../merge.ts'
import { FINALIZER } from '../pool-status/dress.ts'
import { SPIDER_ENDPOINTS } from '../resources.ts'

/** On endpoints that are made here: others are left alone once no claim is behind them. */
const DERIVED = 'weft.dev/derived-from'

/** What an endpoint is made of. */
export interface EndpointFacts {
  readonly namespace: string
  /** The pod's, and the endpoint's. */
  readonly name: string
  /** All of one pod uid; at least one. */
  readonly claims: readonly AddressClaim[]
  /** Who manages the pod, at the top; absent: nobody. */
  readonly top?: PodOwner | undefined
  /** The pod's uid in the API server, which it goes with. Absent: it outlives the pod, as a StatefulSet's does. */
  readonly ownerUid?: string | undefined
}

/** What an endpoint says, as far as it is looked at. */
export interface EndpointObject {
  readonly metadata: ObjectMeta
  readonly status?: unknown
}

/** What is to be done about an endpoint. */
export type EndpointCall =
  | { readonly op: 'create'; readonly object: KubeObject }
  | { readonly op: 'patch'; readonly patch: MergePatch }
  /** `release`: a finalizer that an earlier Spiderpool left has to go as well. */
  | { readonly op: 'delete'; readonly release?: MergePatch }

/** What is to be done so that a pod's endpoint says what its claims say; undefined for nothing. */
export function decideEndpoint(
  facts: EndpointFacts | undefined,
  object: EndpointObject | undefined,
): EndpointCall | undefined {
  if (facts === undefined) return object === undefined ? undefined : farewell(object)
  const status = statusOf(facts)
  const owners = ownersOf(facts)
  if (object === undefined) {
    const metadata = { labels: { [DERIVED]: 'addressclaims' }, ownerReferences: owners }
    const { namespace, name } = facts
    return { op: 'create', object: objectOf(SPIDER_ENDPOINTS, { namespace, name }, { metadata, status }) }
  }
  const { labels = {}, ownerReferences = [], deletionTimestamp } = object.metadata
  // What is on its way out is made anew once it is gone.
  if (deletionTimestamp !== undefined) return farewell(object)
  const isMade = labels[DERIVED] !== undefined
  const isOwned = ownerReferences.length === owners.length && owners.every(({ uid }) => ownerReferences[0]?.uid === uid)
  if (isMade && isOwned && isDeepStrictEqual(at(object, 'status'), status)) return undefined
  const metadata = { labels: { [DERIVED]: 'addressclaims' }, ownerReferences: owners }
  return { op: 'patch', patch: { metadata, status: replacing(at(object, 'status'), status) } }
}

/**
 * An endpoint that nobody stands behind. One that was not made here is left alone; but whatever is going is let go, of which
 * an earlier Spiderpool would have taken its finalizer.
 */
function farewell({ metadata }: EndpointObject): EndpointCall | undefined {
  const { labels = {}, finalizers = [], deletionTimestamp } = metadata
  const isGoing = deletionTimestamp !== undefined
  if (labels[DERIVED] === undefined && !isGoing) return undefined
  if (!finalizers.includes(FINALIZER)) return isGoing ? undefined : { op: 'delete' }
  return { op: 'delete', release: { metadata: { finalizers: finalizers.filter((one) => one !== FINALIZER) } } }
}

function ownersOf({ name, ownerUid }: EndpointFacts) {
  return ownerUid === undefined ? [] : [{ apiVersion: 'v1', kind: 'Pod', name, uid: ownerUid }]
}

function statusOf({ name, claims, top }: EndpointFacts): Readonly<Record<string, unknown>> {
  const [first] = claims
  return {
    current: { uid: first?.podUid ?? '', node: first?.node ?? '', ips: addressesOf(claims) },
    ownerControllerType: top?.kind ?? 'Pod',
    ownerControllerName: top?.name ?? name,
  }
}

/** One entry for each interface, the first interface in front: columns of `kubectl get` show the first entry. */
function addressesOf(claims: readonly AddressClaim[]): readonly unknown[] {
  const names = [...new Set(claims.map(({ ifname }) => ifname))].toSorted(byInterface)
  return names.map((ifname) => {
    const own = claims.filter((claim) => claim.ifname === ifname)
    const routes = own
      .flatMap((claim) => claim.routes)
      .map(({ destination, gateway }) => ({ dst: destination, gw: gateway }))
    return {
      interface: ifname,
      ...familyFields(own, 4),
      ...familyFields(own, 6),
      vlan: 0,
      cleanGateway: own.some(({ hasCleanGateway }) => hasCleanGateway),
      ...(routes.length === 0 ? {} : { routes }),
    }
  })
}

function familyFields(claims: readonly AddressClaim[], family: 4 | 6): Readonly<Record<string, unknown>> {
  const claim = claims.find(({ address }) => familyOf(address) === family)
  if (claim === undefined) return {}
  return {
    [`ipv${family}`]: `${claim.address}/${claim.prefix}`,
    [`ipv${family}Pool`]: claim.pool,
    ...(claim.gateway === undefined ? {} : { [`ipv${family}Gateway`]: claim.gateway }),
  }
}

function byInterface(a: string, b: string): number {
  if (a === 'eth0' || b === 'eth0') return a === 'eth0' ? -1 : 1
  return a.localeCompare(b, 'en', { numeric: true })
}

/** A merge patch that leaves nothing of what was there. */
function replacing(before: unknown, after: Readonly<Record<string, unknown>>): MergePatch {
  const gone = Object.keys(Object(before)).filter((key) => !Object.hasOwn(after, key))
  const nested = Object.entries(after).map(([key, value]) => {
    const old = at(before, key)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return [key, isObject ? replacing(old, value as Readonly<Record<string, unknown>>) : value]
  })
  return { ...Object.fromEntries(gone.map((key) => [key, null])), ...Object.fromEntries(nested) }
}
