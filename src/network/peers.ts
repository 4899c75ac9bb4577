/**
 * The other machines of the overlay, and which of them lay claim to an address. For a moment two may: when machines
 * exchange their addresses, or a new one takes over the address of one that is about to be removed.
 * @module
 */
import type { Ip } from './model/address.ts'
import type { NodeNetwork } from './model/node.ts'

/** The other machines of the overlay, by name and by address. */
export class Peers {
  readonly #peers = new Map<string, NodeNetwork>()
  readonly #claimants = new Map<Ip, Set<string>>()

  /** A machine appeared or changed. Returns the addresses of which other things hold now. */
  put(peer: NodeNetwork): readonly Ip[] {
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

  values(): Iterable<NodeNetwork> {
    return this.#peers.values()
  }

  /** Every address that somebody lays claim to. */
  addresses(): Iterable<Ip> {
    return this.#claimants.keys()
  }

  /** Those who lay claim to an address. */
  claimants(address: Ip): readonly NodeNetwork[] {
    return [...(this.#claimants.get(address) ?? [])].flatMap((node) => this.#peers.get(node) ?? [])
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

/** What of a machine its addresses' flows depend on. */
function fingerprint({ addresses, machine }: NodeNetwork): string {
  return `${machine.kind} ${addresses.join(' ')}`
}
