/**
 * What a schema must be to be structural: then pruning and defaults mean one thing. Source of the words: a
 * kube-apiserver 1.32, asked.
 * @module
 */
import type { Cause } from '../http/status.ts'
import { forbiddenField, invalidValue, required, unsupported, wrongType } from '../objects/causes.ts'
import { arrayAt, type Fields, fieldsAt, isFields, textAt, valueAt } from '../objects/shape.ts'
import { compileRule } from './cel/rule.ts'
import { compilePattern } from './pattern.ts'
import { readSchema, withoutRules } from './schema.ts'
import { problemsOf } from './validate.ts'

/** What is wrong with the schema of a whole object. */
export function schemaProblems(raw: unknown, path: string): readonly Cause[] {
  if (!isFields(raw)) return [wrongType(path, raw, ['object'])]
  const type = raw['type'] ?? ''
  if (type === '') return [required(`${path}.type`, 'must not be empty at the root')]
  if (type !== 'object') return [invalidValue(`${path}.type`, type, 'must be object at the root')]
  return [...metadataProblems(raw, path), ...levelProblems(raw, path, 0)]
}

const DEEPEST = 64
const TYPES: readonly unknown[] = ['array', 'boolean', 'integer', 'number', 'object', 'string']
const LIST_TYPES: readonly unknown[] = ['atomic', 'set', 'map']
const UNSUPPORTED = [
  '$ref',
  'definitions',
  'dependencies',
  'deprecated',
  'discriminator',
  'id',
  'patternProperties',
  'readOnly',
  'writeOnly',
  'xml',
]

function metadataProblems(raw: Fields, path: string): readonly Cause[] {
  const known = Object.keys(fieldsAt(raw, 'properties', 'metadata', 'properties'))
  if (known.every((name) => name === 'name' || name === 'generateName')) return []
  const why = 'must not specify anything other than name and generateName, but metadata is implicitly specified'
  return [forbiddenField(`${path}.properties[metadata]`, why)]
}

function levelProblems(raw: unknown, path: string, depth: number): readonly Cause[] {
  if (!isFields(raw)) return [wrongType(path, raw, ['object'])]
  if (depth > DEEPEST) return [forbiddenField(path, `schemas are nested at most ${DEEPEST} deep`)]
  return [
    ...typeProblems(raw, path),
    ...keywordProblems(raw, path),
    ...listProblems(raw, path),
    ...ruleProblems(raw, path),
    ...innerProblems(raw, path, depth),
    ...choiceProblems(raw, path, depth),
    ...defaultProblems(raw, path),
  ]
}

function typeProblems(raw: Fields, path: string): readonly Cause[] {
  const type = raw['type'] ?? ''
  const isEmbedded = raw['x-kubernetes-embedded-resource'] === true
  const keeps = raw['x-kubernetes-preserve-unknown-fields']
  const found: Cause[] = []
  if (keeps === false) {
    found.push(invalidValue(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'))
  }
  if (type === '') {
    const isFree = raw['x-kubernetes-int-or-string'] === true || keeps === true
    if (!isFree) found.push(required(`${path}.type`, 'must not be empty for specified object fields'))
  } else if (!TYPES.includes(type)) found.push(unsupported(`${path}.type`, type, TYPES))
  if (type === 'array' && !isFields(raw['items'])) found.push(required(`${path}.items`, 'must be specified'))
  if (isEmbedded && type !== 'object') {
    found.push(invalidValue(`${path}.type`, type, 'must be object if x-kubernetes-embedded-resource is true'))
  }
  if (isEmbedded && keeps !== true && Object.keys(fieldsAt(raw, 'properties')).length === 0) {
    const why =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields'
    found.push(required(`${path}.properties`, why))
  }
  return found
}

function keywordProblems(raw: Fields, path: string): readonly Cause[] {
  const found = UNSUPPORTED.filter((name) => Object.hasOwn(raw, name)).map((name) =>
    forbiddenField(`${path}.${name}`, `${name} is not supported`),
  )
  if (raw['uniqueItems'] === true) {
    const why = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'
    found.push(forbiddenField(`${path}.uniqueItems`, why))
  }
  const pattern = raw['pattern']
  const refusal = typeof pattern === 'string' && pattern !== '' ? compilePattern(pattern) : undefined
  if (typeof refusal === 'string') {
    found.push(invalidValue(`${path}.pattern`, pattern, `must be a valid regular expression, but isn't: ${refusal}`))
  }
  return found
}

function listProblems(raw: Fields, path: string): readonly Cause[] {
  const type = raw['x-kubernetes-list-type'] ?? ''
  if (type === '') return []
  if (!LIST_TYPES.includes(type)) return [unsupported(`${path}.x-kubernetes-list-type`, type, LIST_TYPES)]
  if (type !== 'map') return []
  const keys = arrayAt(raw, 'x-kubernetes-list-map-keys')
  if (keys.length === 0) {
    return [required(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map')]
  }
  const needed = arrayAt(raw, 'items', 'required')
  return keys.flatMap((key) => {
    if (typeof key !== 'string' || !Object.hasOwn(fieldsAt(raw, 'items', 'properties'), key)) {
      const why = 'entries must all be names of item properties'
      return [invalidValue(`${path}.x-kubernetes-list-map-keys`, key, why)]
    }
    const property = fieldsAt(raw, 'items', 'properties', key)
    if (Object.hasOwn(property, 'default') || needed.includes(key)) return []
    const why = 'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property'
    return [required(`${path}.items.properties[${key}].default`, why)]
  })
}

function ruleProblems(raw: Fields, path: string): readonly Cause[] {
  const rules = arrayAt(raw, 'x-kubernetes-validations')
  if (rules.length === 0) return []
  const schema = withoutRules(raw)
  return rules.flatMap((rule, index) => {
    const refusal = compileRule(rule, schema)
    const at = `${path}.x-kubernetes-validations[${index}].rule`
    return typeof refusal === 'string' ? [invalidValue(at, textAt(rule, 'rule') ?? '', refusal)] : []
  })
}

function innerProblems(raw: Fields, path: string, depth: number): readonly Cause[] {
  const properties = Object.entries(fieldsAt(raw, 'properties'))
  const additional = raw['additionalProperties']
  const clash =
    isFields(additional) && properties.length > 0
      ? [forbiddenField(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive')]
      : []
  return [
    ...clash,
    ...properties.flatMap(([name, inner]) => levelProblems(inner, `${path}.properties[${name}]`, depth + 1)),
    ...(isFields(additional) ? levelProblems(additional, `${path}.additionalProperties`, depth + 1) : []),
    ...(isFields(raw['items']) ? levelProblems(raw['items'], `${path}.items`, depth + 1) : []),
  ]
}

/** Within these a schema only judges: it fills in nothing and has no say in what is kept. */
function choiceProblems(raw: Fields, path: string, depth: number): readonly Cause[] {
  const isFree = raw['x-kubernetes-int-or-string'] === true
  const choices = ['allOf', 'anyOf', 'oneOf'].flatMap((word) =>
    arrayAt(raw, word).map((inner, index) => ({ inner, at: `${path}.${word}[${index}]`, isTyped: isFree })),
  )
  const not = raw['not'] === undefined ? [] : [{ inner: raw['not'], at: `${path}.not`, isTyped: false }]
  return [...choices, ...not].flatMap(({ inner, at, isTyped }) => judgeProblems(inner, at, depth + 1, isTyped))
}

const SILENT = [
  'additionalProperties',
  'default',
  'nullable',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-int-or-string',
  'x-kubernetes-validations',
]

function judgeProblems(raw: unknown, path: string, depth: number, isTyped: boolean): readonly Cause[] {
  if (!isFields(raw)) return [wrongType(path, raw, ['object'])]
  if (depth > DEEPEST) return [forbiddenField(path, `schemas are nested at most ${DEEPEST} deep`)]
  const said = SILENT.filter((name) => Object.hasOwn(raw, name))
  const type =
    Object.hasOwn(raw, 'type') && !isTyped ? [forbiddenField(`${path}.type`, 'must be empty to be structural')] : []
  const below = [
    ...Object.entries(fieldsAt(raw, 'properties')).map(([name, inner]) => ({
      inner,
      at: `${path}.properties[${name}]`,
    })),
    ...(isFields(raw['items']) ? [{ inner: raw['items'], at: `${path}.items` }] : []),
  ]
  return [
    ...said.map((name) => forbiddenField(`${path}.${name}`, 'must be undefined to be structural')),
    ...type,
    ...keywordProblems(raw, path),
    ...below.flatMap(({ inner, at }) => judgeProblems(inner, at, depth + 1, false)),
    ...choiceProblems(raw, path, depth),
  ]
}

function defaultProblems(raw: Fields, path: string): readonly Cause[] {
  const value = valueAt(raw, 'default')
  if (value === undefined) return []
  // A default is judged as what stands there, so its own words name no field.
  return problemsOf(value, readSchema(raw), '').map((problem) => ({
    ...problem,
    field: `${path}.default${problem.field === '' ? '' : `.${problem.field}`}`,
  }))
}
