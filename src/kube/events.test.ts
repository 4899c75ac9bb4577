import { describe, expect, test } from 'bun:test'
import { KubeError } from './errors.ts'
import { EventRecorder, type Happening } from './events.ts'
import type { KubeObject } from './object.ts'
import { EventStore } from './testing/event-store.ts'
import { TokenBuckets } from './token-buckets.ts'

const POD: KubeObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web-0', namespace: 'shop', uid: 'u1', labels: { a: 'b' } },
}
const NODE: KubeObject = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1', uid: 'u2' } }
const REFUSED: Happening = { type: 'Warning', reason: 'Refused', message: 'there is no such namespace' }

function setUp() {
  const store = new EventStore()
  const errors: unknown[] = []
  const clock = { now: Date.parse('2026-11-21T05:00:00.123Z') }
  const recorder = new EventRecorder(store.api, {
    component: 'weft-test',
    host: 'node-1',
    now: () => clock.now,
    onError: (error) => errors.push(error),
  })
  return { store, errors, clock, recorder }
}

describe('EventRecorder', () => {
  test('writes an event as the API has it, beside its object', async () => {
    const { store, recorder } = setUp()
    recorder.record(POD, REFUSED)
    recorder.record(NODE, REFUSED)
    await recorder.settled()
    const [event, other] = store.events
    expect(event).toMatchObject({
      kind: 'Event',
      metadata: { namespace: 'shop' },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', name: 'web-0', namespace: 'shop', uid: 'u1' },
      ...REFUSED,
      source: { component: 'weft-test', host: 'node-1' },
      count: 1,
      firstTimestamp: '2026-11-21T05:00:00Z',
    })
    expect(event?.metadata.name).toMatch(/^web-0\.[0-9a-f]{16}$/)
    expect(other?.metadata.namespace).toBe('default')
  })

  test('counts what is repeated, and only that', async () => {
    const { store, clock, recorder } = setUp()
    for (let i = 0; i < 3; i += 1) recorder.record(POD, REFUSED)
    recorder.record(POD, { ...REFUSED, message: 'another' })
    recorder.record({ ...POD, metadata: { ...POD.metadata, uid: 'reborn' } }, REFUSED)
    await recorder.settled()
    expect(store.events.map(({ count }) => count)).toEqual([3, 1, 1])
    clock.now += 11 * 60_000
    recorder.record(POD, REFUSED)
    await recorder.settled()
    expect(store.events).toHaveLength(4)
  })

  test('starts anew when its event is gone', async () => {
    const { store, recorder } = setUp()
    recorder.record(POD, REFUSED)
    await recorder.settled()
    store.events.splice(0)
    recorder.record(POD, REFUSED)
    await recorder.settled()
    expect(store.events.map(({ count }) => count)).toEqual([1])
  })

  test('falls silent about an object of which too much is told, and about no other', async () => {
    const { store, clock, recorder } = setUp()
    for (let i = 0; i < 100; i += 1) recorder.record(POD, { ...REFUSED, message: `${i}` })
    recorder.record(NODE, REFUSED)
    await recorder.settled()
    expect(store.events).toHaveLength(26)
    clock.now += 300_000
    for (let i = 0; i < 3; i += 1) recorder.record(POD, REFUSED)
    await recorder.settled()
    expect(store.events).toHaveLength(27)
  })

  test('harms nobody when it cannot write', async () => {
    const { store, errors, recorder } = setUp()
    store.failure = new KubeError('KUBE_FORBIDDEN', 'no', 'no')
    recorder.record(POD, REFUSED)
    await recorder.settled()
    expect(errors).toEqual([store.failure])
    store.failure = undefined
    recorder.record(POD, REFUSED)
    await recorder.settled()
    expect(store.events).toHaveLength(1)
  })

  test('cuts what nobody would read', async () => {
    const { store, recorder } = setUp()
    recorder.record({ ...NODE, metadata: { name: 'x'.repeat(253) } }, { ...REFUSED, message: 'y'.repeat(5000) })
    await recorder.settled()
    expect(store.events[0]?.metadata.name).toHaveLength(253)
    expect(store.events[0]?.['message']).toHaveLength(1024)
  })
})

test('a bucket fills again as time goes by, not beyond its burst, and not when a clock goes back', () => {
  const buckets = new TokenBuckets({ burst: 2, refill: 10, most: 2 })
  const at = (now: number, key = 'a') => buckets.take(key, now)
  expect([at(0), at(0), at(0), at(9), at(10), at(10), at(1000), at(1000), at(1000)]).toEqual([
    true,
    true,
    false,
    false,
    true,
    false,
    true,
    true,
    false,
  ])
  expect(at(0)).toBe(false)
  expect([at(0, 'b'), at(0, 'c'), at(0, 'a'), at(0, 'a')]).toEqual([true, true, true, true])
})
