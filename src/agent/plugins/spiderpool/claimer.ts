/**
 * Taking addresses of pools and giving them back. A claim's name is the lock: whoever creates it has the address, and
 * one creation per family is all that an attachment waits for.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { cniError } from '../../../cni/index.ts'
import type { FamilyChoice } from '../../../compat/spiderpool/selection/question.ts'
import { type Family, familyOf, type Ip } from '../../../network/model/address.ts'
import { type AddressClaim, claimName } from '../../../network/model/pool.ts'
import { type Registry, RegistryError, type Stored } from '../../../registry/registry.ts'
import { allFiltered, noPool, usedOut, writeFailure } from './claim-errors.ts'
import type { KnownClaim } from './claim-view.ts'
import type { ClusterPools } from './cluster-pools.ts'
import { type ClaimOrder, claimAgain, claimFor, isClaimFor } from './order.ts'
import { Recent } from './recent.ts'

/** What claims are written to. */
export type ClaimStore = Pick<Registry, 'get' | 'create' | 'update' | 'delete'>

/** An address that an interface has. */
export interface Acquired {
  readonly claim: AddressClaim
  /** Nobody had it before. */
  readonly isNew: boolean
}

/** Others may be faster this often before the runtime is asked to come again. */
const MOST_TRIES = 64
/** Others may change a claim this often in between. */
const MOST_CONFLICTS = 5
/** When nothing is free, so long an address that is just being given back is waited for, in milliseconds. */
const PATIENCE_MS = 300
/** So long an address is left alone whose claim is there and cannot be read. */
const UNREADABLE_MS = 5_000
/** Of so many interfaces it is remembered which address they had. */
const MOST_REMEMBERED = 4096

/** Takes and gives back. */
export class Claimer {
  readonly #pools: ClusterPools
  readonly #store: ClaimStore
  /** A pod whose sandbox is made anew gets its address again, if nobody has it by then. */
  readonly #had = new Recent<Ip>(MOST_REMEMBERED)

  constructor(pools: ClusterPools, store: ClaimStore) {
    this.#pools = pools
    this.#store = store
  }

  /** Claims that an interface has already, or that are kept for it. */
  standing(order: Pick<ClaimOrder, 'podUid' | 'ifname' | 'namespace' | 'pod' | 'isSticky'>): readonly KnownClaim[] {
    const { claims } = this.#pools
    const { podUid, ifname, namespace, pod, isSticky } = order
    const own = claims.by({ podUid, ifname })
    const kept = isSticky ? claims.by({ namespace, pod, ifname }) : []
    return [...own, ...kept.filter(({ claim }) => !own.some((one) => one.claim.address === claim.address))]
  }

  /** One address of each family, or an error and none that was not there before. */
  async acquire(order: ClaimOrder, signal: AbortSignal): Promise<readonly Acquired[]> {
    const standing = this.standing(order).filter(({ claim }) => isClaimFor(order, claim))
    const families = order.choices.length > 0 ? order.choices : familiesOf(standing)
    if (families.length === 0) throw noPool(order)
    const results = await Promise.allSettled(families.map((choice) => this.#have(order, choice, standing, signal)))
    const acquired = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed === undefined) return acquired
    await this.releaseNew(acquired)
    throw failed.reason
  }

  /** Gives back what nobody had before. What cannot be is found again by its sandbox. */
  async releaseNew(acquired: readonly Acquired[]): Promise<void> {
    const fresh = acquired.filter(({ isNew }) => isNew)
    await Promise.allSettled(fresh.map(({ claim }) => this.release(claim)))
  }

  /** Gives back a claim, if it is still of the same sandbox. Throws `claims-unreachable`. */
  async release(claim: AddressClaim): Promise<void> {
    const { claims } = this.#pools
    const { address } = claim
    const known = claims.of(address)
    const isKnown = known !== undefined && !known.isDoubtful && isOfSandbox(known.claim, claim)
    let revision = isKnown ? known.revision : undefined
    for (let tries = 0; tries < MOST_CONFLICTS; tries += 1) {
      try {
        revision ??= await this.#revisionOf(claim)
        if (revision === undefined) return
        await this.#store.delete('AddressClaim', claimName(address), revision)
        return claims.gone(address)
      } catch (error) {
        if (isCode(error, 'REGISTRY_NOT_FOUND')) return claims.gone(address)
        if (!isCode(error, 'REGISTRY_CONFLICT')) throw unreachable(error)
        revision = undefined
      }
    }
    throw restless(claim)
  }

  /** Remembers an address for when the same interface comes again. */
  remember({ podUid, ifname, address }: AddressClaim): void {
    this.#had.set(`${podUid}/${ifname}/${familyOf(address)}`, address)
  }

  forget({ podUid, ifname, address }: AddressClaim): void {
    this.#had.delete(`${podUid}/${ifname}/${familyOf(address)}`)
  }

  async #have(
    order: ClaimOrder,
    choice: FamilyChoice | { readonly family: Family },
    standing: readonly KnownClaim[],
    signal: AbortSignal,
  ): Promise<Acquired> {
    const ours = standing.filter(({ claim }) => familyOf(claim.address) === choice.family)
    // The one of this very pod first: another may be what an earlier pod of the name has left.
    const known = ours.toSorted((a, b) => rank(order, b) - rank(order, a))[0]
    if (known !== undefined && this.#fits(order, known, choice)) {
      const taken = await this.#takeOver(order, known)
      if (taken !== undefined) return taken
    }
    if (!('candidates' in choice)) throw noPool(order)
    const fresh = await this.#allocate(order, choice, signal)
    // What is another node's goes with the controller: an agent gives back claims of its own node alone.
    if (known?.claim.node === order.node && known.claim.address !== fresh.claim.address) {
      await this.release(known.claim).catch(() => undefined)
    }
    return fresh
  }

  /** A pod keeps what it has. The next pod of a name gets it where it may have it by today's rules. */
  #fits(order: ClaimOrder, { claim }: KnownClaim, choice: FamilyChoice | { readonly family: Family }): boolean {
    if (!order.isSticky || !('candidates' in choice)) return true
    return choice.candidates.some(({ name }) => name === claim.pool) && this.#pools.gives(claim.pool, claim.address)
  }

  /** Makes a claim this sandbox's; undefined where it turns out to be somebody else's. */
  async #takeOver(order: ClaimOrder, known: KnownClaim): Promise<Acquired | undefined> {
    let current: KnownClaim | undefined = known
    for (let tries = 0; tries < MOST_CONFLICTS; tries += 1) {
      const wanted: AddressClaim = claimAgain(order, known.claim, this.#pools.get(known.claim.pool))
      if (current === undefined) {
        return this.#pools.gives(wanted.pool, wanted.address) ? this.#create(order, wanted) : undefined
      }
      if (!isClaimFor(order, current.claim)) return undefined
      if (!current.isDoubtful && isDeepStrictEqual(current.claim, wanted)) return { claim: wanted, isNew: false }
      const taken = await this.#update(current, wanted)
      if (taken !== undefined) return taken
      current = await this.#read(order, wanted.address)
    }
    throw restless(known.claim)
  }

  /** Undefined where it is no longer what it was, or nobody knows what it is. */
  async #update({ isDoubtful, revision }: KnownClaim, wanted: AddressClaim): Promise<Acquired | undefined> {
    if (isDoubtful || revision === undefined) return undefined
    const { claims } = this.#pools
    claims.doubt(wanted)
    try {
      const stored = await this.#store.update('AddressClaim', claimName(wanted.address), wanted, revision)
      claims.written(stored)
      return { claim: stored.value, isNew: false }
    } catch (error) {
      if (isCode(error, 'REGISTRY_CONFLICT', 'REGISTRY_NOT_FOUND')) return undefined
      throw writeFailure(error, wanted)
    }
  }

  async #allocate(order: ClaimOrder, choice: FamilyChoice, signal: AbortSignal): Promise<Acquired> {
    if (choice.candidates.length === 0) throw allFiltered(order, choice)
    const preferred = this.#had.get(`${order.podUid}/${order.ifname}/${choice.family}`)
    const patience = performance.now() + PATIENCE_MS
    for (let tries = 0; tries < MOST_TRIES; ) {
      signal.throwIfAborted()
      const wanted = this.#pick(order, choice, preferred)
      const left = patience - performance.now()
      if (wanted !== undefined) {
        tries += 1
        const taken = await this.#create(order, wanted)
        if (taken !== undefined) return taken
      } else if (left > 0) await this.#pools.changed(left, signal)
      else throw usedOut(order, choice, this.#pools)
    }
    throw cniError('pool-contended', { tries: MOST_TRIES, pools: choice.candidates.map(({ name }) => name).join(' ') })
  }

  #pick(order: ClaimOrder, { candidates }: FamilyChoice, preferred: Ip | undefined): AddressClaim | undefined {
    for (const pool of candidates) {
      const address = this.#pools.pick(pool.name, preferred)
      if (address !== undefined) return claimFor(order, address, pool)
    }
    return undefined
  }

  /** Undefined where somebody else has the address. One that is ours already is taken over. */
  async #create(order: ClaimOrder, wanted: AddressClaim): Promise<Acquired | undefined> {
    const { claims } = this.#pools
    claims.doubt(wanted)
    try {
      const stored = await this.#store.create('AddressClaim', claimName(wanted.address), wanted)
      claims.written(stored)
      return { claim: stored.value, isNew: true }
    } catch (error) {
      if (isCode(error, 'REGISTRY_INVALID')) claims.gone(wanted.address)
      if (!isCode(error, 'REGISTRY_EXISTS')) throw writeFailure(error, wanted)
    }
    const known = await this.#read(order, wanted.address)
    if (known === undefined) this.#pools.avoid(wanted.address, wanted.pool, UNREADABLE_MS)
    else if (isClaimFor(order, known.claim)) return this.#takeOver(order, known)
    else this.#pools.met(wanted.pool)
    return undefined
  }

  /** At which revision a claim is; undefined where it is no longer of the same sandbox. */
  async #revisionOf(claim: AddressClaim): Promise<number | undefined> {
    const { claims } = this.#pools
    const stored = await this.#store.get('AddressClaim', claimName(claim.address))
    if (stored === undefined) claims.gone(claim.address)
    else if (isOfSandbox(stored.value, claim)) return stored.revision
    else claims.seen(stored)
    return undefined
  }

  /** What a claim is, not what was heard of it. */
  async #read(order: ClaimOrder, address: Ip): Promise<KnownClaim | undefined> {
    const { claims } = this.#pools
    let stored: Stored<'AddressClaim'> | undefined
    try {
      stored = await this.#store.get('AddressClaim', claimName(address))
    } catch (error) {
      if (!isCode(error, 'REGISTRY_INVALID')) throw unreachable(error)
    }
    if (stored === undefined) claims.gone(address)
    else if (isClaimFor(order, stored.value)) claims.written(stored)
    else claims.seen(stored)
    return stored && { claim: stored.value, revision: stored.revision, isDoubtful: false }
  }
}

function familiesOf(standing: readonly KnownClaim[]): readonly { readonly family: Family }[] {
  const families = new Set(standing.map(({ claim }) => familyOf(claim.address)))
  return [...families].sort().map((family) => ({ family }))
}

/** Of several claims the one to keep: of this sandbox, else of this pod. */
function rank({ containerId, podUid }: ClaimOrder, { claim }: KnownClaim): number {
  return claim.containerId === containerId ? 2 : claim.podUid === podUid ? 1 : 0
}

function isOfSandbox(a: AddressClaim, b: AddressClaim): boolean {
  return a.containerId === b.containerId && a.ifname === b.ifname
}

function restless({ address }: AddressClaim): Error {
  return cniError('claims-unreachable', { reason: `the claim on ${address} changes all the time` })
}

function isCode(error: unknown, ...codes: readonly RegistryError['code'][]): boolean {
  return error instanceof RegistryError && codes.includes(error.code)
}

function unreachable(error: unknown): unknown {
  return error instanceof RegistryError ? cniError('claims-unreachable', { reason: error.message }) : error
}
