/**
 * The `scale` of an object: its replicas alone.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import type { ServedResource } from '../contract.ts'
import { badRequest, invalid, modifiedSince, noSuchPath } from '../http/status.ts'
import { fieldsAt, numberAt, textAt, valueAt, withValue } from '../objects/shape.ts'

/** An object's Scale. Throws a 404 for a resource that has none. */
export function scaleOf(resource: ServedResource, object: KubeObject): KubeObject {
  const { scale } = resource
  if (scale === undefined) throw noSuchPath()
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const selector = scale.selector === undefined ? '' : selectorText(valueAt(object, ...stepsOf(scale.selector)))
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    },
    spec: { replicas: numberAt(object, ...stepsOf(scale.spec)) ?? 0 },
    status: { replicas: numberAt(object, ...stepsOf(scale.status)) ?? 0, ...(selector === '' ? {} : { selector }) },
  }
}

/** The object with the replicas of a Scale. Throws a 400, 409 or 422. */
export function replacedScale(resource: ServedResource, object: KubeObject, scale: unknown): KubeObject {
  if (resource.scale === undefined) throw noSuchPath()
  const { name, resourceVersion } = object.metadata
  const based = textAt(scale, 'metadata', 'resourceVersion') ?? resourceVersion
  if (based !== resourceVersion) throw modifiedSince(resource, name)
  const kind = textAt(scale, 'kind') ?? 'Scale'
  if (kind !== 'Scale') throw badRequest(`${kind.slice(0, 100)} cannot be handled as a Scale`)
  const replicas = valueAt(scale, 'spec', 'replicas') ?? 0
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0 || replicas > MOST) {
    const message = `Invalid value: ${JSON.stringify(replicas)}: must be greater than or equal to 0`
    const about = { group: 'autoscaling', plural: 'scales', kind: 'Scale' }
    throw invalid(about, name, [{ reason: 'FieldValueInvalid', field: 'spec.replicas', message }])
  }
  return { ...object, ...withValue(object, stepsOf(resource.scale.spec), replicas), metadata: object.metadata }
}

const MOST = 2 ** 31 - 1

function stepsOf(path: string): readonly string[] {
  return path.split('.').filter((step) => step !== '')
}

/** A LabelSelector, or a map of labels, as text. */
function selectorText(selector: unknown): string {
  if (typeof selector === 'string') return selector
  const labels = valueAt(selector, 'matchLabels') === undefined ? fieldsAt(selector) : fieldsAt(selector, 'matchLabels')
  const texts = Object.entries(labels).filter(([, value]) => typeof value === 'string')
  return texts
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',')
}
