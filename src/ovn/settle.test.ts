import { expect, test } from 'bun:test'
import { OvsdbError } from '../ovs/ovsdb/index.ts'
import type { Northbound } from './connect.ts'
import { settle } from './settle.ts'

/** A database in which somebody else is always faster. */
function contended(timeoutMs: number): { readonly nbd: Northbound; readonly tries: () => number } {
  let tries = 0
  const transact = async (): Promise<never> => {
    tries += 1
    throw new OvsdbError('OVSDB_WAIT_FAILED', 'the row has changed')
  }
  return { nbd: { client: { transact }, cluster: 'blue', timeoutMs } as unknown as Northbound, tries: () => tries }
}

test('hot tries: between two of them there is a pause that grows, and the time that is given ends them', async () => {
  const { nbd, tries } = contended(150)
  await expect(settle(nbd, 'making it', async () => ({ write: [] }))).rejects.toThrow('others kept changing the same')
  // Without pauses all of them are over in no time.
  expect(tries()).toBeGreaterThan(1)
  expect(tries()).toBeLessThan(25)
})
