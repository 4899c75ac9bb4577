/**
 * Names of objects.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import type { ServedResource } from '../contract.ts'
import { type Cause, invalid } from '../http/status.ts'

/** The characters of generated names: no vowels and nothing that reads as another, so that no words come out. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'
const SUFFIX = 5
const MAX_BASE = 63 - SUFFIX

/** A name from `generateName`. `random` gives numbers from 0 to below 1. */
export function generatedName(base: string, random: () => number): string {
  const suffix = Array.from({ length: SUFFIX }, () => ALPHABET[Math.floor(random() * ALPHABET.length)])
  return base.slice(0, MAX_BASE) + suffix.join('')
}

/** Throws a 422 that names what is wrong with an object's name, labels or annotations. */
export function checkMetadata(resource: ServedResource, object: KubeObject): void {
  const { name, labels = {}, annotations = {}, finalizers = [] } = object.metadata
  const causes = [...nameCauses(resource, name)]
  for (const [key, value] of Object.entries(labels)) {
    if (!isQualified(key)) causes.push(wrong('metadata.labels', key, QUALIFIED_TEXT))
    if (!LABEL_VALUE.test(value)) causes.push(wrong('metadata.labels', value, LABEL_VALUE_TEXT))
  }
  for (const key of Object.keys(annotations)) {
    if (!isQualified(key.toLowerCase())) causes.push(wrong('metadata.annotations', key, QUALIFIED_TEXT))
  }
  const size = Object.entries(annotations).reduce((sum, [key, value]) => sum + key.length + value.length, 0)
  if (size > MAX_ANNOTATIONS) {
    const message = `Too long: may not be more than ${MAX_ANNOTATIONS} bytes`
    causes.push({ reason: 'FieldValueInvalid', field: 'metadata.annotations', message })
  }
  for (const finalizer of finalizers) {
    if (!isQualified(finalizer)) causes.push(wrong('metadata.finalizers', finalizer, QUALIFIED_TEXT))
  }
  if (causes.length > 0) throw invalid(resource, name, causes)
}

const MAX_ANNOTATIONS = 256 * 1024
export const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
export const LABEL_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/
export const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
export const LABEL_VALUE = /^(?=.{0,63}$)(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/
const QUALIFIED = /^(?=.{1,63}$)([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/

export const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and " +
  "end with an alphanumeric character (e.g. 'example.com', regex used for validation is " +
  "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
export const LABEL_TEXT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with " +
  "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is " +
  "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
export const LABEL_1035_TEXT =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, " +
  "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is " +
  "'[a-z]([-a-z0-9]*[a-z0-9])?')"
const PATH_TEXT = "may not be '.', '..' or contain '/' or '%'"
export const QUALIFIED_TEXT =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric " +
  "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is " +
  "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
export const LABEL_VALUE_TEXT =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and " +
  "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is " +
  "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"

function nameCauses({ group, plural }: ServedResource, name: string): readonly Cause[] {
  const field = 'metadata.name'
  if (name === '') {
    return [{ reason: 'FieldValueRequired', field, message: 'Required value: name or generateName is required' }]
  }
  if (group === 'rbac.authorization.k8s.io') return /[/%]|^\.\.?$/.test(name) ? [wrong(field, name, PATH_TEXT)] : []
  if (group === '' && plural === 'namespaces')
    return name.length <= 63 && LABEL.test(name) ? [] : [wrong(field, name, LABEL_TEXT)]
  if (group === '' && plural === 'services') {
    return name.length <= 63 && LABEL_1035.test(name) ? [] : [wrong(field, name, LABEL_1035_TEXT)]
  }
  if (name.length > 253) return [wrong(field, name.slice(0, 300), 'must be no more than 253 characters')]
  return SUBDOMAIN.test(name) ? [] : [wrong(field, name, SUBDOMAIN_TEXT)]
}

/** `prefix/name` with a subdomain as prefix, or a name alone. */
function isQualified(key: string): boolean {
  const [name = '', prefix, ...rest] = key.split('/').reverse()
  if (rest.length > 0 || !QUALIFIED.test(name)) return false
  return prefix === undefined || (prefix.length <= 253 && SUBDOMAIN.test(prefix))
}

function wrong(field: string, value: string, text: string): Cause {
  return { reason: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(value)}: ${text}` }
}
