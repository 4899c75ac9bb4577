/**
 * The resources that a CustomResourceDefinition defines.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import type { Column, ServedResource, Subresource } from '../contract.ts'
import { type Cause, invalid } from '../http/status.ts'
import { arrayAt, fieldsAt, isFields, numberAt, textAt, valueAt } from '../objects/shape.ts'
import { columnsOf, type PrinterColumn } from '../table/index.ts'
import { brokenRules, hasRules, isBlocking, RULES_UNASKED } from './cel/rules.ts'
import { withDefaults } from './defaults.ts'
import { pruned } from './prune.ts'
import { readSchema, type Schema } from './schema.ts'
import { problemsOf } from './validate.ts'

/** Every served version of what a definition defines. */
export function resourcesOf(crd: KubeObject): readonly ServedResource[] {
  return arrayAt(crd, 'spec', 'versions').flatMap((version) =>
    valueAt(version, 'served') === true ? [resourceOf(crd, version)] : [],
  )
}

/** Wrong fields of one object that are told. */
const MOST_CAUSES = 100

function resourceOf(crd: KubeObject, version: unknown): ServedResource {
  const names = fieldsAt(crd, 'spec', 'names')
  const kind = textAt(names, 'kind') ?? ''
  const raw = valueAt(version, 'schema', 'openAPIV3Schema')
  const schema = isFields(raw) ? readSchema(raw) : undefined
  const scale = scaleOf(version)
  const table = columnsOf(printerColumns(version))
  const resource = {
    group: textAt(crd, 'spec', 'group') ?? '',
    version: textAt(version, 'name') ?? '',
    plural: textAt(names, 'plural') ?? '',
    kind,
    namespaced: textAt(crd, 'spec', 'scope') !== 'Cluster',
    singular: textAt(names, 'singular') ?? kind.toLowerCase(),
    listKind: textAt(names, 'listKind') ?? `${kind}List`,
    shortNames: textsAt(names, 'shortNames'),
    categories: textsAt(names, 'categories'),
    subresources: subresourcesOf(version),
    ...(isFields(raw) ? { schema: raw } : {}),
    ...(scale === undefined ? {} : { scale }),
    ...(table === undefined || table.columns.length < 2 ? {} : { table }),
  }
  const rules = schema === undefined ? NO_RULES : rulesOf(schema)
  return {
    ...resource,
    prepare: (object, before) =>
      schema === undefined ? object : prepared(object, before, { resource, schema, rules }),
  }
}

type Rules = (object: KubeObject, before: KubeObject | undefined) => readonly Cause[]

const NO_RULES: Rules = () => []

function rulesOf(schema: Schema): Rules {
  return hasRules(schema) ? (object, before) => brokenRules(object, before, schema) : NO_RULES
}

interface Judge {
  readonly resource: Omit<ServedResource, 'prepare'>
  readonly schema: Schema
  readonly rules: Rules
}

/** Throws a 422 that names every wrong field. */
function prepared(object: KubeObject, before: KubeObject | undefined, { resource, schema, rules }: Judge): KubeObject {
  const { apiVersion, kind, metadata, ...rest } = object
  // What every object has is the server's to fill in, whatever a schema says of it.
  const {
    apiVersion: _version,
    kind: _kind,
    metadata: _metadata,
    ...kept
  } = fieldsAt(withDefaults(pruned(rest, schema), schema))
  const whole = { apiVersion, kind, metadata, ...kept }
  const wrong = problemsOf(whole, schema, '')
  const problems = [...wrong, ...(wrong.some(isBlocking) ? unasked(rules) : rules(whole, before))]
  if (problems.length > 0) throw invalid(resource, metadata.name, problems.slice(0, MOST_CAUSES))
  return whole
}

function unasked(rules: Rules): readonly Cause[] {
  return rules === NO_RULES ? [] : [RULES_UNASKED]
}

function subresourcesOf(version: unknown): readonly Subresource[] {
  const asked = fieldsAt(version, 'subresources')
  return SUBRESOURCES.filter((name) => isFields(asked[name]))
}

const SUBRESOURCES = ['status', 'scale'] as const

function scaleOf(version: unknown): ServedResource['scale'] {
  const spec = textAt(version, 'subresources', 'scale', 'specReplicasPath')
  const status = textAt(version, 'subresources', 'scale', 'statusReplicasPath')
  const selector = textAt(version, 'subresources', 'scale', 'labelSelectorPath')
  if (spec === undefined || status === undefined) return undefined
  return { spec, status, ...(selector === undefined ? {} : { selector }) }
}

function printerColumns(version: unknown): readonly PrinterColumn[] {
  return arrayAt(version, 'additionalPrinterColumns').map((raw) => {
    const format = textAt(raw, 'format')
    const description = textAt(raw, 'description')
    const priority = numberAt(raw, 'priority')
    return {
      name: textAt(raw, 'name') ?? '',
      type: COLUMN_TYPES.find((type) => type === valueAt(raw, 'type')) ?? 'string',
      jsonPath: textAt(raw, 'jsonPath') ?? '',
      ...(format === undefined ? {} : { format }),
      ...(description === undefined ? {} : { description }),
      ...(priority === undefined ? {} : { priority }),
    }
  })
}

/** What a column may hold. */
export const COLUMN_TYPES: readonly Column['type'][] = ['boolean', 'date', 'integer', 'number', 'string']

function textsAt(value: unknown, field: string): readonly string[] {
  return arrayAt(value, field).filter((text) => typeof text === 'string')
}
