import { Database } from 'bun:sqlite'
import { afterEach, expect, test } from 'bun:test'
import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { traitsOf } from '../selectors/field.ts'
import { objectOf } from './change.ts'
import { Store } from './store.ts'

const dirs: string[] = []

afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
})

function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'wefttest-apistore-'))
  dirs.push(dir)
  return dir
}

let time = 1_700_000_000_000

function open(dir: string, count = 1000): Store {
  return new Store({ path: join(dir, 'store'), now: () => time, traitsOf, history: { count, age: 60_000 } })
}

function thing(name: string, value: number) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'n' }, data: { value } }
}

test('objects, changes and revisions outlive the process', async () => {
  const dir = newDir()
  const store = open(dir)
  store.put('/configmaps', thing('a', 1))
  store.put('/configmaps', thing('b', 1))
  store.put('/configmaps', thing('a', 2))
  store.remove('/configmaps', thing('b', 1))
  await store.settled()
  const { revision } = store
  await store.close()
  const again = open(dir)
  expect(again.revision).toBe(revision)
  expect(again.collection('/configmaps').slice('').map(objectOf)).toEqual([
    expect.objectContaining({
      data: { value: 2 },
      metadata: { name: 'a', namespace: 'n', resourceVersion: String(revision - 1) },
    }),
  ])
  const changes = again
    .collection('/configmaps')
    .changes.map(({ type, entry, previous }) => [type, entry.name, previous?.revision])
  expect(changes).toEqual([
    ['ADDED', 'a', undefined],
    ['ADDED', 'b', undefined],
    ['MODIFIED', 'a', revision - 3],
    ['DELETED', 'b', revision - 2],
  ])
  await again.close()
})

test('a new store begins above a lost one, however fast that wrote', async () => {
  const lost = open(newDir())
  for (let index = 0; index < 900; index += 1) lost.put('/configmaps', thing('a', index))
  await lost.settled()
  time += 1
  const fresh = open(newDir())
  expect(fresh.revision).toBeGreaterThan(lost.revision)
  await lost.close()
  await fresh.close()
})

test('an older copy goes on above the revisions that it never knew, and knows them for foreign', async () => {
  const dir = newDir()
  const store = open(dir)
  store.put('/configmaps', thing('a', 1))
  await store.settled()
  const known = store.revision
  const file = new Database(join(dir, 'store'))
  file.run('VACUUM INTO ?', [join(dir, 'copy')])
  file.close()
  for (let index = 0; index < 5; index += 1) store.put('/configmaps', thing('b', index))
  await store.settled()
  const lost = store.revision
  await store.close()
  time += 1
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(dir, `store${suffix}`), { force: true })
  renameSync(join(dir, 'copy'), join(dir, 'store'))
  const check = (copy: Store): void => {
    expect(copy.revision).toBeGreaterThan(lost)
    const revisions = [known - 1, known, known + 1, lost, copy.revision]
    expect(revisions.map((revision) => copy.isForeign(revision))).toEqual([false, false, true, true, false])
  }
  const copy = open(dir)
  check(copy)
  copy.put('/configmaps', thing('c', 1))
  await copy.settled()
  const { revision } = copy
  await copy.close()
  time += 1
  const again = open(dir)
  check(again)
  expect(again.isForeign(revision)).toBe(false)
  await again.close()
})

test('forgets by count and by age, remembers that it did', async () => {
  const dir = newDir()
  const store = open(dir, 3)
  for (let index = 0; index < 5; index += 1) store.put('/configmaps', thing('a', index))
  await store.settled()
  store.compact()
  expect(store.collection('/configmaps').changes).toHaveLength(3)
  const { floor } = store.collection('/configmaps')
  expect(floor).toBe(store.revision - 3)
  await store.close()
  const again = open(dir, 3)
  expect([again.collection('/configmaps').floor, again.collection('/configmaps').changes.length]).toEqual([floor, 3])
  time += 60_001
  again.compact()
  expect([again.collection('/configmaps').changes.length, again.collection('/configmaps').floor]).toEqual([
    0,
    again.revision,
  ])
  await again.close()
})

test('nobody is told before the commit, and one commit carries a turn of the loop', async () => {
  const store = open(newDir())
  let woken = 0
  store.subscribe('/configmaps', () => {
    woken += 1
  })
  const before = store.committed
  store.put('/configmaps', thing('a', 1))
  store.put('/configmaps', thing('b', 1))
  expect([store.committed, woken]).toEqual([before, 0])
  await store.settled()
  expect([store.committed, woken]).toEqual([before + 2, 1])
  await store.close()
})

test('what the disk refuses is undone, told, and no revision is used twice', async () => {
  const dir = newDir()
  const store = open(dir)
  store.put('/configmaps', thing('a', 1))
  await store.settled()
  const other = new Database(join(dir, 'store'))
  const next = store.revision + 1
  other.run(`INSERT INTO changes VALUES (${next}, 'x', 0, 'ADDED', '', 'x', '{"metadata":{}}', NULL, NULL)`)
  store.put('/configmaps', thing('a', 2))
  store.put('/configmaps', thing('b', 1))
  await expect(store.settled()).rejects.toThrow()
  const values = (): readonly unknown[] =>
    store
      .collection('/configmaps')
      .slice('')
      .map((entry) => objectOf(entry)['data'])
  expect(values()).toEqual([{ value: 1 }])
  other.run(`DELETE FROM changes WHERE revision = ${next}`)
  other.close()
  store.put('/configmaps', thing('b', 2))
  await store.settled()
  expect([values(), store.revision]).toEqual([[{ value: 1 }, { value: 2 }], next + 2])
  await store.close()
})

/** Writes so many objects with one number in turns, and says which were acknowledged: a kill meets most turns half done. */
const TOGETHER = 300

const WRITER = `
import { Store } from ${JSON.stringify(join(import.meta.dir, 'store.ts'))}
const store = new Store({ path: process.argv[1], now: Date.now, traitsOf: () => ({ labels: {}, fields: {} }), history: { count: 3000, age: 60000 } })
for (let n = Number(process.argv[2]); ; n += 1) {
  for (let i = 0; i < ${TOGETHER}; i += 1) store.put('/configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' + i }, data: { n } })
  await store.settled()
  process.stdout.write(n + ' ' + store.revision + '\\n')
  if (n % 50 === 0) store.compact()
}`

test('kill -9 while writing leaves everything that was acknowledged, and no half of a transaction', async () => {
  const dir = newDir()
  let from = 1
  let lastRevision = 0
  for (let round = 0; round < 6; round += 1) {
    const child = Bun.spawn([process.execPath, '-e', WRITER, join(dir, 'store'), String(from)], {
      stdout: 'pipe',
      stderr: 'inherit',
    })
    const reader = child.stdout.getReader()
    let said = ''
    while (said.split('\n').length < 5 + round) said += new TextDecoder().decode((await reader.read()).value)
    await Bun.sleep(round)
    child.kill('SIGKILL')
    await child.exited
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read())
      said += new TextDecoder().decode(chunk.value)
    const lines = said.split('\n').filter((line) => /^\d+ \d+$/.test(line))
    const [acknowledged = 0, revision = 0] = (lines.at(-2) ?? '').split(' ').map(Number)
    const store = open(dir)
    const numbers = store
      .collection('/configmaps')
      .slice('')
      .map((entry) => (objectOf(entry)['data'] as { n: number }).n)
    const [number = 0] = numbers
    expect(new Set(numbers).size).toBe(1)
    expect(numbers).toHaveLength(TOGETHER)
    expect(number).toBeGreaterThanOrEqual(acknowledged)
    expect(store.revision).toBeGreaterThanOrEqual(revision)
    expect(store.revision).toBeGreaterThan(lastRevision)
    // Every opening goes on above the time of its own, and misses nothing of what it counted itself.
    const revisions = store.collection('/configmaps').changes.map((change) => change.revision)
    const own = revisions.filter((one) => one > store.revision - TOGETHER * 5)
    expect(own).toEqual(own.map((_, index) => store.revision - own.length + 1 + index))
    lastRevision = store.revision
    from = number + 1
    await store.close()
  }
})
