/**
 * EndpointSlice as the Kubernetes API has it.
 * @module
 */
import type { KubeBinding } from '../../kube/binding.ts'
import type { KubeObject } from '../../kube/object.ts'
import { ENDPOINT_SLICES } from '../../kube/resources.ts'
import { familyOf } from '../../network/model/address.ts'
import type { EndpointSlice } from '../../network/model/service.ts'
import { at, listAt, nameOf, optionalField, qualifiedNameOf, textAt } from '../fields.ts'
import { type MergePatch, namespacedPlace, objectOf } from '../merge.ts'

/** The service that a slice belongs to. */
const SERVICE_NAME = 'kubernetes.io/service-name'
const ADDRESS_TYPES: readonly unknown[] = ['IPv4', 'IPv6']

/** EndpointSlice ↔ EndpointSlice. Slices of DNS names, and those of no service, are none of ours. */
export const endpointSliceBinding: KubeBinding<'EndpointSlice'> = {
  resource: ENDPOINT_SLICES,
  place: namespacedPlace,
  nameOf: (object) =>
    ADDRESS_TYPES.includes(at(object, 'addressType')) && serviceOf(object) !== undefined
      ? qualifiedNameOf(object)
      : undefined,
  decode,
  encode: (slice) =>
    objectOf(
      ENDPOINT_SLICES,
      { name: slice.name, namespace: slice.namespace },
      { ...patch(slice), addressType: addressTypeOf(slice) },
    ),
  patch,
}

function serviceOf(object: KubeObject): string | undefined {
  return textAt(object, 'metadata', 'labels', SERVICE_NAME)
}

function decode(object: KubeObject): unknown {
  return {
    namespace: at(object, 'metadata', 'namespace'),
    name: nameOf(object),
    service: serviceOf(object),
    // A port without a number stands for all of them, which no service port can lead to.
    ports: listAt(object, 'ports').flatMap((port) => (at(port, 'port') === undefined ? [] : [portIn(port)])),
    endpoints: listAt(object, 'endpoints').flatMap(endpointIn),
  }
}

function portIn(port: unknown): unknown {
  return { name: at(port, 'name') ?? '', protocol: at(port, 'protocol') ?? 'TCP', port: at(port, 'port') }
}

/** The addresses of one endpoint are interchangeable: the first one stands for all. */
function endpointIn(endpoint: unknown): readonly unknown[] {
  const [address] = listAt(endpoint, 'addresses')
  if (address === undefined) return []
  // Who says nothing about itself is taken to be well.
  const ready = at(endpoint, 'conditions', 'ready') ?? true
  return [
    {
      address,
      ready,
      serving: at(endpoint, 'conditions', 'serving') ?? ready,
      terminating: at(endpoint, 'conditions', 'terminating') ?? false,
      ...optionalField('node', textAt(endpoint, 'nodeName')),
    },
  ]
}

function addressTypeOf({ endpoints }: EndpointSlice): string {
  return endpoints[0] === undefined ? 'IPv4' : `IPv${familyOf(endpoints[0].address)}`
}

function patch({ service, ports, endpoints }: EndpointSlice): MergePatch {
  return {
    metadata: { labels: { [SERVICE_NAME]: service } },
    ports,
    endpoints: endpoints.map(({ address, ready, serving, terminating, node }) => ({
      addresses: [address],
      conditions: { ready, serving, terminating },
      ...optionalField('nodeName', node),
    })),
  }
}
