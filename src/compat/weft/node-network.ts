/**
 * A node's part of the overlay as `weft.dev/v1alpha1` NodeNetwork: both families, and what the node's agent says.
 * `status` is no subresource: every write is one, with or without it.
 * @module
 */
import type { KubeBinding } from '../../kube/binding.ts'
import type { KubeObject, Resource } from '../../kube/object.ts'
import type { NodeNetwork, NodeNetworkStatus } from '../../network/model/node.ts'
import { at, listAt, nameOf, optionalField, textAt } from '../fields.ts'
import { clusterPlace, type MergePatch, objectOf } from '../merge.ts'

/** A node's part of the overlay. */
export const NODE_NETWORKS: Resource = {
  group: 'weft.dev',
  version: 'v1alpha1',
  plural: 'nodenetworks',
  kind: 'NodeNetwork',
  namespaced: false,
}

/** NodeNetwork ↔ NodeNetwork. */
export const nodeNetworkBinding: KubeBinding<'NodeNetwork'> = {
  resource: NODE_NETWORKS,
  place: clusterPlace,
  nameOf,
  decode,
  encode: (network) => objectOf(NODE_NETWORKS, clusterPlace(network.node), patch(network)),
  patch,
}

function decode(object: KubeObject): unknown {
  const agent = at(object, 'status', 'agent')
  return {
    node: nameOf(object),
    nodeUid: at(object, 'spec', 'nodeUID') ?? '',
    addresses: listAt(object, 'spec', 'addresses'),
    ranges: listAt(object, 'spec', 'ranges'),
    ...optionalField('problem', textAt(object, 'status', 'problem')),
    ...optionalField('status', agent === undefined ? undefined : statusIn(agent)),
  }
}

function statusIn(agent: unknown): unknown {
  const reason = at(agent, 'reason')
  return {
    ready: at(agent, 'ready'),
    ...optionalField('reason', reason),
    uplinkMtu: at(agent, 'uplinkMtu'),
    datapath: at(agent, 'datapath'),
  }
}

function patch({ nodeUid, addresses, ranges, problem, status }: NodeNetwork): MergePatch {
  return {
    spec: { nodeUID: nodeUid, addresses, ranges },
    status: {
      problem: problem ?? null,
      agent: status === undefined ? null : { ...status, reason: status.reason ?? null },
      conditions: status === undefined ? null : [readyCondition(status)],
    },
  }
}

/** For those who wait by the API's own means. */
function readyCondition({ ready, reason }: NodeNetworkStatus): MergePatch {
  return {
    type: 'Ready',
    status: ready ? 'True' : 'False',
    reason: ready ? 'AgentReady' : 'AgentNotReady',
    message: reason ?? '',
  }
}
