/**
 * Where the node's own stack leads guests of the overlay now, as an administrator had it when somebody knew: an agent that has
 * just started goes by it until it has read the cluster.
 * @module
 */
import { LinuxError, listSet, type NftOptions } from '../../linux/index.ts'
import { HIJACKED, NFT_TABLE } from '../../network/host.ts'
import { parseCidr } from '../../network/model/address.ts'
import { type IpRange, parseIpRange, rangeOf } from '../../network/model/ip-range.ts'

/** What is in the sets of our table; nothing where there is none. */
export async function presentHijacked(options: NftOptions = {}): Promise<readonly IpRange[]> {
  const sets = await Promise.all(Object.values(HIJACKED).map((set) => elementsOf(set, options)))
  return sets.flat().flatMap((element) => rangeIn(element) ?? [])
}

async function elementsOf(set: string, options: NftOptions): Promise<readonly unknown[]> {
  try {
    const { nftables } = Object(await listSet('inet', NFT_TABLE, set, options))
    return itemsOf(nftables).flatMap((item) => itemsOf(Object(Object(item).set).elem))
  } catch (error) {
    // Before the first plan of a node there is no table. What else is wrong with nft is told by whoever writes the next one.
    if (error instanceof LinuxError) return []
    throw error
  }
}

/** An element is an address, a network or a range (libnftables-json(5)). */
function rangeIn(element: unknown): IpRange | undefined {
  if (typeof element === 'string') return parseIpRange(element)
  const { prefix, range } = Object(element)
  if (prefix !== undefined) {
    const network = parseCidr(`${Object(prefix).addr}/${Object(prefix).len}`)
    return network === undefined ? undefined : rangeOf(network)
  }
  return parseIpRange(itemsOf(range).join('-'))
}

function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
