import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Ip, ip } from '../../../network/model/address.ts'
import { foreignAllocations } from './foreign.ts'
import { poolStatus } from './pool-status.ts'

const U = '7f89ccfd-365c-4ae2-b194-336f3bc91cd3'
const demo = { namespace: 'default', pod: 'demo-1', podUid: U }
/** As Spiderpool 1.0 and earlier ones write it. */
const THEIRS = `{"172.18.30.131":{"interface":"net1","pod":"default/demo-1","podUid":"${U}"},"fd00:18::0:5":{"pod":"default/demo-1","podUid":"${U}"}}`

test('what Spiderpool gave out', () => {
  expect(foreignAllocations(THEIRS)).toEqual([
    { address: ip('172.18.30.131'), ...demo, ifname: 'net1' },
    { address: ip('fd00:18::5'), ...demo },
  ])
})

test('what is told here of claims is none of it, until Spiderpool writes it anew', () => {
  const { allocatedIPs } = poolStatus(9n, [{ address: ip('172.18.30.131'), ...demo }])
  expect(foreignAllocations(allocatedIPs)).toEqual([])
  // Its record has these two fields and no others.
  const anew = Object.entries(JSON.parse(allocatedIPs ?? '') as Record<string, { pod: string; podUid: string }>)
  const text = JSON.stringify(Object.fromEntries(anew.map(([key, { pod, podUid }]) => [key, { pod, podUid }])))
  expect(foreignAllocations(text)).toEqual([{ address: ip('172.18.30.131'), ...demo }])
})

describe('what Spiderpool cannot have written says nothing', () => {
  const entry = (value: unknown): string => JSON.stringify({ '10.0.0.1': value })
  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['an object', { '10.0.0.1': { pod: 'a/b', podUid: 'u' } }],
    ['no JSON', '{"10.0.0.1":'],
    ['a list', '[{"pod":"a/b","podUid":"u"}]'],
    ['a number', '7'],
    ['null as JSON', 'null'],
    ['deep', `${'['.repeat(200_000)}`],
    ['no address', '{"10.0.0.1/24":{"pod":"a/b","podUid":"u"},"__proto__":{"pod":"a/b","podUid":"u"}}'],
    ['no pod', entry({ podUid: 'u' })],
    ['a pod without a namespace', entry({ pod: 'b', podUid: 'u' })],
    ['too many names', entry({ pod: 'a/b/c', podUid: 'u' })],
    ['no uid', entry({ pod: 'a/b', podUid: 7 })],
    ['an entry that is none', entry(null)],
  ])('%s', (_, listing) => {
    expect(foreignAllocations(listing)).toEqual([])
  })

  test('whatever it is, an answer comes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string(), fc.anything()), (listing) => {
        for (const { address } of foreignAllocations(listing)) expect(address as Ip).not.toBe('' as Ip)
      }),
    )
  })
})
