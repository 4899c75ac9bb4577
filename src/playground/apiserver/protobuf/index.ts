/**
 * Bodies in Kubernetes' protobuf, which `kubectl create deployment` and its like send. Pure.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import { badRequest, unsupportedMedia } from '../http/status.ts'
import { fieldsAt } from '../objects/shape.ts'
import { messageOf } from './kinds.ts'
import { decodeMessage } from './message.ts'
import { fieldsOf, textOf, WireError } from './wire.ts'

/** The four bytes before the envelope, `k8s` and a zero. */
const MAGIC = [0x6b, 0x38, 0x73, 0x00]

/**
 * The object in a body of `application/vnd.kubernetes.protobuf`, as its JSON would be. Throws ApiError: 400 for what is
 * no such body, 415 for kinds and fields that are only read as JSON.
 */
export function decodeProtobuf(body: Uint8Array): KubeObject {
  if (MAGIC.some((byte, index) => body[index] !== byte))
    throw badRequest('the body is not in the protobuf of Kubernetes')
  try {
    const { apiVersion, kind, raw } = envelopeOf(body.subarray(MAGIC.length))
    const message = messageOf(apiVersion, kind)
    if (message === undefined) throw unsupportedMedia(unread(`${kind} (${apiVersion})`))
    const fields = decodeMessage(message, raw)
    return { ...fields, apiVersion, kind, metadata: { name: '', ...fieldsAt(fields, 'metadata') } }
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    if (error.unread === undefined) throw badRequest(`the protobuf body cannot be read: ${error.message}`)
    throw unsupportedMedia(unread(error.unread))
  }
}

function unread(what: string): string {
  return (
    `${what} is not read from protobuf here: send JSON, for example ` +
    'with "--dry-run=client -o json" and then "kubectl create -f -"'
  )
}

/** The type and the bytes of what is in an envelope (`runtime.Unknown`). */
function envelopeOf(bytes: Uint8Array): {
  readonly apiVersion: string
  readonly kind: string
  readonly raw: Uint8Array
} {
  let [apiVersion, kind] = ['', '']
  let raw = new Uint8Array(0)
  for (const { number, value } of fieldsOf(bytes)) {
    if (!(value instanceof Uint8Array)) continue
    if (number === 1) [apiVersion, kind] = typeOf(value)
    else if (number === 2) raw = new Uint8Array(value.buffer, value.byteOffset, value.byteLength) as typeof raw
    else if (number === 3 && value.length > 0) throw new WireError('it is encoded', `the encoding ${textOf(value)}`)
  }
  return { apiVersion, kind, raw }
}

function typeOf(bytes: Uint8Array): [apiVersion: string, kind: string] {
  let [apiVersion, kind] = ['', '']
  for (const { number, value } of fieldsOf(bytes)) {
    if (!(value instanceof Uint8Array)) continue
    if (number === 1) apiVersion = textOf(value)
    else if (number === 2) kind = textOf(value)
  }
  return [apiVersion, kind]
}
