/**
 * What arrives at a link of a network namespace.
 * @module
 */
import { linkFind, openPacketSocket, openRtnl } from '../../src/linux/index.ts'
import type { Family } from '../../src/network/model/address.ts'

/** A capture that runs until it is closed. */
export interface Capture {
  /** Frames that came in, from the Ethernet header on. */
  readonly frames: readonly Uint8Array[]
  close(): void
}

/** Captures what comes in on a link. */
export function capture(netns: number, ifname = 'eth0'): Capture {
  using rtnl = openRtnl({ nsFd: netns })
  const link = linkFind(rtnl, ifname)
  if (link === undefined) throw new Error(`there is no ${ifname} to capture on`)
  const frames: Uint8Array[] = []
  const socket = openPacketSocket({
    link: link.index,
    nsFd: netns,
    onFrame: ({ bytes, outgoing }) => {
      if (!outgoing) frames.push(bytes)
    },
  })
  return { frames, close: () => socket.close() }
}

/** A ping's question, without a tunnel around it. */
export function isEchoRequest(frame: Uint8Array, family: Family): boolean {
  const type = ((frame[12] ?? 0) << 8) | (frame[13] ?? 0)
  if (family === 4) return type === 0x0800 && frame[23] === 1 && frame[34] === 8
  return type === 0x86dd && frame[20] === 58 && frame[54] === 128
}

/** UDP over IPv4 to port 4789. */
export function isVxlan(frame: Uint8Array): boolean {
  return frame[12] === 8 && frame[13] === 0 && frame[23] === 17 && (((frame[36] ?? 0) << 8) | (frame[37] ?? 0)) === 4789
}

/** A ping's question in a VXLAN packet over IPv4: beside those, agents ask each other through the tunnel. */
export function isWrappedEchoRequest(frame: Uint8Array, family: Family): boolean {
  return isVxlan(frame) && isEchoRequest(frame.subarray(VXLAN_HEADERS), family)
}

/** Ethernet, IPv4, UDP, VXLAN. */
const VXLAN_HEADERS = 14 + 20 + 8 + 8
