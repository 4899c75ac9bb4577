import { afterEach, expect, test } from 'bun:test'
import { NETWORK_ATTACHMENT_DEFINITIONS } from '../../compat/multus/attachment-definition.ts'
import { multusConfig } from '../../compat/spiderpool/multus-config/testing/objects.ts'
import { SPIDER_MULTUS_CONFIGS } from '../../compat/spiderpool/resources.ts'
import { KubeError } from '../../kube/errors.ts'
import type { KubeObject, ObjectMeta } from '../../kube/object.ts'
import { MemoryApi } from '../../kube/testing/memory-api.ts'
import { eventually } from '../testing/eventually.ts'
import { runMultusConfigs } from './multus-configs.ts'
import { Bench, quiet } from './testing/bench.ts'

let bench = new Bench()
afterEach(async () => {
  await bench.stop()
  bench = new Bench()
})

const PLACE = { namespace: 'kube-system', name: 'ovs-conf' }
const SEED_CONFIG =
  '{"cniVersion":"0.3.1","name":"ovs-conf","plugins":[{"type":"ovs","bridge":"br1","vlan":0,"ipam":{"type":"spiderpool"}},{"type":"coordinator","mode":"auto","tunePodRoutes":true,"txQueueLen":0}]}'

const configOf = (name = 'ovs-conf') =>
  (bench.one(NETWORK_ATTACHMENT_DEFINITIONS, name)?.['spec'] as { config?: string } | undefined)?.config
const conditionOf = (name = 'ovs-conf') => {
  const status = bench.one(SPIDER_MULTUS_CONFIGS, name)?.['status'] as { conditions?: readonly object[] } | undefined
  return status?.conditions?.[0]
}
const apply = (spec?: unknown, metadata?: Partial<ObjectMeta>): Promise<KubeObject> =>
  bench.api.create(SPIDER_MULTUS_CONFIGS, multusConfig(spec, metadata))

function definition(metadata: Partial<ObjectMeta> = {}, spec: unknown = {}): KubeObject {
  return {
    apiVersion: 'k8s.cni.cncf.io/v1',
    kind: 'NetworkAttachmentDefinition',
    metadata: { ...PLACE, ...metadata },
    spec,
  }
}

test('the seed’s becomes a definition that belongs to it, and says so', async () => {
  const { metadata } = await apply()
  bench.start(runMultusConfigs)
  await eventually(() => expect(conditionOf()).toMatchObject({ type: 'Ready', status: 'True', observedGeneration: 1 }))
  expect(configOf()).toBe(SEED_CONFIG)
  expect(bench.one(NETWORK_ATTACHMENT_DEFINITIONS, 'ovs-conf')?.metadata.ownerReferences).toEqual([
    {
      apiVersion: 'spiderpool.spidernet.io/v2beta1',
      kind: 'SpiderMultusConfig',
      name: 'ovs-conf',
      uid: metadata.uid ?? '',
      controller: true,
    },
  ])
  expect(bench.events).toEqual([])
})

test('a change is followed, a meddler’s undone, a deletion made good; when the object goes, so does the definition', async () => {
  bench.start(runMultusConfigs)
  await apply()
  await eventually(() => expect(configOf()).toBe(SEED_CONFIG))
  await bench.api.patch(SPIDER_MULTUS_CONFIGS, PLACE, 'merge', { spec: { ovs: { vlan: 7 } } })
  await eventually(() => expect(configOf()).toContain('"vlan":7'))
  const meddled = { metadata: { annotations: { x: 'y' } }, spec: { config: '{}' } }
  await bench.api.patch(NETWORK_ATTACHMENT_DEFINITIONS, PLACE, 'merge', meddled)
  await eventually(() => expect(configOf()).toContain('"vlan":7'))
  expect(bench.one(NETWORK_ATTACHMENT_DEFINITIONS, 'ovs-conf')?.metadata.annotations).not.toHaveProperty('x')
  await bench.api.delete(NETWORK_ATTACHMENT_DEFINITIONS, PLACE)
  await eventually(() => expect(configOf()).toContain('"vlan":7'))
  await bench.api.delete(SPIDER_MULTUS_CONFIGS, PLACE)
  await eventually(() => expect(configOf()).toBeUndefined())
  await quiet()
  expect(bench.api.all(NETWORK_ATTACHMENT_DEFINITIONS)).toEqual([])
})

test('what is there already is not written again', async () => {
  await apply()
  bench.start(runMultusConfigs)
  await eventually(() => expect(conditionOf()).toBeDefined())
  await bench.stop()
  const before = bench.api.writes.length
  bench.start(runMultusConfigs)
  await quiet()
  expect(bench.api.writes.slice(before)).toEqual([])
})

test('one that is refused says why in its status and by one event; its definition stays as it was; put right it is followed', async () => {
  await apply()
  bench.start(runMultusConfigs)
  await eventually(() => expect(configOf()).toBe(SEED_CONFIG))
  await bench.api.patch(SPIDER_MULTUS_CONFIGS, PLACE, 'merge', { spec: { ovs: { vlan: 5000 } } })
  const why = 'spec.ovs.vlan: is no number that can be; give a whole number, 0 to 4094'
  await eventually(() =>
    expect(conditionOf()).toMatchObject({ status: 'False', reason: 'Refused', message: why, observedGeneration: 2 }),
  )
  await bench.api.patch(SPIDER_MULTUS_CONFIGS, PLACE, 'merge', { metadata: { labels: { a: 'b' } } })
  await quiet()
  expect(bench.events).toEqual([`RefusedMultusConfig SpiderMultusConfig ovs-conf: ${why}`])
  expect(configOf()).toBe(SEED_CONFIG)
  await bench.api.patch(SPIDER_MULTUS_CONFIGS, PLACE, 'merge', { spec: { ovs: { vlan: 5 } } })
  await eventually(() => expect(configOf()).toContain('"vlan":5'))
  await eventually(() => expect(conditionOf()).toMatchObject({ status: 'True' }))
})

test('its condition is one among others’: it keeps its time until it changes, and what somebody makes of it is put back', async () => {
  await apply()
  const theirs = {
    type: 'Theirs',
    status: 'Unknown',
    reason: 'Any',
    message: '',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  }
  await bench.api.patch(SPIDER_MULTUS_CONFIGS, PLACE, 'merge', { status: { conditions: [theirs] } }, 'status')
  bench.start(runMultusConfigs)
  const told = () => {
    const status = bench.one(SPIDER_MULTUS_CONFIGS, 'ovs-conf')?.['status'] as { conditions: Record<string, unknown>[] }
    return new Map(status.conditions.map((one) => [one['type'], one]))
  }
  await eventually(() => expect([...told().keys()]).toEqual(['Theirs', 'Ready']))
  const ready = told().get('Ready')
  expect(ready).toEqual({
    type: 'Ready',
    status: 'True',
    reason: 'Made',
    message: 'The NetworkAttachmentDefinition kube-system/ovs-conf is made of it.',
    lastTransitionTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    observedGeneration: 1,
  })
  // A time long ago tells whether it is kept.
  const aged = [theirs, { ...ready, lastTransitionTime: '2026-01-01T00:00:00Z' }]
  await bench.api.patch(SPIDER_MULTUS_CONFIGS, PLACE, 'merge', { status: { conditions: aged } }, 'status')
  await bench.api.patch(SPIDER_MULTUS_CONFIGS, PLACE, 'merge', { spec: { ovs: { vlan: 7 } } })
  await eventually(() =>
    expect(told().get('Ready')).toEqual({ ...aged[1], observedGeneration: 2 } as Record<string, unknown>),
  )
  await bench.api.patch(SPIDER_MULTUS_CONFIGS, PLACE, 'merge', { spec: { ovs: { vlan: 5000 } } })
  await eventually(() => expect(told().get('Ready')).toMatchObject({ status: 'False', observedGeneration: 3 }))
  expect(told().get('Ready')?.['lastTransitionTime']).not.toBe('2026-01-01T00:00:00Z')
  expect(told().get('Theirs')).toEqual(theirs)
})

test('somebody else’s definition is never touched; when it is gone, ours is made', async () => {
  const theirs = await bench.api.create(NETWORK_ATTACHMENT_DEFINITIONS, definition({}, { config: '{"type":"bridge"}' }))
  await apply()
  bench.start(runMultusConfigs)
  await eventually(() => expect(bench.events).toHaveLength(1))
  expect(bench.events[0]).toContain('names the definition ovs-conf, which somebody else made')
  expect(bench.one(NETWORK_ATTACHMENT_DEFINITIONS, 'ovs-conf')).toEqual(theirs)
  await bench.api.delete(NETWORK_ATTACHMENT_DEFINITIONS, PLACE)
  await eventually(() => expect(configOf()).toBe(SEED_CONFIG))
  await eventually(() => expect(conditionOf()).toMatchObject({ status: 'True' }))
})

test('a second one of the same name is refused until the first one goes', async () => {
  bench.start(runMultusConfigs)
  await apply()
  await eventually(() => expect(configOf()).toBe(SEED_CONFIG))
  const annotations = { 'multus.spidernet.io/cr-name': 'ovs-conf' }
  await apply({ cniType: 'ovs', ovs: { bridge: 'br2' } }, { name: 'second', annotations })
  await eventually(() => expect(conditionOf('second')).toMatchObject({ status: 'False' }))
  expect(bench.events[0]).toContain('names the definition of the SpiderMultusConfig ovs-conf')
  expect(configOf()).toBe(SEED_CONFIG)
  await bench.api.delete(SPIDER_MULTUS_CONFIGS, PLACE)
  await eventually(() => expect(configOf()).toContain('"bridge":"br2"'))
  await eventually(() => expect(conditionOf('second')).toMatchObject({ status: 'True' }))
})

test('another name is refused as long as there is a definition of the first one', async () => {
  bench.start(runMultusConfigs)
  await apply()
  await eventually(() => expect(configOf()).toBe(SEED_CONFIG))
  const annotations = { 'multus.spidernet.io/cr-name': 'other' }
  await bench.api.patch(SPIDER_MULTUS_CONFIGS, PLACE, 'merge', { metadata: { annotations } })
  await eventually(() => expect(conditionOf()).toMatchObject({ status: 'False' }))
  expect(bench.events[0]).toContain('cannot be changed: pods are attached by the definition ovs-conf')
  expect(bench.api.all(NETWORK_ATTACHMENT_DEFINITIONS)).toHaveLength(1)
  await bench.api.delete(NETWORK_ATTACHMENT_DEFINITIONS, PLACE)
  await eventually(() => expect(configOf('other')).toContain('"name":"other"'))
  expect(bench.one(NETWORK_ATTACHMENT_DEFINITIONS, 'ovs-conf')).toBeUndefined()
})

const NAMED = { namespace: 'kube-system', clusterNetwork: 'ovs-conf' }

test('the settings’ default network is an empty definition, taken over by whoever writes it, and there again afterwards', async () => {
  bench.start(runMultusConfigs, NAMED)
  await eventually(() => expect(bench.one(NETWORK_ATTACHMENT_DEFINITIONS, 'ovs-conf')).toBeDefined())
  expect(bench.one(NETWORK_ATTACHMENT_DEFINITIONS, 'ovs-conf')).toMatchObject({
    metadata: { namespace: 'kube-system', annotations: { 'weft.dev/made-for': 'attachments.clusterNetwork' } },
    spec: {},
  })
  await apply()
  await eventually(() => expect(configOf()).toBe(SEED_CONFIG))
  const { metadata } = bench.one(NETWORK_ATTACHMENT_DEFINITIONS, 'ovs-conf') ?? definition()
  expect(metadata.annotations).not.toHaveProperty('weft.dev/made-for')
  await bench.api.delete(SPIDER_MULTUS_CONFIGS, PLACE)
  await eventually(() => {
    expect(bench.one(NETWORK_ATTACHMENT_DEFINITIONS, 'ovs-conf')).toBeDefined()
    expect(configOf()).toBeUndefined()
  })
})

test.each<[string, () => Promise<unknown>]>([
  ['somebody’s', () => bench.api.create(NETWORK_ATTACHMENT_DEFINITIONS, definition({}, { config: '{"type":"a"}' }))],
  ['a SpiderMultusConfig’s that is refused', () => apply({ cniType: 'sriov', sriov: {} })],
])('the default network is made only where nobody has it: %s', async (_, make) => {
  await make()
  const before = bench.api.all(NETWORK_ATTACHMENT_DEFINITIONS)
  bench.start(runMultusConfigs, NAMED)
  await quiet()
  expect(bench.api.all(NETWORK_ATTACHMENT_DEFINITIONS)).toEqual(before)
})

test('a default network of another namespace', async () => {
  bench.start(runMultusConfigs, { namespace: 'kube-system', clusterNetwork: 'net/phys' })
  await eventually(() => expect(bench.one(NETWORK_ATTACHMENT_DEFINITIONS, 'phys')?.metadata.namespace).toBe('net'))
})

test('nothing is made before everything is known', async () => {
  const api = new MemoryApi()
  bench = new Bench(api)
  await apply()
  let isDown = true
  api.before = (verb, { plural }) => {
    if (isDown && verb === 'list' && plural === NETWORK_ATTACHMENT_DEFINITIONS.plural) {
      throw new KubeError('KUBE_UNAVAILABLE', 'not now', '')
    }
  }
  bench.start(runMultusConfigs, NAMED)
  await quiet()
  expect(bench.api.all(NETWORK_ATTACHMENT_DEFINITIONS)).toEqual([])
  expect(conditionOf()).toBeUndefined()
  isDown = false
  await eventually(() => expect(configOf()).toBe(SEED_CONFIG))
})

test('a server whose SpiderMultusConfigs have no status is served all the same', async () => {
  const api = new MemoryApi()
  bench = new Bench(api)
  api.before = (verb, { plural }) => {
    if (verb === 'patch' && plural === SPIDER_MULTUS_CONFIGS.plural)
      throw new KubeError('KUBE_NOT_FOUND', 'no status', '')
  }
  await apply()
  await apply({ cniType: 'ipoib', ipoib: { master: 'ib0' } }, { name: 'ib' })
  bench.start(runMultusConfigs)
  await eventually(() => expect(configOf()).toBe(SEED_CONFIG))
  await eventually(() => expect(bench.events).toHaveLength(1))
  expect(bench.lines).toHaveLength(1)
})

test('of one that is being deleted nothing is made, and a server’s fault is overcome', async () => {
  const api = new MemoryApi()
  bench = new Bench(api)
  let faults = 2
  api.before = (verb, { plural }) => {
    if (verb !== 'create' || plural !== NETWORK_ATTACHMENT_DEFINITIONS.plural || faults === 0) return
    faults -= 1
    throw new KubeError('KUBE_UNAVAILABLE', 'not now', '')
  }
  await apply(undefined, { name: 'ending', deletionTimestamp: '2026-01-01T00:00:00Z' })
  await apply()
  bench.start(runMultusConfigs)
  await eventually(() => expect(configOf()).toBe(SEED_CONFIG))
  expect(bench.api.all(NETWORK_ATTACHMENT_DEFINITIONS)).toHaveLength(1)
})
