/**
 * Calico's NetworkSet and GlobalNetworkSet: addresses with labels, which rules select as they select pods.
 * @module
 */
import type { KubeBinding } from '../../../kube/binding.ts'
import type { KubeObject, Resource } from '../../../kube/object.ts'
import { MAX_NETS, type NetworkSetKind } from '../../../network/model/network-set.ts'
import { at, nameOf, optionalField, qualifiedNameOf, textAt } from '../../fields.ts'
import { clusterPlace, namespacedPlace, objectOf } from '../../merge.ts'
import { Notes } from '../../policy/notes.ts'
import { hostOrNetworkIn } from './entity.ts'
import { GLOBAL_NETWORK_SETS, NETWORK_SETS } from './resources.ts'

/** NetworkSet ↔ NetworkSet of Calico. */
export const networkSetBinding: KubeBinding<'NetworkSet'> = bindingOf('NetworkSet', NETWORK_SETS)

/** NetworkSet ↔ GlobalNetworkSet. */
export const globalNetworkSetBinding: KubeBinding<'GlobalNetworkSet'> = bindingOf(
  'GlobalNetworkSet',
  GLOBAL_NETWORK_SETS,
)

function bindingOf(kind: NetworkSetKind, resource: Resource): KubeBinding<NetworkSetKind> {
  return {
    resource,
    isOptional: true,
    place: resource.namespaced ? namespacedPlace : clusterPlace,
    nameOf: resource.namespaced ? qualifiedNameOf : nameOf,
    decode: (object) => decode(kind, resource, object),
    encode: ({ namespace, name, labels, nets }) =>
      objectOf(resource, { name, ...optionalField('namespace', namespace) }, { metadata: { labels }, spec: { nets } }),
    patch: ({ labels, nets }) => ({ metadata: { labels }, spec: { nets } }),
  }
}

/** A network that nobody understands is left out; one that is there twice counts once. */
function decode(kind: NetworkSetKind, { namespaced }: Resource, object: KubeObject): unknown {
  const listed = at(object, 'spec', 'nets')
  const nets = Array.isArray(listed) ? listed.slice(0, MAX_NETS) : []
  const notes = new Notes('spec.nets')
  return {
    kind,
    ...optionalField('namespace', namespaced ? textAt(object, 'metadata', 'namespace') : undefined),
    name: nameOf(object),
    labels: at(object, 'metadata', 'labels') ?? {},
    nets: [...new Set(nets.flatMap((net, index) => hostOrNetworkIn(net, notes.at(index)) ?? []))],
  }
}
