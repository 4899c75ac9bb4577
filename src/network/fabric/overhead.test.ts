import { expect, test } from 'bun:test'
import { overheadOf, type Wrapping } from './overhead.ts'

test.each<[Wrapping, number, number]>([
  ['vxlan', 1450, 1430],
  ['geneve', 1450, 1430],
  ['gre', 1462, 1442],
  ['keyed-gre', 1458, 1438],
  ['udp', 1472, 1452],
])('%s leaves %d of 1500 bytes over IPv4, %d over IPv6', (wrapping, four, six) => {
  expect([1500 - overheadOf(wrapping, 4), 1500 - overheadOf(wrapping, 6)]).toEqual([four, six])
})
