/** The way home: from wherever an agent was killed, with and without the pod's namespace. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject } from '../../../cni/index.ts'
import { linkDel, linkFind, linkGet, linkSet, linkSetNetns, netnsId } from '../../../linux/index.ts'
import { indexOf, veth } from '../../../linux/testing/scratch.ts'
import { namesIn, never } from '../links/testing/bench.ts'
import { atHome, markOf, type NicNote } from './note.ts'
import { NicBench } from './testing/nic-bench.ts'

let bench: NicBench
beforeEach(() => {
  bench = new NicBench()
  linkSet(bench.links.node.rtnl, 'up0', { mtu: 1400, alias: 'second wire' })
})
afterEach(() => bench[Symbol.dispose]())

const NIC: JsonObject = { type: 'host-device', device: 'up0', ipam: { type: 'test' } }
const HOME = expect.objectContaining({ name: 'up0', up: true, mtu: 1400, alias: 'second wire' })

const node = () => bench.links.node
const pod = () => bench.links.pod
const call = () => bench.links.call(NIC)
const gone = () => {
  const { netns: _, ...rest } = call()
  return rest
}
const notesOnDisk = () => readdirSync(join(bench.stateDir, 'nics'))
const expectHome = () => {
  expect(bench.nic).toEqual(HOME)
  expect(namesIn(pod())).toEqual(['lo'])
  expect(notesOnDisk()).toEqual([])
  expect([...bench.links.given]).toEqual([])
}

test('DEL brings it back as it was, once and again, and gives the address back', async () => {
  await bench.plugin.add(call(), never)
  expect(bench.inside?.alias).toStartWith('weft-nic up0 ')
  await bench.plugin.del(call())
  expectHome()
  await bench.plugin.del(call())
  expectHome()
})

test('one that was down comes back down', async () => {
  linkSet(node().rtnl, 'up0', { up: false })
  await bench.plugin.add(call(), never)
  await bench.plugin.del(call())
  expect(bench.nic.up).toBe(false)
})

test('DEL without a namespace finds it in the one that was noted', async () => {
  const netns = { fd: pod().nsFd, path: `/proc/${process.pid}/fd/${pod().nsFd}` }
  await bench.plugin.add({ ...call(), netns }, never)
  await bench.plugin.del(gone())
  expectHome()
})

test('another namespace in the place of the noted one is left alone', async () => {
  const netns = { fd: pod().nsFd, path: `/proc/${process.pid}/fd/${node().nsFd}` }
  await bench.plugin.add({ ...call(), netns }, never)
  await bench.plugin.del(gone())
  expect(bench.inside?.alias).toStartWith('weft-nic up0 ')
})

test('DEL gives no address back while the NIC cannot come home', async () => {
  await bench.plugin.add(call(), never)
  const unreachable = bench.links.call(NIC, { netns: { fd: 1_000_000, path: '/run/netns/wefttest-pod' } })
  await expect(bench.plugin.del(unreachable)).rejects.toThrow()
  expect([...bench.links.given]).toEqual(['c1'])
  await bench.plugin.del(call())
  expectHome()
})

test.each<[string, () => void]>([
  ['an IPAM plugin that fails', () => (bench.links.broken = new Error('no more'))],
  ['an MTU that the kernel refuses', () => undefined],
])('after %s it is home', async (reason, arrange) => {
  arrange()
  const config = reason.includes('MTU') ? { ...NIC, mtu: 70 } : NIC
  await expect(bench.plugin.add(bench.links.call(config), never)).rejects.toThrow()
  expectHome()
})

/** What an agent has done when it is killed, one step after the other. */
const STEPS: readonly (readonly [string, () => void | Promise<void>])[] = [
  ['wrote its note', () => note()],
  ['marked it', () => linkSet(node().rtnl, 'up0', { alias: markOf(noted()) })],
  ['moved it', () => linkSetNetns(node().rtnl, 'up0', pod().nsFd)],
  ['named it', () => linkSet(pod().rtnl, indexOf(pod(), 'up0'), { name: 'net1' })],
  ['set it up', () => linkSet(pod().rtnl, 'net1', { mtu: 1300, up: true })],
  ['had its address', () => void bench.links.given.add('c1')],
  ['moved it home', () => linkSetNetns(pod().rtnl, 'net1', node().nsFd)],
  ['gave it its name', () => linkSet(node().rtnl, indexOf(node(), 'net1'), { name: 'up0' })],
  ['gave it its MTU', () => linkSet(node().rtnl, 'up0', { mtu: 1400 })],
  ['took the mark off', () => linkSet(node().rtnl, 'up0', { alias: 'second wire', up: true })],
]
const noted = (): NicNote => {
  const [found] = bench.notes.values()
  if (found === undefined) throw new Error('nothing is noted')
  return found
}
const note = (): void => {
  const netns = { path: '/run/netns/wefttest-pod', ...netnsId(pod().nsFd) }
  bench.notes.put({ containerId: 'c1', ifname: 'net1', network: 'n', netns, boot: 'first', nic: atHome(bench.nic) })
}

describe.each([
  ['DEL', () => bench.plugin.del(call())],
  [
    'another ADD and its DEL',
    async () => {
      await bench.plugin.add(call(), never)
      await bench.plugin.del(call())
    },
  ],
])('%s after an agent that died when it', (_, undo) => {
  test.each(STEPS.map(([name], index) => [name, index] as const))('%s', async (_, last) => {
    for (const [, step] of STEPS.slice(0, last + 1)) await step()
    await undo()
    expectHome()
  })
})

describe('without the pod’s namespace', () => {
  /** As the kernel does with hardware when a namespace ends. */
  const returned = async (): Promise<void> => {
    await bench.plugin.add(call(), never)
    await linkSetNetns(pod().rtnl, 'net1', node().nsFd)
    bench.links.given.clear()
  }

  test('DEL gives it its name back', async () => {
    await returned()
    await bench.plugin.del(gone())
    expectHome()
  })

  test('GC does, for what is not valid, and leaves the others', async () => {
    await returned()
    await bench.plugin.gc('n', new Set(['c1/net1']))
    await bench.plugin.gc('other', new Set())
    expect(namesIn(node())).toContain('net1')
    await bench.plugin.gc('n', new Set(['c2/net1']))
    expectHome()
  })

  test('it is not free before that', async () => {
    await returned()
    const other = bench.links.call({ ...NIC, device: 'net1' }, { containerId: 'c2', ifname: 'net2' })
    await expect(bench.plugin.add(other, never)).rejects.toEqual(
      expect.objectContaining({ message: expect.stringContaining('container c1, or on its way back') }),
    )
  })

  test('its name taken by another link: it is told, and done once the name is free', async () => {
    await returned()
    veth(node(), bench.links.wire, 'up0', 'w1')
    await expect(bench.plugin.del(gone())).rejects.toEqual(
      expect.objectContaining({
        id: 'nic-not-home',
        code: 11,
        message: expect.stringContaining('it is on the node as net1, and another link is called up0 now'),
      }),
    )
    await linkDel(node().rtnl, 'up0')
    await bench.plugin.del(gone())
    expectHome()
  })

  test('a software link ended with it, and is forgotten', async () => {
    await bench.plugin.add(call(), never)
    await linkDel(pod().rtnl, 'net1')
    await bench.plugin.del(gone())
    expect(notesOnDisk()).toEqual([])
  })
})

test('both its names are taken on the node: it comes home under one of its own, and keeps its mark', async () => {
  await bench.plugin.add(call(), never)
  veth(node(), bench.links.wire, 'up0', 'w1')
  veth(node(), bench.links.wire, 'net1', 'w2')
  await expect(bench.plugin.del(call())).rejects.toMatchObject({ id: 'nic-not-home' })
  expect(namesIn(pod())).toEqual(['lo'])
  await linkDel(node().rtnl, 'up0')
  await bench.plugin.del(call())
  expectHome()
})

test('what a pod does to its interface is undone', async () => {
  await bench.plugin.add(call(), never)
  linkSet(pod().rtnl, 'net1', { up: false })
  const { mac = '' } = bench.inside ?? {}
  linkSet(pod().rtnl, indexOf(pod(), 'net1'), { name: 'mine', mtu: 1280, mac: '02:00:00:00:00:99' })
  await bench.plugin.del(call())
  expectHome()
  expect(bench.nic.mac).toBe(mac)
})

test('a link that a pod made is not brought to the node in its place', async () => {
  await bench.plugin.add(call(), never)
  veth(pod(), bench.links.wire, 'fake', 'w1')
  linkSet(pod().rtnl, 'fake', { alias: 'weft-nic eth0 0123456789abcdef' })
  await bench.plugin.del(call())
  expect(bench.nic).toEqual(HOME)
  expect(linkFind(node().rtnl, 'eth0')).toBeUndefined()
  expect(linkGet(pod().rtnl, 'fake').kind).toBe('veth')
})

test('a note that cannot be read stays, and is told of', async () => {
  await bench.plugin.add(call(), never)
  const [file = ''] = notesOnDisk()
  await Bun.write(join(bench.stateDir, 'nics', file), '{"version":9}')
  const told: unknown[] = []
  const { NicNotes } = await import('./notes.ts')
  expect(new NicNotes(bench.stateDir, (path, error) => told.push(path, String(error))).values()).toEqual([])
  expect(told).toEqual([join(bench.stateDir, 'nics', file), 'Error: it has version 9, this agent reads 1'])
  expect(notesOnDisk()).toEqual([file])
})
