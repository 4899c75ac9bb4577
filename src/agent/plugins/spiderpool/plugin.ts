/**
 * The IPAM plugin `spiderpool`: addresses of the cluster's pools. An address is claimed first, then the wire is asked
 * whether somebody has it all the same. Whoever made the interface announces the address, when the interface has it.
 * @module
 */
import { type CniResult, cniError, toCniError } from '../../../cni/index.ts'
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
export function spiderpoolPlugin(parts: SpiderpoolParts): IpamPlugin {
  const { pools, registry } = parts
  const claimer = new Claimer(pools, registry)
  const asking = { ...parts, claimer }
  /** Of attachments made since this process started. Of those before it the agent's own records know. */
  const networks = new Map<string, { readonly network: string; readonly call: Sandbox }>()

  async function add(call: PluginCallInside, signal: AbortSignal): Promise<CniResult> {
    requireRead()
    const order = await orderFor(call, asking)
    networks.set(endpointId(call.containerId, call.ifname), { network: call.network, call })
    const fresh = new Map<Ip, Acquired>()
    try {
      const claims = await withoutConflicts(call, order, fresh, signal)
      for (const claim of claims) claimer.forget(claim)
      return answerFor(claims)
    } catch (error) {
      await claimer.releaseNew([...fresh.values()])
      throw error
    }
  }

  /** Claims until nobody else has any of the addresses. What is claimed on the way is in `fresh`. */
  async function withoutConflicts(
    call: PluginCallInside,
    order: ClaimOrder,
    fresh: Map<Ip, Acquired>,
    signal: AbortSignal,
  ): Promise<readonly AddressClaim[]> {
    for (let tries = 1; ; tries += 1) {
      const acquired = await claimer.acquire(order, signal)
      for (const one of acquired) if (one.isNew) fresh.set(one.claim.address, one)
      signal.throwIfAborted()
      const conflicts = await askWire(call, acquired, signal)
      const [first] = conflicts
      if (first === undefined) return acquired.map(({ claim }) => claim)
      for (const { error } of conflicts)
        parts.notices.warn(order, 'AddressConflict', `${error.message}; ${error.remedy}`)
      // An address that pods of this name have had for long is not given up for somebody who took it.
      const isKept = conflicts.some(({ claim }) => order.isSticky && !fresh.has(claim.address))
      if (isKept || tries >= MOST_CONFLICTS) throw first.error
      for (const { claim } of conflicts) await giveUp(claim)
    }
  }

  async function giveUp(claim: AddressClaim): Promise<void> {
    pools.avoid(claim.address, claim.pool, CONFLICT_MS)
    await claimer.release(claim)
  }

  /** Which addresses somebody else has. Throws anything else that is wrong. */
  async function askWire({ netns, ifname }: PluginCallInside, acquired: readonly Acquired[], signal: AbortSignal) {
    const { checkWire, findsConflicts, findsGateway } = parts
    const answers = await Promise.all(
      acquired.map(async ({ claim }) => {
        const { address, gateway } = claim
        const asked = { nsFd: netns.fd, ifname, address, findsConflicts, findsGateway, signal }
        try {
          await checkWire({ ...asked, ...(gateway === undefined ? {} : { gateway }) })
          return []
        } catch (error) {
          return [{ claim, error: toCniError(error), thrown: error }]
        }
      }),
    )
    const failures = answers.flat()
    const other = failures.find(({ error }) => error.id !== 'address-conflict')
    if (other !== undefined) throw other.thrown
    return failures
  }

  /** Repeated as often as need be: until the claims are gone, it throws. Claims that outlive their pods stay. */
  async function del(call: Sandbox): Promise<void> {
    // A claim that was not told of yet would be overlooked.
    if (pools.unread.includes('AddressClaim')) throw cniError('claims-unreachable', { reason: `${unreadText()} yet` })
    const claims = claimsOf(call).filter(({ isSticky }) => !isSticky)
    const done = await Promise.allSettled(claims.map((claim) => claimer.release(claim)))
    for (const claim of claims) claimer.remember(claim)
    const failed = done.find((one) => one.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    networks.delete(endpointId(call.containerId, call.ifname))
  }

  async function check(call: PluginCallInside): Promise<void> {
    requireRead()
    const claims = claimsOf(call)
    const { ifname, containerId, prevResult } = call
    if (claims.length === 0) differs(`no address is claimed for ${ifname} of ${containerId}`)
    const believed = prevResult?.ips.map(({ address }) => canonical(address)) ?? []
    const missing = claims.find(({ address, prefix }) => !believed.includes(`${address}/${prefix}`))
    if (missing !== undefined) differs(`prevResult does not have address ${missing.address}/${missing.prefix}`)
  }

  async function gc(network: string, valid: ReadonlySet<string>): Promise<void> {
    const stale = [...networks].filter(([id, one]) => one.network === network && !valid.has(id))
    const done = await Promise.allSettled(stale.map(([, one]) => del(one.call)))
    const failed = done.find((one) => one.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  async function status(): Promise<void> {
    if (pools.unread.length > 0) throw cniError('status-not-ready', { reason: unreadText() })
  }

  function claimsOf({ containerId, ifname }: Sandbox): readonly AddressClaim[] {
    return pools.claims.by({ containerId, ifname }).map(({ claim }) => claim)
  }

  function requireRead(): void {
    if (pools.unread.length > 0) throw cniError('agent-starting', { waiting: unreadText() })
  }

  function unreadText(): string {
    return `the registry (${pools.unread.join(', ')}) has not been read`
  }

  return { add, del, check, gc, status }
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
