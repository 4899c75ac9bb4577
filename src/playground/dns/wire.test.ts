import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { decodeMessage } from '../../dns/decode.ts'
import { encodeMessage } from '../../dns/encode.ts'
import { nameBytes } from '../../dns/name.ts'
import { damaged } from '../../dns/testing/messages.ts'
import { respond } from './respond.ts'
import { endpoint, service, slice } from './testing/objects.ts'
import { ClusterZone } from './zone.ts'

const zone = new ClusterZone('cluster.local')
const many = service('shop', 'many', { clusterIP: 'None' })
zone.setService(many)
zone.setSlice(
  slice(
    many,
    'many-1',
    Array.from({ length: 200 }, (_, i) => endpoint(`10.1.2.${i}`)),
  ),
)

describe('anything at all', () => {
  test('is answered within bounds, or not at all', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 600 }), damaged), (given) => {
        const answered = respond(zone, given, 'udp')
        if (answered === undefined) return
        expect(answered.length).toBeLessThanOrEqual(1232)
        expect(decodeMessage(answered)?.isResponse).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  const header = [0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
  test.each([
    ['nothing', [], undefined],
    ['half a header', header.slice(0, 11), undefined],
    ['an answer', [0, 7, 0x80, ...header.slice(3), 0, 0, 1, 0, 1], undefined],
    ['a pointer to itself', [...header, 0xc0, 12, 0, 1, 0, 1], 1],
    ['a pointer forward', [...header, 0xc0, 14, 0, 0, 1, 0, 1], 1],
    ['two pointers that meet', [...header, 0xc0, 14, 0xc0, 12, 0, 1, 0, 1], 1],
    ['a label type of nobody', [...header, 0x80, 0, 0, 1, 0, 1], 1],
    ['a question that ends early', [...header, 3, 97], 1],
    ['65,535 questions that are not there', [0, 7, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0], 1],
  ])('%s', (_, given, rcode) => {
    expect(decodeMessage(respond(zone, Uint8Array.from(given), 'udp') ?? new Uint8Array(0))?.rcode).toBe(rcode)
  })
})

test('a long answer is cut by UDP as the client wishes, and whole by TCP', () => {
  const ask = (edns: { readonly size: number; readonly version: number } | undefined, transport: 'udp' | 'tcp') => {
    const name = 'many.shop.svc.cluster.local'
    const base = { id: 7, isResponse: false, opcode: 0, authoritative: false, truncated: false, rcode: 0 }
    const flags = { recursionDesired: true, recursionAvailable: false, answers: [], authorities: [], additionals: [] }
    const questions = [{ name, type: 1, class: 1, wire: nameBytes(name) }]
    const given = encodeMessage({ ...base, ...flags, questions, ...(edns === undefined ? {} : { edns }) })
    const answered = respond(zone, given, transport) ?? new Uint8Array(0)
    const read = decodeMessage(answered)
    return [answered.length <= 512, answered.length <= 1232, read?.truncated, read?.answers.length === 200]
  }
  expect(ask(undefined, 'udp')).toEqual([true, true, true, false])
  expect(ask({ size: 4096, version: 0 }, 'udp')).toEqual([false, true, true, false])
  expect(ask({ size: 100, version: 0 }, 'udp')).toEqual([true, true, true, false])
  expect(ask(undefined, 'tcp')).toEqual([false, false, false, true])
})
