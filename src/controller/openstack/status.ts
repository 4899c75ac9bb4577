/**
 * How a network does over all nodes, as its object says it. Pure.
 * @module
 */
import {
  DEFAULT_POOL,
  type NeutronNetworkStatus,
  type NodePorts,
  type PoolProblem,
  type PortUse,
  poolProblemOf,
} from '../../network/model/neutron.ts'
import { MAX_NEUTRON_PROBLEM } from '../../network/model/validate-neutron.ts'

/** The status of a network whose nodes are to have `min` ports ready. */
export function statusOf(
  network: string,
  nodes: Iterable<NodePorts>,
  use: (node: string) => PortUse | undefined,
  min: number = DEFAULT_POOL.min,
): NeutronNetworkStatus {
  let [ports, leased, count] = [0, 0, 0]
  let networkId: string | undefined
  const problems = new Map<string, { readonly first: PoolProblem; readonly nodes: string[] }>()
  for (const one of nodes) {
    const pool = one.pools.find((other) => other.network === network)
    if (pool !== undefined) {
      count += 1
      ports += pool.ports.length
      networkId = pool.networkId
      const mine = new Set(pool.ports.map(({ id }) => id))
      leased += (use(one.node)?.leased ?? []).filter(({ id }) => mine.has(id)).length
    }
    // Whoever writes an annotation does not make a network unready.
    const problem = poolProblemOf(one, network)
    if (problem === undefined) continue
    const same = problems.get(problem.reason)
    if (same === undefined) problems.set(problem.reason, { first: problem, nodes: [one.node] })
    else same.nodes.push(one.node)
  }
  // What most nodes have is what is told; the others say it themselves.
  const [worst] = [...problems.values()].sort((a, b) => b.nodes.length - a.nodes.length)
  const inTheWay = worst === undefined ? undefined : { reason: worst.first.reason, problem: sentence(worst) }
  return {
    ...(inTheWay === undefined && count > 0 && (ports > 0 || min === 0)
      ? { ready: true }
      : { ready: false, ...(inTheWay ?? NO_NODE) }),
    ...(networkId === undefined ? {} : { networkId }),
    nodes: count,
    ports,
    leased,
  }
}

/** Every network is so in its first moments: nobody has to be warned of it. */
export const NO_NODE = {
  reason: 'PORTS_NO_NODE',
  problem:
    'no node has ports of it yet; wait a moment, or see whether its nodeSelector picks a Node: kubectl get nodes --show-labels',
}

function sentence({ first, nodes }: { readonly first: PoolProblem; readonly nodes: readonly string[] }): string {
  const [node = '', ...others] = [...nodes].sort()
  const where = others.length === 0 ? `node ${node}` : `node ${node} and ${others.length} more`
  return `${where}: ${first.problem}`.slice(0, MAX_NEUTRON_PROBLEM)
}
