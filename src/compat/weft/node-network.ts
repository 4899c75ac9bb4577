/**
 * A node's part of the overlay as `weft.dev/v1alpha1` NodeNetwork: both families, and what the node's agent says.
 * `status` is no subresource: every write is one, with or without it.
 * @module
 */
import type { KubeBinding } from '../../kube/binding.ts'
import type { KubeObject, Resource } from '../../kube/object.ts'
import type { NodeNetwork, NodeNetworkStatus } from '../../network/model/node.ts'
import { GLOBAL_VNI } from '../../network/model/tenant.ts'
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
    machine: machineIn(object),
    addresses: listAt(object, 'spec', 'addresses'),
    ranges: listAt(object, 'spec', 'ranges'),
    ...optionalField('closing', at(object, 'spec', 'closing')),
    ...optionalField('problem', textAt(object, 'status', 'problem')),
    ...optionalField('silence', textAt(object, 'status', 'silence')),
    ...optionalField('status', agent === undefined ? undefined : statusIn(agent)),
  }
}

/** What has no Node's uid was declared by an administrator; without a word about its VNI it is global. */
function machineIn(object: KubeObject): unknown {
  const uid = at(object, 'spec', 'nodeUID') ?? ''
  if (uid !== '') return { kind: 'node', uid }
  return { kind: 'external', vni: at(object, 'spec', 'external', 'vni') ?? GLOBAL_VNI }
}

function statusIn(agent: unknown): unknown {
  const reason = at(agent, 'reason')
  return {
    ready: at(agent, 'ready'),
    ...optionalField('reason', reason),
    uplinkMtu: at(agent, 'uplinkMtu'),
    datapath: at(agent, 'datapath'),
    ...optionalField('direct', at(agent, 'direct')),
    ...rangeFields(agent),
    ...optionalField('beat', at(agent, 'beat')),
  }
}

/** What an agent says of its ranges: families go by their names. */
export function rangeFields(agent: unknown): object {
  const wants = at(agent, 'wants')
  const wanted = { ...optionalField('4', at(wants, 'IPv4')), ...optionalField('6', at(wants, 'IPv6')) }
  return {
    ...optionalField('wants', wants === undefined ? undefined : wanted),
    ...optionalField('unused', at(agent, 'unused')),
  }
}

function patch({ machine, addresses, ranges, closing, problem, silence, status }: NodeNetwork): MergePatch {
  const owner =
    machine.kind === 'node'
      ? { nodeUID: machine.uid, external: null }
      : { nodeUID: null, external: { vni: machine.vni } }
  return {
    spec: { ...owner, addresses, ranges, closing: closing ?? null },
    status: {
      problem: problem ?? null,
      silence: silence ?? null,
      agent: status === undefined ? null : agentFields(status),
      conditions: status === undefined ? null : [readyCondition(status, silence)],
    },
  }
}

/** What an agent says, as a patch: what it no longer says is taken away. */
export function agentFields(status: NodeNetworkStatus): MergePatch {
  const { wants, unused } = status
  return {
    ...status,
    reason: status.reason ?? null,
    direct: status.direct ?? null,
    wants: wants === undefined ? null : { IPv4: wants[4] ?? null, IPv6: wants[6] ?? null },
    unused: unused ?? null,
    beat: status.beat ?? null,
  }
}

/** For those who wait by the API's own means. */
function readyCondition({ ready, reason }: NodeNetworkStatus, silence: string | undefined): MergePatch {
  if (silence !== undefined) return { type: 'Ready', status: 'Unknown', reason: 'AgentSilent', message: silence }
  return {
    type: 'Ready',
    status: ready ? 'True' : 'False',
    reason: ready ? 'AgentReady' : 'AgentNotReady',
    message: reason ?? '',
  }
}
