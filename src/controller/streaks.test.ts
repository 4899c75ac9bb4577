import { expect, test } from 'bun:test'
import { Streaks } from './streaks.ts'

const CONFLICT = { atOnce: true, isHidden: false }
const HIDDEN = { atOnce: true, isHidden: true }

/** Chance is 1 here: pauses are as long as they can be. */
function streaks(): Streaks {
  return new Streaks(() => 1, { first: 100, most: 1000 })
}

test('the first conflict waits for nothing, those that follow wait longer and longer', () => {
  const row = streaks()
  const pauses = [1, 2, 3, 4].map(() => row.failed('a', CONFLICT))
  expect(pauses).toEqual([0, 100, 200, 400])
  expect(row.failed('b', CONFLICT)).toBe(0)
})

test('a conflict after which nothing is left to do is not the first of the next row', () => {
  const row = streaks()
  for (let i = 0; i < 5; i += 1) {
    expect(row.failed('a', CONFLICT)).toBe(0)
    row.waited('a')
    row.rest()
  }
})

test('a row goes on while its next try is waited for or under way', () => {
  const row = streaks()
  row.failed('a', CONFLICT)
  row.rest()
  expect(row.failed('a', CONFLICT)).toBe(100)
  row.waited('a')
  row.tried('a')
  row.rest()
  expect(row.failed('a', CONFLICT)).toBe(200)
  row.succeeded('a')
  expect(row.has('a')).toBe(false)
})

test('hidden twice is hidden the last time and now, not after something else', () => {
  const row = streaks()
  row.failed('a', CONFLICT)
  expect(row.wasHidden('a')).toBe(false)
  row.failed('a', HIDDEN)
  expect(row.wasHidden('a')).toBe(true)
  row.failed('a', CONFLICT)
  expect(row.wasHidden('a')).toBe(false)
  row.failed('a', HIDDEN)
  row.waited('a')
  row.rest()
  expect(row.wasHidden('a')).toBe(false)
})
