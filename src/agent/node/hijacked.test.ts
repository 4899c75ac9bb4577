import { expect, test } from 'bun:test'
import { closeSync } from 'node:fs'
import { samplePlanner } from '../../../test/tables/sample-node.ts'
import { applyRuleset, netnsAdd, netnsDel } from '../../linux/index.ts'
import { hostPlan } from '../../network/host.ts'
import { cidr } from '../../network/model/address.ts'
import { formatIpRange, type IpRange, mergedRanges, parseIpRange, rangeOf } from '../../network/model/ip-range.ts'
import { presentHijacked } from './hijacked.ts'

test.each<[string, readonly string[], readonly string[]]>([
  ['nothing', [], []],
  ['both families', ['10.0.0.0/8', 'fd00:1::/64'], ['10.0.0.0-10.255.255.255', 'fd00:1::-fd00:1::ffff:ffff:ffff:ffff']],
  ['one within another', ['10.0.0.0/8', '10.1.0.0/16', '10.1.0.1/32'], ['10.0.0.0-10.255.255.255']],
  [
    'neighbours that are no network',
    ['10.0.1.0/24', '10.0.2.0/24', '192.0.2.1/32'],
    ['10.0.1.0-10.0.2.255', '192.0.2.1'],
  ],
  ['everything', ['0.0.0.0/0', '::/0'], ['0.0.0.0-255.255.255.255', '::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff']],
])('an agent that starts finds what an administrator leads guests to: %s', async (_, networks, expected) => {
  const netns = `wefttest-hijacked-${process.pid}`
  closeSync(netnsAdd(netns))
  try {
    expect(await presentHijacked({ netns })).toEqual([])
    const planner = samplePlanner()
    const ranges = networks.map((network) => rangeOf(cidr(network)))
    await applyRuleset(hostPlan(planner.context, planner.publication(), ranges).nftables, { netns })
    expect((await presentHijacked({ netns })).map((range: IpRange) => formatIpRange(range))).toEqual([...expected])
  } finally {
    netnsDel(netns)
  }
})

test('ranges of networks are merged as they are written', () => {
  const ranges = ['10.0.0.0/9', '10.128.0.0/9'].map((network) => rangeOf(cidr(network)))
  expect(mergedRanges(ranges)).toEqual([parseIpRange('10.0.0.0-10.255.255.255')].filter((one) => one !== undefined))
})
