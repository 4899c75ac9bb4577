/**
 * The link that carries the node's tunnels.
 * @module
 */
import { addrList, type Link, linkGet, type RtnlSocket } from '../../linux/index.ts'
import type { Ip } from '../../network/model/address.ts'

/** What is assumed while no link has the node's address. */
const ETHERNET_MTU = 1500

/** The link that has the node's address, remembered until something about it changes. */
export class Uplink {
  readonly #rtnl: RtnlSocket
  readonly #addresses: () => readonly Ip[]
  #link: Link | undefined

  /** `addresses`: those that other nodes reach this one at. */
  constructor(rtnl: RtnlSocket, addresses: () => readonly Ip[]) {
    this.#rtnl = rtnl
    this.#addresses = addresses
  }

  /** MTU in bytes. */
  get mtu(): number {
    this.#link ??= this.#find()
    return this.#link?.mtu ?? ETHERNET_MTU
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
    const addresses = this.#addresses()
    const holder = addrList(this.#rtnl).find(({ address }) => addresses.some((one) => address.startsWith(`${one}/`)))
    return holder === undefined ? undefined : linkGet(this.#rtnl, holder.link)
  }
}
