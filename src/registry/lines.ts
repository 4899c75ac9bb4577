/**
 * Lines out of a stream of bytes.
 * @module
 */
import { RegistryError } from './registry.ts'

/** The longest line: an object may be a {@link MAX_BODY | body} long, and its frame a little more. */
const MAX_LINE = 4 << 20

/** When to stop, and how many milliseconds without a byte are too many; a line that has begun ends in as many. */
export interface ReadLinesOptions {
  readonly signal: AbortSignal
  readonly silence: number
  /** The most characters of a line. */
  readonly maxLine?: number
  /** The error for silence and for a line that is too long; a `REGISTRY_UNAVAILABLE` when absent. */
  readonly fail?: (what: 'silence' | 'length') => Error
}

/**
 * The lines of a stream until it ends or `signal` aborts. Throws on silence or a huge line. What comes after the last
 * line's end is no line.
 */
export async function* readLines(
  stream: ReadableStream<Uint8Array>,
  options: ReadLinesOptions,
): AsyncGenerator<string, void> {
  const { signal, silence, maxLine = MAX_LINE, fail = unavailable } = options
  const reader: Reader = stream.getReader()
  const decoder = new TextDecoder()
  // Pieces of a line whose end has not come: joined once, or a line that comes byte by byte costs its square.
  let pieces: string[] = []
  let length = 0
  let begun = 0
  try {
    while (!signal.aborted) {
      const { done, value } = await readWithin(
        reader,
        length === 0 ? silence : begun + silence - performance.now(),
        fail,
      )
      if (done) return
      const [first = '', ...others] = decoder.decode(value, { stream: true }).split('\n')
      const isNew = length === 0 || others.length > 0
      pieces.push(first)
      length += first.length
      for (const next of others) {
        if (length > maxLine) throw fail('length')
        const line = pieces.join('')
        if (line !== '') yield line
        pieces = [next]
        length = next.length
      }
      if (length > maxLine) throw fail('length')
      // A line that never ends, byte by byte, is as good as silence.
      if (isNew) begun = performance.now()
    }
  } finally {
    // The stream may have failed already, and says so again.
    await reader.cancel().catch(() => undefined)
  }
}

/** What is used of a stream's reader: the runtime's and the platform's types for it differ in the rest. */
interface Reader {
  readonly read: () => Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
  readonly cancel: () => Promise<void>
}

async function readWithin(
  reader: Reader,
  milliseconds: number,
  fail: (what: 'silence') => Error,
): ReturnType<Reader['read']> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(fail('silence')), milliseconds)
  })
  try {
    return await Promise.race([reader.read(), silence])
  } finally {
    clearTimeout(timer)
  }
}

function unavailable(what: 'silence' | 'length'): RegistryError {
  const did = what === 'silence' ? 'was silent for too long' : 'sent a line without an end'
  return new RegistryError('REGISTRY_UNAVAILABLE', `the registry ${did}`)
}
