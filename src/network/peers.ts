/**
 * The other machines of the overlay, and which of them lay claim to an address. For a moment two may: when machines
 * exchange their addresses, or a new one takes over the address of one that is about to be removed.
 * @module
 */
import type { Ip } from './model/address.ts'
import type { NodeNetwork } from './model/node.ts'
import type { Claimant } from './shared-address.ts'

/** The other machines of the overlay, by name and by address. */
export class Peers<M extends Claimant = NodeNetwork> {
  readonly #peers = new Map<string, M>()
  readonly #claimants = new Map<Ip, Set<string>>()

  /** A machine appeared or changed. Returns the addresses of which other things hold now. */
  put(peer: M): readonly Ip[] {
    const before = this.#peers.get(peer.node)
    this.#peers.set(peer.node, peer)
    const isSame = before !== undefined && fingerprint(before) === fingerprint(peer)
    if (isSame) return []
    for (const address of before?.addresses ?? []) this.#unclaim(address, peer.node)
    for (const address of peer.addresses) this.#claim(address, peer.node)
    return [...new Set([...(before?.addresses ?? []), ...peer.addresses])]
  }

  /** A machine is gone. Returns the addresses of which other things hold now. */
  remove(node: string): readonly Ip[] {
    const addresses = this.#peers.get(node)?.addresses ?? []
    this.#peers.delete(node)
    for (const address of addresses) this.#unclaim(address, node)
    return addresses
  }

  get(node: string): M | undefined {
    return this.#peers.get(node)
  }

  values(): Iterable<M> {
    return this.#peers.values()
  }

  /** Every address that somebody lays claim to. */
  addresses(): Iterable<Ip> {
    return this.#claimants.keys()
  }

  /** Those who lay claim to an address. */
  claimants(address: Ip): readonly M[] {
    return [...(this.#claimants.get(address) ?? [])].flatMap((node) => this.#peers.get(node) ?? [])
  }

  /** Those who lay claim to any of a machine's addresses, itself among them. */
  claimantsOf({ addresses }: Pick<M, 'addresses'>): readonly M[] {
    return addresses.flatMap((address) => this.claimants(address))
  }

  #claim(address: Ip, node: string): void {
    const claimants = this.#claimants.get(address)
    if (claimants === undefined) this.#claimants.set(address, new Set([node]))
    else claimants.add(node)
  }

  #unclaim(address: Ip, node: string): void {
    const claimants = this.#claimants.get(address)
    claimants?.delete(node)
    if (claimants?.size === 0) this.#claimants.delete(address)
  }
}

/** What of a machine its addresses' flows, and those of others there, depend on. */
function fingerprint({ addresses, machine, ranges }: Claimant): string {
  return `${machine.kind} ${ranges.length > 0} ${addresses.join(' ')}`
}
