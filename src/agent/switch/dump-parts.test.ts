import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { cookieOf } from '../../network/pipeline/cookie.ts'
import { dumpParts, PART } from './dump-parts.ts'

const meant = (cookie: bigint, flows: number) =>
  dumpParts(3, flows).filter((part) => (cookie & (part.cookieMask ?? 0n)) === part.cookie)

test('every flow is in one part, whatever its cookie', () => {
  const cookie = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })
  fc.assert(
    fc.property(cookie, fc.integer({ min: 1, max: 1_000_000 }), (cookie, flows) => {
      expect(meant(cookie, flows)).toHaveLength(1)
    }),
  )
})

test('what is empty is not asked for, what is small at once', () => {
  expect(dumpParts(3, 0)).toEqual([])
  expect(dumpParts(3, PART)).toEqual([{ table: 3, cookie: 0n, cookieMask: 0n }])
  expect(dumpParts(3, PART + 1)).toHaveLength(2)
})

test('the flows of many pods are in parts of about one size', () => {
  const flows = 20_000
  const sizes = new Map<bigint | undefined, number>()
  for (let n = 0; n < flows; n += 1) {
    const [part] = meant(cookieOf(`endpoint/team-${n % 50}/web-${n}`), flows)
    sizes.set(part?.cookie, (sizes.get(part?.cookie) ?? 0) + 1)
  }
  expect(Math.max(...sizes.values())).toBeLessThan(1.25 * PART)
})
