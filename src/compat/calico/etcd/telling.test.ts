import { expect, test } from 'bun:test'
import { Readable } from 'node:stream'
import type { Batch, KeySpace } from '../../../etcd/key-space.ts'
import { CalicoLayout } from './layout.ts'
import { CalicoRegistry } from './registry.ts'
import { isToldIn, sourceRevision, toldIn } from './telling.ts'

test.each([
  [0, 0],
  [7, 1],
  [2 ** 37 - 1, 65_533],
  [12, 4096],
])('revision %d told in telling %d is both again', (revision, telling) => {
  const told = toldIn(telling, revision)
  expect(sourceRevision(told)).toBe(revision)
  expect(isToldIn(telling, told)).toBe(true)
  expect(isToldIn(telling + 1, told)).toBe(false)
})

test('no telling is taken for a later one, however many there were: at last each watch lists again', () => {
  const told = [0, 1, 65_533, 65_534, 65_535, 65_536, 131_072].map((telling) => toldIn(telling, 500))
  expect(told).toEqual(told.toSorted((a, b) => a - b))
  expect(told.map(sourceRevision)).toEqual(told.map(() => 500))
  expect([65_535, 65_536, 131_072].some((telling) => told.some((one) => isToldIn(telling, one)))).toBe(false)
})

test('a revision that is told in nothing is told in no telling', () => {
  expect([0, 1, 65_535, 65_536].map((telling) => isToldIn(telling, 500))).toEqual([false, false, false, false])
})

test('a watcher of one history is not taken for one of the next because another listed there', async () => {
  const told: Batch = { revision: 501, events: [] }
  const source = {
    history: 1,
    list: async () => ({ revision: 500, entries: [] }),
    watch: () => Readable.from([told]),
  }
  const layout = CalicoLayout.of('/calico')
  if (layout === undefined) throw new Error('a path')
  const registry = new CalicoRegistry(source as unknown as KeySpace, layout)
  const before = await registry.list('BgpPeering')
  source.history = 2
  await registry.list('BgpPeering')
  const watch = registry.watch('BgpPeering', before.revision, new AbortController().signal)
  await expect(watch.next()).rejects.toMatchObject({ code: 'REGISTRY_EXPIRED' })
})
