/**
 * The tables of services and of the addresses behind them.
 * @module
 */
import type { KubeObject } from '../../../../kube/object.ts'
import type { ServedResource } from '../../contract.ts'
import { arrayAt, fieldsAt, numberAt, textAt } from '../../objects/shape.ts'
import { ageOf } from '../age.ts'
import { AGE, NAME, NONE, text, wide } from '../columns.ts'
import { labels, listed, shortened } from '../words.ts'

type Table = NonNullable<ServedResource['table']>

export const SERVICES: Table = {
  columns: [
    NAME,
    text('Type', 'How it is reached.'),
    text('Cluster-IP', 'Its address.'),
    text('External-IP', 'Where it is reached from outside.'),
    text('Port(s)', 'Its ports, and those of the nodes.'),
    AGE,
    wide('Selector', 'The labels of the pods behind it.'),
  ],
  cells: (service, now) => [
    service.metadata.name,
    textAt(service, 'spec', 'type') ?? 'ClusterIP',
    textAt(service, 'spec', 'clusterIP') || NONE,
    outside(service),
    listed(arrayAt(service, 'spec', 'ports').map(portOf)),
    ageOf(service.metadata.creationTimestamp, now),
    labels(fieldsAt(service, 'spec', 'selector')),
  ],
}

export const ENDPOINTS: Table = {
  columns: [NAME, text('Endpoints', 'The backends.'), AGE],
  cells: (object, now) => [
    object.metadata.name,
    shortened(arrayAt(object, 'subsets').flatMap(backends), NONE),
    ageOf(object.metadata.creationTimestamp, now),
  ],
}

export const ENDPOINT_SLICES: Table = {
  columns: [
    NAME,
    text('AddressType', 'The family of its addresses.'),
    text('Ports', 'The ports of every backend.'),
    text('Endpoints', 'The addresses of the backends.'),
    AGE,
  ],
  cells: (slice, now) => [
    slice.metadata.name,
    textAt(slice, 'addressType'),
    shortened(
      arrayAt(slice, 'ports').map((port) => `${numberAt(port, 'port') ?? textAt(port, 'name') ?? '*'}`),
      '<unset>',
    ),
    shortened(
      arrayAt(slice, 'endpoints').flatMap((endpoint) => arrayAt(endpoint, 'addresses').map(String)),
      '<unset>',
    ),
    ageOf(slice.metadata.creationTimestamp, now),
  ],
}

function outside(service: KubeObject): string {
  const added = arrayAt(service, 'spec', 'externalIPs')
  switch (textAt(service, 'spec', 'type')) {
    case 'ExternalName':
      return textAt(service, 'spec', 'externalName') ?? NONE
    case 'LoadBalancer': {
      const given = arrayAt(service, 'status', 'loadBalancer', 'ingress').map(
        (ingress) => textAt(ingress, 'ip') ?? textAt(ingress, 'hostname') ?? '',
      )
      return [...given, ...added].length === 0 ? '<pending>' : listed([...given, ...added])
    }
    default:
      return listed(added)
  }
}

function portOf(port: unknown): string {
  const nodePort = numberAt(port, 'nodePort') ?? 0
  const outer = nodePort === 0 ? '' : `:${nodePort}`
  return `${numberAt(port, 'port') ?? 0}${outer}/${textAt(port, 'protocol') ?? 'TCP'}`
}

function backends(subset: unknown): readonly string[] {
  const addresses = arrayAt(subset, 'addresses').map((address) => textAt(address, 'ip') ?? '')
  const ports = arrayAt(subset, 'ports').map((port) => numberAt(port, 'port') ?? 0)
  if (ports.length === 0) return addresses
  return ports.flatMap((port) =>
    addresses.map((address) => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`)),
  )
}
