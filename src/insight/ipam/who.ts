/**
 * Whose an address is.
 * @module
 */
import { contains, familyOf, type Ip } from '../../network/model/address.ts'
import { isInRange } from '../../network/model/ip-range.ts'
import { claimName, isAdopted } from '../../network/model/pool.ts'
import { exceptionOf, occupiedIn, refusalOf, subnetOf } from './pools.ts'
import type { IpamView, ListedClaim } from './view.ts'

/** What is known of an address. */
export interface AddressLook {
  readonly address: Ip
  readonly state: 'claimed' | 'unclaimed' | 'unreadable' | 'free' | 'kept back' | 'unknown'
  /** Pools whose subnet it is in, each with what keeps it from giving the address out. */
  readonly pools: readonly { readonly name: string; readonly why?: string }[]
  readonly claim?: ClaimLook
  /** Pods that say they have it, whatever is claimed. */
  readonly pods: readonly string[]
  /** SpiderEndpoints that tell of it. */
  readonly endpoints: readonly string[]
  /** What of the claim's object cannot be understood. */
  readonly problem?: string
}

/** A claim for people and programs. */
export interface ClaimLook {
  readonly name: string
  readonly pool: string
  readonly pod: string
  readonly podUid: string
  readonly interface: string
  readonly node: string
  /** Absent: Spiderpool attached the pod, and nobody tells. */
  readonly sandbox?: string
  /** RFC 3339. */
  readonly since: string
  readonly owner?: string
  readonly isSticky: boolean
}

/** What is known of an address. */
export function whoHas(view: IpamView, address: Ip): AddressLook {
  const name = claimName(address)
  const claim = view.claims.find((one) => one.name === name)
  const broken = view.unreadable.find((one) => one.name === name)
  const occupiedText =
    claim === undefined && occupiedIn(view).some((range) => isInRange(range, address)) ? OCCUPIED : undefined
  const pools = [...view.pools.values()]
    .filter(({ pool }) => {
      const subnet = subnetOf(pool)
      return subnet !== undefined && familyOf(subnet) === familyOf(address) && contains(subnet, address)
    })
    .map(({ pool, problem }) => {
      const why = exceptionOf(address, pool, view.reserved) ?? occupiedText ?? refusalOf(pool, problem)
      return { name: pool.name, ...(why === undefined ? {} : { why }) }
    })
  const pods = [...view.pods]
    .filter(([, { phase, addresses }]) => phase !== 'Ended' && addresses.includes(address))
    .map(([key]) => key)
  return {
    address,
    state: stateOf({ isClaimed: claim !== undefined, isBroken: broken !== undefined, pods, pools }),
    pools,
    ...(claim === undefined ? {} : { claim: lookOf(claim) }),
    pods,
    endpoints: [...view.endpoints]
      .filter(([, { addresses }]) => addresses.some((one) => one.endsWith(` ${address}`)))
      .map(([key]) => key),
    ...(broken === undefined ? {} : { problem: broken.why }),
  }
}

const OCCUPIED = 'Spiderpool gave it to a pod (status.allocatedIPs); the controller claims it, or finds the pod gone'

function stateOf({
  isClaimed,
  isBroken,
  pods,
  pools,
}: {
  readonly isClaimed: boolean
  readonly isBroken: boolean
  readonly pods: readonly string[]
  readonly pools: AddressLook['pools']
}): AddressLook['state'] {
  if (isClaimed) return 'claimed'
  if (isBroken) return 'unreadable'
  if (pools.length === 0) return 'unknown'
  if (pods.length > 0) return 'unclaimed'
  return pools.some(({ why }) => why === undefined) ? 'free' : 'kept back'
}

function lookOf({ name, since, value }: ListedClaim): ClaimLook {
  const { owner } = value
  return {
    name,
    pool: value.pool,
    pod: `${value.namespace}/${value.pod}`,
    podUid: value.podUid,
    interface: value.ifname,
    node: value.node,
    ...(isAdopted(value) ? {} : { sandbox: value.containerId }),
    since: new Date(since).toISOString(),
    ...(owner === undefined ? {} : { owner: `${owner.kind} ${owner.name}` }),
    isSticky: value.isSticky,
  }
}
