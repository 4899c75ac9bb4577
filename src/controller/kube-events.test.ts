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

test('of an object that stays what it was that is told', async () => {
  const store = new EventStore()
  const object = { apiVersion: 'crd.projectcalico.org/v1', kind: 'BGPPeer', metadata: { name: 'rack' } }
  const api = { ...store.api, get: async () => object } as unknown as KubeApi
  const recorder = new EventRecorder(api, { component: 'weft-controller' })
  kubeEvents(api, weftBindings, recorder).invalid({
    kind: 'BgpPeering',
    name: 'rack',
    revision: 1,
    problem: 'spec.nodeSelector: character 9: is none; correct the selector',
  })
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve()
  await recorder.settled()
  expect(store.events.map(({ reason, message }) => `${reason} ${message}`)).toEqual([
    'OBJECT_INVALID spec.nodeSelector: character 9: is none; correct the selector; until then whoever knows what it said before keeps to that',
  ])
})
