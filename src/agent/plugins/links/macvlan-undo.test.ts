/** How macvlan links go, and how they are checked. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { type CniResult, EMPTY_RESULT, type JsonObject } from '../../../cni/index.ts'
import { linkAdd, linkDel, linkSet } from '../../../linux/index.ts'
import { indexOf } from '../../../linux/testing/scratch.ts'
import { ANSWER, Bench, namesIn, never } from './testing/bench.ts'

let bench: Bench
beforeEach(() => {
  bench = new Bench()
})
afterEach(() => bench[Symbol.dispose]())

/** A descriptor that nothing has. */
const NO_FD = 1_000_000
const MACVLAN: JsonObject = { type: 'macvlan', master: 'up0', ipam: { type: 'test' } }

describe('macvlan', () => {
  const answering = (answer: CniResult) => ({
    ...bench.parts,
    plugins: { ipam: () => ({ ...bench.ipam, add: async () => answer }) },
  })
  test.each<[string, () => void, object]>([
    ['a failing IPAM plugin', () => (bench.broken = new Error('no more')), { message: 'no more' }],
    ['no addresses', () => (bench.parts = answering(EMPTY_RESULT)), { id: 'ipam-without-address' }],
    [
      'an address twice',
      () => (bench.parts = answering({ ...ANSWER, ips: [...ANSWER.ips, ...ANSWER.ips] })),
      { id: 'link-failed' },
    ],
  ])('after %s nothing is left', async (_, arrange, expected) => {
    arrange()
    await expect(bench.plugin('macvlan').add(bench.call(MACVLAN), never)).rejects.toMatchObject(expected)
    expect(namesIn(bench.pod)).toEqual(['lo'])
    expect([...bench.given]).toEqual([])
    expect(bench.told).toEqual([])
  })

  test('DEL removes all, once and again, and gives the address back when the pod is gone', async () => {
    await bench.plugin('macvlan').add(bench.call(MACVLAN), never)
    await bench.plugin('macvlan').del(bench.call(MACVLAN))
    expect([namesIn(bench.pod), [...bench.given]]).toEqual([['lo'], []])
    await bench.plugin('macvlan').del(bench.call(MACVLAN))
    bench.given.add('c1')
    const { netns: _, ...gone } = bench.call(MACVLAN)
    await bench.plugin('macvlan').del(gone)
    expect([...bench.given]).toEqual([])
  })

  test('DEL goes on when the IPAM plugin fails, and says so', async () => {
    await bench.plugin('macvlan').add(bench.call(MACVLAN), never)
    bench.parts = {
      ...bench.parts,
      plugins: { ipam: () => ({ ...bench.ipam, del: () => Promise.reject(new Error('away')) }) },
    }
    await expect(bench.plugin('macvlan').del(bench.call(MACVLAN))).rejects.toThrow('away')
    expect(namesIn(bench.pod)).toEqual(['lo'])
  })

  test('DEL gives no address back while the interface cannot be removed', async () => {
    await bench.plugin('macvlan').add(bench.call(MACVLAN), never)
    const unreachable = bench.call(MACVLAN, { netns: { fd: NO_FD, path: '/run/netns/wefttest-pod' } })
    await expect(bench.plugin('macvlan').del(unreachable)).rejects.toThrow()
    expect([...bench.given]).toEqual(['c1'])
    await bench.plugin('macvlan').del(bench.call(MACVLAN))
    expect([namesIn(bench.pod), [...bench.given]]).toEqual([['lo'], []])
  })

  test('DEL undoes an ADD that was interrupted anywhere', async () => {
    // Where an agent may have died: after the interface, after it was set up, after the address was given.
    const stops: readonly (() => void)[] = [
      () => undefined,
      () => linkSet(bench.pod.rtnl, 'net1', { up: true }),
      () => bench.given.add('c1'),
    ]
    for (let count = 1; count <= stops.length; count += 1) {
      const spec = {
        kind: 'macvlan',
        name: 'net1',
        parent: indexOf(bench.node, 'up0'),
        mode: 'bridge',
        nsFd: bench.pod.nsFd,
      } as const
      linkAdd(bench.node.rtnl, { ...spec, group: 0x5755 })
      for (const step of stops.slice(0, count)) step()
      await bench.plugin('macvlan').del(bench.call(MACVLAN))
      expect([namesIn(bench.pod), [...bench.given]]).toEqual([['lo'], []])
    }
  })

  test('CHECK passes what ADD made and finds what is not', async () => {
    const macvlan = bench.plugin('macvlan')
    const made = bench.call({ ...MACVLAN, mode: 'private' })
    const prevResult = await macvlan.add(made, never)
    await macvlan.check({ ...made, prevResult })
    const differences: readonly (readonly [words: string, change: () => void])[] = [
      ['is down', () => linkSet(bench.pod.rtnl, 'net1', { up: false })],
      ['MAC address', () => linkSet(bench.pod.rtnl, 'net1', { up: true, mac: '02:00:00:00:00:99' })],
    ]
    for (const [words, change] of differences) {
      change()
      await expect(macvlan.check({ ...made, prevResult })).rejects.toEqual(
        expect.objectContaining({
          id: 'check-failed',
          message: expect.stringContaining(words),
        }),
      )
    }
    await macvlan.del(made)
    await expect(macvlan.check({ ...made, prevResult })).rejects.toEqual(
      expect.objectContaining({
        message: expect.stringContaining('is gone'),
      }),
    )
  })

  test('CHECK finds another mode and a lost address, and asks the IPAM plugin', async () => {
    const macvlan = bench.plugin('macvlan')
    const prevResult = await macvlan.add(bench.call(MACVLAN), never)
    await expect(macvlan.check(bench.call({ ...MACVLAN, mode: 'vepa' }, { prevResult }))).rejects.toEqual(
      expect.objectContaining({
        message: expect.stringContaining('of another mode'),
      }),
    )
    const lost = { ...prevResult, ips: [{ address: '10.79.0.99/24', interface: 0 }] }
    await expect(macvlan.check(bench.call(MACVLAN, { prevResult: lost }))).rejects.toEqual(
      expect.objectContaining({
        message: expect.stringContaining('lost address 10.79.0.99/24'),
      }),
    )
    bench.given.clear()
    await expect(macvlan.check(bench.call(MACVLAN, { prevResult }))).rejects.toThrow('not given')
  })

  test('STATUS: the master is there', async () => {
    const ask = (master: string) =>
      bench.plugin('macvlan').status?.({ config: { ...MACVLAN, master }, version: '1.1.0', path: [] })
    await ask('up0')
    await expect(ask('none0')).rejects.toMatchObject({ id: 'master-unfit' })
  })

  test('a link of the node that goes away takes the interface with it', async () => {
    await bench.plugin('macvlan').add(bench.call(MACVLAN), never)
    await linkDel(bench.node.rtnl, 'up0')
    await bench.plugin('macvlan').del(bench.call(MACVLAN))
    expect([...bench.given]).toEqual([])
  })
})

describe('an interface that has the name of a link of the node', () => {
  test('is made under another one, which it leaves in the pod', async () => {
    const macvlan = bench.plugin('macvlan')
    const call = bench.call(MACVLAN, { ifname: 'up0' })
    const prevResult = await macvlan.add(call, never)
    expect(namesIn(bench.pod)).toEqual(['lo', 'up0'])
    await macvlan.check({ ...call, prevResult })
    await macvlan.del(call)
    expect(namesIn(bench.pod)).toEqual(['lo'])
    expect(namesIn(bench.node)).toContain('up0')
  })

  test('is not made where the pod has one, and what a crash left of it goes by DEL', async () => {
    const macvlan = bench.plugin('macvlan')
    const call = bench.call(MACVLAN, { ifname: 'up0' })
    await macvlan.add(call, never)
    linkSet(bench.pod.rtnl, indexOf(bench.pod, 'up0'), { up: false, name: 'weft-birth' })
    linkAdd(bench.pod.rtnl, { kind: 'veth', name: 'up0', peer: { name: 'theirs' } })
    expect(await failure(macvlan.add(call, never))).toEqual(expect.objectContaining({ id: 'interface-exists' }))
    await macvlan.del(call)
    expect(namesIn(bench.pod).toSorted()).toEqual(['lo', 'theirs', 'up0'])
  })
})

function failure(done: Promise<unknown>): Promise<unknown> {
  return done.then(
    () => undefined,
    (error: unknown) => error,
  )
}
