/**
 * Network policies.
 * @module
 */
import {
  BITS,
  type Cidr,
  contains,
  familyOf,
  networkAround,
  parseIp,
  prefixLength,
} from '../../../../network/model/address.ts'
import type { Cause } from '../../http/status.ts'
import { forbiddenField, invalidAs, invalidValue, required } from '../../objects/causes.ts'
import { arrayAt, type Fields, fieldsAt, isFields, numberAt, textAt } from '../../objects/shape.ts'
import { changedItems, filled } from './fill.ts'
import type { Preparation } from './preparation.ts'
import { selectorProblems } from './selector.ts'
import { oneOf, portName, portNumber } from './syntax.ts'

/** Network policies. */
export const NETWORK_POLICY: Preparation = {
  complete: (policy) => ({ ...policy, spec: completedSpec(fieldsAt(policy, 'spec')) }),
  problems: ({ spec }) => specProblems(fieldsAt(spec)),
}

const PROTOCOLS = ['TCP', 'UDP', 'SCTP']
const TYPES = ['Ingress', 'Egress']

function completedSpec(given: Fields): Fields {
  const ports = (rule: Fields) => changedItems(rule, 'ports', (port) => filled(port, { protocol: 'TCP' }))
  const spec = changedItems(changedItems({ podSelector: {}, ...given }, 'ingress', ports), 'egress', ports)
  if (arrayAt(spec, 'policyTypes').length > 0) return spec
  return { ...spec, policyTypes: arrayAt(spec, 'egress').length > 0 ? ['Ingress', 'Egress'] : ['Ingress'] }
}

function specProblems(spec: Fields): readonly Cause[] {
  return [
    ...selectorProblems(fieldsAt(spec, 'podSelector'), 'spec.podSelector'),
    ...ruleProblems(spec, 'ingress', 'from'),
    ...ruleProblems(spec, 'egress', 'to'),
    ...typeProblems(spec),
  ]
}

function typeProblems(spec: Fields): readonly Cause[] {
  const types = arrayAt(spec, 'policyTypes')
  const field = 'spec.policyTypes'
  if (types.length > TYPES.length) {
    const printed = `[]networking.PolicyType{${types.map((type) => JSON.stringify(type)).join(', ')}}`
    return [invalidAs(field, printed, 'may not specify more than two policyTypes')]
  }
  return types.flatMap((type, index) => oneOf(`${field}[${index}]`, type, TYPES))
}

function ruleProblems(spec: Fields, direction: string, peers: string): readonly Cause[] {
  return arrayAt(spec, direction).flatMap((rule, index) => {
    const at = `spec.${direction}[${index}]`
    return [
      ...arrayAt(rule, 'ports').flatMap((port, place) => portProblems(fieldsAt(port), `${at}.ports[${place}]`)),
      ...arrayAt(rule, peers).flatMap((peer, place) => peerProblems(fieldsAt(peer), `${at}.${peers}[${place}]`)),
    ]
  })
}

function portProblems(given: Fields, at: string): readonly Cause[] {
  const { port } = given
  const end = numberAt(given, 'endPort')
  const protocol = oneOf(`${at}.protocol`, textAt(given, 'protocol'), PROTOCOLS)
  if (typeof port === 'number') {
    const order = 'must be greater than or equal to `port`'
    const ends =
      end === undefined
        ? []
        : [...(end < port ? [invalidValue(`${at}.endPort`, port, order)] : []), ...portNumber(`${at}.endPort`, end)]
    return [...protocol, ...portNumber(`${at}.port`, port), ...ends]
  }
  const why = port === undefined ? 'not specified' : 'non-numeric'
  const ends =
    end === undefined ? [] : [invalidValue(`${at}.endPort`, end, `may not be specified when \`port\` is ${why}`)]
  return [...protocol, ...ends, ...(port === undefined ? [] : portName(`${at}.port`, String(port)))]
}

function peerProblems(peer: Fields, at: string): readonly Cause[] {
  const { podSelector, namespaceSelector, ipBlock } = peer
  const count = [podSelector, namespaceSelector, ipBlock].filter((one) => one !== undefined).length
  return [
    ...(isFields(podSelector) ? selectorProblems(podSelector, `${at}.podSelector`) : []),
    ...(isFields(namespaceSelector) ? selectorProblems(namespaceSelector, `${at}.namespaceSelector`) : []),
    ...(isFields(ipBlock) ? blockProblems(ipBlock, `${at}.ipBlock`) : []),
    ...(count === 0 ? [required(at, 'must specify a peer')] : []),
    ...(count > 1 && ipBlock !== undefined
      ? [forbiddenField(at, 'may not specify both ipBlock and another peer')]
      : []),
  ]
}

function blockProblems(block: Fields, at: string): readonly Cause[] {
  const text = textAt(block, 'cidr') ?? ''
  if (text === '') return [required(`${at}.cidr`)]
  const range = networkOf(text)
  if (range === undefined) return [invalidValue(`${at}.cidr`, text, NO_NETWORK)]
  return arrayAt(block, 'except').flatMap((except, index) => {
    const field = `${at}.except[${index}]`
    const part = networkOf(String(except))
    if (part === undefined) return [invalidValue(field, except, NO_NETWORK)]
    return isInside(range, part) ? [] : [invalidValue(field, except, 'must be a strict subset of `cidr`')]
  })
}

const NO_NETWORK = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'

/** What stands after the prefix does not count. */
function networkOf(text: string): Cidr | undefined {
  const [, address = '', length = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? []
  const ip = parseIp(address.includes(':') ? address : address.replace(/\b0+(?=\d)/g, ''))
  return ip === undefined || Number(length) > BITS[familyOf(ip)] ? undefined : networkAround(ip, Number(length))
}

function isInside(range: Cidr, part: Cidr): boolean {
  const address = parseIp(part.slice(0, part.indexOf('/')))
  return address !== undefined && contains(range, address) && prefixLength(part) > prefixLength(range)
}
