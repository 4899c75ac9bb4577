import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { StableIds } from './stable-ids.ts'

test('every name has a number of its own, the same each time it is asked for, until it is released', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 50 }), (names) => {
      const ids = new StableIds()
      const given = names.map((name) => ids.of(name))
      expect(new Set(given).size).toBe(names.length)
      expect(names.map((name) => ids.of(name))).toEqual(given)
      expect(given.every((id) => id > 0 && id < 0x80000000)).toBe(true)
      ids.release(given[0] ?? 0)
      expect(ids.of(names[0] ?? '')).toBe(given[0] ?? 0)
    }),
  )
})
