/**
 * Pods made from a template.
 * @module
 */
import type { KubeObject, OwnerReference } from '../../kube/object.ts'
import { at, fields, texts } from './values.ts'

/** What makes a pod of a template one certain pod. */
export interface PodIdentity {
  readonly namespace: string
  readonly name: string
  readonly owner: OwnerReference
  /** Beside the template's. */
  readonly labels?: Readonly<Record<string, string>>
  readonly hostname?: string
  readonly subdomain?: string
}

/** The pod that a template describes. */
export function podFrom(template: unknown, identity: PodIdentity): KubeObject {
  const { labels, annotations } = fields(at(template, 'metadata'))
  const { hostname, subdomain } = identity
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: identity.name,
      namespace: identity.namespace,
      labels: { ...texts(labels), ...identity.labels },
      annotations: texts(annotations),
      ownerReferences: [identity.owner],
    },
    spec: {
      ...fields(at(template, 'spec')),
      ...(hostname === undefined ? {} : { hostname }),
      ...(subdomain === undefined ? {} : { subdomain }),
    },
  }
}

/** The labels of a template. */
export function templateLabels(template: unknown): Readonly<Record<string, string>> {
  return texts(at(template, 'metadata', 'labels'))
}

/** A template with one more label. */
export function withLabel(template: unknown, key: string, value: string): Readonly<Record<string, unknown>> {
  const metadata = fields(at(template, 'metadata'))
  return { ...fields(template), metadata: { ...metadata, labels: { ...texts(metadata['labels']), [key]: value } } }
}

/** A template without a label. */
export function withoutLabel(template: unknown, key: string): Readonly<Record<string, unknown>> {
  const metadata = fields(at(template, 'metadata'))
  const { [key]: _, ...labels } = texts(metadata['labels'])
  return { ...fields(template), metadata: { ...metadata, labels } }
}
