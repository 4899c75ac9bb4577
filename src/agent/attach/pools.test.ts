import { expect, test } from 'bun:test'
import { SAMPLE_CLUSTER, sampleNode } from '../../../test/tables/sample-node.ts'
import { nodeContext } from '../../network/context.ts'
import { ip } from '../../network/model/address.ts'
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
