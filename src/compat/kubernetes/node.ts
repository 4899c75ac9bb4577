/**
 * Node and Namespace as the Kubernetes API has them.
 * @module
 */
import type { KubeBinding } from '../../kube/binding.ts'
import type { KubeObject } from '../../kube/object.ts'
import { NAMESPACES, NODES } from '../../kube/resources.ts'
import { NAMESPACE_NAME_LABEL, type Namespace } from '../../network/model/pod.ts'
import { annotationOf, at, listAt, nameOf, optionalField } from '../fields.ts'
import { clusterPlace, type MergePatch, objectOf } from '../merge.ts'
import { bandwidthIn, TOTAL_ANNOTATIONS } from './bandwidth.ts'

/** On a Namespace: why its pods cannot be attached. */
const PROBLEM = 'weft.dev/network-problem'
const MAX_PROBLEM = 1024

/** The kinds of address that other nodes reach a node at, the preferred first. Names are nothing to send packets to. */
const ADDRESS_TYPES = ['InternalIP', 'ExternalIP']

/** Node ↔ Node. The API server gives the uid; addresses are part of the status. */
export const nodeBinding: KubeBinding<'Node'> = {
  resource: NODES,
  place: clusterPlace,
  nameOf,
  decode: (object) => ({ name: nameOf(object), uid: at(object, 'metadata', 'uid'), addresses: addressesIn(object) }),
  encode: (node) => objectOf(NODES, clusterPlace(node.name), nodeStatus(node)),
  patch: () => ({}),
  statusPatch: nodeStatus,
}

/** Namespace ↔ Namespace. The API server gives the uid. */
export const namespaceBinding: KubeBinding<'Namespace'> = {
  resource: NAMESPACES,
  place: clusterPlace,
  nameOf,
  decode: (object) => ({
    name: nameOf(object),
    uid: at(object, 'metadata', 'uid'),
    ...optionalField('problem', annotationOf(object, PROBLEM)?.slice(0, MAX_PROBLEM) || undefined),
    ...optionalField('totals', bandwidthIn(object, TOTAL_ANNOTATIONS)),
    labels: { ...Object(at(object, 'metadata', 'labels')), [NAMESPACE_NAME_LABEL]: nameOf(object) },
  }),
  encode: ({ labels, ...namespace }) => {
    const { metadata } = namespacePatch(namespace)
    const patch = { metadata: { ...Object(metadata), ...optionalField('labels', labels) } }
    return objectOf(NAMESPACES, clusterPlace(namespace.name), patch)
  },
  patch: namespacePatch,
}

/** Labels are a new namespace's alone: they are others' business. */
function namespacePatch({ problem }: Namespace): MergePatch {
  return { metadata: { annotations: { [PROBLEM]: problem ?? null } } }
}

function addressesIn(object: KubeObject): readonly unknown[] {
  const all = listAt(object, 'status', 'addresses')
  const found = ADDRESS_TYPES.flatMap((type) => all.filter((one) => at(one, 'type') === type))
  return [...new Set(found.map((one) => at(one, 'address')))]
}

function nodeStatus({ addresses }: { readonly addresses: readonly string[] }): MergePatch {
  return { status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) } }
}
