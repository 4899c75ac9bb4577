import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { decidePool, type PoolDecision, type PoolState } from './decide.ts'
import { demandAfter, expectedDemand, NO_DEMAND } from './demand.ts'

const SIZES = { min: 4, max: 20, batch: 8 }
const ids = (n: number): string[] => Array.from({ length: n }, (_, i) => `p${i}`)
const state = (change: Partial<PoolState>): PoolState => ({
  sizes: SIZES,
  total: change.idle?.length ?? 0,
  idle: [],
  wanted: 0,
  demand: 0,
  ...change,
})

const CASES: readonly (readonly [string, Partial<PoolState>, PoolDecision])[] = [
  ['an empty pool is filled', {}, { do: 'fetch', n: 4 }],
  ['who waits is served beside it', { wanted: 2 }, { do: 'fetch', n: 6 }],
  ['a crowd is served by batches', { wanted: 12 }, { do: 'fetch', n: 8 }],
  ['enough is enough', { idle: ids(4) }, { do: 'wait' }],
  ['some more do no harm', { idle: ids(20), total: 20 }, { do: 'wait' }],
  [
    'too many go',
    { sizes: { min: 1, max: 100, batch: 2 }, idle: ids(9) },
    { do: 'withdraw', ids: ['p3', 'p4', 'p5', 'p6', 'p7', 'p8'] },
  ],
  ['a full pool says so', { total: 20, idle: ids(1) }, { do: 'wait', limit: 'max' }],
  ['a quota says so', { quotaLeft: 0 }, { do: 'wait', limit: 'quota' }],
  ['a quota that allows some', { quotaLeft: 3 }, { do: 'fetch', n: 3, limit: 'quota' }],
  ['a subnet that is full', { free: 0, quotaLeft: 9 }, { do: 'wait', limit: 'free' }],
  [
    'a maximum that was lowered',
    { sizes: { min: 4, max: 5, batch: 8 }, total: 9, idle: ids(6) },
    { do: 'withdraw', ids: ['p2', 'p3', 'p4', 'p5'] },
  ],
  [
    'below the minimum, too',
    { sizes: { min: 4, max: 5, batch: 8 }, total: 9, idle: ids(2) },
    { do: 'withdraw', ids: ['p0', 'p1'] },
  ],
  [
    'nothing of other groups is kept ready',
    { sizes: { min: 0, max: 20, batch: 2 }, idle: ids(4), total: 9 },
    { do: 'wait' },
  ],
]

test.each(CASES)('%s', (_title, change, decision) => {
  expect(decidePool(state(change))).toEqual(decision)
})

const small = fc.nat({ max: 60 })
const states: fc.Arbitrary<PoolState> = fc
  .record({
    min: small,
    more: small,
    batch: fc.integer({ min: 1, max: 40 }),
    idle: small,
    others: small,
    wanted: fc.nat({ max: 10 }),
    demand: fc.float({ min: 0, max: 15, noNaN: true }),
    quotaLeft: fc.option(small, { nil: undefined }),
    free: fc.option(small, { nil: undefined }),
  })
  .map(({ min, more, batch, idle, others, wanted, demand, quotaLeft, free }) => ({
    sizes: { min, max: Math.max(1, min + more), batch },
    total: idle + others,
    idle: ids(idle),
    wanted,
    demand,
    ...(quotaLeft === undefined ? {} : { quotaLeft }),
    ...(free === undefined ? {} : { free }),
  }))

test('it is never more than what is allowed, and never less than what is kept', () => {
  fc.assert(
    fc.property(states, (one) => {
      const { sizes, total, idle, wanted, quotaLeft = 1e9, free = 1e9 } = one
      const decision = decidePool(one)
      if (decision.do === 'fetch') {
        expect(decision.n).toBeGreaterThan(0)
        expect(decision.n).toBeLessThanOrEqual(Math.min(sizes.batch, quotaLeft, free))
        expect(total + decision.n).toBeLessThanOrEqual(sizes.max)
      }
      if (decision.do === 'withdraw') {
        expect(new Set([...idle, ...decision.ids]).size).toBe(idle.length)
        const left = idle.length - decision.ids.length
        expect(left).toBeGreaterThanOrEqual(wanted)
        // Below what is kept only where the maximum leaves no other way.
        if (left < sizes.min + wanted) expect(total - decision.ids.length).toBeGreaterThanOrEqual(sizes.max)
      }
    }),
  )
})

test('what was decided is followed by rest, not by its opposite', () => {
  fc.assert(
    fc.property(states, (start) => {
      const done: string[] = []
      let now = start
      for (let round = 0; round < 80; round += 1) {
        const decision = decidePool(now)
        if (decision.do === 'wait') break
        done.push(decision.do)
        const idle =
          decision.do === 'fetch'
            ? [...now.idle, ...Array.from({ length: decision.n }, (_, i) => `n${round}-${i}`)]
            : now.idle.filter((id) => !decision.ids.includes(id))
        const made = idle.length - now.idle.length
        now = {
          ...now,
          idle,
          total: now.total + made,
          ...(now.quotaLeft === undefined ? {} : { quotaLeft: now.quotaLeft - made }),
          ...(now.free === undefined ? {} : { free: now.free - made }),
        }
      }
      expect(decidePool(now).do).toBe('wait')
      expect(new Set(done).size).toBeLessThanOrEqual(1)
    }),
  )
})

test('a burst is prepared for, and forgotten', () => {
  const burst = demandAfter(NO_DEMAND, 30, 1_000)
  expect(expectedDemand(burst, 1_000)).toBeGreaterThan(4)
  expect(expectedDemand(burst, 61_000)).toBeLessThan(expectedDemand(burst, 1_000))
  expect(expectedDemand(burst, 601_000)).toBe(0)
  expect(expectedDemand(demandAfter(NO_DEMAND, 1, 0), 0)).toBe(0)
  expect(expectedDemand(demandAfter(NO_DEMAND, 1e6, 0), 0)).toBeLessThanOrEqual(15)
})
