import { expect, test } from 'bun:test'
import { Patience } from './patience.ts'

test('what is undone is put back at ever longer intervals; other words, and a long peace, begin anew', () => {
  const clock = { now: 0 }
  const patience = new Patience(() => clock.now)
  expect(patience.pause('a', 'x')).toBe(0)
  const pauses = Array.from({ length: 14 }, () => {
    patience.wrote('a', 'x')
    const pause = patience.pause('a', 'x')
    expect(patience.pause('a', 'y')).toBe(0)
    expect(patience.pause('b', 'x')).toBe(0)
    clock.now += pause
    return pause
  })
  expect(pauses[0]).toBeLessThanOrEqual(500)
  expect(pauses.at(-1)).toBeGreaterThanOrEqual(150_000)
  expect(pauses.at(-1)).toBeLessThanOrEqual(300_000)
  clock.now += 60_001
  patience.wrote('a', 'x')
  expect(patience.pause('a', 'x')).toBeLessThanOrEqual(500)
  patience.forget('a')
  expect(patience.pause('a', 'x')).toBe(0)
})
