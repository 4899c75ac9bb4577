/**
 * What is neither policy nor tenant: the spoof guard, the way, the size, the answer.
 * @module
 */

import { tunnelAddress } from '../../network/context.ts'
import { familyOf } from '../../network/model/address.ts'
import { clusterOf, nodeOf, registryOf } from '../view.ts'
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
  const { view, from, to } = conversation
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
        ? tunnelStep(view, start, end)
        : { name, outcome: 'passes', says: `out by the network stack of ${start}, to ${end}` }
    }
  }
}

/** A machine's own addresses are reached over the network below, its overlay addresses and its pods through the tunnel. */
export function isOverlay(end: End): boolean {
  if (end.kind === 'outside') return false
  return end.kind === 'pod' || !('network' in end) || !end.network?.addresses.includes(end.address)
}

function tunnelStep(view: Conversation['view'], start: string, end: string): Step {
  const name = 'route'
  const cluster = clusterOf(view)
  const { networks } = registryOf(view)
  const [here, there] = [start, end].map((node) => {
    const network = networks.find((one) => one.node === node)
    return network === undefined ? undefined : tunnelAddress(cluster, network)
  })
  const ends = `${start} (${here ?? 'no address'}) → ${end} (${there ?? 'no address'})`
  const says = `${ends}, through the ${cluster.encapsulation.type} tunnel`
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
  const far = nodeOf(view, homeOf(to))?.status.mtu
  const least = Math.min(mtu, far ?? mtu)
  const what =
    own <= least
      ? 'and the tunnel carries them'
      : `the tunnel carries ${least}: larger ones are answered with “too big”`
  return { name, outcome: 'passes', says: `${sends}, ${what}` }
}

/** The way back needs no rule of its own. */
export function answerStep(arrives: boolean): Step {
  const name = 'answer'
  if (!arrives) return { name, outcome: 'moot', says: 'there is nothing to answer' }
  return { name, outcome: 'passes', says: 'answers belong to the connection, and pass without a rule of their own' }
}
