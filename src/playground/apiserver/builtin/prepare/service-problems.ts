/**
 * What is wrong with services, beside their addresses.
 * @module
 */
import { parseCidr } from '../../../../network/model/address.ts'
import type { Cause } from '../../http/status.ts'
import { duplicate, forbiddenField, invalidValue, required } from '../../objects/causes.ts'
import { arrayAt, type Fields, fieldsAt, numberAt, textAt } from '../../objects/shape.ts'
import { isReachedFromOutside } from './service.ts'
import {
  backendAddress,
  dnsLabel,
  dnsSubdomain,
  given,
  ipAddress,
  labels,
  needed,
  oneOf,
  portNumber,
  portReference,
  qualifiedName,
} from './syntax.ts'

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const AFFINITIES = ['ClientIP', 'None']
const TRAFFIC_POLICIES = ['Cluster', 'Local']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const DAY = 86_400

/** What is wrong with the completed spec of a service. */
export function serviceProblems(spec: Fields): readonly Cause[] {
  return [
    ...typeProblems(spec),
    ...oneOf('spec.sessionAffinity', textAt(spec, 'sessionAffinity'), AFFINITIES),
    ...affinityProblems(spec),
    ...portProblems(spec),
    ...labels('spec.selector', fieldsAt(spec, 'selector')),
    ...externalProblems(spec),
    ...oneOf('spec.type', textAt(spec, 'type'), TYPES),
    ...balancerProblems(spec),
    ...trafficProblems(spec),
  ]
}

function typeProblems(spec: Fields): readonly Cause[] {
  const type = spec['type']
  const isHeadless = spec['clusterIP'] === 'None'
  if (type === 'ExternalName') {
    const name = (textAt(spec, 'externalName') ?? '').replace(/\.$/, '')
    const addresses = ['clusterIPs', 'ipFamilies'].filter(
      (field) => arrayAt(spec, field).length > 0 || (field === 'clusterIPs' && textAt(spec, 'clusterIP')),
    )
    return [
      ...addresses.map((field) => forbiddenField(`spec.${field}`, 'may not be set for ExternalName services')),
      ...needed('spec.externalName', name, dnsSubdomain),
    ]
  }
  if (arrayAt(spec, 'ports').length === 0 && !isHeadless) return [required('spec.ports')]
  if (!isHeadless || (type !== 'NodePort' && type !== 'LoadBalancer')) return []
  return [invalidValue('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${type} services`)]
}

function affinityProblems(spec: Fields): readonly Cause[] {
  const seconds = numberAt(spec, 'sessionAffinityConfig', 'clientIP', 'timeoutSeconds')
  if (seconds === undefined || (seconds > 0 && seconds <= DAY)) return []
  const why = `must be greater than 0 and less than ${DAY}`
  return [invalidValue('spec.sessionAffinityConfig.clientIP.timeoutSeconds', seconds, why)]
}

function portProblems(spec: Fields): readonly Cause[] {
  const ports = arrayAt(spec, 'ports').map((port) => fieldsAt(port))
  const places = ports.map((port) => `${textAt(port, 'protocol')}/${numberAt(port, 'port')}`)
  const each = ports.flatMap((port, index) => {
    const at = `spec.ports[${index}]`
    const isNamed = ports.slice(0, index).some(({ name }) => name !== undefined && name === port['name'])
    return [...problemsOfPort(port, at, ports.length > 1), ...(isNamed ? [duplicate(`${at}.name`, port['name'])] : [])]
  })
  const nodePorts = spec['type'] === 'ClusterIP' ? ports.flatMap(nodePortProblems) : []
  const twice = ports.flatMap((port, index) =>
    places.indexOf(places[index] ?? '') < index ? [printedDuplicate(port, `spec.ports[${index}]`)] : [],
  )
  return [...each, ...nodePorts, ...twice]
}

function problemsOfPort(port: Fields, at: string, isOneOfMany: boolean): readonly Cause[] {
  const name = textAt(port, 'name')
  return [
    ...(isOneOfMany ? needed(`${at}.name`, name, dnsLabel) : given(`${at}.name`, name, dnsLabel)),
    ...portNumber(`${at}.port`, numberAt(port, 'port') ?? 0),
    ...oneOf(`${at}.protocol`, textAt(port, 'protocol'), PROTOCOLS),
    ...portReference(`${at}.targetPort`, port['targetPort']),
    ...given(`${at}.appProtocol`, textAt(port, 'appProtocol'), qualifiedName),
  ]
}

function nodePortProblems(port: Fields, index: number): readonly Cause[] {
  if ((numberAt(port, 'nodePort') ?? 0) === 0) return []
  return [forbiddenField(`spec.ports[${index}].nodePort`, "may not be used when `type` is 'ClusterIP'")]
}

function printedDuplicate(port: Fields, field: string): Cause {
  const target = 'intstr.IntOrString{Type:0, IntVal:0, StrVal:""}'
  const start = `core.ServicePort{Name:"", Protocol:${JSON.stringify(port['protocol'])}, AppProtocol:(*string)(nil)`
  const printed = `${start}, Port:${port['port']}, TargetPort:${target}, NodePort:0}`
  return { ...duplicate(field, ''), message: `Duplicate value: ${printed}` }
}

function externalProblems(spec: Fields): readonly Cause[] {
  return arrayAt(spec, 'externalIPs').flatMap((address, index) => {
    const field = `spec.externalIPs[${index}]`
    const malformed = ipAddress(field, String(address))
    return malformed.length > 0 ? malformed : backendAddress(field, String(address))
  })
}

function balancerProblems(spec: Fields): readonly Cause[] {
  const isBalanced = spec['type'] === 'LoadBalancer'
  const only = "may only be used when `type` is 'LoadBalancer'"
  const ranges = arrayAt(spec, 'loadBalancerSourceRanges')
  const found: Cause[] = []
  if (ranges.length > 0 && !isBalanced) found.push(forbiddenField('spec.LoadBalancerSourceRanges', only))
  for (const [index, range] of ranges.entries()) {
    if (parseCidr(String(range).trim()) !== undefined) continue
    const why = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'
    found.push(invalidValue(`spec.LoadBalancerSourceRanges[${index}]`, range, why))
  }
  for (const name of ['allocateLoadBalancerNodePorts', 'loadBalancerClass']) {
    if (spec[name] !== undefined && !isBalanced) found.push(forbiddenField(`spec.${name}`, only))
  }
  const check = numberAt(spec, 'healthCheckNodePort') ?? 0
  if (check !== 0 && !(isBalanced && spec['externalTrafficPolicy'] === 'Local')) {
    const why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
    found.push(invalidValue('spec.healthCheckNodePort', check, why))
  }
  return found
}

function trafficProblems(spec: Fields): readonly Cause[] {
  const outside = textAt(spec, 'externalTrafficPolicy')
  const unreached = outside !== undefined && outside !== '' && !isReachedFromOutside(spec)
  return [
    ...(unreached
      ? [invalidValue('spec.externalTrafficPolicy', outside, 'may only be set for externally-accessible services')]
      : oneOf('spec.externalTrafficPolicy', outside, TRAFFIC_POLICIES)),
    ...oneOf('spec.internalTrafficPolicy', textAt(spec, 'internalTrafficPolicy'), TRAFFIC_POLICIES),
    ...oneOf('spec.trafficDistribution', textAt(spec, 'trafficDistribution'), ['PreferClose']),
  ]
}
