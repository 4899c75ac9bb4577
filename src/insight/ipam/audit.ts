/**
 * Compares what should agree about addresses: claims with pods, pools and what pods say they have; counters and endpoints
 * with claims.
 * @module
 */

import { countOf } from '../../compat/spiderpool/pool-status/pool-status.ts'
import { isOf, judgeClaim } from '../../ipam/claim-verdict.ts'
import { sizeOf, without } from '../../ipam/range-set.ts'
import { type Cidr, contains, familyOf, type Ip } from '../../network/model/address.ts'
import { isInRange } from '../../network/model/ip-range.ts'
import type { PodLife } from '../../network/model/pod-life.ts'
import { claimName } from '../../network/model/pool.ts'
import type { IpamFinding } from './findings.ts'
import { exceptionOf, unclaimedOf } from './pools.ts'
import type { IpamView, ListedClaim, ListedPool } from './view.ts'
import { garbageWords } from './words.ts'

/** Everything that does not agree, in a stable order. */
export function auditIpam(view: IpamView): readonly IpamFinding[] {
  const byPod = Map.groupBy(view.claims, ({ value }) => `${value.namespace}/${value.pod}`)
  const byName = new Map(view.claims.map((claim) => [claim.name, claim]))
  const facts: Facts = {
    view,
    byPod,
    byName,
    byPool: Map.groupBy(view.claims, ({ value }) => value.pool),
    bySubnet: Map.groupBy(view.pools.values(), ({ pool }) => pool.subnet),
  }
  const findings = [
    ...view.unreadable.map(({ name, why }): IpamFinding => ({ code: 'claim-unreadable', object: name, sentence: why })),
    ...view.claims.flatMap((claim) => aboutClaim(claim, facts)),
    ...[...view.pods].flatMap(([key, pod]) => aboutPod(key, pod, facts)),
    ...[...view.endpoints.keys(), ...byPod.keys()].flatMap((key) => aboutEndpoint(key, facts)),
    ...[...view.pools.values()].flatMap((pool) => aboutPool(pool, facts)),
  ]
  const once = new Map(findings.map((finding) => [`${finding.code} ${finding.object} ${finding.sentence}`, finding]))
  return [...once.values()].toSorted((a, b) => compare(a.code, b.code) || compare(a.object, b.object))
}

/** Those of the second look that were there in the first: what was on its way is none. */
export function lastingFindings(first: readonly IpamFinding[], second: readonly IpamFinding[]): readonly IpamFinding[] {
  const earlier = new Set(first.map(({ code, object }) => `${code} ${object}`))
  return second.filter(({ code, object }) => earlier.has(`${code} ${object}`))
}

interface Facts {
  readonly view: IpamView
  readonly byPod: ReadonlyMap<string, readonly ListedClaim[]>
  readonly byName: ReadonlyMap<string, ListedClaim>
  readonly byPool: ReadonlyMap<string, readonly ListedClaim[]>
  readonly bySubnet: ReadonlyMap<Cidr, readonly ListedPool[]>
}

function aboutClaim(claim: ListedClaim, { view, byPod }: Facts): readonly IpamFinding[] {
  const { value, name } = claim
  const key = `${value.namespace}/${value.pod}`
  const pod = view.pods.get(key)
  const set = value.owner === undefined ? undefined : view.sets.get(`${value.namespace}/${value.owner.name}`)
  const verdict = judgeClaim(claim, { pod, set, all: byPod.get(key) ?? [], now: view.now })
  const about = `${value.address} of pod ${key}, ${value.ifname}`
  if (verdict.is === 'garbage') {
    return [{ code: 'claim-garbage', object: name, sentence: `${about}: ${garbageWords(verdict.because)}`, claim }]
  }
  const findings: IpamFinding[] = []
  if (verdict.because === 'doubled') {
    findings.push({ code: 'claim-doubled', object: name, sentence: `${about}: another address is claimed for it, too` })
  }
  const listed = view.pools.get(value.pool)
  const exception = listed === undefined ? undefined : exceptionOf(value.address, listed.pool, view.reserved)
  if (listed === undefined) {
    findings.push({ code: 'claim-without-pool', object: name, sentence: `${about}: there is no pool ${value.pool}` })
  } else if (exception !== undefined) {
    const sentence = `${about}, from pool ${value.pool}: ${exception}`
    findings.push({ code: 'claim-outside-pool', object: name, sentence })
  }
  if (pod !== undefined && verdict.because === 'lives' && lacks(pod, value)) {
    const sentence = `${about}: its pod says that it has ${pod.addresses.join(' and ')}`
    findings.push({ code: 'claim-not-at-pod', object: name, sentence })
  }
  return findings
}

/** Only of its first interface a pod says what it has. */
function lacks(
  { phase, addresses }: PodLife,
  { ifname, address }: { readonly ifname: string; readonly address: Ip },
): boolean {
  if (ifname !== 'eth0' || phase !== 'Running' || addresses.includes(address)) return false
  return addresses.some((other) => familyOf(other) === familyOf(address))
}

function aboutPod(key: string, pod: PodLife, { view, byName, bySubnet }: Facts): readonly IpamFinding[] {
  const { phase, addresses, deadline, isOnHost, node } = pod
  if (phase === 'Ended' || deadline !== undefined) return []
  return addresses.flatMap((address): readonly IpamFinding[] => {
    const claim = byName.get(claimName(address))
    const holder = claim && `${claim.value.namespace}/${claim.value.pod}`
    if (holder === key) return []
    const given = [...bySubnet]
      .filter(([subnet]) => familyOf(subnet) === familyOf(address) && contains(subnet, address))
      .flatMap(([, pools]) => pools)
      .find((one) => exceptionOf(address, one.pool, view.reserved) === undefined)
    if (isOnHost === true) {
      const sentence = `it gives out ${address}, which node ${node} has`
      return given === undefined ? [] : [{ code: 'node-address', object: given.pool.name, sentence }]
    }
    if (holder !== undefined) {
      const sentence = `it has ${address}, which is claimed for pod ${holder}`
      return [{ code: 'address-of-another', object: key, sentence }]
    }
    // Its pool tells of it, and nobody else gets it.
    if (given === undefined || given.pool.occupied?.some((range) => isInRange(range, address)) === true) return []
    const sentence = `it has ${address} of pool ${given.pool.name}, and nothing claims it: another pod may get it`
    return [{ code: 'address-without-claim', object: key, sentence }]
  })
}

function aboutEndpoint(key: string, { view, byPod }: Facts): readonly IpamFinding[] {
  const found = (sentence: string): readonly IpamFinding[] => [{ code: 'endpoint-differs', object: key, sentence }]
  const told = view.endpoints.get(key)?.addresses
  const claims = byPod.get(key) ?? []
  if (claims.length === 0) return found('no claim is behind it')
  const pod = view.pods.get(key)
  const own = claims.filter(({ value }) => pod !== undefined && isOf(value, pod))
  // Whose pod is gone has garbage, which is told of already.
  if (own.length === 0) return []
  const expected = own.map(({ value }) => `${value.ifname} ${value.address}`)
  if (told === undefined) return found(`there is none, and the pod has ${expected.join(', ')}`)
  if (expected.length === told.length && expected.every((one) => told.includes(one))) return []
  return found(`it tells ${told.join(', ') || 'nothing'}; claimed are ${expected.join(', ')}`)
}

function aboutPool({ pool, told, problem }: ListedPool, { byPool, view }: Facts): readonly IpamFinding[] {
  const refused: readonly IpamFinding[] =
    problem === undefined ? [] : [{ code: 'pool-refused', object: pool.name, sentence: problem }]
  const [open, ...more] = unclaimedOf(pool, view)
  if (open !== undefined) {
    const sentence = `${sizeOf([open, ...more])} that Spiderpool gave out and no claim is on, ${open.first} the first`
    return [{ code: 'not-adopted', object: pool.name, sentence }, ...refused]
  }
  const used = byPool.get(pool.name)?.length ?? 0
  const total = countOf(sizeOf(without(pool.ranges, pool.excluded)))
  const isTold = told.allocated === used && told.total === total
  const sentence = `its status tells ${told.allocated ?? 'nothing'} of ${told.total ?? 'nothing'}; it is ${used} of ${total}`
  return [...(isTold ? [] : [{ code: 'status-differs', object: pool.name, sentence } as const]), ...refused]
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
