/**
 * Where a node's agent says how it does, in a Kubernetes API: an object of its own that it alone may write.
 * @module
 */
import type { NodeNetwork, NodeNetworkStatus } from '../network/model/node.ts'
import type { KubeApi } from './api.ts'
import type { KubeObject, Resource } from './object.ts'

/** The translation between what an agent says and the object that holds it. */
export interface NodeReports {
  readonly resource: Resource
  encode(network: NodeNetwork, status: NodeNetworkStatus): KubeObject
  /** The merge patch that makes an existing object hold this. */
  patch(network: NodeNetwork, status: NodeNetworkStatus): Readonly<Record<string, unknown>>
  /** Whether an object holds this already. */
  says(object: KubeObject, network: NodeNetwork, status: NodeNetworkStatus): boolean
}

/** Writes a report unless it is there already. Throws a KubeError. */
export async function writeReport(
  api: KubeApi,
  reports: NodeReports,
  network: NodeNetwork,
  status: NodeNetworkStatus,
): Promise<void> {
  const { resource } = reports
  const found = await api.get(resource, { name: network.node })
  if (found === undefined) await api.create(resource, reports.encode(network, status))
  else if (!reports.says(found, network, status)) {
    await api.patch(resource, { name: network.node }, 'merge', reports.patch(network, status))
  }
}
