import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { CniError, MAX_INPUT } from './index.ts'
import {
  decodeWireReply,
  decodeWireRequest,
  encodeWireReply,
  encodeWireRequest,
  MAX_ENVIRONMENT,
  MAX_REPLY,
  type WireRequest,
} from './wire.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const REQUEST: WireRequest = {
  program: 'weft',
  environment: new Map([['CNI_COMMAND', 'ADD']]),
  input: bytes('{}'),
  hasNetns: true,
}

const name = fc.stringMatching(/^CNI_[A-Z0-9_]*$/)
const value = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'))
const requestArbitrary: fc.Arbitrary<WireRequest> = fc.record({
  program: fc.stringMatching(/^[a-z-]{0,20}$/),
  environment: fc.array(fc.tuple(name, value)).map((pairs) => new Map(pairs)),
  input: fc.uint8Array(),
  hasNetns: fc.boolean(),
})

/** The id of the error that decoding ends in, or nothing. */
function fault(decode: () => unknown): string | undefined {
  try {
    decode()
    return undefined
  } catch (error) {
    if (error instanceof CniError) return error.id
    throw error
  }
}

describe('request', () => {
  test('has the layout the forwarder writes', () => {
    const message = encodeWireRequest(REQUEST)
    const header = 'WEFTCNI1\x01\0\0\0\x04\0\0\0\x10\0\0\0\x02\0\0\0'
    expect(new TextDecoder().decode(message)).toBe(`${header}weftCNI_COMMAND=ADD\0{}`)
  })

  test('is read back', () => {
    fc.assert(
      fc.property(requestArbitrary, (request) =>
        expect(decodeWireRequest(encodeWireRequest(request))).toEqual(request),
      ),
    )
  })

  test('of any length but its own is refused', () => {
    const message = encodeWireRequest(REQUEST)
    for (let length = 0; length < message.length; length++) {
      expect(fault(() => decodeWireRequest(message.subarray(0, length)))).toBe('wire-malformed')
    }
    expect(fault(() => decodeWireRequest(new Uint8Array([...message, 0])))).toBe('wire-malformed')
  })

  test('with any byte changed is a request or an error with a code', () => {
    fc.assert(
      fc.property(requestArbitrary, fc.nat(), fc.integer({ min: 1, max: 255 }), (request, at, change) => {
        const message = encodeWireRequest(request)
        const index = at % message.length
        message[index] = (message[index] ?? 0) ^ change
        const allowed = [undefined, 'wire-malformed', 'wire-version', 'input-too-large', 'environment-too-large']
        expect(allowed).toContain(fault(() => decodeWireRequest(message)))
        if (index < 7) expect(fault(() => decodeWireRequest(message))).toBe('wire-malformed')
        if (index === 7) expect(fault(() => decodeWireRequest(message))).toBe('wire-version')
      }),
      { numRuns: 500 },
    )
  })

  test('garbage is refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (message) =>
        expect(fault(() => decodeWireRequest(message))).toBe('wire-malformed'),
      ),
    )
  })

  test.each([
    ['PATH=/bin\0', 'wire-malformed'],
    ['CNI_COMMAND\0', 'wire-malformed'],
    ['\0', 'wire-malformed'],
    ['CNI_A=1', 'wire-malformed'],
    ['CNI_A=1\0\0', 'wire-malformed'],
    ['', undefined],
  ])('the environment %j: %j', (environment, expected) => {
    const message = encodeWireRequest({ ...REQUEST, program: '', environment: new Map(), input: bytes(environment) })
    // The input of that message, declared to be the environment.
    message[16] = environment.length
    message[20] = 0
    expect(fault(() => decodeWireRequest(message))).toBe(expected)
  })

  test('with a flag of a later version is refused', () => {
    const message = encodeWireRequest(REQUEST)
    message[8] = 3
    expect(fault(() => decodeWireRequest(message))).toBe('wire-malformed')
  })

  test('of a variable given twice the first counts', () => {
    const twice = 'CNI_A=1\0CNI_A=2\0'
    const message = encodeWireRequest({ ...REQUEST, program: '', environment: new Map(), input: bytes(twice) })
    message[16] = twice.length
    message[20] = 0
    expect([...decodeWireRequest(message).environment]).toEqual([['CNI_A', '1']])
  })

  test('limits', () => {
    const input = new Uint8Array(MAX_INPUT)
    expect(decodeWireRequest(encodeWireRequest({ ...REQUEST, input })).input).toHaveLength(MAX_INPUT)
    expect(fault(() => encodeWireRequest({ ...REQUEST, input: new Uint8Array(MAX_INPUT + 1) }))).toBe('input-too-large')
    const environment = new Map([['CNI_ARGS', 'x'.repeat(MAX_ENVIRONMENT)]])
    expect(fault(() => encodeWireRequest({ ...REQUEST, environment }))).toBe('environment-too-large')
    expect(fault(() => encodeWireRequest({ ...REQUEST, program: 'x'.repeat(256) }))).toBe('wire-malformed')
  })
})

describe('reply', () => {
  test('is read back', () => {
    fc.assert(
      fc.property(fc.nat({ max: 255 }), fc.uint8Array(), (status, output) =>
        expect(decodeWireReply(encodeWireReply({ status, output }))).toEqual({ status, output }),
      ),
    )
  })

  test.each([-1, 256, 1.5, Number.NaN])('has no status %j', (status) => {
    expect(fault(() => encodeWireReply({ status, output: bytes('') }))).toBe('wire-reply-invalid')
  })

  test('limits', () => {
    expect(fault(() => encodeWireReply({ status: 0, output: new Uint8Array(MAX_REPLY - 1) }))).toBeUndefined()
    expect(fault(() => encodeWireReply({ status: 0, output: new Uint8Array(MAX_REPLY) }))).toBe('wire-reply-invalid')
    expect(fault(() => decodeWireReply(new Uint8Array(0)))).toBe('wire-reply-invalid')
  })
})
