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

/** What should answer may be slow to: its program has just been started, and the machine may have much else to do. */
const LONG: Patience = { pings: 20, interval: 500, tcp: 10_000 }
/** Milliseconds until a connection that was refused is tried again. */
const AGAIN = 100

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
      const probes = await Promise.all(check.targets.flatMap((target) => probesOf(fd, target, check.expected)))
      return judge(check, probes)
    })
    return await Promise.all(verdicts)
  } finally {
    for (const fd of fds.values()) closeFd(fd)
  }
}

function probesOf(netns: number, target: Ip, expected: boolean): readonly Promise<ProbeResult>[] {
  const family = familyOf(target)
  const lines = expected ? firstLineInTime(netns, target) : firstLine(netns, target, ECHO_PORT, PATIENCE)
  return [
    ping(netns, target, expected ? LONG : PATIENCE).then((reached) => ({ family, protocol: 'ping', reached })),
    lines.then((line) => {
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

/** Of a server that may not listen yet. */
async function firstLineInTime(netns: number, target: Ip): Promise<string | undefined> {
  const end = performance.now() + LONG.tcp
  for (let left: number = LONG.tcp; left > 0; left = end - performance.now()) {
    const line = await firstLine(netns, target, ECHO_PORT, { ...LONG, tcp: left })
    if (line !== undefined) return line
    await Bun.sleep(AGAIN)
  }
  return undefined
}
