import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { decodeMessage } from './decode.ts'
import { encodeMessage } from './encode.ts'
import { framed, split } from './frames.ts'
import { damaged, message } from './testing/messages.ts'

describe('messages', () => {
  test('come back as they were written', () => {
    fc.assert(
      fc.property(message, (one) => {
        expect(decodeMessage(encodeMessage(one))).toEqual(one)
      }),
      { numRuns: 500 },
    )
  })

  test('never exceed their limit, and say so when something is missing', () => {
    fc.assert(
      fc.property(message, fc.integer({ min: 512, max: 1500 }), (one, limit) => {
        const short = { ...one, questions: [], truncated: false }
        const written = encodeMessage(short, limit)
        expect(written.length).toBeLessThanOrEqual(limit)
        const read = decodeMessage(written)
        expect(read).toBeDefined()
        if (read === undefined) return
        const isWhole = read.answers.length === one.answers.length && read.authorities.length === one.authorities.length
        expect(read.truncated).toBe(!isWhole)
        expect(read.answers).toEqual(one.answers.slice(0, read.answers.length))
      }),
    )
  })
})

test('anything at all is read or refused, with no more in it than it has bytes', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 600 }), damaged), (given) => {
      const read = decodeMessage(given)
      if (read !== undefined) expect(read.questions.length + read.answers.length).toBeLessThan(given.length)
    }),
    { numRuns: 2000 },
  )
})

test('a chain of pointers to pointers is no name', () => {
  const chain = Array.from({ length: 4000 }, (_, i) => [0xc0 | ((12 + 2 * i - 2) >> 8), (12 + 2 * i - 2) & 0xff]).flat()
  const given = Uint8Array.from([0, 7, 0, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 0, ...chain])
  expect(decodeMessage(given)).toBeUndefined()
})

test('messages behind their lengths come out whole, however they are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), fc.nat(), (messages, cut) => {
      const stream = Buffer.concat(messages.map(framed))
      const at = cut % (stream.length + 1)
      const first = split(stream.subarray(0, at))
      const second = split(Buffer.concat([first.rest, stream.subarray(at)]))
      expect([...first.messages, ...second.messages].map((one) => Buffer.from(one).toString('hex'))).toEqual(
        messages.map((one) => Buffer.from(one).toString('hex')),
      )
      expect(second.rest).toHaveLength(0)
    }),
  )
})
