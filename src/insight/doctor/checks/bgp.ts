/**
 * Checks: BIRD, where nodes speak BGP.
 * @module
 */
import { fabricOf } from '../../../network/fabric/way.ts'
import { type Check, fail, ok, type Verdict, warn } from '../check.ts'
import type { BgpFact, Expected, HostFacts } from '../facts.ts'

/** BGP's own port. */
const PORT = 179
/** BFD's, of one hop and of several (RFC 5881, RFC 5883). */
const BFD_PORTS: readonly number[] = [3784, 4784]

const isBgp = ({ cluster }: Expected): boolean => cluster !== undefined && fabricOf(cluster).way === 'bgp'
const NOT_SPOKEN = ok('nodes do not speak BGP')

const bird: Check = {
  id: 'bird',
  look: ({ bird: read, tcp }, expected) => {
    const { agent, bgp } = expected
    if (!isBgp(expected)) return NOT_SPOKEN
    if (!read.ok) return fail(read.reason, 'install BIRD 2: apt-get install bird2')
    if (bgp?.isRunning === true) return running(read.value, bgp)
    const rival = rivalIn(tcp, [PORT])
    if (rival !== undefined) return fail(`TCP port ${rival}`, END_IT)
    if (agent.state === 'none') return ok(`BIRD ${read.value} is there`)
    return fail(bgp?.problem ?? 'BIRD does not run', 'see weft status, and the log of the agent')
  },
}

const birdc: Check = {
  id: 'birdc',
  look: ({ birdc: read }, expected) => {
    if (!isBgp(expected)) return NOT_SPOKEN
    // Weft asks BIRD at its socket itself.
    return read.ok ? ok(read.value) : warn(read.reason, 'only people need it: it is in the package bird2')
  },
}

const bfdPorts: Check = {
  id: 'bfd-ports',
  look: ({ udp }, expected) => {
    if (!isBgp(expected)) return NOT_SPOKEN
    const rival = rivalIn(udp, BFD_PORTS, (name) => name === 'bird')
    if (rival === undefined) return ok(`UDP ports ${BFD_PORTS.join(' and ')} are free, or BIRD's`)
    return warn(`UDP port ${rival}`, 'end it, or go without BFD: a session that wants it does not come up')
  },
}

const END_IT = 'end it, or give the BGPConfiguration default another listenPort'

/** What it was given, and what became of it. */
function running(version: string, { problem, sessions, down }: BgpFact): Verdict {
  if (problem !== undefined) return warn(problem, 'correct the objects of BGP; what BIRD took before is in force')
  if (down > 0)
    return warn(`${down} of ${sessions} BGP sessions are down`, 'see weft fabric show: it tells why each ended last')
  return ok(`BIRD ${version} runs with what the cluster says; sessions: ${sessions}, all up`)
}

/** Whoever else has one of these ports, by name where that can be seen: `179 is taken by bgpd (process 9)`. */
function rivalIn(
  sockets: HostFacts['tcp'],
  ports: readonly number[],
  isOurs = (_: string): boolean => false,
): string | undefined {
  const holders = sockets.ok ? sockets.value.filter(({ port }) => ports.includes(port)) : []
  const [holder] = holders.filter(({ owner }) => owner === undefined || owner === 'unknown' || !isOurs(owner.name))
  if (holder === undefined) return undefined
  const { port, owner } = holder
  const who = owner === 'unknown' || owner === undefined ? 'another program' : `${owner.name} (process ${owner.pid})`
  return `${port} is taken by ${who}`
}

export const BGP_CHECKS: readonly Check[] = [bird, birdc, bfdPorts]
