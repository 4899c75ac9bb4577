/**
 * Whether the way to other machines' tunnel ends is known: the first packet to one whose link-layer address is not is
 * lost, so a node is not ready before.
 * @module
 */
import { type NeighbourState, neighList, type Route, type RtnlSocket, routeGet } from '../../linux/index.ts'
import type { Ip } from '../../network/model/address.ts'
import { unixctl, vswitchdControl } from '../../ovs/unixctl.ts'

/** Tells those of these addresses to which the next hop is not resolved. */
export type ColdEnds = (ends: readonly Ip[]) => Promise<readonly Ip[]>

/** The kernel's datapath asks the kernel. What there is no way to at all is told as cold. */
export function coldInKernel(rtnl: RtnlSocket): ColdEnds {
  return async (ends) => {
    const warm = new Set(neighList(rtnl).flatMap(({ address, state }) => (KNOWN.has(state) ? [address] : [])))
    return ends.filter((end) => {
      const way = wayTo(rtnl, end)
      return way === undefined || !(way.type === 'local' || warm.has(way.gateway ?? end))
    })
  }
}

/** The userspace datapath keeps its own table of neighbours (ovs-vswitchd(8): `tnl/neigh/show`, `ovs/route/lookup`). */
export function coldInUserspace(ovsRunDir: string): ColdEnds {
  return async (ends) => {
    const control = vswitchdControl(ovsRunDir)
    const warm = neighboursIn(await unixctl(control, 'tnl/neigh/show', []))
    const cold: Ip[] = []
    for (const end of ends) {
      if (warm.has(end)) continue
      const gateway = gatewayIn(await unixctl(control, 'ovs/route/lookup', [end]).catch(() => ''))
      if (gateway === undefined || !warm.has(gateway)) cold.push(end)
    }
    return cold
  }
}

/** The addresses in the first column, under a ruled heading. */
export function neighboursIn(text: string): ReadonlySet<string> {
  return new Set(text.split('\n').flatMap((line) => /^([0-9a-f.:]+)\s+[0-9a-f:]{17}\b/i.exec(line)?.[1] ?? []))
}

/** The gateway that a lookup names; undefined for what is on the link, which is written as the unspecified address. */
export function gatewayIn(text: string): string | undefined {
  const gateway = /^gateway (\S+)$/m.exec(text)?.[1]
  return gateway === '0.0.0.0' || gateway === '::' ? undefined : gateway
}

const KNOWN: ReadonlySet<NeighbourState> = new Set(['reachable', 'stale', 'delay', 'probe', 'noarp', 'permanent'])

function wayTo(rtnl: RtnlSocket, end: Ip): Route | undefined {
  try {
    return routeGet(rtnl, end)
  } catch {
    return undefined
  }
}
