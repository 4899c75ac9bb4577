import { expect, test } from 'bun:test'
import { samplePlanner } from '../../../test/tables/sample-node.ts'
import type { Ip } from '../../network/model/address.ts'
import { WarmUp } from './warm-up.ts'

/** A warm-up of which each look finds these ends cold. */
function warmUp(looks: readonly (readonly string[])[]) {
  let look = 0
  let warmed = 0
  const one = new WarmUp({
    warm: async () => {
      warmed += 1
    },
    cold: async () => (looks[look++] ?? looks.at(-1) ?? []) as readonly Ip[],
    signal: new AbortController().signal,
  })
  return { one, warmed: () => warmed }
}

test('is over as soon as every way is known, without a packet when all are', async () => {
  const { one, warmed } = warmUp([[]])
  expect(one.isOver).toBe(false)
  await one.run(samplePlanner())
  expect([one.isOver, one.cold, warmed()]).toEqual([true, [], 0])
})

test('sends packets and waits for those that answer', async () => {
  const { one, warmed } = warmUp([['192.0.2.12', '192.0.2.19'], ['192.0.2.19'], []])
  const over = one.run(samplePlanner())
  await Bun.sleep(1)
  expect(one.isOver).toBe(false)
  expect(one.cold).toEqual(['node2', 'balancer'])
  await over
  expect([one.isOver, one.cold, warmed()]).toEqual([true, [], 1])
})

test('does not wait for ever for a machine that is dead, and names it', async () => {
  const { one, warmed } = warmUp([['192.0.2.12']])
  await one.run(samplePlanner())
  expect([one.isOver, one.cold, warmed()]).toEqual([true, ['node2'], 4])
})
