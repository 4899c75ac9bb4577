/**
 * The API's refusals, in its own words: clients decide by reason and code, and kubectl prints the message.
 * Source of the words: a kube-apiserver 1.32, asked.
 * @module
 */
import type { Resource } from '../../../kube/object.ts'
import { ApiError } from '../contract.ts'

type Named = Pick<Resource, 'group' | 'plural' | 'kind'>

/** What is wrong with a field. */
export type CauseReason =
  | 'FieldValueInvalid'
  | 'FieldValueTypeInvalid'
  | 'FieldValueRequired'
  | 'FieldValueForbidden'
  | 'FieldValueNotSupported'
  | 'FieldValueDuplicate'
  | 'FieldValueNotFound'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'

/** One wrong field of an object. */
export interface Cause {
  readonly reason: CauseReason
  readonly message: string
  readonly field: string
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message)
}

export function notFound(resource: Named, name: string): ApiError {
  return new ApiError(404, 'NotFound', `${qualified(resource)} "${name}" not found`, about(resource, name))
}

/** There is nothing at this path. */
export function noSuchPath(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource', {})
}

export function methodNotAllowed(): ApiError {
  return new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
}

export function alreadyExists(resource: Named, name: string): ApiError {
  return new ApiError(409, 'AlreadyExists', `${qualified(resource)} "${name}" already exists`, about(resource, name))
}

export function conflict(resource: Named, name: string, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`
  return new ApiError(409, 'Conflict', message, about(resource, name))
}

/** Somebody else was faster. */
export function modifiedSince(resource: Named, name: string): ApiError {
  return conflict(
    resource,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  )
}

export function forbidden(resource: Named, name: string, why: string, causes?: readonly unknown[]): ApiError {
  const details = { ...about(resource, name), ...(causes === undefined ? {} : { causes }) }
  return new ApiError(403, 'Forbidden', `${qualified(resource)} "${name}" is forbidden: ${why}`, details)
}

/** The object is wrong in these fields. */
export function invalid({ group, kind }: Named, name: string, causes: readonly Cause[]): ApiError {
  const texts = [...new Set(causes.map(({ field, message }) => `${field}: ${message}`))]
  const list = texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`
  const full = group === '' ? kind : `${kind}.${group}`
  const details = { ...(name === '' ? {} : { name }), ...(group === '' ? {} : { group }), kind, causes }
  return new ApiError(422, 'Invalid', `${full} "${name}" is invalid: ${list}`, details)
}

/** What a query's parameter has to be. */
export function invalidOption(options: string, field: string, reason: Cause['reason'], message: string): ApiError {
  return invalid({ group: 'meta.k8s.io', plural: '', kind: options }, '', [{ reason, message, field }])
}

/** The past that was asked for is forgotten. */
export function expired(message: string): ApiError {
  return new ApiError(410, 'Expired', message)
}

export function unsupportedMedia(message: string): ApiError {
  return new ApiError(415, 'UnsupportedMediaType', message)
}

/** The `Status` object that tells an error. What is not an ApiError is ours, and its words stay here. */
export function statusOf(error: unknown): { readonly code: number; readonly [field: string]: unknown } {
  const known = error instanceof ApiError ? error : new ApiError(500, 'InternalError', 'Internal error occurred')
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: known.message,
    reason: known.reason,
    ...(known.details === undefined ? {} : { details: known.details }),
    code: known.status,
  }
}

function qualified({ group, plural }: Named): string {
  return group === '' ? plural : `${plural}.${group}`
}

function about({ group, plural }: Named, name: string): Readonly<Record<string, unknown>> {
  return { name, ...(group === '' ? {} : { group }), kind: plural }
}
