/**
 * What arrives at a link of a network namespace.
 * @module
 */
import { linkFind, openPacketSocket, openRtnl } from '../../src/linux/index.ts'
import type { Family } from '../../src/network/model/address.ts'
import type { Encapsulation } from '../../src/network/model/cluster.ts'

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
  return isTunnel(frame, 'vxlan')
}

/** A ping's question in a packet of a tunnel over IPv4: beside those, agents ask each other through the tunnel. */
export function isWrappedEchoRequest(
  frame: Uint8Array,
  family: Family,
  type: Encapsulation['type'] = 'vxlan',
): boolean {
  return isTunnel(frame, type) && isEchoRequest(frame.subarray(TUNNELS[type].headers), family)
}

/** Their IP protocol, their UDP port, and the bytes in front of the inner frame: Ethernet, IPv4, then UDP and theirs, or GRE with a key. */
const TUNNELS = {
  vxlan: { protocol: 17, port: 4789, headers: 14 + 20 + 8 + 8 },
  geneve: { protocol: 17, port: 6081, headers: 14 + 20 + 8 + 8 },
  gre: { protocol: 47, port: undefined, headers: 14 + 20 + 8 },
} as const

function isTunnel(frame: Uint8Array, type: Encapsulation['type']): boolean {
  const { protocol, port } = TUNNELS[type]
  if (frame[12] !== 8 || frame[13] !== 0 || frame[23] !== protocol) return false
  return port === undefined || (((frame[36] ?? 0) << 8) | (frame[37] ?? 0)) === port
}
