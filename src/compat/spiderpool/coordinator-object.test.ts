import { expect, test } from 'bun:test'
import type { KubeObject } from '../../kube/object.ts'
import { cidr } from '../../network/model/address.ts'
import { decodeCoordinator } from '../../network/model/validate-definition.ts'
import { coordinatorBinding } from './coordinator.ts'
import { defaultCoordinator, finalizerPatch, lastGood, statusPatch } from './coordinator-object.ts'

const LEARNED = { phase: 'Synced', overlayPods: [], services: [cidr('10.233.0.0/18')], reason: '' } as const
const OURS = 'spiderpool.spidernet.io'

function withStatus(status: unknown): KubeObject {
  return { ...defaultCoordinator(), status }
}

test('the one that a cluster starts with is understood, and is the seed’s but for its type', () => {
  const object = defaultCoordinator()
  expect(decodeCoordinator(coordinatorBinding.decode(object)).ok).toBe(true)
  expect(object).toMatchObject({
    metadata: { name: 'default', finalizers: [OURS] },
    spec: {
      detectGateway: false,
      detectIPConflict: false,
      hijackCIDR: ['169.254.0.0/16'],
      podRPFilter: 0,
      hostRuleTable: 500,
      mode: 'auto',
      podCIDRType: 'auto',
      podDefaultRouteNIC: '',
      podMACPrefix: '',
      tunePodRoutes: true,
    },
  })
})

test.each<[string, readonly string[], string | undefined, readonly string[] | undefined]>([
  ['it is there', [OURS], undefined, undefined],
  ['it is missing', ['other'], undefined, ['other', OURS]],
  ['it is in the way', ['other', OURS], '2026-01-01T00:00:00Z', ['other']],
  ['somebody else’s is in the way', ['other'], '2026-01-01T00:00:00Z', undefined],
])('the finalizer: %s', (_, finalizers, deletionTimestamp, wanted) => {
  const gone = deletionTimestamp === undefined ? {} : { deletionTimestamp }
  const metadata = { name: 'default', resourceVersion: '7', finalizers, ...gone }
  const patch = finalizerPatch({ ...defaultCoordinator(), metadata })
  expect(patch).toEqual(wanted && { metadata: { resourceVersion: '7', finalizers: wanted } })
})

test('a status is written as the seed shows it, and once', () => {
  const patch = statusPatch(withStatus(undefined), LEARNED)
  const seed = { overlayPodCIDR: [], phase: 'Synced', serviceCIDR: ['10.233.0.0/18'] }
  expect<unknown>(patch).toEqual({ status: { ...seed, reason: null } })
  expect(statusPatch(withStatus(seed), LEARNED)).toBeUndefined()
  const others = [
    { phase: 'NotReady' },
    { reason: 'x' },
    { serviceCIDR: [] },
    { overlayPodCIDR: undefined },
    { serviceCIDR: 7 },
  ]
  for (const other of others) expect(statusPatch(withStatus({ ...seed, ...other }), LEARNED)).toBeDefined()
})

test('a reason is as long as may be', () => {
  const learned = { ...LEARNED, reason: 'x'.repeat(5000) }
  const patch = statusPatch(withStatus(undefined), learned)
  expect(patch).toMatchObject({ status: { reason: 'x'.repeat(1024) } })
  expect(statusPatch(withStatus(patch?.['status']), learned)).toBeUndefined()
})

test('only what was Synced is worth remembering', () => {
  const ranges = { overlayPodCIDR: ['10.1.0.0/16', 7], serviceCIDR: ['10.2.0.0/16'] }
  expect<unknown>(lastGood(withStatus({ phase: 'Synced', ...ranges }))).toEqual({
    pods: ['10.1.0.0/16'],
    services: ['10.2.0.0/16'],
  })
  expect(lastGood(withStatus({ phase: 'NotReady', ...ranges }))).toBeUndefined()
  expect(lastGood(withStatus(undefined))).toBeUndefined()
})
