/**
 * What has to get through the filters of others on a node, family by family.
 * @module
 */
import { podNetworks } from '../context.ts'
import type { Cidr, Family } from '../model/address.ts'
import type { Cluster } from '../model/cluster.ts'
import type { Traffic } from './judge.ts'

/** What pods of these families and tunnels need of a node's own stack. `link`: the gateway port. */
export function neededTraffic(cluster: Cluster, families: readonly Family[], link: string): readonly Traffic[] {
  return [
    ...families.flatMap((family) =>
      podNetworks(cluster, family).flatMap((pods) => podTraffic(cluster, family, pods, link)),
    ),
    tunnelTraffic(cluster, link),
  ]
}

function podTraffic(cluster: Cluster, family: Family, pods: Cidr, link: string): readonly Traffic[] {
  const outside = { outside: podNetworks(cluster, family) }
  const within = { within: pods }
  const [gateway, uplink] = [{ is: link }, { not: link }]
  return [
    {
      title: `what pods of ${pods} send to the outside`,
      of: 'pods',
      hook: 'forward',
      family,
      inLink: gateway,
      outLink: uplink,
      source: within,
      destination: outside,
      state: 'new',
    },
    {
      title: `answers from the outside to pods of ${pods}`,
      of: 'pods',
      hook: 'forward',
      family,
      inLink: uplink,
      outLink: gateway,
      source: outside,
      destination: within,
      state: 'established',
    },
    {
      title: `what pods of ${pods} send to their node`,
      of: 'pods',
      hook: 'input',
      family,
      inLink: gateway,
      source: within,
      state: 'new',
    },
  ]
}

function tunnelTraffic(cluster: Cluster, link: string): Traffic {
  const { encapsulation, underlay: family } = cluster
  const packet = encapsulation.type === 'gre' ? { protocol: 'gre' } : { protocol: 'udp', port: encapsulation.port }
  // Each node sends from ports of its own choice to this one: to connection tracking none of it is ever an answer.
  return {
    title: 'tunnel packets of other nodes',
    of: 'tunnels',
    hook: 'input',
    family,
    inLink: { not: link },
    state: 'new',
    ...packet,
  }
}
