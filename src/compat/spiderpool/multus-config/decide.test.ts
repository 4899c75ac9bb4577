import { expect, test } from 'bun:test'
import type { KubeObject, ObjectMeta } from '../../../kube/object.ts'
import { type DefinitionFacts, decideDefinition, emptyDefinition } from './decide.ts'
import { readMultusConfig } from './read.ts'
import { definitionOf } from './render.ts'
import { multusConfig } from './testing/objects.ts'

const SEED = multusConfig()
const MADE = made(SEED)

function made(object: KubeObject): KubeObject {
  const reading = readMultusConfig(object)
  if (reading.is === 'refused') throw new Error('it is refused')
  return definitionOf(object, reading.config)
}

function decide(facts: Partial<DefinitionFacts>) {
  const { call, sayings } = decideDefinition({
    existing: undefined,
    claimants: [SEED],
    holder: undefined,
    formerName: () => undefined,
    ...facts,
  })
  const said = sayings.map(({ object, problems }) => [object.metadata.uid, ...problems.map(({ reason }) => reason)])
  return { call, said }
}

function changed(object: KubeObject, metadata: Partial<ObjectMeta>, spec: unknown = object['spec']): KubeObject {
  return { ...object, metadata: { ...object.metadata, ...metadata }, spec }
}

test('there is none: it is made', () => {
  expect(decide({})).toEqual({ call: { op: 'create', object: MADE }, said: [['u1']] })
})

test('it is as it should be: nothing is done, whoever else owns it too', () => {
  const blocking = [
    { ...MADE.metadata.ownerReferences?.[0], blockOwnerDeletion: true },
  ] as ObjectMeta['ownerReferences']
  for (const ownerReferences of [MADE.metadata.ownerReferences, blocking]) {
    const existing = changed(MADE, { resourceVersion: '7', ownerReferences: ownerReferences ?? [] })
    expect(decide({ existing, holder: SEED })).toEqual({ call: undefined, said: [['u1']] })
  }
})

test.each<[string, KubeObject, unknown]>([
  ['another configuration', changed(MADE, {}, { config: '{}' }), { metadata: {}, spec: MADE['spec'] }],
  ['no configuration', changed(MADE, {}, {}), { metadata: {}, spec: MADE['spec'] }],
  [
    'annotations that went, and that nobody asked for',
    changed(MADE, { annotations: { x: 'y' } }),
    { metadata: { annotations: { x: null, 'k8s.v1.cni.cncf.io/resourceName': 'ovs-cni.network.kubevirt.io/br1' } } },
  ],
  ['labels that nobody asked for', changed(MADE, { labels: { x: 'y' } }), { metadata: { labels: { x: null } } }],
])('put back: %s', (_, existing, patch) => {
  expect(decide({ existing, holder: SEED }).call).toEqual({ op: 'patch', object: MADE, patch } as never)
})

test('it is about to go: it is made anew when it is gone', () => {
  const existing = changed(MADE, { deletionTimestamp: '2026-01-01T00:00:00Z' }, { config: '{}' })
  expect(decide({ existing, holder: SEED })).toEqual({ call: undefined, said: [['u1']] })
})

test('the empty one that the settings name is taken over', () => {
  const { call, said } = decide({ existing: emptyDefinition('kube-system', 'ovs-conf') })
  expect(said).toEqual([['u1']])
  expect(call).toEqual({
    op: 'patch',
    object: MADE,
    patch: {
      metadata: {
        annotations: { 'weft.dev/made-for': null, ...MADE.metadata.annotations },
        ownerReferences: MADE.metadata.ownerReferences ?? [],
      },
      spec: MADE['spec'],
    },
  })
})

const FOREIGN = 'names the definition ovs-conf, which somebody else made'

test.each<[string, KubeObject]>([
  ['of somebody', changed(MADE, { ownerReferences: [] })],
  ['of somebody, empty', changed(MADE, { ownerReferences: [], annotations: {} }, {})],
  ['ours once, and filled in by somebody', changed(emptyDefinition('kube-system', 'ovs-conf'), {}, { config: '{}' })],
  [
    'another program’s',
    changed(MADE, {
      ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'x', controller: true }],
    }),
  ],
  [
    'of another group’s kind of this name',
    changed(MADE, {
      ownerReferences: [{ apiVersion: 'x/v1', kind: 'SpiderMultusConfig', name: 'x', uid: 'x', controller: true }],
    }),
  ],
])('never touched: %s', (_, existing) => {
  expect(decide({ existing })).toEqual({ call: undefined, said: [['u1', FOREIGN]] })
})

const YOUNGER = multusConfig(undefined, {
  name: 'later',
  uid: 'u2',
  creationTimestamp: '2026-01-02T00:00:00Z',
  annotations: { 'multus.spidernet.io/cr-name': 'ovs-conf' },
})
const TAKEN = 'names the definition of the SpiderMultusConfig ovs-conf'

test('two want one name: the older one has it', () => {
  const { call, said } = decide({ claimants: [YOUNGER, SEED] })
  expect(call).toEqual({ op: 'create', object: MADE })
  expect(said).toEqual([['u1'], ['u2', TAKEN]])
})

test('two of one second: by name', () => {
  const twin = changed(YOUNGER, { creationTimestamp: SEED.metadata.creationTimestamp ?? '' })
  expect(decide({ claimants: [SEED, twin] }).call).toEqual({ op: 'create', object: made(twin) })
})

test('whoever has it keeps it, also while it is refused', () => {
  const existing = made(YOUNGER)
  expect(decide({ existing, claimants: [SEED, YOUNGER], holder: YOUNGER })).toEqual({
    call: undefined,
    said: [['u1', 'names the definition of the SpiderMultusConfig later'], ['u2']],
  })
  const broken = changed(YOUNGER, {}, { cniType: 'ovs', ovs: {} })
  expect(decide({ existing, claimants: [SEED, broken], holder: broken })).toEqual({
    call: undefined,
    said: [
      ['u1', 'names the definition of the SpiderMultusConfig later'],
      ['u2', 'is missing'],
    ],
  })
})

test('a refused one is in nobody’s way', () => {
  const broken = changed(SEED, {}, { cniType: 'ovs', ovs: {} })
  const { call, said } = decide({ claimants: [broken, YOUNGER] })
  expect(call).toEqual({ op: 'create', object: made(YOUNGER) })
  expect(said).toEqual([['u1', 'is missing'], ['u2']])
})

test('whose author is gone, and not yet collected, is the next one’s', () => {
  const { call } = decide({ existing: MADE, claimants: [YOUNGER] })
  expect(call).toMatchObject({ op: 'patch', patch: { metadata: { ownerReferences: [{ uid: 'u2' }] } } })
})

test('whoever has a definition cannot have another name, and keeps the one it has', () => {
  const formerName = (uid: string) => (uid === 'u2' ? 'later' : undefined)
  const reason = 'cannot be changed: pods are attached by the definition later'
  expect(decide({ claimants: [YOUNGER], formerName })).toEqual({ call: undefined, said: [['u2', reason]] })
  // The name that it wants is free for others.
  expect(
    decide({ claimants: [YOUNGER, changed(SEED, { creationTimestamp: '2026-02-01T00:00:00Z' })], formerName }).call?.op,
  ).toBe('create')
  // The one that it has is nobody else's.
  const other = multusConfig(undefined, { uid: 'u3', name: 'later' })
  expect(
    decide({ existing: made(changed(YOUNGER, { annotations: {} })), claimants: [other], holder: YOUNGER }),
  ).toEqual({
    call: undefined,
    said: [['u3', 'names the definition of the SpiderMultusConfig later']],
  })
})
