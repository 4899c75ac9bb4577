import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { decodeValue } from '../../registry/codec.ts'
import { BANDWIDTH_ANNOTATIONS, bandwidthAnnotations, bandwidthIn, formatRate } from './bandwidth.ts'
import { podBinding } from './pod.ts'
import { parseQuantity } from './quantity.ts'

describe('a quantity', () => {
  test.each([
    ['10M', 10_000_000n],
    ['1k', 1_000n],
    ['1Ki', 1_024n],
    ['1.5Gi', 1_610_612_736n],
    ['1e6', 1_000_000n],
    ['1E6', 1_000_000n],
    ['1E', 10n ** 18n],
    ['1P', 10n ** 15n],
    ['2.5', 3n],
    ['100m', 1n],
    ['.5k', 500n],
    ['5.', 5n],
    ['+7', 7n],
    ['-1.5', -1n],
    ['-10M', -10_000_000n],
    ['1e-3', 1n],
    ['0', 0n],
    ['1n', 1n],
  ])('%s is %d', (text, value) => expect(parseQuantity(text)).toBe(value))

  test.each([
    '',
    '.',
    'M',
    '10 M',
    ' 10M',
    '10m ',
    '10mm',
    '1K',
    '10Mi5',
    '1e',
    '0x10',
    '1_000',
    '١',
    '1e6M',
    `${'9'.repeat(65)}`,
  ])('%j is none', (text) => expect(parseQuantity(text)).toBeUndefined())

  test('nothing takes long or throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.eE+kM-]{0,70}$/)), (text) => {
        const value = parseQuantity(text)
        expect(value === undefined || typeof value === 'bigint').toBe(true)
      }),
    )
    expect(parseQuantity('1e999')).toBeGreaterThan(10n ** 30n)
    expect(parseQuantity('1e-999')).toBe(1n)
  })
})

describe('a pod', () => {
  const pod = (annotations: unknown) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', uid: 'u', annotations },
  })
  const read = (ingress: unknown, egress: unknown) =>
    decodeValue(
      'Pod',
      'shop/web',
      podBinding.decode(
        pod({ [BANDWIDTH_ANNOTATIONS.toPod]: ingress, [BANDWIDTH_ANNOTATIONS.fromPod]: egress }) as never,
      ),
    ).bandwidth

  test('is limited as its annotations say', () => {
    expect(read('10M', '1G')).toEqual({ toPod: { rate: 10_000_000 }, fromPod: { rate: 1_000_000_000 } })
    expect(read(undefined, '1k')).toEqual({ fromPod: { rate: 1_000 } })
    expect(read('1P', undefined)).toEqual({ toPod: { rate: 1e15 } })
    expect(bandwidthIn(pod({}))).toBeUndefined()
    expect(bandwidthIn(pod(undefined))).toBeUndefined()
  })

  test.each([
    ['999', 'kubernetes.io/ingress-bandwidth "999": resource is unreasonably small (< 1kbit)'],
    ['-10M', 'kubernetes.io/ingress-bandwidth "-10M": resource is unreasonably small (< 1kbit)'],
    ['1001T', 'kubernetes.io/ingress-bandwidth "1001T": resource is unreasonably large (> 1Pbit)'],
    ['1e99', 'kubernetes.io/ingress-bandwidth "1e99": resource is unreasonably large (> 1Pbit)'],
    ['fast', 'kubernetes.io/ingress-bandwidth "fast": not a quantity such as 10M (bits per second)'],
    ['', 'kubernetes.io/ingress-bandwidth "": not a quantity such as 10M (bits per second)'],
  ])('asking for %j is told why it is none, and stays a pod', (text, problem) => {
    expect(read(text, '2M')).toEqual({ toPod: { problem }, fromPod: { rate: 2_000_000 } })
  })

  test('of any annotations stays a pod', () => {
    fc.assert(
      fc.property(fc.anything(), fc.string(), (ingress, egress) => {
        for (const wish of Object.values(read(ingress, egress) ?? {})) {
          expect('rate' in wish ? wish.rate >= 1_000 && wish.rate <= 1e15 : wish.problem !== '').toBe(true)
        }
      }),
    )
  })

  test('what was asked for is written as it is read', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_000, max: 1e15 }), (rate) => {
        const asked = { toPod: { rate } }
        expect(bandwidthIn(pod(bandwidthAnnotations(asked)))).toEqual(asked)
        expect(parseQuantity(formatRate(rate))).toBe(BigInt(rate))
      }),
    )
    expect(bandwidthAnnotations({ toPod: { problem: 'x' } })).toEqual({ [BANDWIDTH_ANNOTATIONS.fromPod]: null })
    expect([10_000_000, 1_500_000, 1_234, 1e15].map(formatRate)).toEqual(['10M', '1500k', '1234', '1P'])
  })
})
