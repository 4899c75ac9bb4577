/**
 * Checks: BIRD, where nodes speak BGP.
 * @module
 */
import { fabricOf } from '../../../network/fabric/way.ts'
import { type Check, fail, ok, type Verdict, warn } from '../check.ts'
import type { BgpFact, HostFacts } from '../facts.ts'

/** BGP's own port. */
const PORT = 179

const bird: Check = {
  id: 'bird',
  look: ({ bird: read, tcp }, { cluster, agent, bgp }) => {
    if (cluster === undefined || fabricOf(cluster).way !== 'bgp') return ok('nodes do not speak BGP')
    if (!read.ok) return fail(read.reason, 'install BIRD 2: apt-get install bird2')
    if (bgp?.isRunning === true) return running(read.value, bgp)
    const rival = rivalIn(tcp)
    if (rival !== undefined) return fail(`TCP port ${PORT} is taken by ${rival}`, END_IT)
    if (agent.state === 'none') return ok(`BIRD ${read.value} is there`)
    return fail(bgp?.problem ?? 'BIRD does not run', 'see weft status, and the log of the agent')
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

/** Whoever listens at BGP's port, by name where it can be seen. */
function rivalIn(tcp: HostFacts['tcp']): string | undefined {
  const holder = tcp.ok ? tcp.value.find(({ port }) => port === PORT) : undefined
  if (holder === undefined) return undefined
  const { owner } = holder
  return owner === 'unknown' || owner === undefined ? 'another program' : `${owner.name} (process ${owner.pid})`
}

export const BGP_CHECKS: readonly Check[] = [bird]
