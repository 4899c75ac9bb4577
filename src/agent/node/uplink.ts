/**
 * The link that carries the node's tunnels.
 * @module
 */
import { addrList, type Link, linkGet, type RtnlSocket } from '../../linux/index.ts'
import type { NodeNetwork } from '../../network/model/node.ts'

/** What is assumed where no link ever had the node's address. */
const ETHERNET_MTU = 1500

/** The link that has the node's address, remembered until something about it changes. */
export class Uplink {
  readonly #rtnl: RtnlSocket
  readonly #self: () => Pick<NodeNetwork, 'addresses' | 'status'> | undefined
  #link: Link | undefined
  #lastMtu: number | undefined

  /** `self`: the addresses that other nodes reach this one at, and what its agent said last. */
  constructor(rtnl: RtnlSocket, self: () => Pick<NodeNetwork, 'addresses' | 'status'> | undefined) {
    this.#rtnl = rtnl
    this.#self = self
  }

  /**
   * MTU in bytes. While no link has the node's address it is the last one known: all nodes take the smallest, so that a
   * guess of one that loses its address for a moment would have the whole cluster drop larger packets.
   */
  get mtu(): number {
    this.#link ??= this.#find()
    this.#lastMtu = this.#link?.mtu ?? this.#lastMtu
    return this.#lastMtu ?? this.#self()?.status?.uplinkMtu ?? ETHERNET_MTU
  }

  /** Its index; undefined while no link has the node's address. */
  get index(): number | undefined {
    this.#link ??= this.#find()
    return this.#link?.index
  }

  /** A link changed; whether it is this one, with another MTU. */
  sees(link: Link): boolean {
    if (link.index !== this.#link?.index || link.mtu === this.#link.mtu) return false
    this.forget()
    return true
  }

  /** Addresses changed: look for the link again when next asked. */
  forget(): void {
    this.#link = undefined
  }

  #find(): Link | undefined {
    const addresses = this.#self()?.addresses ?? []
    const holder = addrList(this.#rtnl).find(({ address }) => addresses.some((one) => address.startsWith(`${one}/`)))
    return holder === undefined ? undefined : linkGet(this.#rtnl, holder.link)
  }
}
