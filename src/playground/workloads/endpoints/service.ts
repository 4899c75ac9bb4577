/**
 * A Service as the controller of its EndpointSlices reads it.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import { type LabelSelector, type Labels, serviceSelector } from '../selector.ts'
import { at, count, fields, list, text, texts } from '../values.ts'

/** The kinds of address that slices hold. */
export type AddressType = 'IPv4' | 'IPv6'

/** A port of a Service: the target is a number, or the name of a port of the pods. */
export interface TargetPort {
  readonly name: string
  readonly protocol: string
  readonly appProtocol: string | undefined
  readonly target: number | string
}

/** What slices depend on. */
export interface SlicedService {
  readonly object: KubeObject
  readonly namespace: string
  readonly name: string
  readonly labels: Labels
  readonly selector: LabelSelector
  readonly families: readonly AddressType[]
  readonly headless: boolean
  readonly publishNotReady: boolean
  readonly ports: readonly TargetPort[]
}

/** Undefined for a Service whose endpoints are not made from pods: without selector, or a name of another host. */
export function slicedService(object: KubeObject): SlicedService | undefined {
  const spec = fields(object['spec'])
  const selector = serviceSelector(spec['selector'])
  if (selector === undefined || spec['type'] === 'ExternalName') return undefined
  const { metadata } = object
  return {
    object,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    labels: texts(metadata.labels),
    selector,
    families: familiesOf(spec),
    headless: spec['clusterIP'] === 'None',
    publishNotReady: spec['publishNotReadyAddresses'] === true,
    ports: list(spec['ports']).flatMap(targetPort),
  }
}

function familiesOf(spec: Readonly<Record<string, unknown>>): readonly AddressType[] {
  const families = list(spec['ipFamilies']).filter((one) => one === 'IPv4' || one === 'IPv6')
  if (families.length > 0) return [...new Set(families)]
  const addresses = [spec['clusterIP'], ...list(spec['clusterIPs'])].map(text).filter((one) => one !== undefined)
  const given = addresses.filter((one) => one !== 'None').map((one) => (one.includes(':') ? 'IPv6' : 'IPv4'))
  return given.length > 0 ? [...new Set(given)] : ['IPv4']
}

function targetPort(value: unknown): readonly TargetPort[] {
  const number = count(at(value, 'port'))
  if (number === undefined) return []
  const wanted = at(value, 'targetPort')
  return [
    {
      name: text(at(value, 'name')) ?? '',
      protocol: text(at(value, 'protocol')) ?? 'TCP',
      appProtocol: text(at(value, 'appProtocol')),
      target: text(wanted) ?? (count(wanted) || number),
    },
  ]
}
