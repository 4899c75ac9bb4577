/**
 * ConfigMaps and Secrets.
 * @module
 */
import type { KubeObject } from '../../../../kube/object.ts'
import type { Cause } from '../../http/status.ts'
import { forbiddenField, invalidValue, required, tooLong } from '../../objects/causes.ts'
import { fieldsAt, textAt, valueAt } from '../../objects/shape.ts'
import { isChanged } from './pod.ts'
import type { Preparation } from './preparation.ts'

/** ConfigMaps. */
export const CONFIG_MAP: Preparation = {
  problems: (map) => [
    ...keyProblems(map, 'data'),
    ...Object.keys(fieldsAt(map, 'data'))
      .filter((key) => Object.hasOwn(fieldsAt(map, 'binaryData'), key))
      .map((key) => invalidValue(`data[${key}]`, key, 'duplicate of key present in binaryData')),
    ...keyProblems(map, 'binaryData'),
    ...sizeProblems(map, ['data', 'binaryData'], '[]'),
  ],
  changeProblems: (map, before) => sealedProblems(map, before, ['data', 'binaryData']),
}

/** Secrets. Text that was sent is kept as data. */
export const SECRET: Preparation = {
  complete: ({ stringData, ...secret }) => {
    const texts = Object.entries(fieldsAt(stringData)).map(([key, text]) => [key, base64(String(text))] as const)
    const data = { ...fieldsAt(secret, 'data'), ...Object.fromEntries(texts) }
    const type = textAt(secret, 'type') || 'Opaque'
    return Object.keys(data).length === 0 ? { ...secret, type } : { ...secret, data, type }
  },
  problems: (secret) => [
    ...keyProblems(secret, 'data'),
    ...sizeProblems(secret, ['data'], 'data'),
    ...typeProblems(secret),
  ],
  changeProblems: (secret, before) => {
    const type = textAt(secret, 'type')
    const isAnother = textAt(before, 'type') !== undefined && type !== textAt(before, 'type')
    return [
      ...(isAnother ? [invalidValue('type', type, 'field is immutable')] : []),
      ...sealedProblems(secret, before, ['data']),
    ]
  },
}

const MOST_BYTES = 1024 * 1024
const KEY = /^[-._a-zA-Z0-9]+$/
const KEY_TEXT =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or " +
  "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"

function keyProblems(object: KubeObject, field: string): readonly Cause[] {
  return Object.keys(fieldsAt(object, field)).flatMap((key) => {
    const why = problemOfKey(key)
    return why === undefined ? [] : [invalidValue(`${field}[${key}]`, key, why)]
  })
}

function problemOfKey(key: string): string | undefined {
  if (key.length > 253) return 'must be no more than 253 characters'
  if (!KEY.test(key)) return KEY_TEXT
  if (key === '.') return "must not be '.'"
  if (key === '..') return "must not be '..'"
  return key.startsWith('..') ? "must not start with '..'" : undefined
}

function sizeProblems(object: KubeObject, fields: readonly string[], told: string): readonly Cause[] {
  const size = fields
    .flatMap((field) => Object.values(fieldsAt(object, field)).map((value) => sizeOf(String(value), field)))
    .reduce((sum, each) => sum + each, 0)
  return size > MOST_BYTES ? [tooLong(told, MOST_BYTES)] : []
}

/** Bytes of a text, or of what is behind its base64. */
function sizeOf(text: string, field: string): number {
  return field === 'data' ? Buffer.byteLength(text) : Math.floor((text.length * 3) / 4)
}

function sealedProblems(object: KubeObject, before: KubeObject, fields: readonly string[]): readonly Cause[] {
  if (valueAt(before, 'immutable') !== true) return []
  const changed = fields.filter((field) => isChanged(object, before, field))
  const opened = valueAt(object, 'immutable') === true ? [] : ['immutable']
  return [...opened, ...changed].map((field) => forbiddenField(field, 'field is immutable when `immutable` is set'))
}

/** Keys that a type needs; of some any one will do. */
const NEEDED: ReadonlyMap<string, { readonly keys: readonly string[]; readonly isAnyEnough?: boolean }> = new Map([
  ['kubernetes.io/tls', { keys: ['tls.crt', 'tls.key'] }],
  ['kubernetes.io/dockerconfigjson', { keys: ['.dockerconfigjson'] }],
  ['kubernetes.io/dockercfg', { keys: ['.dockercfg'] }],
  ['kubernetes.io/ssh-auth', { keys: ['ssh-privatekey'] }],
  ['kubernetes.io/basic-auth', { keys: ['username', 'password'], isAnyEnough: true }],
])

function typeProblems(secret: KubeObject): readonly Cause[] {
  const type = textAt(secret, 'type') ?? ''
  const account = 'kubernetes.io/service-account.name'
  if (type === 'kubernetes.io/service-account-token' && !secret.metadata.annotations?.[account]) {
    return [required(`metadata.annotations[${account}]`)]
  }
  const { keys, isAnyEnough = false } = NEEDED.get(type) ?? { keys: [] }
  const data = fieldsAt(secret, 'data')
  const missing = keys.filter((key) => !Object.hasOwn(data, key))
  if (isAnyEnough && missing.length < keys.length) return []
  return missing.map((key) => required(`data[${key}]`))
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64')
}
