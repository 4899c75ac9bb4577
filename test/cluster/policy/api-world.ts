/**
 * The objects that the API server has, as the oracle wants them.
 * @module
 */
import { weftBindings } from '../../../src/compat/bindings.ts'
import type { KubeObject } from '../../../src/kube/object.ts'
import { type Ip, ip } from '../../../src/network/model/address.ts'
import { type Decoded, describeProblems } from '../../../src/network/model/decode.ts'
import type { NodeNetwork } from '../../../src/network/model/node.ts'
import type { Namespace, Pod } from '../../../src/network/model/pod.ts'
import { POLICY_KINDS, type Policy, type PolicyKind } from '../../../src/network/model/policy.ts'
import { decodeNodeNetwork } from '../../../src/network/model/validate-node.ts'
import { decodeNamespace, decodePod } from '../../../src/network/model/validate-pod.ts'
import { decodePolicy } from '../../../src/network/model/validate-policy.ts'
import { POD_NETWORKS } from '../../tables/policy/objects.ts'
import type { World } from '../../tables/policy/world.ts'
import type { Cluster } from '../cluster.ts'

/** A world with the addresses of services. */
export interface ApiWorld extends World {
  /** By `<namespace>/<name>`. */
  readonly services: ReadonlyMap<string, readonly Ip[]>
}

interface ServiceObject extends KubeObject {
  readonly spec: { readonly clusterIPs?: readonly string[] }
}

/** A kind's name for kubectl. */
export function resourceName(kind: PolicyKind): string {
  const { plural, group } = weftBindings[kind].resource
  return `${plural}.${group}`
}

const WANTED = ['pods', 'namespaces', 'services', 'nodenetworks.weft.dev', ...POLICY_KINDS.map(resourceName)].join()

/** Asks for everything that counts. `names` are what DNS says. */
export async function readWorld(rig: Cluster, names: World['names'] = new Map()): Promise<ApiWorld> {
  const { items } = await rig.get<{ readonly items: readonly KubeObject[] }>(WANTED, '-A')
  const of = (kind: string): readonly KubeObject[] => items.filter((one) => one.kind === kind)
  return {
    policies: POLICY_KINDS.flatMap((kind) =>
      of(kind).map((object): Policy => orThrow(decodePolicy(weftBindings[kind].decode(object)))),
    ),
    namespaces: of('Namespace').map(
      (object): Namespace => orThrow(decodeNamespace(weftBindings.Namespace.decode(object))),
    ),
    pods: of('Pod')
      .filter((object) => weftBindings.Pod.nameOf(object) !== undefined)
      .map((object): Pod => orThrow(decodePod(weftBindings.Pod.decode(object)))),
    nodes: of('NodeNetwork').map(
      (object): NodeNetwork => orThrow(decodeNodeNetwork(weftBindings.NodeNetwork.decode(object))),
    ),
    podNetworks: POD_NETWORKS,
    names,
    services: new Map(
      (of('Service') as readonly ServiceObject[]).map(({ metadata, spec }) => [
        `${metadata.namespace}/${metadata.name}`,
        (spec.clusterIPs ?? []).filter((one) => one !== 'None').map(ip),
      ]),
    ),
  }
}

function orThrow<T>(decoded: Decoded<T>): T {
  if (decoded.ok) return decoded.value
  throw new Error(`the API server has what nobody understands: ${describeProblems(decoded.problems)}`)
}
