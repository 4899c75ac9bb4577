/**
 * How objects of the built-in kinds are prepared: read as the API's types, completed with Kubernetes' defaults, and
 * refused in its words. Source of both: a kube-apiserver 1.32, asked. Fields that the server does not know are kept.
 * @module
 */
import type { ServedResource } from '../../contract.ts'
import { invalid } from '../../http/status.ts'
import type { KindNames } from '../kinds.ts'
import { CONFIG_MAP, SECRET } from './config.ts'
import { decoded } from './decode.ts'
import { ENDPOINT_SLICE, ENDPOINTS } from './endpoint-slice.ts'
import { NETWORK_POLICY } from './network-policy.ts'
import { EVENT, LEASE, NODE } from './plain.ts'
import { POD } from './pod.ts'
import type { Preparation } from './preparation.ts'
import { SERVICE } from './service.ts'
import { DEPLOYMENT, REPLICA_SET, STATEFUL_SET } from './workload.ts'

/** How objects of a kind are prepared. It throws a 400 for wrong types, a 422 that names every wrong field. */
export function prepareOf(names: KindNames): ServedResource['prepare'] {
  const { complete, problems, changeProblems } = PREPARATIONS.get(names.kind) ?? {}
  return (object, before) => {
    const read = decoded(object)
    const completed = complete?.(read, before) ?? read
    const found = [
      ...(problems?.(completed) ?? []),
      ...(before === undefined ? [] : (changeProblems?.(completed, before) ?? [])),
    ]
    if (found.length > 0) throw invalid(names, object.metadata.name, found.slice(0, MOST_CAUSES))
    return completed
  }
}

const MOST_CAUSES = 100

/** Kinds that are not named have neither defaults nor rules beside their types. */
const PREPARATIONS: ReadonlyMap<string, Preparation> = new Map([
  ['Pod', POD],
  ['Service', SERVICE],
  ['Deployment', DEPLOYMENT],
  ['ReplicaSet', REPLICA_SET],
  ['StatefulSet', STATEFUL_SET],
  ['ConfigMap', CONFIG_MAP],
  ['Secret', SECRET],
  ['EndpointSlice', ENDPOINT_SLICE],
  ['Endpoints', ENDPOINTS],
  ['NetworkPolicy', NETWORK_POLICY],
  ['Lease', LEASE],
  ['Event', EVENT],
  ['Node', NODE],
])
