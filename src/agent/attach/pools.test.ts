import { expect, test } from 'bun:test'
import { SAMPLE_CLUSTER, sampleNode } from '../../../test/tables/sample-node.ts'
import { nodeContext } from '../../network/context.ts'
import { cidr, contains, ip } from '../../network/model/address.ts'
import { AddressPools } from './pools.ts'

const CONTEXT = nodeContext(SAMPLE_CLUSTER, sampleNode(1), 1450)
if (CONTEXT === undefined) throw new Error('the sample node has ranges')

function used(pools: AddressPools): readonly string[] {
  return pools.facts().map((range) => range.used)
}

test('an address that slipped through is nobody’s after the next look at the records, and rests', () => {
  const pools = new AddressPools(
    60,
    () => 0,
    () => 0,
  )
  pools.setRanges(CONTEXT, [])
  const kept = pools.lease()
  const slipped = pools.lease()
  pools.setRanges(CONTEXT, kept)
  expect(used(pools)).toEqual(['1', '1'])
  expect(pools.resting()).toEqual(slipped)
  // What its record names comes back, also while it rests.
  pools.setRanges(CONTEXT, [...kept, ...slipped])
  expect(used(pools)).toEqual(['2', '2'])
  expect(pools.resting()).toEqual([])
})

test('addresses of other ranges and the gateway’s are passed over', () => {
  const pools = new AddressPools(
    0,
    () => 0,
    () => 0,
  )
  pools.setRanges(CONTEXT, [ip('192.0.2.1'), ip('10.128.0.1'), ip('10.128.0.9')])
  expect(used(pools)).toEqual(['1', '0'])
})

test('of several ranges the first with room gives, and a closing one gives nothing', () => {
  const [main, next, closing] = ['10.1.0.0/29', '10.1.0.8/29', '10.1.0.16/29'].map(cidr)
  const self = {
    ...sampleNode(1),
    ranges: [main, next, closing].filter((range) => range !== undefined),
    closing: closing === undefined ? [] : [{ range: closing, since: 7 }],
  }
  const context = nodeContext({ ...SAMPLE_CLUSTER, rangesPerNode: 3 }, self, 1450)
  if (context === undefined) throw new Error('it has ranges')
  const pools = new AddressPools(
    0,
    () => 0,
    () => 0,
  )
  let told = 0
  pools.onNeed(() => {
    told += 1
  })
  pools.setRanges(context, [])
  expect(pools.need()).toEqual({ unused: [{ range: closing, since: 7 }, { range: next }] } as never)
  const leased = Array.from({ length: 10 }, () => pools.lease())
  expect(new Set(leased.flat().map((address) => self.ranges.findIndex((range) => contains(range, address))))).toEqual(
    new Set([0, 1]),
  )
  expect(() => pools.lease()).toThrow('no free address is left in 10.1.0.0/29, 10.1.0.8/29')
  expect(pools.need()).toEqual({ wants: { 4: 3 }, unused: [{ range: closing, since: 7 }] } as never)
  expect(told).toBeGreaterThan(0)
  // It is opened again, and then the next one closes.
  pools.setClosing([])
  expect(pools.lease()[0]).toStartWith('10.1.0.1')
  pools.setClosing([{ range: cidr('10.1.0.8/29'), since: 9 }])
  const [used] = leased.filter(([address]) => contains(cidr('10.1.0.8/29'), address ?? ip('::')))
  pools.release(used ?? [])
  expect(contains(cidr('10.1.0.16/29'), pools.lease()[0] ?? ip('::'))).toBe(true)
})

test('an agent that started anew does not know what rests: a closing range is not empty to it until that has passed', () => {
  const [main, closing] = ['10.1.0.0/29', '10.1.0.16/29'].map(cidr)
  if (main === undefined || closing === undefined) throw new Error('no ranges')
  const self = { ...sampleNode(1), ranges: [main, closing], closing: [{ range: closing, since: 7 }] }
  const context = nodeContext({ ...SAMPLE_CLUSTER, rangesPerNode: 3 }, self, 1450)
  if (context === undefined) throw new Error('it has ranges')
  let now = 5_000
  const pools = new AddressPools(
    60,
    () => now,
    () => 0,
  )
  pools.setRanges(context, [])
  const unused = () => pools.need().unused ?? []
  expect(unused()).toEqual([])
  now += 59_999
  expect(unused()).toEqual([])
  now += 1
  expect(unused()).toEqual([{ range: closing, since: 7 }])
})
