/**
 * Services and slices for tests of names.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'

/** A service; `spec` as the API has it. */
export function service(namespace: string, name: string, spec: object): KubeObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { namespace, name }, spec }
}

/** A slice of a service. */
export function slice(
  owner: KubeObject,
  name: string,
  endpoints: readonly object[],
  ports: readonly object[] = [],
): KubeObject {
  const { namespace = '', name: of } = owner.metadata
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace, name, labels: { 'kubernetes.io/service-name': of } },
    addressType: 'IPv4',
    endpoints,
    ports,
  }
}

/** An endpoint of one address. */
export function endpoint(address: string, more: { readonly ready?: boolean; readonly hostname?: string } = {}): object {
  const { ready = true, hostname } = more
  return { addresses: [address], conditions: { ready }, ...(hostname === undefined ? {} : { hostname }) }
}
