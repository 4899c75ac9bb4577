/**
 * The IPAM plugin `spiderpool`: addresses of the cluster's pools. An address is claimed first, then the wire is asked
 * whether somebody has it all the same. Whoever made the interface announces the address, when the interface has it.
 * @module
 */
import { type CniError, type CniResult, cniError, toCniError } from '../../../cni/index.ts'
import type { SelectionSettings } from '../../../compat/spiderpool/selection/question.ts'
import { type Ip, parseIp } from '../../../network/model/address.ts'
import { endpointId } from '../../../network/model/endpoint.ts'
import type { AddressClaim } from '../../../network/model/pool.ts'
import type { Registry } from '../../../registry/registry.ts'
import type { LocalPods } from '../../networks/local-pods.ts'
import type { PodNotices } from '../../notices.ts'
import type { WireCheck } from '../../wire/check.ts'
import type { IpamPlugin, PluginCall, PluginCallInside } from '../plugin.ts'
import { answerFor } from './answer.ts'
import { orderFor } from './asking.ts'
import { type Acquired, Claimer } from './claimer.ts'
import type { ClusterPools } from './cluster-pools.ts'
import type { ClaimOrder } from './order.ts'

/** What the plugin works with. */
export interface SpiderpoolParts {
  readonly pools: ClusterPools
  readonly registry: Pick<Registry, 'get' | 'create' | 'update' | 'delete'>
  readonly pods: Pick<LocalPods, 'find'>
  readonly settings: SelectionSettings
  readonly notices: Pick<PodNotices, 'warn'>
  /** Asks the wire; throws `address-conflict` and `gateway-unreachable`. */
  readonly checkWire: (check: WireCheck) => Promise<void>
  readonly findsConflicts: boolean
  readonly findsGateway: boolean
}

/** Addresses that somebody else had are given up for, this often in one ADD. */
const MOST_CONFLICTS = 4
/** So long this node gives nobody an address that somebody else had, in milliseconds. */
const CONFLICT_MS = 600_000

/** The plugin of a node. Its claims are its only record. */
export class SpiderpoolPlugin implements IpamPlugin {
  readonly #parts: SpiderpoolParts
  readonly #pools: ClusterPools
  readonly #claimer: Claimer
  /** Of attachments made since this process started. Of those before it the agent's own records know. */
  readonly #attached = new Map<string, Sandbox & { readonly network: string }>()

  constructor(parts: SpiderpoolParts) {
    this.#parts = parts
    this.#pools = parts.pools
    this.#claimer = new Claimer(parts.pools, parts.registry)
  }

  async add(call: PluginCallInside, signal: AbortSignal): Promise<CniResult> {
    this.#requireRead()
    const order = await orderFor(call, { ...this.#parts, claimer: this.#claimer })
    const { containerId, ifname, network } = call
    this.#attached.set(endpointId(containerId, ifname), { containerId, ifname, network })
    const fresh = new Map<Ip, Acquired>()
    try {
      const claims = await this.#uncontested(call, order, fresh, signal)
      for (const claim of claims) this.#claimer.forget(claim)
      return answerFor(claims)
    } catch (error) {
      await this.#claimer.releaseNew([...fresh.values()])
      throw error
    }
  }

  /** Repeated as often as need be: until the claims are gone, it throws. Claims that outlive their pods stay. */
  async del(call: Sandbox): Promise<void> {
    // A claim that was not told of yet would be overlooked.
    if (this.#pools.unread.includes('AddressClaim')) {
      throw cniError('claims-unreachable', { reason: `${this.#unreadText()} yet` })
    }
    const claims = this.#claimsOf(call).filter(({ isSticky }) => !isSticky)
    const done = await Promise.allSettled(claims.map((claim) => this.#claimer.release(claim)))
    for (const claim of claims) this.#claimer.remember(claim)
    throwFirst(done)
    this.#attached.delete(endpointId(call.containerId, call.ifname))
  }

  async check(call: PluginCallInside): Promise<void> {
    this.#requireRead()
    const claims = this.#claimsOf(call)
    const { ifname, containerId, prevResult } = call
    if (claims.length === 0) differs(`no address is claimed for ${ifname} of ${containerId}`)
    const believed = prevResult?.ips.map(({ address }) => canonical(address)) ?? []
    const missing = claims.find(({ address, prefix }) => !believed.includes(`${address}/${prefix}`))
    if (missing !== undefined) differs(`prevResult does not have address ${missing.address}/${missing.prefix}`)
  }

  async gc(network: string, valid: ReadonlySet<string>): Promise<void> {
    const stale = [...this.#attached].filter(([id, one]) => one.network === network && !valid.has(id))
    throwFirst(await Promise.allSettled(stale.map(([, sandbox]) => this.del(sandbox))))
  }

  async status(): Promise<void> {
    if (this.#pools.unread.length > 0) throw cniError('status-not-ready', { reason: this.#unreadText() })
  }

  /** Claims until nobody else has any of the addresses. What is claimed on the way is in `fresh`. */
  async #uncontested(
    call: PluginCallInside,
    order: ClaimOrder,
    fresh: Map<Ip, Acquired>,
    signal: AbortSignal,
  ): Promise<readonly AddressClaim[]> {
    for (let tries = 1; ; tries += 1) {
      const acquired = await this.#claimer.acquire(order, signal)
      for (const one of acquired) if (one.isNew) fresh.set(one.claim.address, one)
      signal.throwIfAborted()
      const conflicts = await this.#askWire(call, acquired, signal)
      const [first] = conflicts
      if (first === undefined) return acquired.map(({ claim }) => claim)
      for (const { error } of conflicts) {
        this.#parts.notices.warn(order, 'AddressConflict', `${error.message}; ${error.remedy}`)
      }
      // An address that pods of this name have had for long is not given up for somebody who took it.
      const isKept = conflicts.some(({ claim }) => order.isSticky && !fresh.has(claim.address))
      if (isKept || tries >= MOST_CONFLICTS) throw first.error
      for (const { claim } of conflicts) {
        this.#pools.avoid(claim.address, claim.pool, CONFLICT_MS)
        await this.#claimer.release(claim)
      }
    }
  }

  /** Which addresses somebody else has. Throws anything else that is wrong. */
  async #askWire(
    { netns, ifname }: PluginCallInside,
    acquired: readonly Acquired[],
    signal: AbortSignal,
  ): Promise<readonly Conflict[]> {
    const { checkWire, findsConflicts, findsGateway } = this.#parts
    const ask = async ({ claim }: Acquired): Promise<readonly (Conflict & { readonly thrown: unknown })[]> => {
      const { address, gateway } = claim
      const asked = { nsFd: netns.fd, ifname, address, findsConflicts, findsGateway, signal }
      try {
        await checkWire({ ...asked, ...(gateway === undefined ? {} : { gateway }) })
        return []
      } catch (thrown) {
        return [{ claim, error: toCniError(thrown), thrown }]
      }
    }
    const failures = (await Promise.all(acquired.map(ask))).flat()
    const other = failures.find(({ error }) => error.id !== 'address-conflict')
    if (other !== undefined) throw other.thrown
    return failures
  }

  #claimsOf({ containerId, ifname }: Sandbox): readonly AddressClaim[] {
    return this.#pools.claims.by({ containerId, ifname }).map(({ claim }) => claim)
  }

  #requireRead(): void {
    if (this.#pools.unread.length > 0) throw cniError('agent-starting', { waiting: this.#unreadText() })
  }

  #unreadText(): string {
    return `the registry (${this.#pools.unread.join(', ')}) has not been read`
  }
}

/** An address that somebody else has. */
interface Conflict {
  readonly claim: AddressClaim
  readonly error: CniError
}

function throwFirst(done: readonly PromiseSettledResult<void>[]): void {
  const failed = done.find((one) => one.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

type Sandbox = Pick<PluginCall, 'containerId' | 'ifname'>

function differs(difference: string): never {
  throw cniError('check-failed', { difference })
}

/** An address with its prefix length as claims have it. */
function canonical(text: string): string {
  const [address = '', length = ''] = text.split('/')
  return `${parseIp(address) ?? address}/${length}`
}
