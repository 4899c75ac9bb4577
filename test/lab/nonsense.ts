/**
 * What an API server can never say, and a network or whatever answers in its place can.
 * @module
 */
import { randomBytes } from 'node:crypto'
import type { Fault } from './api-proxy.ts'

/** Faults by name. */
export const NONSENSE: readonly { readonly name: string; readonly fault: Fault }[] = [
  { name: 'random bytes instead of an answer', fault: { kind: 'answer', bytes: () => randomBytes(4000) } },
  { name: 'random bytes in the middle of answers', fault: { kind: 'change', change: scrambled } },
  { name: 'answers cut off', fault: { kind: 'cut', after: 300 } },
  { name: 'a page of HTML', fault: answer('200 OK', ['Content-Type: text/html'], page()) },
  { name: 'a page of HTML that says 500', fault: answer('500 Oops', ['Content-Type: text/html'], page()) },
  { name: 'a page of HTML that says 404', fault: answer('404 Not Found', ['Content-Type: text/html'], page()) },
  { name: 'too many requests', fault: answer('429 Too Many Requests', ['Retry-After: 1'], '') },
  { name: 'JSON of something else', fault: answer('200 OK', json(), '{"kind":"PodList","items":[7]}') },
  { name: 'protobuf', fault: answer('200 OK', ['Content-Type: application/vnd.kubernetes.protobuf'], 'k8s\0\n\x04') },
  { name: 'a redirection to somebody else', fault: answer('302 Found', ['Location: https://192.0.2.1/'], '') },
  { name: 'a line without an end', fault: answer('200 OK', json(), `{"kind":"${'x'.repeat(20 << 20)}`) },
  { name: 'a body shorter than it said', fault: answer('200 OK', [...json(), 'Content-Length: 900'], '{"a":') },
]

function answer(status: string, headers: readonly string[], body: string): Fault {
  const head = [`HTTP/1.1 ${status}`, ...headers, 'Connection: close', '', ''].join('\r\n')
  const bytes = Buffer.from(head + body, 'latin1')
  return { kind: 'answer', bytes: () => bytes }
}

function scrambled(chunk: Buffer): Uint8Array {
  const at = Math.floor(chunk.length / 2)
  return Buffer.concat([chunk.subarray(0, at), randomBytes(chunk.length - at)])
}

function page(): string {
  return '<!doctype html><title>Welcome</title><p>It works!'
}

function json(): readonly string[] {
  return ['Content-Type: application/json']
}
