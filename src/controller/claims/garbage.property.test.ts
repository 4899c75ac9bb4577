import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { ATTACH_MS, SETTLE_MS } from '../../ipam/claim-verdict.ts'
import { ClusterDouble } from './testing/cluster-double.ts'

type Step = (cluster: ClusterDouble) => void | Promise<void>

const pod = fc.constantFrom('web-a', 'web-b', 'db-0', 'db-5')
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: pod.map(
      (name): Step =>
        (cluster) =>
          cluster.appear(name),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(pod, fc.boolean(), fc.boolean()).map(
      ([name, retakes, second]): Step =>
        (cluster) =>
          cluster.attach(name, retakes, second),
    ),
  },
  {
    weight: 1,
    arbitrary: pod.map(
      (name): Step =>
        (cluster) =>
          cluster.loseAnswer(name),
    ),
  },
  {
    weight: 3,
    arbitrary: pod.map(
      (name): Step =>
        (cluster) =>
          cluster.report(name),
    ),
  },
  {
    weight: 1,
    arbitrary: pod.map(
      (name): Step =>
        (cluster) =>
          cluster.doom(name),
    ),
  },
  {
    weight: 1,
    arbitrary: pod.map(
      (name): Step =>
        (cluster) =>
          cluster.end(name),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(pod, fc.boolean()).map(
      ([name, gives]): Step =>
        (cluster) =>
          cluster.vanish(name, gives),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.nat(6).map(
      (count): Step =>
        (cluster) =>
          cluster.hearPods(count),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.nat(6).map(
      (count): Step =>
        (cluster) =>
          cluster.hearClaims(count),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.integer({ min: 1, max: 2 * SETTLE_MS }).map(
      (ms): Step =>
        (cluster) => {
          cluster.now += ms
        },
    ),
  },
  { weight: 4, arbitrary: fc.constant<Step>((cluster) => cluster.collect()) },
)

test('whatever is heard when: no live pod’s claim is collected, and every dead one is in the end', async () => {
  let collected = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 100, size: 'max' }), async (steps) => {
      const cluster = new ClusterDouble()
      for (const take of steps) await take(cluster)
      expect(cluster.robbed).toEqual([])
      // In the end everything is heard, every kubelet says how its pods are, and time goes by.
      for (const { life } of cluster.bodies.values()) cluster.report(life.name)
      for (let round = 0; round < 4; round += 1) {
        cluster.hearPods(Number.POSITIVE_INFINITY)
        cluster.hearClaims(Number.POSITIVE_INFINITY)
        await cluster.collect()
        cluster.now += ATTACH_MS + SETTLE_MS
      }
      collected += cluster.collected
      expect(cluster.robbed).toEqual([])
      expect(cluster.leaked()).toEqual([])
    }),
    { numRuns: 400 },
  )
  // It is no test of a collector that never collects.
  expect(collected).toBeGreaterThan(400)
})
