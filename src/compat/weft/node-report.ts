/**
 * What a node's agent says of itself, as `weft.dev/v1alpha1` NodeReport: an object of its own, so that an agent needs no
 * permission on NodeNetworks, which say where every node is. The controller copies it there (docs/adr/0014).
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import type { NodeReports } from '../../kube/node-reports.ts'
import type { KubeObject, Resource } from '../../kube/object.ts'
import type { Machine, NodeNetwork, NodeNetworkStatus } from '../../network/model/node.ts'
import { decodeNodeStatus } from '../../network/model/validate-node.ts'
import { at, optionalField } from '../fields.ts'
import { clusterPlace, type MergePatch, objectOf } from '../merge.ts'
import { agentFields, rangeFields } from './node-network.ts'

/** What a node's agent says of itself, named as the node. */
export const NODE_REPORTS: Resource = {
  group: 'weft.dev',
  version: 'v1alpha1',
  plural: 'nodereports',
  kind: 'NodeReport',
  namespaced: false,
}

/** A report that can be read. */
export interface NodeReport {
  /** The Node that it is about; empty for an external host. */
  readonly nodeUid: string
  readonly status: NodeNetworkStatus
}

/** How an agent's registry writes reports. */
export const nodeReports: NodeReports = {
  resource: NODE_REPORTS,
  encode: (network, status) => objectOf(NODE_REPORTS, clusterPlace(network.node), patch(network, status)),
  patch,
  says: (object, network, status) => {
    const report = nodeReportIn(object)
    return report?.nodeUid === uidOf(network.machine) && sameStatus(report.status, status)
  },
}

/** The report in an object; undefined for one that means nothing. */
export function nodeReportIn(object: KubeObject): NodeReport | undefined {
  const agent = at(object, 'agent')
  const decoded = decodeNodeStatus({
    ready: at(agent, 'ready'),
    ...optionalField('reason', at(agent, 'reason')),
    uplinkMtu: at(agent, 'uplinkMtu'),
    datapath: at(agent, 'datapath'),
    ...optionalField('direct', at(agent, 'direct')),
    ...rangeFields(agent),
    ...optionalField('beat', at(agent, 'beat')),
  })
  const nodeUid = at(object, 'nodeUID') ?? ''
  return decoded.ok && typeof nodeUid === 'string' ? { nodeUid, status: decoded.value } : undefined
}

/** Whether two agents say the same. */
export function sameStatus(a: NodeNetworkStatus, b: NodeNetworkStatus): boolean {
  return isDeepStrictEqual(a, b)
}

/** The Node that a machine is, if it is one. */
export function uidOf(machine: Machine): string {
  return machine.kind === 'node' ? machine.uid : ''
}

function patch({ machine, node }: NodeNetwork, status: NodeNetworkStatus): MergePatch {
  const nodeUID = uidOf(machine)
  // It goes with its Node: then another agent speaks for the name.
  const owners = nodeUID === '' ? [] : [{ apiVersion: 'v1', kind: 'Node', name: node, uid: nodeUID }]
  return {
    metadata: { ownerReferences: owners },
    nodeUID,
    agent: agentFields(status),
  }
}
