import { expect, test } from 'bun:test'
import { Waiters } from './waiters.ts'

test('nothing is taken for one that was ended a moment ago', async () => {
  const waiters = new Waiters<string, string>()
  const over = new AbortController()
  const late = (): Error => new Error('late')
  const waiting = waiters.wait('a', { milliseconds: 60_000, late, signal: over.signal })
  const taken: string[] = []
  over.abort(new Error('ended'))
  waiters.serve((order) => {
    taken.push(order)
    return 'a port'
  })
  await expect(waiting).rejects.toThrow('ended')
  expect(taken).toEqual([])
})
