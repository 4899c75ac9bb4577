import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Batch } from './key-space.ts'
import { watchMessage } from './v3-decode.ts'
import { gather } from './v3-watch.ts'

/** Any history, cut into messages and those into pieces, comes out as what happened at each revision. */
test('what happened at one revision comes at once, however it was cut', () => {
  const history = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 12 })
  fc.assert(
    fc.property(history, fc.infiniteStream(fc.boolean()), (sizes, coins) => {
      const events = sizes.flatMap((count, at) =>
        Array.from({ length: count }, (_, i) => ({ at: at + 2, key: `k${i}` })),
      )
      const flip = (): boolean => coins.next().value === true
      const messages: string[] = []
      let piece: typeof events = []
      for (const [index, event] of events.entries()) {
        piece.push(event)
        const next = events[index + 1]
        // A message may end in the middle of a revision only when it says that more of it comes.
        const isWhole = next?.at !== event.at
        if (next !== undefined && !flip()) continue
        messages.push(message(piece, !isWhole || (next !== undefined && flip())))
        piece = []
      }
      const batches: Batch[] = []
      let held: Parameters<typeof gather>[0]
      for (const line of messages) {
        const { complete, rest } = gather(held, watchMessage(line))
        batches.push(...complete)
        held = rest
      }
      expect(batches.map(({ revision, events: told }) => [revision, told.length])).toEqual(
        sizes.map((count, at) => [at + 2, count]),
      )
    }),
  )
})

test('a message without events is a bookmark, unless it only opens the watch', () => {
  const header = { header: { cluster_id: '1', revision: '7' } }
  const batches = (result: object) => gather(undefined, watchMessage(JSON.stringify({ result }))).complete
  expect(batches(header)).toEqual([{ revision: 7, events: [] }])
  expect(batches({ ...header, created: true })).toEqual([])
})

test.each([
  [{ canceled: true, compact_revision: '9' }, 'ETCD_EXPIRED'],
  [{ canceled: true, cancel_reason: 'rpc error: code = PermissionDenied desc = no' }, 'ETCD_FORBIDDEN'],
  [
    { canceled: true, cancel_reason: 'rpc error: code = Unauthenticated desc = etcdserver: invalid auth token' },
    'ETCD_UNAUTHORIZED',
  ],
  [{ canceled: true }, 'ETCD_UNAVAILABLE'],
  [{ events: [{ type: 'PUT' }], header: {} }, 'ETCD_UNAVAILABLE'],
  [{ events: 7, header: {} }, 'ETCD_UNAVAILABLE'],
  [{ header: { revision: '-1' } }, 'ETCD_UNAVAILABLE'],
  [{ header: { revision: '99999999999999999999' } }, 'ETCD_UNAVAILABLE'],
  [{}, 'ETCD_UNAVAILABLE'],
])('%j ends the watch', (result, code) => {
  expect(() => gather(undefined, watchMessage(JSON.stringify({ result })))).toThrow(expect.objectContaining({ code }))
})

function message(events: readonly { readonly at: number; readonly key: string }[], fragment: boolean): string {
  const header = { cluster_id: '1', revision: '99' }
  const told = events.map(({ at, key }) => ({
    kv: { key: btoa(key), value: btoa('x'), mod_revision: String(at), create_revision: '2' },
  }))
  return JSON.stringify({ result: { header, events: told, ...(fragment ? { fragment } : {}) } })
}
