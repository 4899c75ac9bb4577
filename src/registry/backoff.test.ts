import { expect, test } from 'bun:test'
import { Backoff } from './backoff.ts'
import { RECONNECT } from './reflect.ts'

/** A thousand nodes with a dozen collections each. */
const CLIENTS = 12_000
const SLOT = 100

/**
 * When clients come back that all lost a server in the same moment and try until it is there again: how many in each
 * tenth of a second after its return.
 */
function arrivals(outage: number, random: () => number): readonly number[] {
  const slots: number[] = []
  for (let i = 0; i < CLIENTS; i += 1) {
    const backoff = new Backoff(random, RECONNECT)
    let time = 0
    do time += backoff.next()
    while (time < outage)
    const slot = Math.floor((time - outage) / SLOT)
    slots[slot] = (slots[slot] ?? 0) + 1
  }
  return slots
}

/** Numbers from 0 up to 1 that are the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

test.each([
  // A server of several that goes, and one that starts again: nobody is later than a second or two.
  [0, 12, 1_000],
  [2_000, 12, 4_000],
  // The longer it took, the wider they are spread.
  [10_000, 4, 10_000],
  [60_000, 4, 10_000],
  [3_600_000, 4, 10_000],
])('after an outage of %i ms, at most %i %% come in the same tenth of a second, and all within %i ms', (...args) => {
  const [outage, percent, latest] = args
  const slots = arrivals(outage, seeded(outage + 1))
  expect(Math.max(...slots.filter((count) => count !== undefined))).toBeLessThan((CLIENTS * percent) / 100)
  expect(slots.length * SLOT).toBeLessThanOrEqual(latest)
})
