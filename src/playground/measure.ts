/**
 * Measures checks with real packets, all at the same time.
 * @module
 */
import { netnsOpen } from '../linux/netns.ts'
import { closeFd } from '../linux/socket.ts'
import { familyOf, type Ip } from '../network/model/address.ts'
import { type Check, judge, type Place, type ProbeResult, type Verdict } from './checks.ts'
import { ECHO_PORT } from './layout.ts'
import { firstLine, PATIENCE, type Patience, ping } from './probe.ts'

/** What should answer may be slow to: the machine has hundreds of probes at once, and perhaps much else to do. */
const LONG: Patience = { pings: 30, interval: 500, tcp: 15_000 }

/** Measures every check; `netnsOf` tells the path of the namespace that a place's packets start from. */
export async function measure(
  checks: readonly Check[],
  netnsOf: (place: Place) => string,
): Promise<readonly Verdict[]> {
  const fds = new Map<string, number>()
  try {
    for (const { place } of checks) {
      const path = netnsOf(place)
      if (!fds.has(path)) fds.set(path, netnsOpen(path))
    }
    const verdicts = checks.map(async (check) => {
      const fd = fds.get(netnsOf(check.place)) ?? -1
      const patience = check.expected ? LONG : PATIENCE
      const probes = await Promise.all(check.targets.flatMap((target) => probesOf(fd, target, patience)))
      return judge(check, probes)
    })
    return await Promise.all(verdicts)
  } finally {
    for (const fd of fds.values()) closeFd(fd)
  }
}

function probesOf(netns: number, target: Ip, patience: Patience): readonly Promise<ProbeResult>[] {
  const family = familyOf(target)
  return [
    ping(netns, target, patience).then((reached) => ({ family, protocol: 'ping', reached })),
    firstLine(netns, target, ECHO_PORT, patience).then((line) => {
      const [server, client] = line?.split(' ') ?? []
      return {
        family,
        protocol: 'tcp',
        reached: line !== undefined,
        ...(server === undefined ? {} : { server }),
        ...(client === undefined ? {} : { client }),
      }
    }),
  ]
}
