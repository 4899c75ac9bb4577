import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { decodeLegacyTable } from './iptables-legacy.ts'

test('bytes that make no sense end the decoding', () => {
  const family = fc.constantFrom(4 as const, 6 as const)
  const info = fc.uint8Array({ maxLength: 120 })
  // Entries whose sizes are near what the kernel gives get further than noise.
  const entries = fc.array(
    fc.tuple(fc.constantFrom(88, 112, 140, 168), fc.integer({ min: 0, max: 400 }), fc.uint8Array({ maxLength: 200 })),
    { maxLength: 6 },
  )
  fc.assert(
    fc.property(family, info, entries, (which, head, parts) => {
      const bytes = parts.map(([at, next, noise]) => {
        const entry = new Uint8Array(Math.max(next, 240))
        entry.set(noise.subarray(0, entry.length))
        new DataView(entry.buffer).setUint16(which === 4 ? 88 : 140, at, true)
        new DataView(entry.buffer).setUint16((which === 4 ? 88 : 140) + 2, next, true)
        return entry
      })
      const chains = decodeLegacyTable(which, head, Buffer.concat(bytes))
      expect(chains.every(({ rules }) => rules.length <= 1000)).toBe(true)
    }),
  )
})
