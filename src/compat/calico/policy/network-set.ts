/**
 * Calico's NetworkSet and GlobalNetworkSet: addresses with labels, which rules select as they select pods.
 * @module
 */
import type { KubeBinding } from '../../../kube/binding.ts'
import type { KubeObject, Resource } from '../../../kube/object.ts'
import type { Cidr } from '../../../network/model/address.ts'
import { shown } from '../../../network/model/decode.ts'
import { MAX_NETS, type NetworkSetKind } from '../../../network/model/network-set.ts'
import { at, nameOf, optionalField, qualifiedNameOf, textAt } from '../../fields.ts'
import { clusterPlace, namespacedPlace, objectOf } from '../../merge.ts'
import { Notes } from '../../policy/notes.ts'
import { fieldsIn } from '../../policy/reading.ts'
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

/** What cannot be read is left out, and said to be: rules that select the set know then that it holds more. */
function decode(kind: NetworkSetKind, { namespaced }: Resource, object: KubeObject): unknown {
  const notes = new Notes('spec')
  const nets = netsIn(at(object, 'spec'), notes)
  const { problems } = notes
  return {
    kind,
    ...optionalField('namespace', namespaced ? textAt(object, 'metadata', 'namespace') : undefined),
    name: nameOf(object),
    ...optionalField('uid', textAt(object, 'metadata', 'uid')),
    labels: at(object, 'metadata', 'labels') ?? {},
    nets: [...new Set(nets)],
    ...optionalField('problems', problems.length === 0 ? undefined : problems),
  }
}

function netsIn(spec: unknown, notes: Notes): readonly Cidr[] {
  const { nets = [] } = (spec === undefined ? {} : fieldsIn(spec, ['nets'], notes)) ?? {}
  const at = notes.at('nets')
  if (!Array.isArray(nets)) return at.problem(`${shown(nets)} is not a list`) ?? []
  if (nets.length > MAX_NETS) at.problem(`${nets.length} networks are more than the ${MAX_NETS} that can be`)
  return nets.slice(0, MAX_NETS).flatMap((net, index) => hostOrNetworkIn(net, at.at(index)) ?? [])
}
