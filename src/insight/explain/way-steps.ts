/**
 * What is neither policy nor tenant: the spoof guard, the way, the size, the answer.
 * @module
 */

import type { NodeFacts, RouteFact } from '../../agent/control/facts.ts'
import { tunnelAddress } from '../../network/context.ts'
import { isDirect, isRoute } from '../../network/fabric/way.ts'
import { mtusOf } from '../../network/host.ts'
import { familyOf } from '../../network/model/address.ts'
import { clusterOf, nodeOf, registryOf } from '../view.ts'
import { carrierWords, wayOf, wayWords } from '../ways.ts'
import type { Conversation, Step } from './conversation.ts'
import type { End } from './ends.ts'

/** Whether the sender's own address is the one it was given. */
export function guardStep({ from, facts }: Conversation): Step {
  const name = 'spoof guard'
  if (from.kind !== 'pod')
    return { name, outcome: 'passes', says: `${from.name} is no pod: nodes send from their own addresses` }
  const { namespace, name: pod, node } = from.pod
  if (facts === undefined) return { name, outcome: 'unknown', says: `the agent of ${node} does not answer` }
  const lease = facts.leases.find(({ endpoint }) => endpoint.namespace === namespace && endpoint.pod === pod)
  if (lease === undefined) {
    const remedy = 'see what its sandbox waits for: weft status'
    return { name, outcome: 'stops', says: `${node} has not attached ${from.name}: nobody knows its packets`, remedy }
  }
  const { addresses, mac } = lease.endpoint
  if (addresses.includes(from.address))
    return { name, outcome: 'passes', says: `${from.address} with ${mac} is what ${node} gave ${from.name}` }
  const says = `${from.name} is said to have ${from.address} (status.podIPs), but ${node} gave it ${addresses.join(' and ')}`
  return { name, outcome: 'stops', says, remedy: 'compare: weft audit', field: 'status.podIPs' }
}

/** From node to node, through the tunnel or not. */
export function routeStep(conversation: Conversation): Step {
  const name = 'route'
  const { from, to } = conversation
  const start = homeOf(from)
  switch (to.kind) {
    case 'nobody': {
      const where =
        to.network === undefined ? 'no node has a range with it' : `it is of the range of ${to.network.node}`
      return {
        name,
        outcome: 'stops',
        says: `no pod has the address ${to.address}: ${where}`,
        remedy: 'The pod is gone, or its address is stale: weft audit',
      }
    }
    case 'no-service':
      return { name, outcome: 'moot', says: 'it leads nowhere' }
    case 'outside':
      if (from.kind !== 'pod') return { name, outcome: 'passes', says: `out by ${start}’s own network` }
      return {
        name,
        outcome: 'passes',
        says: `out by the network stack of ${start}; what leaves the cluster gets the node’s address`,
      }
    default: {
      const end = homeOf(to)
      if (end === start)
        return {
          name,
          outcome: 'passes',
          says: to.kind === 'pod' ? `both are on ${start}` : `to the network stack of ${start}`,
        }
      return isOverlay(to)
        ? wayStep(conversation, start, end)
        : { name, outcome: 'passes', says: `out by the network stack of ${start}, to ${end}` }
    }
  }
}

/** A machine's own addresses are reached over the network below, its overlay addresses and its pods by the fabric. */
export function isOverlay(end: End): boolean {
  if (end.kind === 'outside') return false
  return end.kind === 'pod' || !('network' in end) || !end.network?.addresses.includes(end.address)
}

/** The way between the two nodes. Undefined: nobody tells. Only what goes from pod to pod goes without a tunnel. */
function wayTaken({ view, from, to, facts }: Conversation): RouteFact | undefined {
  if (!isDirect(clusterOf(view)) || from.kind !== 'pod' || to.kind !== 'pod') return { way: 'tunnel' }
  return facts === undefined ? undefined : wayOf(facts, homeOf(to), to.address)
}

const REFUSED = 'and the cluster’s fabric refuses the tunnel'
const REFUSED_REMEDY =
  'see why: weft fabric show; or let such packets take the tunnel: weft.fabric.otherwise in ClusterNetwork'

function wayStep(conversation: Conversation, start: string, end: string): Step {
  const name = 'route'
  const { view, facts } = conversation
  const way = wayTaken(conversation)
  const ends = `${start} → ${end}`
  if (way === undefined) {
    const silence = facts === undefined ? 'does not answer' : 'does not tell of its ways'
    return { name, outcome: 'unknown', says: `${ends}: by which way is not known, the agent of ${start} ${silence}` }
  }
  if (way.way === 'tunnel') return tunnelStep(view, start, end, way)
  const words = wayWords(way, clusterOf(view))
  if (isRoute(way.way)) return { name, outcome: 'passes', says: `${ends}, ${words}` }
  return { name, outcome: 'stops', says: `${ends}: ${words}, ${REFUSED}`, remedy: REFUSED_REMEDY }
}

function tunnelStep(view: Conversation['view'], start: string, end: string, way: RouteFact): Step {
  const name = 'route'
  const cluster = clusterOf(view)
  const { networks } = registryOf(view)
  const [here, there] = [start, end].map((node) => {
    const network = networks.find((one) => one.node === node)
    return network === undefined ? undefined : tunnelAddress(cluster, network)
  })
  const ends = `${start} (${here ?? 'no address'}) → ${end} (${there ?? 'no address'})`
  const says = `${ends}, ${wayWords(way, cluster)}`
  if (here !== undefined && there !== undefined) return { name, outcome: 'passes', says }
  const remedy = 'Check the nodes’ addresses: weft status --nodes'
  return {
    name,
    outcome: 'stops',
    says: `${ends}: the tunnel needs an IPv${cluster.underlay} address at both ends`,
    remedy,
  }
}

/** Where an end is. */
export function homeOf(end: End): string {
  if (end.kind === 'pod') return end.pod.node
  return end.kind === 'node' || end.kind === 'host' ? end.network.node : end.name
}

/** Whether the sender's interface sends what the way carries. */
export function mtuStep(conversation: Conversation): Step {
  const name = 'MTU'
  const { view, from, to, facts } = conversation
  const mtu = facts?.status.mtu
  if (facts === undefined || mtu === undefined)
    return { name, outcome: 'unknown', says: `${homeOf(from)} does not tell its MTU` }
  const lease = facts.leases.find(({ endpoint }) => endpoint.addresses.includes(from.address))
  const own = lease?.mtu ?? mtu
  const sends = `${from.name} sends IPv${familyOf(to.address)} packets of up to ${own} bytes`
  if (to.kind === 'outside')
    return {
      name,
      outcome: 'passes',
      says: `${sends}; the uplink of ${homeOf(from)} carries ${facts.status.uplinkMtu ?? 'what it can'}`,
    }
  if (homeOf(from) === homeOf(to))
    return { name, outcome: 'passes', says: `${sends}, and nothing on ${homeOf(from)} is in the way` }
  const way = wayTaken(conversation)
  if (way?.way === 'none') return { name, outcome: 'moot', says: `nothing goes to ${homeOf(to)}` }
  if (way === undefined) return { name, outcome: 'unknown', says: `${sends}; by which way they go is not known` }
  const least = carriedBy(way, [facts, nodeOf(view, homeOf(to))]) ?? mtu
  const carrier = way.way === 'tunnel' ? 'the tunnel' : carrierWords(way.way, clusterOf(view))
  const what =
    own <= least
      ? `and ${carrier} carries ${own === least ? 'them' : `up to ${least}`}`
      : `${carrier} carries ${least}: larger ones are answered with “too big”`
  return { name, outcome: 'passes', says: `${sends}, ${what}` }
}

/** The largest packet that a way carries, as far as its ends tell: around a tunnel's is more, a route's is as the uplinks take it. */
function carriedBy({ way }: RouteFact, ends: readonly (NodeFacts | undefined)[]): number | undefined {
  const told = ends.flatMap((facts) => {
    if (facts === undefined) return []
    const { mtu, uplinkMtu } = facts.status
    if (uplinkMtu === undefined) return mtu ?? []
    return way === 'tunnel' ? mtusOf(facts.cluster, [uplinkMtu]).tunnel : uplinkMtu
  })
  return told.length === 0 ? undefined : Math.min(...told)
}

/** The way back needs no rule of its own, but the nodes' way in the other direction. `conversation`: absent where no fabric carries it. */
export function answerStep(arrives: boolean, conversation?: Conversation): Step {
  const name = 'answer'
  if (!arrives) return { name, outcome: 'moot', says: 'there is nothing to answer' }
  const says = 'answers belong to the connection, and pass without a rule of their own'
  const back = conversation && wayBack(conversation)
  if (conversation === undefined || back === undefined) return { name, outcome: 'passes', says }
  const ends = `${homeOf(conversation.to)} → ${homeOf(conversation.from)}`
  const words = wayWords(back, clusterOf(conversation.view))
  if (back.way === 'none')
    return { name, outcome: 'stops', says: `answers, ${ends}: ${words}, ${REFUSED}`, remedy: REFUSED_REMEDY }
  return { name, outcome: 'passes', says: `${says}; they come ${words}` }
}

/** The way of answers, where it is another one. */
function wayBack(conversation: Conversation): RouteFact | undefined {
  const { view, from, to } = conversation
  if (homeOf(from) === homeOf(to)) return undefined
  const there = wayTaken(conversation)
  const back = wayTaken({ ...conversation, from: to, to: from, facts: nodeOf(view, homeOf(to)) })
  return back?.way === there?.way ? undefined : back
}
