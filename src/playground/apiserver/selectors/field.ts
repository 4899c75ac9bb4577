/**
 * Field selectors: which fields each resource can be selected by, and the selectors themselves.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import { badRequest } from '../http/status.ts'
import type { Traits } from '../store/change.ts'

/** What an object's name, namespace and selectable fields have to be. */
export type FieldMatcher = (entry: {
  readonly namespace: string
  readonly name: string
  readonly fields: Readonly<Record<string, string>>
}) => boolean

/** One term, for those who look a name up instead of scanning. */
export interface FieldTerm {
  readonly field: string
  readonly value: string
  readonly equal: boolean
}

/** Reads `a=b,c!=d`. Throws a 400, also for a field that the resource cannot be selected by. */
export function parseFieldSelector(text: string, collection: string): readonly FieldTerm[] {
  if (text.trim() === '') return []
  return text.split(/(?<!\\),/).map((part) => {
    const [, field = '', operator, value = ''] = (part.length > MAX_TERM ? undefined : TERM.exec(part)) ?? []
    if (operator === undefined) {
      throw badRequest(`invalid selector: '${text.slice(0, 200)}'; can't understand '${part.slice(0, 100)}'`)
    }
    if (!isSelectable(collection, field)) throw badRequest(unsupported(collection, field.slice(0, 200)))
    return { field, value: value.replaceAll(/\\(.)/gs, '$1'), equal: operator !== '!=' }
  })
}

/** The pattern takes its time with what is much longer. */
const MAX_TERM = 4096
const TERM = /^\s*([^=!]+?)\s*(==|=|!=)(.*)$/s

function unsupported(collection: string, field: string): string {
  if (SELECTABLE[collection] !== undefined) return `field label not supported: ${field}`
  return `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`
}

/** Whether an entry fulfils every term. */
export function fieldMatcher(terms: readonly FieldTerm[]): FieldMatcher {
  return (entry) =>
    terms.every(({ field, value, equal }) => {
      if (field === 'metadata.name') return (entry.name === value) === equal
      if (field === 'metadata.namespace') return (entry.namespace === value) === equal
      return ((entry.fields[field] ?? '') === value) === equal
    })
}

/** Takes out of an object what selectors ask for. */
export function traitsOf(collection: string, object: KubeObject): Traits {
  const paths = SELECTABLE[collection]
  return {
    labels: object.metadata.labels ?? NOTHING,
    fields:
      paths === undefined
        ? NOTHING
        : Object.fromEntries(paths.map((path) => [path, fieldOf(collection, object, path)])),
  }
}

const NOTHING: Readonly<Record<string, string>> = Object.freeze({})

/** Besides metadata.name and metadata.namespace. Source: the selectable fields of each kind in the Kubernetes API. */
const SELECTABLE: Readonly<Record<string, readonly string[]>> = {
  '/pods': [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  '/nodes': ['spec.unschedulable'],
  '/namespaces': ['status.phase'],
  '/secrets': ['type'],
  '/services': ['spec.clusterIP', 'spec.type'],
  '/events': [
    ...['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map(
      (field) => `involvedObject.${field}`,
    ),
    ...['reason', 'reportingComponent', 'source', 'type'],
  ],
  '/replicationcontrollers': ['status.replicas'],
  'apps/replicasets': ['status.replicas'],
  'batch/jobs': ['status.successful'],
}

function isSelectable(collection: string, field: string): boolean {
  return field === 'metadata.name' || field === 'metadata.namespace' || (SELECTABLE[collection] ?? []).includes(field)
}

function fieldOf(collection: string, object: KubeObject, path: string): string {
  if (collection === '/events' && path === 'source')
    return textAt(object, 'source.component') || textAt(object, 'reportingComponent')
  const text = textAt(object, path)
  if (text !== '') return text
  if (path === 'spec.hostNetwork' || path === 'spec.unschedulable') return 'false'
  return ''
}

function textAt(object: unknown, path: string): string {
  let at: unknown = object
  for (const step of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return ''
    at = Reflect.get(at, step)
  }
  return typeof at === 'string' || typeof at === 'number' || typeof at === 'boolean' ? String(at) : ''
}
