/**
 * Makes claims on addresses that Spiderpool itself gave out: of each whose pod still has it. Until that is done no pool
 * gives them out, as everybody reads in the same status that they are taken (docs/adr/0029).
 * @module
 */
import type { EndpointObject } from '../../compat/spiderpool/endpoint/endpoint.ts'
import { type ToldAddress, toldAddresses, toldPlace, toldSet } from '../../compat/spiderpool/endpoint/told.ts'
import type { ForeignAllocation } from '../../compat/spiderpool/pool-status/foreign.ts'
import { keepsAddresses } from '../../compat/spiderpool/selection/owner.ts'
import { ADDRESS_CLAIMS, addressClaimBinding } from '../../compat/weft/address-claim.ts'
import { isOf, judgeClaim } from '../../ipam/claim-verdict.ts'
import type { KubeApi } from '../../kube/api.ts'
import { KubeError } from '../../kube/errors.ts'
import { contains, familyOf, ipValue, prefixLength } from '../../network/model/address.ts'
import type { PodLife, PodSetLife } from '../../network/model/pod-life.ts'
import {
  type AddressClaim,
  type AddressPool,
  adoptedSandbox,
  claimName,
  type PodOwner,
} from '../../network/model/pool.ts'
import { decodeAddressClaim } from '../../network/model/validate-pool.ts'
import { type ClaimIndex, podKey } from './claim-index.ts'
import type { CollectorParts } from './garbage.ts'
import { TopOwners } from './top-owners.ts'

/** What claims are made with. */
export interface AdopterParts extends Pick<CollectorParts, 'known' | 'live' | 'now'> {
  readonly api: KubeApi
  readonly claims: ClaimIndex
  endpoint(key: string): EndpointObject | undefined
}

/** How far a pool's addresses are claimed. */
export type Adoption =
  /** What is left to claim is nobody's any more. */
  | 'done'
  /** Claims were made, and have to be heard of. */
  | 'made'
  /** A pod lives of which not enough is known to write its claim. */
  | 'waits'

/** So many at a time are asked for or written. */
const AT_ONCE = 8

/** Makes claims. */
export class Adopter {
  readonly #parts: AdopterParts
  readonly #tops: TopOwners

  constructor(parts: AdopterParts) {
    this.#parts = parts
    this.#tops = new TopOwners(parts.api)
  }

  /** Claims what Spiderpool gave out of a pool. */
  async adopt(pool: AddressPool, allocations: readonly ForeignAllocation[]): Promise<Adoption> {
    const { claims } = this.#parts
    const isOfPool = ({ address }: ForeignAllocation): boolean =>
      familyOf(address) === pool.family && contains(pool.subnet, address)
    const open = allocations.filter((one) => isOfPool(one) && claims.get(claimName(one.address)) === undefined)
    const ends = new Set<Adoption>()
    for (let at = 0; at < open.length; at += AT_ONCE) {
      const some = open.slice(at, at + AT_ONCE)
      for (const end of await Promise.all(some.map((one) => this.#adoptOne(pool, one)))) ends.add(end)
    }
    return ends.has('waits') ? 'waits' : ends.has('made') ? 'made' : 'done'
  }

  /** Who would lose the claim at once does not get it; that the pod is gone the API server itself has to say. */
  async #adoptOne(pool: AddressPool, given: ForeignAllocation): Promise<Adoption> {
    const { known, live } = this.#parts
    const { namespace, pod } = given
    const set = this.#setOf(given, known.pod(podKey(given)))
    const heard = known.pod(podKey(given))
    const isHeard = this.#isKept(pool, given, heard, set && known.set(`${namespace}/${set.name}`))
    if (isHeard) return await this.#claim(pool, given, heard)
    const now = await live.pod(namespace, pod)
    const owner = this.#setOf(given, now)
    const isThere = this.#isKept(pool, given, now, owner && (await live.set(namespace, owner.name)))
    return isThere ? await this.#claim(pool, given, now) : 'done'
  }

  #isKept(
    pool: AddressPool,
    given: ForeignAllocation,
    life: PodLife | undefined,
    set: PodSetLife | undefined,
  ): boolean {
    if (this.#isAttachedAnew(given)) return false
    const value = this.#valueOf(pool, given, life, this.#setOf(given, life))
    const claim = { value, revision: 0, since: 0 }
    return judgeClaim(claim, { pod: life, set, all: [], now: this.#parts.now() }).is === 'kept'
  }

  /** A pod that has a sandbox of ours has none of Spiderpool's any more. */
  #isAttachedAnew(given: ForeignAllocation): boolean {
    const own = this.#parts.claims.ofPod(podKey(given)).filter(({ value }) => value.podUid === given.podUid)
    return own.some(({ value }) => value.containerId !== adoptedSandbox(given.podUid))
  }

  #setOf(given: ForeignAllocation, life: PodLife | undefined): PodOwner | undefined {
    if (life !== undefined && isOf(given, life)) return keepsAddresses(life.controller) ? life.controller : undefined
    const endpoint = this.#parts.endpoint(podKey(given))
    return toldPlace(endpoint).uid === given.podUid ? toldSet(endpoint) : undefined
  }

  #valueOf(pool: AddressPool, given: ForeignAllocation, life: PodLife | undefined, owner: PodOwner | undefined) {
    const endpoint = this.#parts.endpoint(podKey(given))
    const told = toldAddresses(endpoint).find(({ address }) => address === given.address)
    const { address, namespace, pod, podUid } = given
    const value: AddressClaim = {
      address,
      prefix: prefixLength(pool.subnet),
      pool: pool.name,
      namespace,
      pod,
      podUid,
      ifname: ifnameOf(given, told, life),
      containerId: adoptedSandbox(podUid),
      node: life !== undefined && isOf(given, life) ? life.node : toldPlace(endpoint).node,
      ...(owner === undefined ? {} : { owner }),
      isSticky: keepsAddresses(owner),
      ...(pool.gateway === undefined ? {} : { gateway: pool.gateway }),
      routes: pool.routes,
      hasCleanGateway: told?.hasCleanGateway ?? false,
    }
    return value
  }

  async #claim(pool: AddressPool, given: ForeignAllocation, life: PodLife | undefined): Promise<Adoption> {
    const isIts = life !== undefined && isOf(given, life)
    const owner = this.#setOf(given, life) ?? (isIts ? await this.#tops.of(life) : undefined)
    const decoded = decodeAddressClaim(this.#valueOf(pool, given, life, owner))
    if (!decoded.ok) return 'waits'
    try {
      await this.#parts.api.create(ADDRESS_CLAIMS, addressClaimBinding.encode(decoded.value))
      return 'made'
    } catch (error) {
      // Whoever has it, nobody else gets it.
      if (error instanceof KubeError && error.code === 'KUBE_EXISTS') return 'done'
      throw error
    }
  }
}

/** The pod's interface, as far as anybody tells; else a name for this address alone. */
function ifnameOf({ address, ifname }: ForeignAllocation, told: ToldAddress | undefined, life: PodLife | undefined) {
  const said = told?.ifname ?? ifname
  if (said !== undefined) return said
  if (life?.addresses.includes(address) === true) return 'eth0'
  return `?${(ipValue(address) & UNKNOWN_MASK).toString(16)}`
}

/** Fourteen hexadecimal digits and a mark are as long as a name can be. */
const UNKNOWN_MASK = (1n << 56n) - 1n
