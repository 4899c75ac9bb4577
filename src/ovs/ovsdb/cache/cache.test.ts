import { afterAll, beforeAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type OvsSandbox, startOvsSandbox } from '../../testing/ovs-sandbox.ts'
import {
  addBridge,
  addPort,
  byName,
  connectOvsdb,
  decodeRows,
  delPorts,
  mutate,
  type Operation,
  type OvsdbClient,
  select,
  update,
} from '../index.ts'
import { scalar } from '../schema/column.ts'
import { sameValue } from '../values.ts'
import { createCache } from './cache.ts'

let ovs: OvsSandbox
let client: OvsdbClient

beforeAll(async () => {
  ovs = await startOvsSandbox({ vswitchd: false })
  client = await connectOvsdb({ path: ovs.dbSocket })
  await addBridge(client, { name: 'br0' })
})

afterAll(async () => {
  client?.close()
  await ovs?.stop()
})

const key = fc.constantFrom('a', 'b', 'c', '__proto__')
const value = fc.constantFrom('1', '2', '')
const pairs = fc.array(fc.tuple(key, value), { maxLength: 3 }).map((entries) => new Map(entries))
const vlans = fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { maxLength: 5 })
const where = byName('p')

/** A change of every kind of column, by overwriting and in place. */
const change: fc.Arbitrary<Operation> = fc.oneof(
  pairs.map((external_ids) => update('Port', where, { external_ids })),
  vlans.map((trunks) => update('Port', where, { trunks })),
  fc.option(fc.integer({ min: 0, max: 4095 }), { nil: undefined }).map((tag) => update('Port', where, { tag })),
  pairs.map((given) => mutate('Port', where, [['external_ids', 'insert', given]])),
  fc.array(key).map((keys) => mutate('Port', where, [['external_ids', 'delete', [...new Set(keys)]]])),
  vlans.map((given) => mutate('Port', where, [['trunks', 'insert', given]])),
  vlans.map((given) => mutate('Port', where, [['trunks', 'delete', given]])),
)

test('after any transactions the cache holds what the server answers, and the old values of the events chain', async () => {
  const monitor = await client.monitor({ Port: {} })
  const columns = ['_uuid', 'name', 'tag', 'trunks', 'external_ids'] as const
  let last: { readonly external_ids: ReadonlyMap<string, string> } | undefined
  monitor.subscribe((changes) => {
    for (const one of changes) {
      if (one.type !== 'insert') expect(one.old.external_ids).toEqual(last?.external_ids ?? new Map())
      last = one.type === 'delete' ? undefined : one.row
    }
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { maxLength: 8 }),
      async (transactions) => {
        await addPort(client, { bridge: 'br0', name: 'p' })
        for (const operations of transactions) {
          await client.transact(operations)
          const [truth] = decodeRows('Port', (await client.transact([select('Port', where, columns)]))[0], columns)
          const held = monitor.byName('Port', 'p')
          expect(truth?.uuid).toBe(held?.uuid ?? '')
          for (const column of ['tag', 'trunks', 'external_ids'] as const) {
            expect({ column, same: sameValue(held?.[column], truth?.[column]) }).toEqual({ column, same: true })
          }
        }
        await delPorts(client, ['p'])
        expect(monitor.byName('Port', 'p')).toBeUndefined()
      },
    ),
    { numRuns: 60 },
  )
  monitor.close()
})

const ID = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`

test('a name that passes from one row to another belongs to the new one', () => {
  const cache = createCache({ Bridge: { name: scalar('string') } })
  cache.apply({ Bridge: { [ID(1)]: { insert: { name: 'x' } } } })
  cache.apply({ Bridge: { [ID(2)]: { insert: { name: 'x' } }, [ID(1)]: { delete: null } } })
  expect(cache.byName('Bridge', 'x')?.uuid).toBe(ID(2))
  cache.replace({ Bridge: { [ID(3)]: { initial: { name: 'x' } } } })
  expect([...cache.rows('Bridge').keys()]).toEqual([ID(3)])
  expect(cache.byName('Bridge', 'x')?.uuid).toBe(ID(3))
})

test('a full dump equal to what is held is no change', () => {
  const cache = createCache({ Bridge: { name: scalar('string') } })
  const dump = { Bridge: { [ID(1)]: { initial: { name: 'x' } }, [ID(2)]: { initial: {} } } }
  expect(cache.replace(dump)).toHaveLength(2)
  expect(cache.replace(dump)).toEqual([])
})
