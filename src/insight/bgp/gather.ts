/**
 * What the registry says of a cluster's BGP.
 * @module
 */
import { wishedBgp } from '../../compat/calico/bgp/cluster.ts'
import { fullMesh } from '../../network/fabric/bgp/cluster.ts'
import type { BgpCluster } from '../../network/fabric/bgp/model.ts'
import { fabricOf } from '../../network/fabric/way.ts'
import type { Fabric } from '../../network/model/cluster.ts'
import type { Labels } from '../../network/model/policy.ts'
import type { FieldProblem } from '../../network/model/problem.ts'
import type { Kind, Kinds, Registry } from '../../registry/registry.ts'
import { InsightError } from '../errors.ts'

/** A cluster's BGP as it is asked for. */
export interface BgpView {
  readonly way: Fabric['way']
  readonly cluster: BgpCluster
  readonly labels: ReadonlyMap<string, Labels>
  readonly problems: readonly FieldProblem[]
}

/** Reads it. Throws INSIGHT_NAME_UNKNOWN without a cluster configuration, and RegistryErrors. */
export async function gatherBgp(registry: Registry): Promise<BgpView> {
  const values = async <K extends Kind>(kind: K): Promise<readonly Kinds[K][]> =>
    (await registry.list(kind)).objects.map(({ value }) => value)
  const [clusters, machines, nodes, configurations, peerings, ranges] = await Promise.all([
    values('Cluster'),
    values('NodeNetwork'),
    values('Node'),
    values('BgpConfiguration'),
    values('BgpPeering'),
    values('BgpRange'),
  ])
  const [cluster] = clusters
  if (cluster === undefined) {
    throw new InsightError('INSIGHT_NAME_UNKNOWN', 'there is no ClusterNetwork default', 'start weft controller')
  }
  const configuration = configurations.find(({ name }) => name === 'default')
  const wished = wishedBgp(fullMesh(cluster, machines), {
    ...(configuration === undefined ? {} : { configuration }),
    peerings,
    ranges,
    nodes,
  })
  return {
    ...wished,
    way: fabricOf(cluster).way,
    labels: new Map(nodes.map(({ name, labels = {} }) => [name, labels])),
  }
}
