import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { WorkQueue } from './queue.ts'

test('every key that was added is worked on after it was added, by one worker at a time', async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('add' as const), key: fc.constantFrom('a', 'b', 'c', 'd', 'e') }),
    fc.record({ do: fc.constant('finish' as const), fails: fc.boolean() }),
    fc.record({ do: fc.constant('turn' as const) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), async (steps, concurrency) => {
      const aborter = new AbortController()
      const owed = new Set<string>()
      const running = new Map<string, PromiseWithResolvers<undefined>>()
      let clock = 0
      const queue = new WorkQueue({
        signal: aborter.signal,
        concurrency,
        sleep: async () => {
          clock += 1
          await turn()
        },
        work: (key) => {
          expect(running.has(key)).toBe(false)
          owed.delete(key)
          const work = Promise.withResolvers<undefined>()
          running.set(key, work)
          expect(running.size).toBeLessThanOrEqual(concurrency)
          return work.promise
        },
      })
      const finish = (fails: boolean): void => {
        const [first] = running
        if (first === undefined) return
        running.delete(first[0])
        if (!fails) {
          first[1].resolve(undefined)
          return
        }
        owed.add(first[0])
        first[1].reject(new Error('not yet'))
      }
      for (const next of steps) {
        if (next.do === 'add') {
          owed.add(next.key)
          queue.add(next.key)
        } else if (next.do === 'finish') finish(next.fails)
        else await turn()
      }
      for (let i = 0; i < 200 && (owed.size > 0 || running.size > 0); i += 1) {
        finish(false)
        await turn()
      }
      expect([...owed]).toEqual([])
      expect(clock).toBeLessThanOrEqual(steps.length)
      aborter.abort()
      await queue.done
    }),
  )
})

test('pauses grow for the key that fails and are forgotten after a success', async () => {
  const aborter = new AbortController()
  const pauses: number[] = []
  let failures = 4
  const finished = Promise.withResolvers<void>()
  const queue = new WorkQueue({
    signal: aborter.signal,
    random: () => 0,
    backoff: { first: 10, most: 40 },
    sleep: turn,
    onError: (_, __, retryIn) => pauses.push(retryIn),
    work: async (key) => {
      if (key === 'good') return undefined
      failures -= 1
      if (failures >= 0) throw new Error('no')
      if (pauses.length < 5) {
        failures = 1
        queueMicrotask(() => queue.add('bad'))
      } else finished.resolve()
      return undefined
    },
  })
  queue.add('bad')
  queue.add('good')
  await finished.promise
  expect(pauses).toEqual([0, 10, 20, 20, 0])
  aborter.abort()
  await queue.done
})

test('work that asks for it is repeated, earlier when the key is added', async () => {
  const aborter = new AbortController()
  const waits: number[] = []
  let runs = 0
  const ran = Promise.withResolvers<void>()
  const queue = new WorkQueue({
    signal: aborter.signal,
    // Nobody ever wakes up by himself here.
    sleep: (milliseconds) => {
      waits.push(milliseconds)
      return new Promise(() => undefined)
    },
    work: async () => {
      runs += 1
      if (runs === 2) ran.resolve()
      return 5000
    },
  })
  queue.add('a')
  await turn()
  queue.add('a')
  await ran.promise
  await turn()
  expect(waits).toEqual([5000, 5000])
  aborter.abort()
  await queue.done
})

test('ends when work that runs has ended, and starts no more', async () => {
  const aborter = new AbortController()
  const work = Promise.withResolvers<undefined>()
  const started: string[] = []
  const queue = new WorkQueue({
    signal: aborter.signal,
    concurrency: 1,
    work: (key) => {
      started.push(key)
      return work.promise
    },
  })
  queue.add('a')
  queue.add('b')
  aborter.abort()
  queue.add('c')
  expect(await Promise.race([queue.done.then(() => 'done'), turn().then(() => 'running')])).toBe('running')
  work.reject(new Error('stopped'))
  await queue.done
  expect(started).toEqual(['a'])
})

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
