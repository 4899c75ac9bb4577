/**
 * What a service is given when it is written: families, cluster addresses, node ports.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import { type Family, familyOf, type Ip } from '../../../network/model/address.ts'
import { ApiError, type ServedResource } from '../contract.ts'
import { type Cause, invalid } from '../http/status.ts'
import { keyOf } from '../store/change.ts'
import { addressesOf, type Refusal, type ServiceAddresses } from './service-addresses.ts'
import { arrayAt, type Fields, fieldsAt, numberAt, textAt } from './shape.ts'

/** The service with addresses of its own. Throws a 422 for what cannot be had. */
export function withAddresses(
  resource: ServedResource,
  service: KubeObject,
  before: KubeObject | undefined,
  addresses: ServiceAddresses,
): KubeObject {
  const request: Request = {
    service,
    before,
    addresses,
    key: keyOf(service.metadata.namespace ?? '', service.metadata.name),
    fail: (field, message) => {
      const cause: Cause = { reason: 'FieldValueInvalid', field, message }
      throw invalid(resource, service.metadata.name, [cause])
    },
  }
  const type = textAt(service, 'spec', 'type') ?? 'ClusterIP'
  const spec = { ...fieldsAt(service, 'spec'), type }
  if (type === 'ExternalName') return { ...service, spec: without(spec, ADDRESS_FIELDS) }
  const ports = withNodePorts(request, type)
  const rest = without(spec, ADDRESS_FIELDS)
  return { ...service, spec: { ...rest, ...(ports === undefined ? {} : { ports }), ...clusterAddresses(request) } }
}

const ADDRESS_FIELDS = ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']

interface Request {
  readonly service: KubeObject
  readonly before: KubeObject | undefined
  readonly addresses: ServiceAddresses
  readonly key: string
  fail(field: string, message: string): never
}

function clusterAddresses(request: Request): Fields {
  const { service, before } = request
  const asked = textAt(service, 'spec', 'clusterIP') ?? arrayAt(service, 'spec', 'clusterIPs')[0]
  const had = before === undefined ? [] : addressesOf(before)
  const policy = policyOf(request)
  if (asked === 'None') {
    if (had.length > 0) request.fail('spec.clusterIPs[0]', `Invalid value: ["None"]: may not change once set`)
    const ipFamilies = familiesOf(request, policy, []).map(nameOf)
    return { clusterIP: 'None', clusterIPs: ['None'], ipFamilies, ipFamilyPolicy: policy }
  }
  if (typeof asked === 'string' && asked !== '' && addressesOf(service).length === 0) {
    request.fail('spec.clusterIPs[0]', `Invalid value: ${JSON.stringify(asked.slice(0, 60))}: must be a valid IP`)
  }
  const wanted = wantedAddresses(request, had)
  const families = familiesOf(request, policy, wanted)
  const clusterIPs = families.map((family, index) => addressOf(request, family, wanted[index]))
  return { clusterIP: clusterIPs[0], clusterIPs, ipFamilies: families.map(nameOf), ipFamilyPolicy: policy }
}

/** What is asked for, or what it has already. */
function wantedAddresses(request: Request, had: readonly Ip[]): readonly Ip[] {
  const asked = addressesOf(request.service)
  const [first] = had
  if (first === undefined) return asked
  const single = textAt(request.service, 'spec', 'clusterIP')
  const primary =
    single !== undefined && single !== ''
      ? addressesOf({ ...request.service, spec: { clusterIP: single } })[0]
      : asked[0]
  if (primary !== undefined && primary !== first) {
    request.fail('spec.clusterIPs[0]', `Invalid value: ${JSON.stringify([primary])}: may not change once set`)
  }
  return asked.length >= had.length ? asked : had
}

type Policy = 'SingleStack' | 'PreferDualStack' | 'RequireDualStack'
const POLICIES: readonly string[] = ['SingleStack', 'PreferDualStack', 'RequireDualStack']

function isPolicy(text: string): text is Policy {
  return POLICIES.includes(text)
}

function policyOf({ service, before, fail, addresses }: Request): Policy {
  const asked = textAt(service, 'spec', 'ipFamilyPolicy') ?? textAt(before, 'spec', 'ipFamilyPolicy')
  const isDual = arrayAt(service, 'spec', 'ipFamilies').length > 1 || arrayAt(service, 'spec', 'clusterIPs').length > 1
  const policy = asked ?? (isDual ? 'RequireDualStack' : 'SingleStack')
  if (!isPolicy(policy)) {
    const supported = '"PreferDualStack", "RequireDualStack", "SingleStack"'
    return fail(
      'spec.ipFamilyPolicy',
      `Unsupported value: ${JSON.stringify(policy.slice(0, 60))}: supported values: ${supported}`,
    )
  }
  if (policy === 'RequireDualStack' && addresses.families.length < 2) {
    fail(
      'spec.ipFamilyPolicy',
      'Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
    )
  }
  return policy
}

function familiesOf(
  { service, before, addresses, fail }: Request,
  policy: Policy,
  wanted: readonly Ip[],
): readonly Family[] {
  const asked = arrayAt(service, 'spec', 'ipFamilies')
  const given = (asked.length > 0 ? asked : arrayAt(before, 'spec', 'ipFamilies')).map((name) => {
    const family = name === 'IPv4' ? 4 : name === 'IPv6' ? 6 : undefined
    if (family !== undefined && addresses.families.includes(family)) return family
    return fail('spec.ipFamilies', `Invalid value: ${JSON.stringify(name)}: not configured on this cluster`)
  })
  const chosen = [...new Set([...wanted.map(familyOf), ...given, ...addresses.families])]
  for (const [index, address] of wanted.entries()) {
    if (given[index] !== undefined && familyOf(address) !== given[index]) {
      fail(
        `spec.clusterIPs[${index}]`,
        `Invalid value: ${JSON.stringify(address)}: expected an ${nameOf(given[index])} value as indicated by \`spec.ipFamilies[${index}]\``,
      )
    }
  }
  return chosen.slice(0, policy === 'SingleStack' ? 1 : 2)
}

function addressOf({ addresses, key, fail }: Request, family: Family, wanted: Ip | undefined): Ip {
  if (wanted === undefined) {
    return (
      addresses.freeIp(family) ??
      fail('spec.clusterIPs', `Internal error: failed to allocate a serviceIP: range is full`)
    )
  }
  const refusal = addresses.refusalOf(wanted, key)
  if (refusal === undefined) return wanted
  const shown = `Invalid value: []string{"${wanted}"}: failed to allocate IP ${wanted}`
  if (refusal === 'taken') return fail('spec.clusterIPs', `${shown}: provided IP is already allocated`)
  const range = addresses.ranges.networks.find((network) => familyOf(network) === familyOf(wanted))
  return fail(
    'spec.clusterIPs',
    `${shown}: the provided IP (${wanted}) is not in the valid range. The range of valid IPs is ${range}`,
  )
}

function withNodePorts(
  { service, before, addresses, key, fail }: Request,
  type: string,
): readonly unknown[] | undefined {
  const ports = arrayAt(service, 'spec', 'ports')
  if (ports.length === 0) return undefined
  if (type === 'ClusterIP') return ports.map((port) => without(fieldsAt(port), ['nodePort']))
  const used = new Set(ports.map((port) => numberAt(port, 'nodePort') ?? 0))
  const old = new Map(arrayAt(before, 'spec', 'ports').map((port) => [portKey(port), numberAt(port, 'nodePort') ?? 0]))
  return ports.map((port, index) => {
    const kept = old.get(portKey(port)) ?? 0
    const asked = (numberAt(port, 'nodePort') ?? 0) || (used.has(kept) ? 0 : kept)
    const nodePort = asked > 0 || asked < 0 ? asked : addresses.freePort(used)
    if (nodePort === undefined)
      throw new ApiError(500, 'InternalError', 'Internal error occurred: no node port is free')
    const refusal = addresses.portRefusalOf(nodePort, key)
    if (refusal !== undefined) fail(`spec.ports[${index}].nodePort`, portWords(nodePort, refusal, addresses))
    used.add(nodePort)
    return { ...fieldsAt(port), nodePort }
  })
}

function portWords(port: number, refusal: Refusal, { ranges }: ServiceAddresses): string {
  if (refusal === 'taken') return `Invalid value: ${port}: provided port is already allocated`
  const { first, last } = ranges.nodePorts
  return `Invalid value: ${port}: provided port is not in the valid range. The range of valid ports is ${first}-${last}`
}

function portKey(port: unknown): string {
  return `${textAt(port, 'protocol') ?? 'TCP'}/${numberAt(port, 'port')}`
}

function nameOf(family: Family): string {
  return `IPv${family}`
}

function without(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)))
}
