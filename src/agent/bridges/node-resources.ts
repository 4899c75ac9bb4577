/**
 * A node's resources in the cluster, by which pods are placed.
 * @module
 */
import { resourcePatch } from '../../compat/ovs-cni/resources.ts'
import type { KubeApi } from '../../kube/api.ts'
import { NODES } from '../../kube/resources.ts'

/** The bridges of a node as resources. */
export interface NodeResources {
  /** Makes these the node's bridge resources; others' stay. Throws a KubeError. */
  set(names: ReadonlySet<string>, signal: AbortSignal): Promise<void>
}

/**
 * The same as the status of a Node, of which kubelet makes what can be allocated. One that is not there is no error: it comes
 * with its kubelet.
 */
export function kubeNodeResources(api: Pick<KubeApi, 'list' | 'patch'>, node: string): NodeResources {
  return {
    set: async (names, signal) => {
      const { items } = await api.list(NODES, { fieldSelector: `metadata.name=${node}` }, signal)
      const [object] = items
      const patch = object === undefined ? [] : resourcePatch(object, names)
      if (patch.length > 0) await api.patch(NODES, { name: node }, 'json', patch, 'status', signal)
    },
  }
}
