import { expect, test } from 'bun:test'
import { Repeater } from './repeater.ts'

const never = new AbortController().signal

test('requests during a run lead to one more, and no two runs overlap', async () => {
  let running = 0
  let most = 0
  let runs = 0
  const gate = Promise.withResolvers<void>()
  const repeater = new Repeater(
    async () => {
      running += 1
      runs += 1
      most = Math.max(most, running)
      if (runs === 1) await gate.promise
      running -= 1
    },
    () => undefined,
    never,
  )
  for (let i = 0; i < 10; i += 1) repeater.request()
  gate.resolve()
  while (runs < 2) await Bun.sleep(1)
  // There is no third.
  await Bun.sleep(10)
  expect([runs, most]).toEqual([2, 1])
})

test('a failed run is repeated by itself', async () => {
  let runs = 0
  const failures: unknown[] = []
  const done = Promise.withResolvers<void>()
  const repeater = new Repeater(
    async () => {
      runs += 1
      if (runs < 3) throw new Error(`run ${runs}`)
      done.resolve()
    },
    (error) => failures.push(error),
    never,
  )
  repeater.request()
  await done.promise
  expect(failures.map(String)).toEqual(['Error: run 1', 'Error: run 2'])
})

test('runNow waits its turn and tells of its failure', async () => {
  let fail = false
  const gate = Promise.withResolvers<void>()
  let first = true
  const repeater = new Repeater(
    async () => {
      if (first) {
        first = false
        await gate.promise
      }
      if (fail) throw new Error('no')
    },
    () => undefined,
    never,
  )
  repeater.request()
  const now = repeater.runNow()
  gate.resolve()
  await now
  fail = true
  expect(repeater.runNow()).rejects.toThrow('no')
})

test('nothing runs once it is told to end', async () => {
  const end = new AbortController()
  let runs = 0
  const repeater = new Repeater(
    async () => {
      runs += 1
    },
    () => undefined,
    end.signal,
  )
  end.abort()
  repeater.request()
  await Bun.sleep(5)
  expect(runs).toBe(0)
})

test('a failure is not repeated once a later run succeeded', async () => {
  let runs = 0
  const gate = Promise.withResolvers<void>()
  const repeater = new Repeater(
    async () => {
      runs += 1
      if (runs > 1) return
      await gate.promise
      throw new Error('the first')
    },
    () => undefined,
    never,
  )
  repeater.request()
  repeater.request()
  gate.resolve()
  // The first pause is 100 ms.
  await Bun.sleep(150)
  expect(runs).toBe(2)
})
