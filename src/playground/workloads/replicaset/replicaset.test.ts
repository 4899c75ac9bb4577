import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { KubeError } from '../../../kube/errors.ts'
import { EVENTS, PODS, REPLICA_SETS } from '../../../kube/resources.ts'
import { controllerOf } from '../owner.ts'
import { isActive, podOf } from '../pod.ts'
import { workload } from '../testing/objects.ts'
import { Rig } from '../testing/rig.ts'
import { at } from '../values.ts'
import { removalOrder } from './removal-order.ts'

const AT = { namespace: 'test', name: 'web' }

test('no pod is made twice, at any interleaving, failure and crash', async () => {
  const inputs = fc.record({
    seed: fc.integer({ min: 1, max: 2 ** 31 }),
    replicas: fc.integer({ min: 1, max: 8 }),
    faults: fc.constantFrom(0, 0.1),
    crashes: fc.nat(3),
    kills: fc.nat(3),
  })
  await fc.assert(
    fc.asyncProperty(inputs, async ({ seed, replicas, faults, crashes, kills }) => {
      const rig = new Rig(seed)
      await rig.api.create(REPLICA_SETS, workload('ReplicaSet', 'web', { replicas }))
      rig.api.faults = faults
      rig.start()
      for (let i = 0; i < crashes; i++) {
        await rig.until(() => false, Math.floor(rig.random() * 60))
        await rig.stop()
        rig.start()
      }
      for (let i = 0; i < kills; i++) {
        await rig.until(() => false, Math.floor(rig.random() * 60))
        const [victim] = rig.api.all(PODS)
        if (victim !== undefined)
          await rig.api.delete(PODS, { namespace: 'test', name: victim.metadata.name }).catch(() => undefined)
      }
      rig.api.faults = 0
      const isRight = (): boolean => {
        const pods = rig.api.all(PODS).map(podOf)
        const status = at(rig.api.all(REPLICA_SETS)[0], 'status')
        return pods.length === replicas && pods.every(isActive) && at(status, 'readyReplicas') === replicas
      }
      expect(await rig.until(isRight)).toBe(true)
      await rig.stop()
      expect(rig.defects).toEqual([])
      for await (const { pods } of rig.history()) {
        expect(pods.map(podOf).filter(isActive).length).toBeLessThanOrEqual(replicas)
      }
    }),
    { numRuns: 60 },
  )
}, 60_000)

test('a creation that is carried out after it failed makes no pod too many', async () => {
  const inputs = fc.record({ seed: fc.integer({ min: 1, max: 2 ** 31 }), replicas: fc.integer({ min: 1, max: 6 }) })
  await fc.assert(
    fc.asyncProperty(inputs, async ({ seed, replicas }) => {
      const rig = new Rig(seed)
      await rig.api.create(REPLICA_SETS, workload('ReplicaSet', 'web', { replicas }))
      rig.api.ghosts = 0.3
      rig.start()
      expect(await rig.until(() => at(rig.api.all(REPLICA_SETS)[0], 'status', 'readyReplicas') === replicas)).toBe(true)
      await rig.stop()
      for await (const { pods } of rig.history()) expect(pods.length).toBeLessThanOrEqual(replicas)
    }),
    { numRuns: 5 },
  )
}, 30_000)

test('orphans are adopted, strangers are not, and who changes its labels is let go', async () => {
  const rig = new Rig(9)
  const spec = { nodeName: 'here', containers: [] }
  const pod = (name: string, labels: Record<string, string>) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'test', name, labels },
    spec,
  })
  await rig.api.create(PODS, pod('orphan', { app: 'web' }))
  await rig.api.create(PODS, pod('stranger', { app: 'other' }))
  await rig.api.create(REPLICA_SETS, workload('ReplicaSet', 'web', { replicas: 2 }))
  rig.start()
  const owned = (): readonly string[] =>
    rig.api
      .all(PODS)
      .filter((one) => controllerOf(one) !== undefined)
      .map(({ metadata }) => metadata.name)
  const isReady = (): boolean => at(rig.api.all(REPLICA_SETS)[0], 'status', 'readyReplicas') === 2
  expect(await rig.until(isReady)).toBe(true)
  expect(owned()).toContain('orphan')
  expect(rig.api.all(PODS)).toHaveLength(3)
  await rig.api.patch(PODS, { namespace: 'test', name: 'orphan' }, 'merge', { metadata: { labels: { app: 'gone' } } })
  expect(await rig.until(() => !owned().includes('orphan') && owned().length === 2)).toBe(true)
  await rig.api.patch(REPLICA_SETS, AT, 'merge', { spec: { replicas: 0 } })
  expect(await rig.until(() => owned().length === 0)).toBe(true)
  expect(
    rig.api
      .all(PODS)
      .map(({ metadata }) => metadata.name)
      .sort(),
  ).toEqual(['orphan', 'stranger'])
  await rig.stop()
})

test('a pod that is refused is told of, and the status is right all the same', async () => {
  const rig = new Rig(10)
  rig.api.before = (verb, { plural }) => {
    if (verb === 'create' && plural === 'pods') throw new KubeError('KUBE_FORBIDDEN', 'exceeded quota', 'ask for more')
  }
  await rig.api.create(REPLICA_SETS, workload('ReplicaSet', 'web', { replicas: 2 }))
  rig.start()
  expect(
    await rig.until(() => rig.api.all(EVENTS).some(({ message }) => message === 'Error creating: exceeded quota')),
  ).toBe(true)
  expect(await rig.until(() => at(rig.api.all(REPLICA_SETS)[0], 'status', 'observedGeneration') === 1)).toBe(true)
  await rig.stop()
})

test('who is spared least goes first', () => {
  const pod = (
    name: string,
    node: string | undefined,
    phase: string,
    readySince: number | undefined,
    created: number,
  ) => ({
    ...podOf({ apiVersion: 'v1', kind: 'Pod', metadata: { name, uid: name } }),
    node,
    phase,
    readySince,
    created,
  })
  const expected = [
    pod('nowhere', undefined, 'Pending', undefined, 1),
    pod('pending', 'b', 'Pending', undefined, 1),
    pod('young-unready', 'b', 'Running', undefined, 9),
    pod('unready', 'b', 'Running', undefined, 2),
    pod('just-ready', 'b', 'Running', 95_000, 1),
    pod('crowded', 'b', 'Running', 10_000, 1),
    pod('younger', 'a', 'Running', 20_000, 1),
    pod('older', 'a', 'Running', 10_000, 1),
  ]
  fc.assert(
    fc.property(fc.shuffledSubarray(expected, { minLength: expected.length }), (pods) => {
      const names = removalOrder(pods, { now: 100_000, minReadySeconds: 10 }).map(({ name }) => name)
      expect(names).toEqual(expected.map(({ name }) => name))
    }),
  )
})
