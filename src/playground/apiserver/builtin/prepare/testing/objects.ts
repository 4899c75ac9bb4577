/**
 * Objects to prepare: right as they are, with what is given put in their place.
 * @module
 */
import type { KubeObject } from '../../../../../kube/object.ts'

/** An object that is refused, and the words about it. */
export type Refused = readonly [object: KubeObject, words: string]

type Given = Readonly<Record<string, unknown>>

export function object(kind: string, fields: Given = {}, apiVersion = 'v1', metadata: Given = {}): KubeObject {
  return { apiVersion, kind, metadata: { name: 'x', ...metadata }, ...fields }
}

export function pod(spec: Given = {}, container: Given = {}): KubeObject {
  return object('Pod', { spec: podSpec(spec, container) })
}

export function template(spec: Given = {}, container: Given = {}, labels: Given = { a: 'b' }): Given {
  return { metadata: { labels }, spec: podSpec(spec, container) }
}

/** A Deployment, a ReplicaSet or a StatefulSet. */
export function workload(kind: string, spec: Given = {}): KubeObject {
  const serviceName = kind === 'StatefulSet' ? { serviceName: 's' } : {}
  const selector = { matchLabels: { a: 'b' } }
  return object(kind, { spec: { selector, ...serviceName, template: template(), ...spec } }, 'apps/v1')
}

export function service(spec: Given = {}, port: Given = {}): KubeObject {
  return object('Service', { spec: { ports: [{ port: 80, ...port }], ...spec } })
}

export function slice(fields: Given = {}): KubeObject {
  const right = { addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'] }], ports: [{ port: 80 }] }
  return object('EndpointSlice', { ...right, ...fields }, 'discovery.k8s.io/v1')
}

export function networkPolicy(spec: Given = {}): KubeObject {
  return object('NetworkPolicy', { spec }, 'networking.k8s.io/v1')
}

function podSpec(spec: Given, container: Given): Given {
  return { containers: [{ name: 'c', image: 'i', ...container }], ...spec }
}
