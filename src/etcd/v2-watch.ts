/**
 * The one event that a v2 watch waits for.
 * @module
 */
import { EtcdError, garbage, unavailable } from './errors.ts'

/** v2 has no limit for values of its own; what is larger than any of ours is none of ours. */
const MAX_EVENT = 16 << 20

/**
 * A body as text; undefined when its server was silent for so many milliseconds, took as many for what it had begun, or
 * `signal` aborted.
 */
export async function readEvent(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
  silence: number,
): Promise<string | undefined> {
  const reader = body.getReader() as Reader
  const chunks: Uint8Array[] = []
  let size = 0
  let end = performance.now() + silence
  try {
    for (;;) {
      const next = await within(reader.read(), end - performance.now())
      if (next === 'silence' || signal.aborted) return undefined
      if (next.done) break
      if (size === 0) end = performance.now() + silence
      size += next.value?.length ?? 0
      if (size > MAX_EVENT) throw garbage('an event without an end')
      if (next.value !== undefined) chunks.push(next.value)
    }
  } catch (cause) {
    if (cause instanceof EtcdError) throw cause
    throw unavailable('etcd broke off a watch', { cause })
  } finally {
    // The stream may have failed already, and says so again.
    await reader.cancel().catch(() => undefined)
  }
  const text = Buffer.concat(chunks).toString('utf8').trim()
  if (text === '') throw unavailable('etcd ended a watch without a word')
  return text
}

/** What is used of a stream's reader: the runtime's and the platform's types for it differ in the rest. */
interface Reader {
  readonly read: () => Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
  readonly cancel: () => Promise<void>
}

async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | 'silence'> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const silence = new Promise<'silence'>((resolve) => {
    timer = setTimeout(resolve, milliseconds, 'silence')
  })
  try {
    return await Promise.race([promise, silence])
  } finally {
    clearTimeout(timer)
  }
}
