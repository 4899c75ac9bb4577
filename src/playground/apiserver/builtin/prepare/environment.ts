/**
 * Environment variables: what is wrong with them.
 * @module
 */
import type { Cause } from '../../http/status.ts'
import { invalidValue, required } from '../../objects/causes.ts'
import { arrayAt, type Fields, fieldsAt, isFields, textAt, valueAt } from '../../objects/shape.ts'
import { dnsSubdomain, needed } from './syntax.ts'

/** What is wrong with a container's variables and where they come from. */
export function environmentProblems(container: Fields, path: string): readonly Cause[] {
  const variables = arrayAt(container, 'env').flatMap((variable, index) => {
    const at = `${path}.env[${index}]`
    const source = valueAt(variable, 'valueFrom')
    return [
      ...needed(`${at}.name`, textAt(variable, 'name'), variableName),
      ...(isFields(source) ? sourceProblems(source, textAt(variable, 'value') ?? '', `${at}.valueFrom`) : []),
    ]
  })
  const sets = arrayAt(container, 'envFrom').flatMap((source, index) =>
    setProblems(fieldsAt(source), `${path}.envFrom[${index}]`, `${path}.envFrom`),
  )
  return [...variables, ...sets]
}

function variableName(field: string, value: string): readonly Cause[] {
  if (/^[ -<>-~]+$/.test(value)) return []
  const why = "a valid environment variable name must consist only of printable ASCII characters other than '='"
  return [invalidValue(field, value, why)]
}

const SOURCES = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef']

function sourceProblems(source: Fields, value: string, at: string): readonly Cause[] {
  const given = SOURCES.filter((name) => isFields(source[name]))
  if (given.length === 0) {
    return [
      invalidValue(at, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`'),
    ]
  }
  const found: Cause[] = []
  const path = textAt(source, 'fieldRef', 'fieldPath')
  if (source['fieldRef'] !== undefined) found.push(...needed(`${at}.fieldRef.fieldPath`, path, fieldPath))
  for (const name of ['configMapKeyRef', 'secretKeyRef']) {
    const reference = source[name]
    if (!isFields(reference)) continue
    found.push(...dnsSubdomain(`${at}.${name}.name`, textAt(reference, 'name') ?? ''))
    if (!textAt(reference, 'key')) found.push(required(`${at}.${name}.key`))
  }
  if (value !== '') found.push(invalidValue(at, '', 'may not be specified when `value` is not empty'))
  else if (given.length > 1) found.push(invalidValue(at, '', 'may not have more than one field specified at a time'))
  return found
}

const FIELD_PATHS =
  /^(?:metadata\.(?:name|namespace|uid)|metadata\.(?:labels|annotations)\['[^']+'\]|spec\.(?:nodeName|serviceAccountName)|status\.(?:hostIPs?|podIPs?))$/

function fieldPath(field: string, path: string): readonly Cause[] {
  if (FIELD_PATHS.test(path)) return []
  return [invalidValue(field, path, `error converting fieldPath: field label not supported: ${path}`)]
}

function setProblems(source: Fields, at: string, list: string): readonly Cause[] {
  const given = ['configMapRef', 'secretRef'].filter((name) => isFields(source[name]))
  if (given.length === 0) return [invalidValue(list, '', 'must specify one of: `configMapRef` or `secretRef`')]
  return given.flatMap((name) => dnsSubdomain(`${at}.${name}.name`, textAt(source, name, 'name') ?? ''))
}
