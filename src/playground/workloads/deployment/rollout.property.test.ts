import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { KubeObject } from '../../../kube/object.ts'
import { DEPLOYMENTS, PODS, REPLICA_SETS } from '../../../kube/resources.ts'
import { isActive, podOf } from '../pod.ts'
import { imageOf, imagePatch, workload } from '../testing/objects.ts'
import { Rig } from '../testing/rig.ts'
import { rollingBounds } from './spec.ts'

const AT = { namespace: 'test', name: 'web' }

test('a rolling update keeps within its bounds at any interleaving, and arrives', async () => {
  const inputs = fc.record({
    seed: fc.integer({ min: 1, max: 2 ** 31 }),
    replicas: fc.integer({ min: 1, max: 6 }),
    maxSurge: fc.oneof(fc.nat(3), fc.constantFrom('25%', '100%')),
    maxUnavailable: fc.oneof(fc.nat(3), fc.constantFrom('25%', '50%')),
    images: fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 }),
    faults: fc.constantFrom(0, 0, 0.05),
    crash: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(inputs, async ({ seed, replicas, maxSurge, maxUnavailable, images, faults, crash }) => {
      const rig = new Rig(seed)
      const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } }
      await rig.api.create(DEPLOYMENTS, workload('Deployment', 'web', { replicas, strategy }))
      rig.start()
      const isComplete = (image: string) => (): boolean => {
        const pods = rig.api.all(PODS)
        return pods.length === replicas && pods.every((pod) => imageOf(pod) === image && podOf(pod).readySince === 0)
      }
      expect(await rig.until(isComplete('a'))).toBe(true)
      const start = Number((await rig.api.list(PODS)).resourceVersion)
      rig.api.faults = faults
      for (const image of images) {
        for (let tries = 0; tries < 50; tries++) {
          try {
            await rig.api.patch(DEPLOYMENTS, AT, 'merge', imagePatch(image))
            break
          } catch {}
        }
        const turns = Math.floor(rig.random() * 200)
        await rig.until(() => false, turns)
        if (crash) {
          await rig.stop()
          rig.start()
        }
      }
      const arrived = await rig.until(isComplete(images.at(-1) ?? 'a'))
      rig.api.faults = 0
      await rig.stop()
      expect(rig.defects).toEqual([])
      const { surge, unavailable } = rollingBounds(maxSurge, maxUnavailable, replicas)
      for await (const { revision, pods: objects } of rig.history()) {
        const pods = objects.map(podOf).filter(isActive)
        expect(pods.length).toBeLessThanOrEqual(replicas + surge)
        if (revision <= start) continue
        expect(pods.filter(({ readySince }) => readySince !== undefined).length).toBeGreaterThanOrEqual(
          replicas - unavailable,
        )
      }
      expect(arrived).toBe(true)
    }),
    { numRuns: 40 },
  )
}, 60_000)

test('Recreate never has pods of two templates', async () => {
  const rig = new Rig(7)
  await rig.api.create(DEPLOYMENTS, workload('Deployment', 'web', { replicas: 3, strategy: { type: 'Recreate' } }))
  rig.start()
  expect(await rig.until(() => rig.api.all(PODS).filter((pod) => podOf(pod).readySince === 0).length === 3)).toBe(true)
  await rig.api.patch(DEPLOYMENTS, AT, 'merge', imagePatch('b'))
  const isNew = (pods: readonly KubeObject[]): boolean => pods.length === 3 && pods.every((pod) => imageOf(pod) === 'b')
  expect(await rig.until(() => isNew(rig.api.all(PODS)))).toBe(true)
  await rig.stop()
  for await (const { pods } of rig.history()) expect(new Set(pods.map(imageOf)).size).toBeLessThanOrEqual(1)
})

test('revisions are numbered, come back, and are forgotten beyond the limit', async () => {
  const rig = new Rig(11)
  const spec = { replicas: 1, revisionHistoryLimit: 1 }
  await rig.api.create(DEPLOYMENTS, workload('Deployment', 'web', spec))
  rig.start()
  const revisions = (): readonly string[] =>
    rig.api
      .all(REPLICA_SETS)
      .map(({ metadata }) => metadata.annotations?.['deployment.kubernetes.io/revision'] ?? '')
      .sort()
  const isAt = (image: string, expected: readonly string[]) => (): boolean => {
    const pods = rig.api.all(PODS)
    return pods.length === 1 && pods.every((pod) => imageOf(pod) === image) && `${revisions()}` === `${expected}`
  }
  expect(await rig.until(isAt('a', ['1']))).toBe(true)
  await rig.api.patch(DEPLOYMENTS, AT, 'merge', imagePatch('b'))
  expect(await rig.until(isAt('b', ['1', '2']))).toBe(true)
  await rig.api.patch(DEPLOYMENTS, AT, 'merge', imagePatch('a'))
  expect(await rig.until(isAt('a', ['2', '3']))).toBe(true)
  await rig.api.patch(DEPLOYMENTS, AT, 'merge', imagePatch('c'))
  expect(await rig.until(isAt('c', ['3', '4']))).toBe(true)
  const isSettled = (): boolean => {
    const [object] = rig.api.all(DEPLOYMENTS)
    const status = object?.['status'] as {
      conditions?: readonly { type: string; reason: string }[]
      updatedReplicas?: number
    }
    const reasons = status.conditions?.map(({ reason }) => reason).sort()
    return `${reasons}` === 'MinimumReplicasAvailable,NewReplicaSetAvailable' && status.updatedReplicas === 1
  }
  expect(await rig.until(isSettled)).toBe(true)
  await rig.stop()
  expect(rig.defects).toEqual([])
})
