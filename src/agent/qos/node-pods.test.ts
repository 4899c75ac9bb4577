import { expect, test } from 'bun:test'
import type { Pod } from '../../network/model/pod.ts'
import { NodePods } from './node-pods.ts'
import { NamespaceTotals } from './totals.ts'

const POD: Pod = { namespace: 'shop', name: 'web', uid: 'u1', node: 'node1', addresses: [] }
const LIMITED: Pod = { ...POD, bandwidth: { toPod: { rate: 1_000 } } }
const OF_WEB = { namespace: 'shop', pod: 'web' }

test('what a pod asks for is known once it is seen, and of that pod only', () => {
  const changed: string[] = []
  const pods = new NodePods('node1', ({ name }) => changed.push(name))
  expect(pods.wantedFor(OF_WEB)).toBeUndefined()
  pods.put(POD)
  expect(pods.wantedFor(OF_WEB)).toEqual({})
  pods.put(LIMITED)
  for (const podUid of [undefined, 'u1']) {
    const of = podUid === undefined ? OF_WEB : { ...OF_WEB, podUid }
    expect(pods.wantedFor(of)).toEqual({ toPod: { rate: 1_000 } })
  }
  expect(pods.wantedFor({ ...OF_WEB, podUid: 'u2' })).toBeUndefined()
  expect(changed).toEqual(['web', 'web'])
  // An event that says nothing of bandwidth is none of ours.
  pods.put({ ...LIMITED, addresses: ['10.128.0.2' as never] })
  expect(changed).toHaveLength(2)
  pods.put({ ...LIMITED, uid: 'u2' })
  expect(changed).toHaveLength(3)
  pods.remove('shop/web')
  expect(pods.wantedFor(OF_WEB)).toBeUndefined()
})

test('other nodes’ pods are not kept, where a registry tells of them', () => {
  const pods = new NodePods('node1', () => undefined)
  pods.put(LIMITED)
  pods.put({ ...LIMITED, node: 'node2' })
  expect(pods.wantedFor(OF_WEB)).toBeUndefined()
})

test('totals are not known before all namespaces have been told', () => {
  let changes = 0
  const totals = new NamespaceTotals(() => {
    changes += 1
  })
  totals.put({ name: 'shop', totals: { toPod: { rate: 1_000 } } })
  expect([totals.wantedFor('shop'), totals.wantedFor('bank'), changes]).toEqual([undefined, undefined, 0])
  totals.read()
  expect([totals.wantedFor('shop'), totals.wantedFor('bank'), changes]).toEqual([{ toPod: { rate: 1_000 } }, {}, 1])
  totals.put({ name: 'shop', totals: { toPod: { rate: 1_000 } } })
  totals.remove('bank')
  expect(changes).toBe(1)
  totals.remove('shop')
  expect([totals.wantedFor('shop'), changes]).toEqual([{}, 2])
})
