/**
 * What this host is meant to be part of: as the agent here tells, else as the registry does, else what is usual.
 * @module
 */
import type { BgpFacts, NodeFacts } from '../../agent/control/facts.ts'
import type { Cluster } from '../../network/model/cluster.ts'
import { openPlace, type RegistryPlace } from '../../place/place.ts'
import { InsightError } from '../errors.ts'
import { AgentClient } from '../gather/agent-client.ts'
import type { AgentFact, BgpFact, Expected } from './facts.ts'

/** Whom to ask. */
export interface ExpectedFrom {
  /** The agent's socket. */
  readonly agent: string
  /** Asked where no agent tells of the cluster. */
  readonly registry: RegistryPlace | undefined
  /** What is meant where no agent says. */
  readonly datapath: 'system' | 'netdev'
}

/** The port of VXLAN, which is the usual encapsulation. */
const USUAL_PORT = 4789

/** What is expected of this host. Rejects only where a registry was named and does not answer. */
export async function expectedOf({ agent: path, registry, datapath }: ExpectedFrom): Promise<Expected> {
  const client = new AgentClient({ path, node: undefined })
  try {
    return expectedBy(await client.facts())
  } catch (error) {
    const status = await client.status().catch(() => undefined)
    const waiting = status?.waitingFor ?? []
    const cause = error instanceof InsightError ? error.message : `no agent answers at ${path}`
    const agent: AgentFact =
      status === undefined
        ? { state: 'none', reason: cause }
        : {
            state: 'runs',
            ready: status.ready,
            problems: [...waiting.map((what) => `waits for ${what}`), ...status.problems],
          }
    const cluster = registry === undefined ? undefined : await clusterIn(registry)
    return {
      datapath: status?.datapath ?? datapath,
      cluster,
      tunnelPort: portOf(cluster),
      addresses: status?.addresses ?? [],
      ranges: [],
      peers: status?.peers.length ?? 0,
      agent,
      bgp: bgpOf(status?.bgp),
    }
  }
}

function expectedBy({ cluster, self, status }: NodeFacts): Expected {
  const problems = [...status.waitingFor.map((what) => `waits for ${what}`), ...status.problems]
  return {
    datapath: status.datapath,
    cluster,
    tunnelPort: portOf(cluster),
    addresses: self.addresses,
    ranges: self.ranges,
    peers: status.peers.length,
    agent: { state: 'runs', ready: status.ready, problems },
    bgp: bgpOf(status.bgp),
  }
}

function bgpOf(bgp: BgpFacts | undefined): BgpFact | undefined {
  if (bgp === undefined) return undefined
  const { isRunning, problem, sessions } = bgp
  const down = sessions.filter(({ isUp }) => !isUp).length
  return { isRunning, ...(problem === undefined ? {} : { problem }), sessions: sessions.length, down }
}

async function clusterIn(place: RegistryPlace): Promise<Cluster | undefined> {
  const { registry, close } = openPlace(place)
  try {
    return (await registry.get('Cluster', 'default'))?.value
  } finally {
    close()
  }
}

function portOf(cluster: Cluster | undefined): number | undefined {
  if (cluster === undefined) return USUAL_PORT
  return cluster.encapsulation.type === 'gre' ? undefined : cluster.encapsulation.port
}
