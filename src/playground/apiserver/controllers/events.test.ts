import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { traitsOf } from '../selectors/field.ts'
import { Store } from '../store/store.ts'
import { expireEvents } from './events.ts'

test('events go an hour after they were last written to', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'wefttest-apievents-'))
  const now = new Date('2030-01-01T12:00:00Z')
  const history = { count: 100, age: 60_000 }
  const store = new Store({ path: join(dir, 'store'), now: () => now.getTime(), traitsOf, history })
  const events = [
    { name: 'old', creationTimestamp: '2030-01-01T10:00:00Z' },
    { name: 'repeated', creationTimestamp: '2030-01-01T10:00:00Z', lastTimestamp: '2030-01-01T11:30:00Z' },
    { name: 'new', creationTimestamp: '2030-01-01T11:00:01Z' },
  ]
  for (const { name, creationTimestamp, lastTimestamp } of events) {
    const metadata = { name, namespace: 'default', creationTimestamp }
    store.put('/events', { apiVersion: 'v1', kind: 'Event', metadata, lastTimestamp })
  }
  await expireEvents({ store, now: () => now })
  expect(
    store
      .collection('/events')
      .slice('')
      .map(({ name }) => name),
  ).toEqual(['new', 'repeated'])
  await store.close()
  rmSync(dir, { recursive: true })
})
