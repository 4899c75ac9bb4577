/**
 * The stream of a v3 watch: what happened at one revision together, however it was cut to pieces.
 * @module
 */
import { readLines } from '../registry/lines.ts'
import { EtcdError, garbage, unavailable } from './errors.ts'
import type { Batch, KeyEvent } from './key-space.ts'
import { type WatchMessage, watchMessage } from './v3-decode.ts'

/** How a stream is read. */
export interface ReadBatchesOptions {
  readonly signal: AbortSignal
  /** Milliseconds without a byte after which the stream ends. */
  readonly silence: number
  /** Hears which cluster answers. */
  readonly met: (cluster: string | undefined) => void
}

/** Messages are cut at 1.5 MB or so; base64, the earlier values and JSON make more of it. */
const MAX_LINE = 64 << 20

/** The batches in a stream, until it was silent for too long or `signal` aborts. Throws when its server ends it. */
export async function* readBatches(
  stream: ReadableStream<Uint8Array>,
  { signal, silence, met }: ReadBatchesOptions,
): AsyncGenerator<Batch, void> {
  const fail = (what: 'silence' | 'length') => (what === 'silence' ? new Silent() : garbage('a message without an end'))
  let held: Held | undefined
  try {
    for await (const line of readLines(stream, { signal, silence, maxLine: MAX_LINE, fail })) {
      const message = watchMessage(line)
      met(message.header.cluster)
      const { complete, rest } = gather(held, message)
      held = rest
      yield* complete
    }
  } catch (error) {
    if (signal.aborted || error instanceof Silent) return
    throw error instanceof EtcdError ? error : unavailable('etcd broke off a watch', { cause: error })
  }
  if (!signal.aborted) throw unavailable('etcd ended a watch')
}

class Silent extends Error {}

/** What happened at a revision, as far as it was told. */
interface Held {
  readonly revision: number
  readonly events: readonly KeyEvent[]
}

/** The revisions that are told completely, and the one of which more may come. */
export function gather(
  held: Held | undefined,
  { header, events, isFragment, isCreated }: WatchMessage,
): { readonly complete: readonly Batch[]; readonly rest: Held | undefined } {
  if (events.length === 0 && held === undefined) {
    return { complete: isCreated || isFragment ? [] : [{ revision: header.revision, events: [] }], rest: undefined }
  }
  const batches: { revision: number; events: KeyEvent[] }[] =
    held === undefined ? [] : [{ revision: held.revision, events: [...held.events] }]
  for (const { revision, event } of events) {
    const last = batches.at(-1)
    if (last !== undefined && revision < last.revision) throw garbage('events out of order')
    if (last?.revision === revision) last.events.push(event)
    else batches.push({ revision, events: [event] })
  }
  const rest = isFragment ? batches.pop() : undefined
  return { complete: batches, rest }
}
