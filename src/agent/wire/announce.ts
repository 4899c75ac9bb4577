/**
 * Tells the wire whose an address is now, so that nobody sends to whoever had it before.
 * @module
 */
import {
  addrList,
  linkFind,
  openPacketSocket,
  openRtnl,
  type PacketSocket,
  type RtnlSocket,
} from '../../linux/index.ts'
import { familyOf, type Ip, type Mac } from '../../network/model/address.ts'
import { arpAnnouncements } from './arp.ts'
import { announcement } from './ndp.ts'

/** Addresses that an interface has. */
export interface Announcement {
  /** The pod's namespace; may be closed afterwards. */
  readonly nsFd: number
  readonly ifname: string
  readonly mac: Mac
  readonly addresses: readonly Ip[]
}

/**
 * Announces now, and again over the next seconds as long as the interface has the address and the MAC address by then: an
 * address that is still being checked by the kernel is announced once it can be used, and one that went to another pod no more.
 * Costs the caller some tens of microseconds. Nothing that goes wrong is the caller's: a missed announcement only delays.
 */
export function announce(told: Announcement): void {
  try {
    const wire = open(told)
    if (wire !== undefined) repeat(told, wire, 0)
  } catch {
    // The interface went away, or is not ours to send on: who asks for the address will learn.
  }
}

/** When it is told, in milliseconds from the one before: the first may be lost on a link that was just set up. */
const GAPS_MS = [200, 1_000, 2_000] as const

interface Wire extends Disposable {
  readonly rtnl: RtnlSocket
  readonly socket: PacketSocket
  readonly link: number
}

function open({ nsFd, ifname }: Announcement): Wire | undefined {
  const rtnl = openRtnl({ nsFd })
  try {
    const link = linkFind(rtnl, ifname)?.index
    if (link !== undefined) {
      // Protocol 0: it only sends.
      const socket = openPacketSocket({ link, nsFd, protocol: 0 })
      const close = (): void => {
        rtnl.close()
        socket.close()
      }
      return { rtnl, socket, link, [Symbol.dispose]: close }
    }
  } catch {
    // As below: there is nothing to announce on.
  }
  rtnl.close()
  return undefined
}

function repeat(told: Announcement, wire: Wire, turn: number): void {
  let goesOn = false
  try {
    goesOn = tell(told, wire)
  } catch {
    // It went away in between.
  }
  const gap = GAPS_MS[turn]
  if (!goesOn || gap === undefined) {
    wire[Symbol.dispose]()
    return
  }
  setTimeout(() => repeat(told, wire, turn + 1), gap).unref()
}

/** False when the interface is no longer what was told. */
function tell({ mac, addresses }: Announcement, { rtnl, socket, link }: Wire): boolean {
  if (linkFind(rtnl, link)?.mac !== mac) return false
  const usable = new Set(
    addrList(rtnl, { link })
      .filter(({ tentative, dadFailed }) => !tentative && !dadFailed)
      .map(({ address }) => address.slice(0, address.indexOf('/'))),
  )
  for (const address of addresses.filter((each) => usable.has(each)))
    for (const frame of framesFor(mac, address)) socket.send(frame)
  return true
}

function framesFor(mac: Mac, address: Ip): readonly Uint8Array[] {
  return familyOf(address) === 4 ? arpAnnouncements(mac, address) : [announcement(mac, address)]
}
