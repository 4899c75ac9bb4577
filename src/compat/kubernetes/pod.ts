/**
 * Pod as the Kubernetes API has it.
 * @module
 */
import type { KubeBinding } from '../../kube/binding.ts'
import type { KubeObject } from '../../kube/object.ts'
import { PODS } from '../../kube/resources.ts'
import type { Pod } from '../../network/model/pod.ts'
import { at, listAt, nameOf, qualifiedNameOf, textAt } from '../fields.ts'
import { type MergePatch, namespacedPlace, objectOf } from '../merge.ts'

/** Pods that have run to their end keep their addresses on paper; others may have got them since. */
const ENDED: readonly unknown[] = ['Succeeded', 'Failed']

/** Pod ↔ Pod. One on the node's own network is none of ours. The API server gives the uid; addresses are status. */
export const podBinding: KubeBinding<'Pod'> = {
  resource: PODS,
  place: namespacedPlace,
  nameOf: (object) => (at(object, 'spec', 'hostNetwork') === true ? undefined : qualifiedNameOf(object)),
  decode,
  encode: (pod) => objectOf(PODS, { name: pod.name, namespace: pod.namespace }, { ...newSpec(pod), ...status(pod) }),
  patch: ({ node }) => (node === '' ? {} : { spec: { nodeName: node } }),
  statusPatch: status,
}

function decode(object: KubeObject): unknown {
  return {
    namespace: at(object, 'metadata', 'namespace'),
    name: nameOf(object),
    uid: at(object, 'metadata', 'uid'),
    node: at(object, 'spec', 'nodeName') ?? '',
    addresses: ENDED.includes(at(object, 'status', 'phase')) ? [] : addressesIn(object),
  }
}

function addressesIn(object: KubeObject): readonly unknown[] {
  const all = listAt(object, 'status', 'podIPs').map((one) => at(one, 'ip'))
  const only = textAt(object, 'status', 'podIP')
  return all.length > 0 || only === undefined ? all : [only]
}

/** The least that the API takes for a pod. */
function newSpec({ node }: Pod): MergePatch {
  return { spec: { nodeName: node === '' ? null : node, containers: [{ name: 'main', image: 'none' }] } }
}

function status({ addresses }: Pod): MergePatch {
  return { status: { podIP: addresses[0] ?? null, podIPs: addresses.map((ip) => ({ ip })) } }
}
