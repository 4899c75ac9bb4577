/**
 * What a service and a slice of its endpoints must be. The bounds are those of the Kubernetes API.
 * @module
 */
import { type At, below, type Decode, type Decoded, decodeWith, reject } from './decode.ts'
import { address, checked, flag, integer, list, literal, optional, record, text } from './decoders.ts'
import { namespaceName, objectName } from './names.ts'
import type { EndpointPort, EndpointSlice, Service, ServiceEndpoint, ServicePort } from './service.ts'

const MAX_PORTS = 100
const MAX_CLUSTER_IPS = 2
/** Of each kind. The Kubernetes API knows no bound: whoever decodes leaves out what is beyond. */
export const MAX_OUTSIDE_IPS = 16
/** A slice of the Kubernetes API holds at most this many. */
const MAX_ENDPOINTS = 1000
/** One day: the most that the Kubernetes API allows. */
const MAX_AFFINITY_SECONDS = 86_400

const portNumber = integer(1, 65_535)
const portName = text(0, 63)
const protocol = literal('TCP', 'UDP', 'SCTP')
const policy = literal('Cluster', 'Local')

const servicePort: Decode<ServicePort> = record<ServicePort>({
  name: portName,
  protocol,
  port: portNumber,
  nodePort: optional(portNumber),
})

const service: Decode<Service> = checked(
  record<Service>({
    namespace: namespaceName,
    name: objectName,
    clusterIps: list(address, MAX_CLUSTER_IPS),
    externalIps: optional(list(address, MAX_OUTSIDE_IPS)),
    loadBalancerIps: optional(list(address, MAX_OUTSIDE_IPS)),
    ports: list(servicePort, MAX_PORTS),
    affinitySeconds: optional(integer(1, MAX_AFFINITY_SECONDS)),
    internalPolicy: policy,
    externalPolicy: policy,
  }),
  checkPortsOnce,
)

const endpointPort: Decode<EndpointPort> = record<EndpointPort>({ name: portName, protocol, port: portNumber })

const endpoint: Decode<ServiceEndpoint> = record<ServiceEndpoint>({
  address,
  ready: flag,
  serving: flag,
  terminating: flag,
  node: optional(objectName),
})

const slice: Decode<EndpointSlice> = record<EndpointSlice>({
  namespace: namespaceName,
  name: objectName,
  service: objectName,
  ports: list(endpointPort, MAX_PORTS),
  endpoints: list(endpoint, MAX_ENDPOINTS),
})

/** The service in this input, or what is wrong with it. */
export function decodeService(input: unknown): Decoded<Service> {
  return decodeWith(service, input)
}

/** The endpoint slice in this input, or what is wrong with it. */
export function decodeEndpointSlice(input: unknown): Decoded<EndpointSlice> {
  return decodeWith(slice, input)
}

/** One protocol and port can lead to one place only. */
function checkPortsOnce({ ports }: Service, at: At): void {
  const seen = new Set<string>()
  for (const [index, { protocol, port }] of ports.entries()) {
    const key = `${port}/${protocol}`
    if (seen.has(key)) {
      reject(below(below(at, 'ports'), index), `port ${key} is there twice`, 'give every port and protocol once')
    }
    seen.add(key)
  }
}
