/**
 * What an object has to fulfil, or is given, because of others: its namespace, addresses of services.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import type { ServedResource } from '../contract.ts'
import { forbidden, notFound } from '../http/status.ts'
import { collectionOf, objectOf } from '../store/change.ts'
import type { Store } from '../store/store.ts'
import { withAddresses } from './service.ts'
import type { ServiceAddresses } from './service-addresses.ts'
import { arrayAt, fieldsAt, textAt, withValue } from './shape.ts'

/** The gate that every written object passes. */
export class Admission {
  readonly #store: Store
  readonly #addresses: ServiceAddresses

  constructor(store: Store, addresses: ServiceAddresses) {
    this.#store = store
    this.#addresses = addresses
  }

  /** Throws a 404 for an object in a namespace that is not there, a 403 in one that is going. */
  checkNamespace(resource: ServedResource, { metadata }: KubeObject): void {
    const { namespace, name } = metadata
    if (!resource.namespaced || namespace === undefined) return
    const entry = this.#store.get(NAMESPACES, '', namespace)
    if (entry === undefined) throw notFound({ group: '', plural: 'namespaces', kind: 'Namespace' }, namespace)
    if (objectOf(entry).metadata.deletionTimestamp === undefined) return
    const cause = {
      reason: 'NamespaceTerminating',
      message: `namespace ${namespace} is being terminated`,
      field: 'metadata.namespace',
    }
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`
    throw forbidden(resource, name, why, [cause])
  }

  /** The object as it may be stored. Throws ApiError. */
  admit(resource: ServedResource, object: KubeObject, before: KubeObject | undefined): KubeObject {
    switch (collectionOf(resource)) {
      case NAMESPACES:
        return before === undefined ? newNamespace(object) : keepLabel(object)
      case '/services':
        return withAddresses(resource, object, before, this.#addresses)
      case '/pods':
        return before === undefined ? newPod(object) : object
      case 'apiextensions.k8s.io/customresourcedefinitions':
        return established(object)
      default:
        return object
    }
  }
}

const NAMESPACES = '/namespaces'
const NAME_LABEL = 'kubernetes.io/metadata.name'

function newNamespace(namespace: KubeObject): KubeObject {
  const spec = { ...fieldsAt(namespace, 'spec'), finalizers: ['kubernetes'] }
  return { ...keepLabel(namespace), spec, status: { phase: 'Active' } }
}

function keepLabel(namespace: KubeObject): KubeObject {
  const { metadata } = namespace
  return { ...namespace, metadata: { ...metadata, labels: { ...metadata.labels, [NAME_LABEL]: metadata.name } } }
}

function newPod(pod: KubeObject): KubeObject {
  return { ...pod, status: { phase: 'Pending', ...fieldsAt(pod, 'status') } }
}

/** A definition is served from the moment it is stored; clients wait for these conditions. */
function established(crd: KubeObject): KubeObject {
  const conditions = arrayAt(crd, 'status', 'conditions')
  const names = fieldsAt(crd, 'spec', 'names')
  const stored = arrayAt(crd, 'spec', 'versions').filter((version) => fieldsAt(version)['storage'] === true)
  const known = new Set(conditions.map((condition) => textAt(condition, 'type')))
  const added = READY.filter(({ type }) => !known.has(type)).map((condition) => ({
    ...condition,
    lastTransitionTime: crd.metadata.creationTimestamp,
  }))
  const kept = arrayAt(crd, 'status', 'storedVersions')
  const storedVersions = [...new Set([...kept, ...stored.map((version) => textAt(version, 'name'))])]
  const status = {
    ...fieldsAt(crd, 'status'),
    acceptedNames: names,
    conditions: [...conditions, ...added],
    storedVersions,
  }
  return { ...crd, ...withValue(crd, ['status'], status), metadata: crd.metadata }
}

const READY = [
  { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' },
  {
    type: 'Established',
    status: 'True',
    reason: 'InitialNamesAccepted',
    message: 'the initial names have been accepted',
  },
] as const
