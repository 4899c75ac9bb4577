/**
 * EndpointSlices, and the Endpoints that were before them.
 * @module
 */
import { familyOf, parseIp } from '../../../../network/model/address.ts'
import type { Cause } from '../../http/status.ts'
import { duplicate, invalidValue, required, tooMany } from '../../objects/causes.ts'
import { arrayAt, type Fields, fieldsAt, textAt } from '../../objects/shape.ts'
import { changedItems, filled } from './fill.ts'
import type { Preparation } from './preparation.ts'
import { backendAddress, dnsLabel, dnsSubdomain, given, ipAddress, oneOf, qualifiedName } from './syntax.ts'

/** EndpointSlices. */
export const ENDPOINT_SLICE: Preparation = {
  complete: (slice) => {
    const { apiVersion, kind, metadata, ...rest } = slice
    const withConditions = changedItems(rest, 'endpoints', (endpoint) => ({ conditions: {}, ...endpoint }))
    const completed = changedItems(withConditions, 'ports', (port) => ({
      name: '',
      ...filled(port, { protocol: 'TCP' }),
    }))
    return { apiVersion, kind, metadata, ...completed }
  },
  problems: (slice) => [...addressTypeProblems(slice), ...endpointProblems(slice), ...portProblems(slice)],
  changeProblems: (slice, before) =>
    slice['addressType'] === before['addressType']
      ? []
      : [invalidValue('addressType', slice['addressType'], 'field is immutable')],
}

/** Endpoints. */
export const ENDPOINTS: Preparation = {
  complete: ({ apiVersion, kind, metadata, ...rest }) => {
    const completed = changedItems(rest, 'subsets', (subset) =>
      changedItems(subset, 'ports', (port) => filled(port, { protocol: 'TCP' })),
    )
    return { apiVersion, kind, metadata, ...completed }
  },
  problems: (endpoints) =>
    arrayAt(endpoints, 'subsets').flatMap((subset, index) =>
      arrayAt(subset, 'addresses').flatMap((address, place) => {
        const field = `subsets[${index}].addresses[${place}].ip`
        const ip = textAt(address, 'ip') ?? ''
        return [...ipAddress(field, ip), ...backendAddress(field, ip)]
      }),
    ),
}

const TYPES = ['FQDN', 'IPv4', 'IPv6']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const MOST_ENDPOINTS = 1000
const MOST_ADDRESSES = 100
const MOST_PORTS = 20_000

function addressTypeProblems(slice: Fields): readonly Cause[] {
  const type = textAt(slice, 'addressType') ?? ''
  return type === '' ? [required('addressType')] : oneOf('addressType', type, TYPES)
}

function endpointProblems(slice: Fields): readonly Cause[] {
  const endpoints = arrayAt(slice, 'endpoints')
  if (endpoints.length > MOST_ENDPOINTS) return [tooMany('endpoints', endpoints.length, MOST_ENDPOINTS)]
  const type = textAt(slice, 'addressType') ?? ''
  return endpoints.flatMap((endpoint, index) => problemsOfEndpoint(fieldsAt(endpoint), type, `endpoints[${index}]`))
}

function problemsOfEndpoint(endpoint: Fields, type: string, at: string): readonly Cause[] {
  const addresses = arrayAt(endpoint, 'addresses')
  const count =
    addresses.length === 0
      ? [required(`${at}.addresses`, 'must contain at least 1 address')]
      : addresses.length > MOST_ADDRESSES
        ? [tooMany(`${at}.addresses`, addresses.length, MOST_ADDRESSES)]
        : []
  return [
    ...count,
    ...addresses.flatMap((address, index) => addressProblems(`${at}.addresses[${index}]`, String(address), type)),
    ...given(`${at}.nodeName`, textAt(endpoint, 'nodeName'), dnsSubdomain),
    ...given(`${at}.hostname`, textAt(endpoint, 'hostname'), dnsLabel),
  ]
}

function addressProblems(field: string, address: string, type: string): readonly Cause[] {
  if (type === 'FQDN') return dnsSubdomain(field, address)
  const family = type === 'IPv4' ? 4 : type === 'IPv6' ? 6 : undefined
  if (family === undefined) return []
  const parsed = parseIp(address)
  const isOther = parsed === undefined || familyOf(parsed) !== family
  const other = isOther ? [invalidValue(field, address, `must be a valid ${type} address`)] : []
  return [...other, ...backendAddress(field, address)]
}

function portProblems(slice: Fields): readonly Cause[] {
  const ports = arrayAt(slice, 'ports').map((port) => fieldsAt(port))
  if (ports.length > MOST_PORTS) return [tooMany('ports', ports.length, MOST_PORTS)]
  const seen = new Set<unknown>()
  return ports.flatMap((port, index) => {
    const at = `ports[${index}]`
    const name = port['name']
    const isRepeated = seen.has(name)
    seen.add(name)
    return [
      ...(isRepeated ? [duplicate(`${at}.name`, name)] : []),
      ...given(`${at}.name`, textAt(port, 'name'), dnsLabel),
      ...oneOf(`${at}.protocol`, textAt(port, 'protocol'), PROTOCOLS),
      ...given(`${at}.appProtocol`, textAt(port, 'appProtocol'), qualifiedName),
    ]
  })
}
