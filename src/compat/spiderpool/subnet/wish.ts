/**
 * What the annotations of an application's pods ask of SpiderSubnets.
 * @module
 */
import type { Family } from '../../../network/model/address.ts'
import { type NamesByFamily, parseByInterface, parseForAll, SUBNET, SUBNETS } from '../selection/annotations.ts'

export const IP_NUMBER = 'ipam.spidernet.io/ippool-ip-number'
export const RECLAIM = 'ipam.spidernet.io/ippool-reclaim'

/** A pool that is to be there. */
export interface WishedPool {
  readonly ifname: string
  readonly family: Family
  /** The SpiderSubnet's name. */
  readonly subnet: string
}

/** What is asked of SpiderSubnets. */
export interface SubnetWish {
  readonly pools: readonly WishedPool[]
  /** Addresses: so many, or so many more than there are pods. */
  readonly size: { readonly is: 'fixed' | 'beyond'; readonly count: number }
  /** The pools go with the application; else the next one of that name has them. */
  readonly isReclaimed: boolean
}

/** What is asked, why it cannot be understood, or undefined for nothing. */
export type SubnetRequest = { readonly wish: SubnetWish } | { readonly problem: string }

const DEFAULT_SIZE: SubnetWish['size'] = { is: 'beyond', count: 1 }

/** What annotations ask of SpiderSubnets; undefined: nothing. */
export function subnetRequestIn(annotations: Readonly<Record<string, unknown>>): SubnetRequest | undefined {
  const text = (key: string): string | undefined => {
    const value = Object.hasOwn(annotations, key) ? annotations[key] : undefined
    return typeof value === 'string' ? value : undefined
  }
  const [several, one] = [text(SUBNETS), text(SUBNET)]
  if (several === undefined && one === undefined) return undefined
  try {
    const pools = several === undefined ? poolsOf('eth0', parseForAll(SUBNET, one ?? '')) : poolsByInterface(several)
    const size = sizeIn(text(IP_NUMBER))
    const reclaim = text(RECLAIM) ?? 'true'
    if (size === undefined)
      return { problem: `annotation ${IP_NUMBER}: must be a number such as 5, or +2 for two more than pods` }
    if (reclaim !== 'true' && reclaim !== 'false') return { problem: `annotation ${RECLAIM}: must be true or false` }
    return { wish: { pools, size, isReclaimed: reclaim === 'true' } }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

/** How many addresses an application with so many pods is to have. */
export function wantedAddresses({ size: { is, count } }: SubnetWish, pods: number): number {
  return is === 'fixed' ? count : pods + count
}

function poolsByInterface(text: string): readonly WishedPool[] {
  return parseByInterface(SUBNETS, text).flatMap(({ ifname, names }, index) =>
    poolsOf(ifname ?? (index === 0 ? 'eth0' : `net${index}`), names),
  )
}

/** Of several subnets the first one counts. */
function poolsOf(ifname: string, names: NamesByFamily): readonly WishedPool[] {
  return ([4, 6] as const).flatMap((family) => {
    const [subnet] = names[family]
    return subnet === undefined ? [] : [{ ifname, family, subnet }]
  })
}

function sizeIn(text: string | undefined): SubnetWish['size'] | undefined {
  if (text === undefined) return DEFAULT_SIZE
  const [, plus, digits] = /^(\+?)(\d{1,6})$/.exec(text.trim()) ?? []
  return digits === undefined ? undefined : { is: plus === '+' ? 'beyond' : 'fixed', count: Number(digits) }
}
