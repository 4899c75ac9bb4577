import { describe, expect, test } from 'bun:test'
import { cidr, formatIp } from '../../../network/model/address.ts'
import { cidrLabelOf, dress, POOL_CIDR_LABEL } from './dress.ts'
import { MOST_LISTED, poolStatus } from './pool-status.ts'

const claims = (count: number, pod = 'demo') =>
  Array.from({ length: count }, (_, i) => ({
    address: formatIp(4, BigInt(0x0a000001 + i)),
    namespace: 'default',
    pod: `${pod}-${i}`,
    podUid: `U${i}`,
  }))

describe('status', () => {
  test('who has what, in an order that does not depend on who came first', () => {
    const [a, b] = [poolStatus(10n, claims(3)), poolStatus(10n, claims(3).toReversed())]
    expect(a).toEqual(b)
    expect(a).toMatchObject({ totalIPCount: 10, allocatedIPCount: 3 })
    expect(JSON.parse(a.allocatedIPs ?? '')).toMatchObject({ '10.0.0.1': { pod: 'default/demo-0', podUid: 'U0' } })
  })

  test('too many are not listed, and are counted all the same', () => {
    expect(poolStatus(10_000n, claims(MOST_LISTED)).allocatedIPs).not.toBeNull()
    expect(poolStatus(10_000n, claims(MOST_LISTED + 1))).toEqual({
      totalIPCount: 10_000,
      allocatedIPCount: MOST_LISTED + 1,
      allocatedIPs: null,
    })
    expect(poolStatus(10_000n, claims(4_000, 'x'.repeat(200))).allocatedIPs).toBeNull()
  })

  test('a count beyond what numbers hold exactly', () => {
    expect(poolStatus(2n ** 64n, []).totalIPCount).toBe(Number.MAX_SAFE_INTEGER)
  })
})

describe('what the webhook would have added', () => {
  const bare = { metadata: { name: 'p' }, spec: { subnet: '172.18.0.0/16' } }
  const dressed = {
    metadata: {
      name: 'p',
      labels: { [POOL_CIDR_LABEL]: '172-18-0-0-16' },
      finalizers: ['spiderpool.spidernet.io'],
    },
    spec: { subnet: '172.18.0.0/16', ipVersion: 4 },
  }
  const going = { ...dressed, metadata: { ...dressed.metadata, deletionTimestamp: 'now' } }

  test.each<[string, Parameters<typeof dress>[0], boolean, unknown]>([
    [
      'all of it',
      bare,
      false,
      {
        metadata: { labels: { [POOL_CIDR_LABEL]: '172-18-0-0-16' }, finalizers: ['spiderpool.spidernet.io'] },
        spec: { ipVersion: 4 },
      },
    ],
    ['nothing is missing', dressed, true, undefined],
    [
      'other finalizers stay',
      { ...dressed, metadata: { ...dressed.metadata, finalizers: ['x'] } },
      false,
      { metadata: { finalizers: ['x', 'spiderpool.spidernet.io'] } },
    ],
    ['it is going, and is used', going, true, undefined],
    ['it is going, and is unused', going, false, { metadata: { finalizers: [] } }],
    ['what is going gets nothing', { ...bare, metadata: { name: 'p', deletionTimestamp: 'now' } }, true, undefined],
    [
      'a subnet that is none',
      { metadata: { name: 'p' }, spec: { subnet: 7 } },
      false,
      { metadata: { finalizers: ['spiderpool.spidernet.io'] } },
    ],
  ])('%s', (_, object, isUsed, expected) => {
    expect(dress(object, POOL_CIDR_LABEL, isUsed)).toEqual(expected as never)
  })

  test.each([
    ['172.18.0.0/16', '172-18-0-0-16'],
    ['fd00:18::/64', 'fd00-18---64'],
    ['::/0', undefined],
  ])('%s as a label', (network, label) => {
    expect(cidrLabelOf(cidr(network))).toBe(label as never)
  })
})
