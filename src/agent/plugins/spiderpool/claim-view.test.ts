import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Ip, ip } from '../../../network/model/address.ts'
import { type AddressClaim, claimName } from '../../../network/model/pool.ts'
import { ClaimView } from './claim-view.ts'
import { claim } from './testing/objects.ts'

const A = ip('172.18.0.9')
const NAME = claimName(A)

/** A view of node1, with what its listener was told. */
class Viewed {
  now = 0
  readonly taken = new Map<Ip, string>()
  readonly view = new ClaimView(
    'node1',
    {
      taken: (address, pool) => void this.taken.set(address, pool),
      freed: (address, pool) => {
        if (this.taken.get(address) === pool) this.taken.delete(address)
      },
    },
    () => this.now,
  )

  /** Who is known to have the address, at which revision. */
  get on(): string {
    const known = this.view.of(A)
    return known === undefined
      ? 'nobody'
      : `${known.claim.containerId}${known.isDoubtful ? '?' : ''} ${known.revision ?? '-'}`
  }
}

const by = (containerId: string, node = 'node1'): AddressClaim => claim(A, { containerId, node })
const stored = (value: AddressClaim, revision: number) => ({ name: NAME, value, revision })

test('what this node wrote counts until it is heard, and its revision after', () => {
  const all = new Viewed()
  all.view.put(by('c1'))
  all.view.written(stored(by('c2'), 7))
  expect(all.on).toBe('c2 7')
  // A watch that lags tells of an earlier state.
  all.view.put(by('c1', 'node2'))
  expect(all.on).toBe('c2 7')
  all.view.put(by('c2'))
  expect(all.on).toBe('c2 7')
  // Now it is news.
  all.view.put(by('c3'))
  expect(all.on).toBe('c3 -')
})

test('the watch may tell before the answer comes', () => {
  const all = new Viewed()
  all.view.doubt(by('c1'))
  expect(all.on).toBe('c1? -')
  all.view.put(by('c1'))
  expect(all.on).toBe('c1 -')
  all.view.written(stored(by('c1'), 7))
  expect(all.on).toBe('c1 7')
  all.view.remove(NAME)
  expect([all.on, all.taken.size]).toEqual(['nobody', 0])
})

test('the end of the claim before is no end of this one', () => {
  const all = new Viewed()
  all.view.put(by('c1'))
  all.view.written(stored(by('c2'), 7))
  all.view.remove(NAME)
  expect(all.on).toBe('c2 7')
})

test('what this node deleted is gone, though the watch lags; what comes after its end is not', () => {
  const all = new Viewed()
  all.view.put(by('c1'))
  all.view.gone(A)
  expect([all.on, all.taken.size]).toEqual(['nobody', 0])
  all.view.put(by('c1'))
  expect(all.on).toBe('nobody')
  all.view.remove(NAME)
  all.view.put(by('c2', 'node2'))
  expect(all.on).toBe('c2 -')
})

test.each([
  ['written', 29_999, 30_000],
  ['seen', 4_999, 5_000],
  ['doubt', 599_999, 600_000],
] as const)('%s counts for its time', (what, before, after) => {
  const all = new Viewed()
  if (what === 'doubt') all.view.doubt(by('c1'))
  else all.view[what](stored(by('c1'), 7))
  all.now = before
  expect(all.view.by({ containerId: 'c1', ifname: 'eth0' }).length).toBe(1)
  all.now = after
  expect([all.view.by({ containerId: 'c1', ifname: 'eth0' }).length, all.taken.size]).toEqual([0, 0])
})

test('names of other objects are nothing', () => {
  const all = new Viewed()
  all.view.put(by('c1'))
  for (const name of ['172.18.0.9', 'overlay.172.18.0.9', 'underlay.x', '']) all.view.remove(name)
  expect(all.on).toBe('c1 -')
})

test('an IPv6 claim is found by its name', () => {
  const all = new Viewed()
  const six = claim('fd00::10')
  all.view.put(six)
  all.view.remove(claimName(six.address))
  expect(all.view.of(six.address)).toBeUndefined()
})

test('property: what is found and what the listener has is what counts', () => {
  const addresses = ['172.18.0.1', '172.18.0.2', 'fd00::1'] as const
  const value = fc
    .record({
      address: fc.constantFrom(...addresses),
      containerId: fc.constantFrom('c1', 'c2'),
      podUid: fc.constantFrom('u1', 'u2'),
      node: fc.constantFrom('node1', 'node2'),
      pool: fc.constantFrom('p', 'q'),
      isSticky: fc.boolean(),
    })
    .map(({ address, ...more }) => claim(address, more))
  const does = fc.constantFrom<Event[]>('put', 'remove', 'doubt', 'written', 'seen', 'gone', 'wait')
  fc.assert(
    fc.property(fc.array(fc.tuple(does, value), { maxLength: 60 }), (steps) => {
      const all = new Viewed()
      for (const [what, one] of steps) {
        happen(all, what, one)
        // What has counted for its time goes when somebody asks.
        all.view.by({ containerId: 'c1', ifname: 'eth0' })
        const counting = addresses.flatMap((address) => all.view.of(ip(address))?.claim ?? [])
        expect(new Map(counting.map(({ address, pool }) => [address, pool]))).toEqual(all.taken)
        for (const one of counting) expectFound(all.view, one)
        const found = ['c1', 'c2'].flatMap((containerId) => all.view.by({ containerId, ifname: 'eth0' }))
        expect(found.length).toBe(counting.filter(({ node }) => node === 'node1').length)
      }
    }),
    { numRuns: 200 },
  )
})

type Event = 'put' | 'remove' | 'doubt' | 'written' | 'seen' | 'gone' | 'wait'

function happen(all: Viewed, what: Event, one: AddressClaim): void {
  if (what === 'wait') all.now += 10_000
  else if (what === 'put' || what === 'doubt') all.view[what](one)
  else if (what === 'remove') all.view.remove(claimName(one.address))
  else if (what === 'gone') all.view.gone(one.address)
  else all.view[what](stored(one, 7))
}

/** By sandbox and pod where it is of this node, by name where it is kept. */
function expectFound(view: ClaimView, one: AddressClaim): void {
  const { containerId, podUid, ifname, namespace, pod, node, isSticky, address } = one
  const isBy = (key: Parameters<ClaimView['by']>[0]): boolean =>
    view.by(key).some(({ claim: found }) => found.address === address)
  expect([isBy({ containerId, ifname }), isBy({ podUid, ifname })]).toEqual([node === 'node1', node === 'node1'])
  expect(isBy({ namespace, pod, ifname })).toBe(isSticky)
}
