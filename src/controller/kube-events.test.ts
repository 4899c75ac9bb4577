import { expect, test } from 'bun:test'
import { weftBindings } from '../compat/bindings.ts'
import type { KubeApi, ObjectName } from '../kube/api.ts'
import { EventRecorder } from '../kube/events.ts'
import type { Resource } from '../kube/object.ts'
import { EventStore } from '../kube/testing/event-store.ts'
import { kubeEvents } from './kube-events.ts'

/** Where an event about an invalid tenant of namespace shop goes, of these kinds that are there. */
async function subjectOf(...present: readonly string[]): Promise<unknown> {
  const store = new EventStore()
  const api = {
    ...store.api,
    get: async ({ kind }: Resource, { name }: ObjectName) =>
      present.includes(kind) ? { apiVersion: 'v1', kind, metadata: { name } } : undefined,
  } as unknown as KubeApi
  const recorder = new EventRecorder(api, { component: 'weft-controller' })
  const { invalid } = kubeEvents(api, weftBindings, recorder)
  invalid({ kind: 'Tenant', name: 'shop', revision: 1, problem: 'vni: 5000000000 is none' })
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve()
  await recorder.settled()
  return store.events.map(({ reason, involvedObject }) => [reason, Object(involvedObject)['kind']])
}

test('what is wrong with an object is told at it, else at what it is about', async () => {
  expect(await subjectOf('NetNamespace', 'Namespace')).toEqual([['OBJECT_INVALID', 'NetNamespace']])
  // k8s-ovs keeps tenants in etcd.
  expect(await subjectOf('Namespace')).toEqual([['OBJECT_INVALID', 'Namespace']])
  expect(await subjectOf()).toEqual([])
})
