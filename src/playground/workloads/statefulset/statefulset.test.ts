import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { KubeObject } from '../../../kube/object.ts'
import { CONTROLLER_REVISIONS, EVENTS, PODS, STATEFUL_SETS } from '../../../kube/resources.ts'
import { podOf } from '../pod.ts'
import { imageOf, imagePatch, workload } from '../testing/objects.ts'
import { Rig } from '../testing/rig.ts'
import { at } from '../values.ts'

const AT = { namespace: 'test', name: 'db' }

/** `name:image` of all pods, ready ones only when `ready`. */
function shown(pods: readonly KubeObject[]): string {
  const isReady = (pod: KubeObject): boolean => podOf(pod).readySince !== undefined && !podOf(pod).terminating
  return pods
    .map((pod) => `${pod.metadata.name}:${imageOf(pod)}${isReady(pod) ? '' : '?'}`)
    .sort()
    .join(' ')
}

test('pods come up in order and go down in order, whatever happens meanwhile', async () => {
  const inputs = fc.record({
    seed: fc.integer({ min: 1, max: 2 ** 31 }),
    sizes: fc.array(fc.nat(4), { minLength: 1, maxLength: 4 }),
    crash: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(inputs, async ({ seed, sizes, crash }) => {
      const rig = new Rig(seed)
      await rig.api.create(STATEFUL_SETS, workload('StatefulSet', 'db', { replicas: 2, serviceName: 'db' }))
      rig.start()
      for (const replicas of sizes) {
        await rig.until(() => false, Math.floor(rig.random() * 200))
        await rig.api.patch(STATEFUL_SETS, AT, 'merge', { spec: { replicas } })
        if (crash) {
          await rig.stop()
          rig.start()
        }
      }
      const wanted = Array.from({ length: sizes.at(-1) ?? 0 }, (_, i) => `db-${i}:a`).join(' ')
      expect(await rig.until(() => shown(rig.api.all(PODS)) === wanted)).toBe(true)
      await rig.stop()
      expect(rig.defects).toEqual([])
      let before: readonly KubeObject[] = []
      for await (const { pods } of rig.history()) {
        // No gaps: a pod is made only when all before it are there.
        const ordinals = pods.map(({ metadata }) => Number(metadata.name.slice(3))).sort((a, b) => a - b)
        expect(ordinals).toEqual(ordinals.map((_, i) => i))
        const made = pods.find(({ metadata }) => !before.some((one) => one.metadata.uid === metadata.uid))
        if (made !== undefined) {
          const others = pods.filter((one) => one !== made)
          expect(others.every((one) => podOf(one).readySince !== undefined && !podOf(one).terminating)).toBe(true)
        }
        before = pods
      }
    }),
    { numRuns: 40 },
  )
}, 60_000)

test('a rolling update goes from the highest number down to the partition', async () => {
  const rig = new Rig(3)
  await rig.api.create(
    STATEFUL_SETS,
    workload('StatefulSet', 'db', {
      replicas: 3,
      serviceName: 'db',
      updateStrategy: { rollingUpdate: { partition: 1 } },
    }),
  )
  rig.start()
  expect(await rig.until(() => shown(rig.api.all(PODS)) === 'db-0:a db-1:a db-2:a')).toBe(true)
  const [first] = rig.api.all(PODS)
  expect(at(first, 'spec', 'hostname')).toBe('db-0')
  expect(at(first, 'spec', 'subdomain')).toBe('db')
  await rig.api.patch(STATEFUL_SETS, AT, 'merge', imagePatch('b'))
  expect(await rig.until(() => shown(rig.api.all(PODS)) === 'db-0:a db-1:b db-2:b')).toBe(true)
  // One that goes below the partition comes back as it was.
  await rig.api.delete(PODS, { namespace: 'test', name: 'db-0' })
  await rig.until(() => false, 50)
  expect(await rig.until(() => shown(rig.api.all(PODS)) === 'db-0:a db-1:b db-2:b')).toBe(true)
  await rig.api.patch(STATEFUL_SETS, AT, 'merge', { spec: { updateStrategy: { rollingUpdate: { partition: 0 } } } })
  expect(await rig.until(() => shown(rig.api.all(PODS)) === 'db-0:b db-1:b db-2:b')).toBe(true)
  const isComplete = (): boolean => {
    const status = at(rig.api.all(STATEFUL_SETS)[0], 'status')
    return at(status, 'currentRevision') === at(status, 'updateRevision') && at(status, 'updatedReplicas') === 3
  }
  expect(await rig.until(isComplete)).toBe(true)
  expect(rig.api.all(CONTROLLER_REVISIONS)).toHaveLength(2)
  await rig.stop()
  const order: string[] = []
  for await (const { pods } of rig.history()) {
    for (const pod of pods)
      if (imageOf(pod) === 'b' && !order.includes(pod.metadata.name)) order.push(pod.metadata.name)
  }
  expect(order).toEqual(['db-2', 'db-1', 'db-0'])
})

test('Parallel makes all pods at once', async () => {
  const rig = new Rig(4)
  rig.api.before = () => undefined
  await rig.api.create(STATEFUL_SETS, workload('StatefulSet', 'db', { replicas: 3, podManagementPolicy: 'Parallel' }))
  rig.start()
  while (rig.api.all(PODS).length < 3) await Bun.sleep(1)
  expect(shown(rig.api.all(PODS))).toBe('db-0:a? db-1:a? db-2:a?')
  await rig.stop()
})

test('volumes are refused by a condition and an event', async () => {
  const rig = new Rig(5)
  await rig.api.create(STATEFUL_SETS, workload('StatefulSet', 'db', { replicas: 3, volumeClaimTemplates: [{}] }))
  rig.start()
  expect(await rig.until(() => rig.api.all(EVENTS).some((event) => event['reason'] === 'FailedCreate'))).toBe(true)
  expect(await rig.until(() => rig.api.all(STATEFUL_SETS)[0]?.['status'] !== undefined)).toBe(true)
  expect(at(rig.api.all(STATEFUL_SETS)[0], 'status', 'conditions')).toMatchObject([{ type: 'Refused', status: 'True' }])
  expect(rig.api.all(PODS)).toEqual([])
  await rig.stop()
})
