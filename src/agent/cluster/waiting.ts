/**
 * What is missing before a node has a plan, for people.
 * @module
 */
import { hasRange } from '../../network/cluster-change.ts'
import { mtuProblem } from '../../network/host.ts'
import type { Cluster } from '../../network/model/cluster.ts'
import type { NodeNetwork } from '../../network/model/node.ts'

/** What a node knows so far. */
export interface Known {
  readonly node: string
  /** Kinds that were not read yet. */
  readonly unread: readonly string[]
  readonly cluster: Cluster | undefined
  /** Why a configuration that is there is none, to be put behind a sentence; or nothing. */
  readonly reason: string
  /** What the registry says of this machine; undefined where it does not know it, or does not any more. */
  readonly self: NodeNetwork | undefined
  readonly isExternal: boolean
  /** In bytes. */
  readonly uplinkMtu: () => number
}

/** The first thing that is missing, or nothing. */
export function whatIsMissing({
  node,
  unread,
  cluster,
  reason,
  self,
  isExternal,
  uplinkMtu,
}: Known): readonly string[] {
  if (unread.length > 0) return [`the registry (${unread.join(', ')} not read yet)`]
  if (cluster === undefined) return [`the cluster configuration (ClusterNetwork default)${reason}`]
  if (self === undefined) return [admission(node, isExternal)]
  if (isExternal && self.machine.kind === 'node')
    return [`an agent without --external: ${node} is a node of the cluster`]
  if (self.ranges.length === 0) return [`a range for node ${node}: ${self.problem ?? 'the controller has given none'}`]
  const stranded = self.ranges.find((range) => !hasRange(cluster, range))
  if (stranded !== undefined) return [`a cluster network that contains this node's range ${stranded}`]
  const problem = mtuProblem(cluster, uplinkMtu())
  return problem === undefined ? [] : [problem]
}

function admission(node: string, isExternal: boolean): string {
  if (!isExternal) return `a range for node ${node}: the controller has not seen it yet`
  return `an administrator to let this host in: weft host add ${node} --address <its address>`
}
