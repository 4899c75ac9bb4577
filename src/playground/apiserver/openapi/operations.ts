/**
 * What can be done at a path. Clients look here for the parameters that they may send.
 * @module
 */

import { messageOfSchema } from '../builtin/index.ts'
import type { ServedResource } from '../contract.ts'

type Schema = Readonly<Record<string, unknown>>
type Operations = Readonly<Record<string, unknown>>

/** Reading and creating. */
export function collectionOperations(resource: ServedResource, schema: Schema): Operations {
  const common = commonOf(resource)
  return {
    parameters: placeOf(resource),
    get: { ...common, 'x-kubernetes-action': 'list', parameters: SELECTING, responses: answers({ type: 'object' }) },
    post: {
      ...common,
      'x-kubernetes-action': 'post',
      parameters: WRITING,
      requestBody: body([JSON_TYPE], schema),
      responses: answers(schema),
    },
    delete: { ...common, 'x-kubernetes-action': 'deletecollection', parameters: SELECTING, responses: answers(STATUS) },
  }
}

/** Reading, replacing, patching and deleting one object. */
export function objectOperations(resource: ServedResource, schema: Schema): Operations {
  const common = commonOf(resource)
  return {
    parameters: [...placeOf(resource), { name: 'name', in: 'path', required: true, schema: TEXT }],
    get: { ...common, 'x-kubernetes-action': 'get', responses: answers(schema) },
    put: {
      ...common,
      'x-kubernetes-action': 'put',
      parameters: WRITING,
      requestBody: body([JSON_TYPE], schema),
      responses: answers(schema),
    },
    patch: {
      ...common,
      'x-kubernetes-action': 'patch',
      parameters: WRITING,
      requestBody: body(patchTypes(resource), { type: 'object' }),
      responses: answers(schema),
    },
    delete: { ...common, 'x-kubernetes-action': 'delete', parameters: [DRY_RUN], responses: answers(STATUS) },
  }
}

const JSON_TYPE = 'application/json'
const TEXT = { type: 'string' }
const STATUS = { type: 'object', description: 'How it went.' }
const DRY_RUN = { name: 'dryRun', in: 'query', description: 'All only tries.', schema: TEXT }

const WRITING = [
  DRY_RUN,
  { name: 'fieldManager', in: 'query', description: 'Who writes. Not kept.', schema: TEXT },
  {
    name: 'fieldValidation',
    in: 'query',
    description: 'What happens to unknown fields: Ignore, Warn or Strict.',
    schema: TEXT,
  },
]

const SELECTING = [
  { name: 'labelSelector', in: 'query', description: 'Only objects with these labels.', schema: TEXT },
  { name: 'fieldSelector', in: 'query', description: 'Only objects with these fields.', schema: TEXT },
  { name: 'limit', in: 'query', description: 'How many at most in one answer.', schema: { type: 'integer' } },
  { name: 'continue', in: 'query', description: 'Where the answer before ended.', schema: TEXT },
]

function commonOf({ group, version, kind }: ServedResource): Schema {
  return { 'x-kubernetes-group-version-kind': { group, version, kind } }
}

function placeOf({ namespaced }: ServedResource): readonly unknown[] {
  return namespaced ? [{ name: 'namespace', in: 'path', required: true, schema: TEXT }] : []
}

function patchTypes({ schema }: ServedResource): readonly string[] {
  const plain = ['application/json-patch+json', 'application/merge-patch+json']
  const isBuiltin = schema !== undefined && messageOfSchema(schema) !== undefined
  return isBuiltin ? [...plain, 'application/strategic-merge-patch+json'] : plain
}

function body(types: readonly string[], schema: Schema): Schema {
  return { required: true, content: Object.fromEntries(types.map((type) => [type, { schema }])) }
}

function answers(schema: Schema): Schema {
  return { 200: { description: 'OK', content: { [JSON_TYPE]: { schema } } } }
}
