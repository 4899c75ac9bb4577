/**
 * As much of HTTP/1.1 as a server needs that tells who it is: requests one after the other, bodies passed over.
 * @module
 */

/** One request's first lines. */
export interface RequestHead {
  readonly method: string
  readonly target: string
  /** Whether the connection is kept for another request. */
  readonly keep: boolean
  /** Bytes of the body that follows. */
  readonly body: number
  /** Bytes of the head itself. */
  readonly length: number
}

/** What some bytes are: a request, the beginning of one, or something else. */
export type Reading = RequestHead | 'more' | 'other'

const MAX_HEAD = 16 * 1024
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']
const START = /^([A-Z]+) (\S+) HTTP\/1\.([01])\r?$/

/** Reads a request from the bytes at the beginning of a connection, or after an earlier request. */
export function readRequest(bytes: Uint8Array): Reading {
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, MAX_HEAD))
  const first = text.split('\n', 1)[0] ?? ''
  if (first === text) return mayBegin(first) && text.length < MAX_HEAD ? 'more' : 'other'
  const [, method = '', target = '', minor] = START.exec(first) ?? []
  if (!METHODS.includes(method)) return 'other'
  const end = /\r?\n\r?\n/.exec(text)
  if (end === null) return text.length < MAX_HEAD ? 'more' : 'other'
  const headers = text.slice(first.length, end.index)
  const connection = /^connection:\s*(\S+)\s*$/im.exec(headers)?.[1]?.toLowerCase()
  return {
    method,
    target: target.slice(0, 1024),
    keep: minor === '1' ? connection !== 'close' : connection === 'keep-alive',
    body: Number(/^content-length:\s*(\d{1,9})\s*$/im.exec(headers)?.[1] ?? 0),
    length: end.index + end[0].length,
  }
}

/** An answer of plain text. */
export function response({ method, keep }: RequestHead, body: string): string {
  const head = [
    'HTTP/1.1 200 OK',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `Connection: ${keep ? 'keep-alive' : 'close'}`,
  ]
  return `${head.join('\r\n')}\r\n\r\n${method === 'HEAD' ? '' : body}`
}

function mayBegin(text: string): boolean {
  const [method = '', target] = text.split(' ')
  return target === undefined ? METHODS.some((one) => one.startsWith(method)) : METHODS.includes(method)
}
