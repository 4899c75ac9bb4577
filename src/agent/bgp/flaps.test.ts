import { expect, test } from 'bun:test'
import type { BgpSessionFact } from '../control/facts.ts'
import { Flaps } from './flaps.ts'

function fact(isUp: boolean, since: number, name = 'node4_192_0_2_2'): BgpSessionFact {
  return {
    ...{ name, kind: 'node', family: 4, node: 'n2', address: '192.0.2.2', asNumber: 1, localAs: 1 },
    ...{ state: isUp ? 'Established' : 'Active', isUp, since, error: 'Hold timer expired' },
  } as BgpSessionFact
}

/** Notes a session that ends every so many seconds, and comes again two seconds later. */
function ended(times: number, every: number, name?: string): { readonly flaps: Flaps; readonly now: number } {
  const flaps = new Flaps()
  let now = 1000
  flaps.note([fact(true, now, name)], now)
  for (let i = 0; i < times; i += 1) {
    now += every
    flaps.note([fact(false, now, name)], now)
    flaps.note([fact(true, now + 2, name)], now + 2)
  }
  return { flaps, now }
}

test.each<[number, number, boolean]>([
  [4, 60, false],
  [5, 60, true],
  [50, 60, true],
  [5, 140, true],
  [5, 200, false],
  [50, 200, false],
])('that ended %i times, every %i seconds: %p', (times, every, isFlapping) => {
  const { flaps, now } = ended(times, every)
  expect(flaps.isFlapping('node4_192_0_2_2', now)).toBe(isFlapping)
  expect(flaps.sentence([fact(true, now)], now)).toBe(
    isFlapping
      ? 'BGP sessions come and go, 5 times within 10 min: with n2 (192.0.2.2) (Hold timer expired)'
      : undefined,
  )
})

test('it is over when it stayed for a while, and forgotten with the session', () => {
  const { flaps, now } = ended(5, 60)
  expect(flaps.isFlapping('node4_192_0_2_2', now + 700)).toBe(false)
  flaps.note([], now)
  expect(flaps.isFlapping('node4_192_0_2_2', now)).toBe(false)
})

test('one that ended and came again between two looks counts, and a second more or less does not', () => {
  const flaps = new Flaps()
  for (let i = 0; i < 6; i += 1) flaps.note([fact(true, 1000 + 10 * i)], 1000 + 10 * i)
  expect(flaps.isFlapping('node4_192_0_2_2', 1060)).toBe(true)
  const steady = new Flaps()
  for (let i = 0; i < 60; i += 1) steady.note([fact(true, 1000 + (i % 3))], 1000 + 2 * i)
  expect(steady.isFlapping('node4_192_0_2_2', 1120)).toBe(false)
})

test('beyond three they are counted', () => {
  const flaps = new Flaps()
  const all = (isUp: boolean, since: number) => [1, 2, 3, 4, 5].map((n) => fact(isUp, since, `s${n}`))
  for (let i = 0; i < 6; i += 1) for (const isUp of [true, false]) flaps.note(all(isUp, 1000 + i), 1000 + i)
  expect(flaps.sentence(all(false, 1006), 1006)).toEndWith(', and 2 more')
})
