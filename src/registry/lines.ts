/**
 * Lines out of a stream of bytes.
 * @module
 */
import { RegistryError } from './registry.ts'

/** The longest line: an object may be a {@link MAX_BODY | body} long, and its frame a little more. */
const MAX_LINE = 4 << 20

/** When to stop, and how many milliseconds without a byte are too many. */
export interface ReadLinesOptions {
  readonly signal: AbortSignal
  readonly silence: number
}

/** The lines of a stream until it ends or `signal` aborts. Throws `REGISTRY_UNAVAILABLE` on silence or a huge line. */
export async function* readLines(
  stream: ReadableStream<Uint8Array>,
  options: ReadLinesOptions,
): AsyncGenerator<string, void> {
  const reader: Reader = stream.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  try {
    while (!options.signal.aborted) {
      const { done, value } = await readWithin(reader, options.silence)
      if (done) return
      const parts = (rest + decoder.decode(value, { stream: true })).split('\n')
      rest = parts.pop() ?? ''
      if (rest.length > MAX_LINE) throw unavailable('the registry sent a line without an end')
      for (const part of parts) if (part !== '') yield part
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

async function readWithin(reader: Reader, milliseconds: number): ReturnType<Reader['read']> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable(`the registry was silent for ${milliseconds} ms`)), milliseconds)
  })
  try {
    return await Promise.race([reader.read(), silence])
  } finally {
    clearTimeout(timer)
  }
}

function unavailable(message: string): RegistryError {
  return new RegistryError('REGISTRY_UNAVAILABLE', message)
}
