/**
 * What arrives at a link of a network namespace.
 * @module
 */
import { linkFind, openPacketSocket, openRtnl } from '../../src/linux/index.ts'

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
