/**
 * A watch as lines of JSON, with bookmarks while it is quiet.
 * @module
 */
import type { Change, Kind, Registry } from './registry.ts'
import { errorToWire } from './wire.ts'

/** What to watch from, until when, and how long to be quiet in milliseconds. */
export interface WatchStreamOptions {
  readonly after: number
  /** Only the object of this name. Absent: all. */
  readonly name: string | undefined
  readonly signal: AbortSignal
  readonly interval: number
}

/**
 * A watch as a stream of lines. It reads on only as fast as its consumer does: one that sleeps too long makes the
 * registry's history run out, is told so in a last line and has to list again, and costs no memory meanwhile.
 */
export function watchStream<K extends Kind>(
  registry: Registry,
  kind: K,
  options: WatchStreamOptions,
): ReadableStream<Uint8Array> {
  const ended = new AbortController()
  const signal = AbortSignal.any([options.signal, ended.signal])
  const changes = registry.watch(kind, options.after, signal, options.name)[Symbol.asyncIterator]()
  let next: Promise<IteratorResult<Change<K>>> | undefined
  let seen = options.after

  const nextLine = async (): Promise<Uint8Array | undefined> => {
    next ??= changes.next()
    const result = await within(next, options.interval)
    if (result === 'quiet') return line({ type: 'bookmark', revision: seen })
    next = undefined
    if (result.done === true) return undefined
    seen = result.value.type === 'bookmark' ? result.value.revision : result.value.object.revision
    return line(result.value)
  }

  return new ReadableStream<Uint8Array>({
    // The first bookmark makes the response's head go out, which tells the watcher that it is connected.
    start: (controller) => controller.enqueue(line({ type: 'bookmark', revision: seen })),
    pull: async (controller) => {
      try {
        const bytes = await nextLine()
        if (bytes === undefined) controller.close()
        else controller.enqueue(bytes)
      } catch (error) {
        controller.enqueue(line({ type: 'error', error: errorToWire(error) }))
        controller.close()
      }
    },
    cancel: () => ended.abort(),
  })
}

async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | 'quiet'> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const quiet = new Promise<'quiet'>((resolve) => {
    timer = setTimeout(resolve, milliseconds, 'quiet')
  })
  try {
    return await Promise.race([promise, quiet])
  } finally {
    clearTimeout(timer)
  }
}

const encoder = new TextEncoder()

function line(value: unknown): Uint8Array {
  return encoder.encode(`${JSON.stringify(value)}\n`)
}
