/** What Calico's etcd says as watchers are told of it, by a key space that says what a test wants. */
import { expect, test } from 'bun:test'
import type { Batch, Entry, KeySpace } from '../../../etcd/key-space.ts'
import { ip } from '../../../network/model/address.ts'
import { MemoryRegistry } from '../../../registry/memory.ts'
import type { Change, Kind, Registry } from '../../../registry/registry.ts'
import { CalicoLayout } from './layout.ts'
import { CalicoNodes } from './nodes.ts'
import { CalicoRegistry } from './registry.ts'

const layout = CalicoLayout.of('/calico')
if (layout === undefined) throw new Error('a path')
const ROOT = '/calico/resources/v3/projectcalico.org'

/** An etcd of which all that is told is set by hand. */
class Said {
  history = 0
  revision = 500
  entries: readonly Entry[] = []
  batches: readonly Batch[] = []

  put(path: string, value: object | string, created: number, revision = created): Entry {
    const key = `${ROOT}/${path}`
    const entry = { key, value: typeof value === 'string' ? value : JSON.stringify(value), created, revision }
    this.entries = [...this.entries.filter((one) => one.key !== key), entry]
    return entry
  }

  get space(): KeySpace {
    const said = this
    const space: Partial<KeySpace> = {
      get history() {
        return said.history
      },
      list: async () => ({ revision: said.revision, entries: said.entries }),
      async *watch(_folder, _after, signal) {
        yield* said.batches
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
      },
    }
    return space as KeySpace
  }
}

async function nodesWith(said: Said): Promise<{ readonly lower: MemoryRegistry; readonly nodes: CalicoNodes }> {
  const lower = new MemoryRegistry()
  for (const name of ['n1', 'n2', 'n3'])
    await lower.create('Node', name, { name, uid: name, addresses: [ip('192.0.2.1')] })
  return { lower, nodes: new CalicoNodes(said.space, layout as CalicoLayout, lower) }
}

/** So many changes after a revision. */
async function changes(registry: Registry, kind: Kind, after: number, count: number): Promise<readonly Change<Kind>[]> {
  const seen: Change<Kind>[] = []
  for await (const change of registry.watch(kind, after, AbortSignal.timeout(5_000))) {
    if (seen.push(change) === count) break
  }
  return seen
}

const numbered = (asNumber: number) => ({ spec: { bgp: { ipv4Address: '198.51.100.1/24', asNumber } } })

test('a listing tells nothing new of nodes of which nothing else is said', async () => {
  const said = new Said()
  const { lower, nodes } = await nodesWith(said)
  const before = await nodes.list('Node')
  said.put('nodes/n1', numbered(64_600), 7)
  const after = await nodes.list('Node')
  expect(after.revision).toBeGreaterThan(before.revision)
  expect(after.objects.slice(1)).toEqual(before.objects.slice(1))
  expect(after.objects[0]).not.toEqual(before.objects[0])
  // Nor of those that a watch told.
  const [, , third] = after.objects
  if (third === undefined) throw new Error('no node')
  await lower.update('Node', 'n3', { ...third.value, addresses: [ip('192.0.2.9')] }, third.revision)
  const [seen] = await changes(nodes, 'Node', after.revision, 2)
  said.put('nodes/n1', numbered(64_601), 7, 8)
  const { objects } = await nodes.list('Node')
  expect(seen).toEqual({ type: 'put', object: objects[2] } as never)
})

test('a watch of nodes that goes on after its last word goes on in what was said then', async () => {
  const said = new Said()
  const { lower, nodes } = await nodesWith(said)
  const { revision, objects } = await nodes.list('Node')
  const [first] = objects
  if (first === undefined) throw new Error('no node')
  await lower.update('Node', 'n1', { ...first.value, addresses: [ip('192.0.2.9')] }, first.revision)
  const [, last] = await changes(nodes, 'Node', revision, 2)
  if (last?.type !== 'bookmark') throw new Error('a change without a place to go on after')
  await lower.delete('Node', 'n2')
  expect(await changes(nodes, 'Node', last.revision, 1)).toEqual([
    { type: 'delete', object: expect.objectContaining({ name: 'n2' }) },
  ])
  said.put('nodes/n1', numbered(64_600), 7)
  await nodes.list('Node')
  const late = changes(nodes, 'Node', last.revision, 1)
  await expect(late).rejects.toEqual(expect.objectContaining({ code: 'REGISTRY_EXPIRED' }))
})

test('of a record that was never read the remedy is in the record', async () => {
  const said = new Said()
  const { nodes } = await nodesWith(said)
  said.put('nodes/n1', 'x', 7)
  const { objects } = await nodes.list('Node')
  expect(objects[0]?.value.bgp).toEqual({
    addresses: [],
    isRecorded: true,
    problem: "its record in Calico's etcd is not a JSON object; what it last said stays",
  })
})

test('a policy made anew under its name is not what the former was, when it cannot be read', async () => {
  const said = new Said()
  const registry = new CalicoRegistry(said.space, layout as CalicoLayout)
  const ingress = async (): Promise<unknown> =>
    (await registry.list('GlobalNetworkPolicy')).objects.map(({ value }) => value.ingress)
  const spec = { selector: 'all()', types: ['Ingress'], ingress: [{ action: 'Allow' }] }
  said.put('globalnetworkpolicies/p', { spec }, 7)
  const allowed = await ingress()
  said.put('globalnetworkpolicies/p', '{', 7, 8)
  expect(await ingress()).toEqual(allowed)
  said.put('globalnetworkpolicies/p', '{', 9)
  expect(await ingress()).toEqual([[{ action: 'deny' }]])
  expect(allowed).not.toEqual([[{ action: 'deny' }]])
})

test('what another etcd says the same of is not news, whether a listing told it or a watch', async () => {
  const said = new Said()
  const registry = new CalicoRegistry(said.space, layout as CalicoLayout)
  said.put('globalnetworksets/a', { spec: { nets: ['192.0.2.1'] } }, 7)
  const { revision } = await registry.list('GlobalNetworkSet')
  const entry = said.put('globalnetworksets/b', { spec: { nets: ['192.0.2.2'] } }, 501)
  said.batches = [{ revision: 501, events: [{ type: 'put', entry }] }]
  const [put, place] = await changes(registry, 'GlobalNetworkSet', revision, 2)
  const before = await registry.list('GlobalNetworkSet')
  said.history += 1
  const after = await registry.list('GlobalNetworkSet')
  expect(after.objects).toEqual(before.objects)
  expect(put).toEqual({ type: 'put', object: after.objects[1] } as never)
  const late = changes(registry, 'GlobalNetworkSet', place?.type === 'bookmark' ? place.revision : 0, 1)
  await expect(late).rejects.toEqual(expect.objectContaining({ code: 'REGISTRY_EXPIRED' }))
})
