/**
 * A CustomResourceDefinition as it is stored: completed, judged, and served from that moment on.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import type { ServedResource } from '../contract.ts'
import { invalid } from '../http/status.ts'
import { forbiddenField, invalidValue, required, unsupported } from '../objects/causes.ts'
import { arrayAt, type Fields, fieldsAt, isFields, textAt, valueAt } from '../objects/shape.ts'
import { changeProblems } from './definition-change.ts'
import { nameProblems } from './definition-names.ts'
import { versionProblems } from './definition-versions.ts'

/** Throws a 422 that names every wrong field. */
export function preparedDefinition(
  resource: ServedResource,
  object: KubeObject,
  before: KubeObject | undefined,
): KubeObject {
  const completed: KubeObject = { ...object, spec: completedSpec(fieldsAt(object, 'spec')) }
  const problems = [
    ...nameProblems(completed),
    ...scopeProblems(completed),
    ...conversionProblems(completed),
    ...versionProblems(completed),
    ...(before === undefined ? [] : changeProblems(completed, before)),
  ]
  if (problems.length > 0) throw invalid(resource, object.metadata.name, problems.slice(0, MOST_CAUSES))
  return { ...completed, status: statusOf(completed, before) }
}

const MOST_CAUSES = 100

function completedSpec(spec: Fields): Fields {
  const { preserveUnknownFields: keeps, ...rest } = spec
  const names = fieldsAt(spec, 'names')
  const kind = textAt(names, 'kind') ?? ''
  const completed = {
    ...names,
    singular: textAt(names, 'singular') || kind.toLowerCase(),
    listKind: textAt(names, 'listKind') || (kind === '' ? '' : `${kind}List`),
  }
  const kept = keeps === undefined || keeps === false || keeps === null ? {} : { preserveUnknownFields: keeps }
  return { ...rest, ...kept, conversion: { strategy: 'None', ...fieldsAt(spec, 'conversion') }, names: completed }
}

function scopeProblems(crd: KubeObject) {
  const scope = valueAt(crd, 'spec', 'scope') ?? ''
  if (scope === '') return [required('spec.scope')]
  return SCOPES.includes(scope) ? [] : [unsupported('spec.scope', scope, SCOPES)]
}

const SCOPES: readonly unknown[] = ['Cluster', 'Namespaced']

function conversionProblems(crd: KubeObject) {
  const found = []
  const strategy = valueAt(crd, 'spec', 'conversion', 'strategy')
  const field = 'spec.conversion.strategy'
  if (strategy === 'Webhook') {
    found.push(forbiddenField(field, 'this server does not convert between versions; leave it out or set None'))
  } else if (strategy !== 'None') found.push(unsupported(field, strategy, ['None', 'Webhook']))
  const keeps = valueAt(crd, 'spec', 'preserveUnknownFields')
  if (keeps !== undefined) {
    const instead = 'set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead'
    found.push(invalidValue('spec.preserveUnknownFields', keeps, `cannot set to true, ${instead}`))
  }
  return found
}

/** Nothing contests a name here, so it is accepted and served at once; clients wait for both conditions. */
function statusOf(crd: KubeObject, before: KubeObject | undefined): Fields {
  const storage = arrayAt(crd, 'spec', 'versions').find((version) => valueAt(version, 'storage') === true)
  const stored = [...arrayAt(before, 'status', 'storedVersions'), valueAt(storage, 'name')]
  const others = arrayAt(crd, 'status', 'conditions').filter(
    (condition) => isFields(condition) && !READY.some(({ type }) => type === condition['type']),
  )
  const since = crd.metadata.creationTimestamp
  const at = since === undefined ? {} : { lastTransitionTime: since }
  return {
    ...fieldsAt(crd, 'status'),
    acceptedNames: fieldsAt(crd, 'spec', 'names'),
    conditions: [...others, ...READY.map((condition) => ({ ...condition, ...at }))],
    storedVersions: [...new Set(stored)],
  }
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
