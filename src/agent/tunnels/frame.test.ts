import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { parseMac } from '../../linux/index.ts'
import { PROBE } from '../../network/pipeline/stages.ts'
import { answeredNonce, questionFrame, warmingFrame } from './frame.ts'

const nonces = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })

/** What the other switch makes of a question. */
function back(frame: Uint8Array): Uint8Array {
  frame.set(parseMac(PROBE.answer), 0)
  return frame
}

test('an answer says which question it is to, however much of it the switch gives', () => {
  fc.assert(
    fc.property(nonces, fc.integer({ min: 0, max: 9_000 }), (nonce, bytes) => {
      const question = questionFrame(nonce, bytes)
      expect(question.length).toBe(Math.max(60, 14 + bytes))
      expect(answeredNonce(question)).toBeUndefined()
      expect(answeredNonce(back(question).subarray(0, 64))).toBe(nonce)
    }),
  )
})

test('no other frame is an answer', () => {
  expect(answeredNonce(warmingFrame())).toBeUndefined()
  const answer = back(questionFrame(7n))
  for (let length = 0; length < 22; length += 1) expect(answeredNonce(answer.subarray(0, length))).toBeUndefined()
  expect(answeredNonce(answer.with(12, 8))).toBeUndefined()
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (frame) => void answeredNonce(frame)))
})
