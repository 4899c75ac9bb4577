import { expect, test } from 'bun:test'
import type { LimitFact } from '../../agent/qos/limiter.ts'
import { lookFor, PLAIN } from '../../text/look.ts'
import { isInForce, limitRows } from './bandwidth.ts'
import { printBandwidth } from './print.ts'

const web: LimitFact = {
  endpoint: 'c1/eth0',
  namespace: 'shop',
  pod: 'web',
  link: 'weft0123456789a',
  wanted: { toPod: { rate: 10_000_000 }, fromPod: { problem: 'kubernetes.io/egress-bandwidth "1": too small' } },
  limits: { toPod: 10_000_000, fromPod: 2_000_000 },
  inForce: { toPod: { rate: 10_000_000, bytes: 1_000n }, fromPod: { rate: 2_000_000, bytes: 0n } },
}
const api: LimitFact = {
  ...web,
  endpoint: 'c2/eth0',
  pod: 'api',
  wanted: undefined,
  limits: { toPod: 1_001 },
  inForce: {},
}

const shop: LimitFact = {
  ...web,
  endpoint: 'namespace/shop',
  pod: '',
  wanted: { fromPod: { rate: 20_000_000 } },
  limits: { fromPod: 20_000_000 },
  inForce: { fromPod: { rate: 20_000_000, bytes: 0n } },
}

test('every direction has its row, by pod', () => {
  const later = { seconds: 2, facts: [{ ...web, inForce: { toPod: { rate: 1e7, bytes: 2_501_000n } } }] }
  const rows = limitRows([{ node: 'node1', now: [web, api], later }])
  expect(
    rows.map(({ object, direction, wanted, decided, inForce, passing }) => [
      object,
      direction,
      wanted,
      decided,
      inForce,
      passing,
    ]),
  ).toEqual([
    ['pod shop/api', 'toPod', undefined, 1_001, undefined, undefined],
    ['pod shop/web', 'toPod', 10_000_000, 10_000_000, 10_000_000, 10_000_000],
    ['pod shop/web', 'fromPod', undefined, 2_000_000, 2_000_000, undefined],
  ])
  expect(rows.map(isInForce)).toEqual([false, true, true])
  expect(isInForce({ decided: 1_001, inForce: 1_000 })).toBe(true)
})

test('the page says what is asked for, what holds, what passes, and what is wrong', () => {
  const later = { seconds: 1, facts: [{ ...web, inForce: { toPod: { rate: 1e7, bytes: 1_195_001_000n } } }] }
  const rows = limitRows([{ node: 'node1', now: [web, api, shop], later }])
  expect(printBandwidth(rows, PLAIN).join('\n')).toBe(
    `
LIMITED         NODE   DIRECTION    WANTED  IN FORCE      PASSING
namespace shop  node1  sent       20Mbit/s  20Mbit/s            -
pod shop/api    node1  received          -  no limit            -
pod shop/web    node1  received   10Mbit/s  10Mbit/s  9.56 Gbit/s
pod shop/web    node1  sent        refused   2Mbit/s            -

! pod shop/api: received 1001bit/s should be in force, but no limit is
! pod shop/web: kubernetes.io/egress-bandwidth "1": too small (in force stays: 2Mbit/s) → write a
  quantity from 1k to 1P (bits per second), or remove it`.trimStart(),
  )
  expect(printBandwidth([], PLAIN)).toEqual(['Nothing is limited.'])
  const narrow = printBandwidth(rows, lookFor({ columns: 60 }, false))
  expect(narrow.filter((line) => line.length > 60)).toEqual([])
})
