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

test('every direction has its row, by pod', () => {
  const later = { seconds: 2, facts: [{ ...web, inForce: { toPod: { rate: 1e7, bytes: 2_501_000n } } }] }
  const rows = limitRows([{ node: 'node1', now: [web, api], later }])
  expect(
    rows.map(({ pod, direction, wanted, decided, inForce, passing }) => [
      pod,
      direction,
      wanted,
      decided,
      inForce,
      passing,
    ]),
  ).toEqual([
    ['shop/api', 'toPod', undefined, 1_001, undefined, undefined],
    ['shop/web', 'toPod', 10_000_000, 10_000_000, 10_000_000, 10_000_000],
    ['shop/web', 'fromPod', undefined, 2_000_000, 2_000_000, undefined],
  ])
  expect(rows.map(isInForce)).toEqual([false, true, true])
  expect(isInForce({ decided: 1_001, inForce: 1_000 })).toBe(true)
})

test('the page says what is asked for, what holds, what passes, and what is wrong', () => {
  const later = { seconds: 1, facts: [{ ...web, inForce: { toPod: { rate: 1e7, bytes: 1_195_001_000n } } }] }
  const rows = limitRows([{ node: 'node1', now: [web, api], later }])
  expect(printBandwidth(rows, PLAIN).join('\n')).toBe(
    `
POD       NODE   DIRECTION       WANTED  IN FORCE      PASSING
shop/api  node1  to the pod           -  no limit            -
shop/web  node1  to the pod    10Mbit/s  10Mbit/s  9.56 Gbit/s
shop/web  node1  from the pod   refused   2Mbit/s            -

! pod shop/api: to the pod 1001bit/s should be in force, but no limit is
! pod shop/web: kubernetes.io/egress-bandwidth "1": too small (in force stays: 2Mbit/s)`.trimStart(),
  )
  expect(printBandwidth([], PLAIN)).toEqual(['No pod is limited.'])
  const narrow = printBandwidth(rows, lookFor({ columns: 60 }, false))
  expect(narrow.filter((line) => line.length > 60)).toEqual([])
})
