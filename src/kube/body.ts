/**
 * The body of an answer.
 * @module
 */
import type { Deadline } from '../registry/deadline.ts'
import { connectionError, ended, unavailable } from './connection-error.ts'
import { KubeError } from './errors.ts'

/** A body in pieces. Throws a KubeError when it is larger than `most` bytes, breaks off, or takes too long. */
export async function* readBody(response: Response, most: number, limit: Deadline): AsyncGenerator<Uint8Array, void> {
  if (response.body === null) return
  let size = 0
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      if (limit.signal.aborted) throw new Error('aborted')
      size += chunk.length
      if (size > most) throw unavailable('the API server sent an answer without an end')
      yield chunk
    }
  } catch (cause) {
    if (cause instanceof KubeError) throw cause
    if (limit.passed) throw unavailable('the API server did not answer in time')
    throw limit.signal.aborted ? ended() : connectionError(cause)
  }
}

/** All of it as text. */
export async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
