/**
 * Events are kept for an hour.
 * @module
 */
import type { Context } from '../context.ts'
import { textAt } from '../objects/shape.ts'
import { type Entry, objectOf } from '../store/change.ts'

const EVENTS = '/events'
const KEPT = 3600_000
const BATCH = 200

/** Removes events that nobody wrote to for an hour. */
export async function expireEvents({ store, now }: Pick<Context, 'store' | 'now'>): Promise<void> {
  const since = now().getTime() - KEPT
  for (const [index, entry] of store.collection(EVENTS).slice('').entries()) {
    if (lastWritten(entry) < since && store.get(EVENTS, entry.namespace, entry.name) === entry) {
      store.remove(EVENTS, objectOf(entry))
    }
    if (index % BATCH === BATCH - 1) await store.settled()
  }
  await store.settled()
}

function lastWritten(entry: Entry): number {
  const event = objectOf(entry)
  const texts = [
    textAt(event, 'metadata', 'creationTimestamp'),
    textAt(event, 'lastTimestamp'),
    textAt(event, 'series', 'lastObservedTime'),
  ]
  return Math.max(0, ...texts.map((text) => Date.parse(text ?? '')).filter((time) => !Number.isNaN(time)))
}
