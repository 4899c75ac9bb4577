/**
 * What Spiderpool itself wrote into a pool's status: which addresses it gave to whom. Entries of ours say that a claim is
 * behind them; Spiderpool knows no such word, and loses it from every entry when it writes the text anew.
 * @module
 */
import { type Ip, parseIp } from '../../../network/model/address.ts'
import { MAX_POOL_OCCUPIED } from '../../../network/model/validate-pool.ts'
import { at, textAt } from '../../fields.ts'

/** The word of our entries, which is true in them. */
export const CLAIMED = 'claimed'

/** An address that Spiderpool gave to a pod. */
export interface ForeignAllocation {
  readonly address: Ip
  readonly namespace: string
  readonly pod: string
  readonly podUid: string
  /** The pod's interface. Some versions do not tell. */
  readonly ifname?: string
}

/**
 * The entries of `status.allocatedIPs` that have no claim behind them: JSON as a text,
 * `{"10.0.0.5":{"interface":"eth0","pod":"<namespace>/<name>","podUid":"…"}}`. A text or an entry that Spiderpool cannot
 * have written says nothing.
 */
export function foreignAllocations(listing: unknown): readonly ForeignAllocation[] {
  const entries = Object.entries(Object(parsed(listing)))
  const read = entries.flatMap(([key, entry]) => allocationIn(key, entry) ?? [])
  return read.slice(0, MAX_POOL_OCCUPIED)
}

function parsed(listing: unknown): unknown {
  if (typeof listing !== 'string') return undefined
  try {
    const value: unknown = JSON.parse(listing)
    return typeof value === 'object' && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

function allocationIn(key: string, entry: unknown): ForeignAllocation | undefined {
  if (at(entry, CLAIMED) === true) return undefined
  const address = parseIp(key)
  const [namespace = '', pod = '', ...more] = (textAt(entry, 'pod') ?? '').split('/')
  const podUid = textAt(entry, 'podUid')
  if (address === undefined || podUid === undefined || namespace === '' || pod === '' || more.length > 0)
    return undefined
  const ifname = textAt(entry, 'interface')
  return { address, namespace, pod, podUid, ...(ifname === undefined ? {} : { ifname }) }
}
