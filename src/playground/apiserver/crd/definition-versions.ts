/**
 * The versions of a CustomResourceDefinition: one of them is stored, each has a schema.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import type { Cause } from '../http/status.ts'
import { cause, invalidValue, required, wrongType } from '../objects/causes.ts'
import { arrayAt, isFields, textAt, valueAt } from '../objects/shape.ts'
import { parseJsonPath } from '../table/json-path.ts'
import { COLUMN_TYPES } from './custom-resource.ts'
import { labelProblems } from './definition-names.ts'
import { schemaProblems } from './structural.ts'

const MOST_VERSIONS = 64

/** What is wrong with the versions of a definition. */
export function versionProblems(crd: KubeObject): readonly Cause[] {
  const versions = arrayAt(crd, 'spec', 'versions')
  if (versions.length > MOST_VERSIONS) return [wrong('spec.versions', `must be at most ${MOST_VERSIONS}`)]
  const names = versions.map((version) => textAt(version, 'name'))
  const stored = versions.filter((version) => valueAt(version, 'storage') === true).length
  return [
    ...versions.flatMap((version, index) => problemsOfVersion(version, index, versions.length === 1)),
    ...(new Set(names).size === names.length ? [] : [wrong('spec.versions', 'must contain unique version names')]),
    ...(stored === 1 ? [] : [wrong('spec.versions', 'must have exactly one version marked as storage version')]),
  ]
}

/** Kubernetes prints the whole list as Go would; nobody can read that. */
function wrong(field: string, what: string): Cause {
  return cause('FieldValueInvalid', field, `Invalid value: ${what}`)
}

/** What belongs to the only version, Kubernetes finds under the names it had before there were several. */
function problemsOfVersion(version: unknown, index: number, isOnly: boolean): readonly Cause[] {
  const field = `spec.versions[${index}]`
  if (!isFields(version)) return [wrongType(field, version, ['object'])]
  const old = isOnly ? 'spec' : field
  return [
    ...labelProblems(`${field}.name`, version['name']),
    ...['served', 'storage'].flatMap((flag) =>
      typeof version[flag] === 'boolean' ? [] : [wrongType(`${field}.${flag}`, version[flag], ['boolean'])],
    ),
    ...problemsOfSchema(version, `${field}.schema`, isOnly ? 'spec.validation' : `${field}.schema`),
    ...problemsOfScale(version, `${old}.subresources.scale`),
    ...problemsOfColumns(version, `${old}.additionalPrinterColumns`),
  ]
}

function problemsOfSchema(version: unknown, field: string, shown: string): readonly Cause[] {
  const schema = valueAt(version, 'schema', 'openAPIV3Schema')
  if (schema === undefined || schema === null) return [required(`${field}.openAPIV3Schema`, 'schemas are required')]
  return schemaProblems(schema, `${shown}.openAPIV3Schema`)
}

const SIMPLE_PATH = /^(?:\.[A-Za-z0-9_-]{1,253}){1,32}$/

function problemsOfScale(version: unknown, field: string): readonly Cause[] {
  const scale = valueAt(version, 'subresources', 'scale')
  if (!isFields(scale)) return []
  return SCALE_PATHS.flatMap(({ name, below, isOptional }) => {
    const path = scale[name] ?? ''
    const at = `${field}.${name}`
    if (path === '') return isOptional ? [] : [required(at)]
    if (typeof path !== 'string') return [wrongType(at, path, ['string'])]
    if (!SIMPLE_PATH.test(path)) return [invalidValue(at, path, 'must be a simple json path starting with .')]
    if (below.some((prefix) => path.startsWith(prefix))) return []
    return [
      invalidValue(at, path, `should be a json path under ${below.map((prefix) => prefix.slice(0, -1)).join(' or ')}`),
    ]
  })
}

const SCALE_PATHS = [
  { name: 'specReplicasPath', below: ['.spec.'], isOptional: false },
  { name: 'statusReplicasPath', below: ['.status.'], isOptional: false },
  { name: 'labelSelectorPath', below: ['.spec.', '.status.'], isOptional: true },
] as const

function problemsOfColumns(version: unknown, field: string): readonly Cause[] {
  return arrayAt(version, 'additionalPrinterColumns').flatMap((column, index) => {
    const at = `${field}[${index}]`
    const types: readonly unknown[] = COLUMN_TYPES
    const path = textAt(column, 'jsonPath') ?? ''
    return [
      ...(textAt(column, 'name') ? [] : [required(`${at}.name`)]),
      ...(types.includes(valueAt(column, 'type'))
        ? []
        : [invalidValue(`${at}.type`, valueAt(column, 'type') ?? '', `must be one of ${COLUMN_TYPES.join(',')}`)]),
      ...pathProblems(`${at}.JSONPath`, path),
    ]
  })
}

function pathProblems(field: string, path: string): readonly Cause[] {
  if (path === '') return [required(field)]
  if (!path.startsWith('.')) return [invalidValue(field, path, 'must be a simple json path starting with .')]
  return parseJsonPath(path) === undefined ? [invalidValue(field, path, 'this server cannot read this json path')] : []
}
