/** What is found again, put back or removed by an agent that knows nothing, on a real Open vSwitch in user space. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { addrList, linkAdd, linkDel, linkFind, linkGet, linkList } from '../../../linux/index.ts'
import { type Scratch, scratch } from '../../../linux/testing/scratch.ts'
import { linkName } from '../../attach/lease.ts'
import { keepPorts, lookAtPorts } from './keeper.ts'
import type { OvsPluginParts } from './plugin.ts'
import { callFor, ipam, type Memory, NEVER, type Rig, startRig, V4 } from './testing/rig.ts'

const LINK = linkName('c1/eth0')
const CONFIG = { vlan: 100, ...ipam(V4) }
const SILENT = { info: () => undefined, warn: () => undefined }

let rig: Rig
let agent: Memory
let pod: Scratch

beforeAll(async () => {
  rig = await startRig()
})
afterAll(() => rig[Symbol.asyncDispose]())
beforeEach(async () => {
  rig.asked.length = 0
  pod = scratch()
  agent = await rig.start()
})
afterEach(async () => {
  for (const port of agent.ports.all()) await agent.ports.remove([port])
  for (const { name } of linkList(rig.host.rtnl)) agent.links.doom(name)
  await agent.links.sweep()
  agent.client.close()
  pod[Symbol.dispose]()
})

const ports = async (bridge = 'br1') =>
  (await rig.ovs.vsctl('list-ports', bridge)).split('\n').filter((name) => name.startsWith('weft'))

/** What of the attachment is anywhere, after what is doomed went. */
async function leftovers(memory: Memory): Promise<readonly unknown[]> {
  await memory.links.sweep()
  return [await ports(), linkFind(rig.host.rtnl, LINK), linkFind(pod.rtnl, 'eth0')].filter(
    (one) => Bun.deepEquals(one, []) === false && one !== undefined,
  )
}

/** Resolves when a condition holds, looked at after every change in the database. */
function until(memory: Memory, isSo: () => boolean): Promise<true> {
  return memory.ports.tables.waitFor(() => (isSo() ? true : undefined), { timeoutMs: 30_000 })
}

const keep = (memory: Memory) => keepPorts({ ...memory, log: SILENT, signal: NEVER })

/** An agent is killed where an object's method has done its work, or before it begins: nothing after that ever runs. */
function killedAt<K extends 'links' | 'ports'>(part: K, method: keyof OvsPluginParts[K], when: 'before' | 'after') {
  const dead = Promise.withResolvers<void>()
  const change = (parts: OvsPluginParts): Partial<OvsPluginParts> => ({
    [part]: hanging(parts[part], method, when, dead.resolve),
  })
  return { change, dead: dead.promise }
}

function hanging<T extends object>(target: T, method: keyof T, when: 'before' | 'after', died: () => void): T {
  return new Proxy(target, {
    get: (object, key) => {
      const value: unknown = Reflect.get(object, key, object)
      if (typeof value !== 'function') return value
      if (key !== method) return value.bind(object)
      return async (...given: readonly unknown[]) => {
        if (when === 'after') await value.apply(object, given)
        died()
        await new Promise(() => undefined)
      }
    },
  })
}

describe('an ADD by an agent that was killed', () => {
  const steps = [
    ['before the link', killedAt('links', 'create', 'before')],
    ['after the link', killedAt('links', 'create', 'after')],
    ['after the port', killedAt('ports', 'add', 'after')],
    ['before IPAM', killedAt('ports', 'linkIsUp', 'after')],
    ['after IPAM', killedAt('ports', 'recordPlace', 'before')],
    ['before addresses', killedAt('ports', 'recordPlace', 'after')],
  ] as const

  test.each(steps)('%s: the DEL of another one leaves nothing', async (_, { change, dead }) => {
    const killed = await rig.start(change)
    void killed.plugin.add(callFor(pod, CONFIG), NEVER).catch(() => undefined)
    await dead
    killed.client.close()
    const next = await rig.start()
    await next.plugin.del(callFor(pod, CONFIG))
    expect(await leftovers(next)).toEqual([])
    expect(rig.asked.at(-1)).toBe('DEL c1/eth0')
  })

  test.each(steps)('%s: the ADD of another one works', async (_, { change, dead }) => {
    const killed = await rig.start(change)
    void killed.plugin.add(callFor(pod, CONFIG), NEVER).catch(() => undefined)
    await dead
    killed.client.close()
    const next = await rig.start()
    const prevResult = await next.plugin.add(callFor(pod, CONFIG), NEVER)
    await next.plugin.check({ ...callFor(pod, CONFIG), prevResult })
    expect(await ports()).toEqual([LINK])
  })
})

describe('DEL succeeds and leaves nothing', () => {
  const call = () => callFor(pod, CONFIG)
  test.each<[string, () => Promise<unknown> | unknown]>([
    ['twice', () => agent.plugin.del(call())],
    ['without its port', () => rig.ovs.vsctl('del-port', LINK)],
    ["without the pod's interface", () => linkDel(pod.rtnl, 'eth0')],
    ["without the node's end", () => linkDel(rig.host.rtnl, LINK)],
    ['of a port that somebody moved to another VLAN', () => rig.ovs.vsctl('set', 'Port', LINK, 'tag=7')],
  ])('%s', async (_, lose) => {
    await agent.plugin.add(call(), NEVER)
    await lose()
    const next = await rig.start()
    await next.plugin.del(call())
    expect(await leftovers(next)).toEqual([])
    expect(rig.asked.at(-1)).toBe('DEL c1/eth0')
  })

  test('without its namespace', async () => {
    await agent.plugin.add(call(), NEVER)
    const { netns: _, ...after } = call()
    await (await rig.start()).plugin.del(after)
    expect(await ports()).toEqual([])
  })

  test('with another bridge in the configuration than it was put on, and none at all', async () => {
    for (const bridge of ['br2', '']) {
      await agent.plugin.add(call(), NEVER)
      await (await rig.start()).plugin.del(callFor(pod, { ...CONFIG, bridge }))
      await agent.links.sweep()
      expect(await ports()).toEqual([])
    }
  })

  test('with a configuration that nobody can read any more', async () => {
    await agent.plugin.add(call(), NEVER)
    await agent.plugin.del(callFor(pod, { vlan: 'x', trunk: 7, ipam: [] }))
    expect(await ports()).toEqual([])
  })

  test('where IPAM fails, which is told', async () => {
    const failing = await rig.start(({ plugins }) => ({
      plugins: { ipam: (type) => ({ ...plugins.ipam(type), del: () => Promise.reject(new Error('away')) }) },
    }))
    await failing.plugin.add(call(), NEVER)
    await expect(failing.plugin.del(call())).rejects.toThrow('away')
    expect(await leftovers(failing)).toEqual([])
  })

  test('of a port that ovs-cni made', async () => {
    linkAdd(rig.host.rtnl, { kind: 'veth', name: 'veth97fb4795', up: true, peer: { name: 'eth0', nsFd: pod.nsFd } })
    await rig.ovs.vsctl('add-port', 'br1', 'veth97fb4795', '--', 'set', 'Port', 'veth97fb4795', ...ovsCniIds('c1'))
    await until(agent, () => agent.ports.ofOvsCni('/run/netns/c1', 'eth0').length === 1)
    await agent.plugin.del(call())
    expect(await rig.ovs.vsctl('list-ports', 'br1')).toBe('up0')
    expect(linkFind(rig.host.rtnl, 'veth97fb4795')).toBeUndefined()
  })

  test('ports of others stay, whatever their names say', async () => {
    await rig.ovs.vsctl(
      'add-port',
      'br1',
      'other',
      '--',
      'set',
      'Interface',
      'other',
      'type=internal',
      ...ovsCniIds('c1', 'somebody'),
    )
    await rig.ovs.vsctl(
      'add-port',
      'br1',
      'older',
      '--',
      'set',
      'Interface',
      'older',
      'type=internal',
      '--',
      'set',
      'Port',
      'older',
      ...ovsCniIds('c2'),
    )
    try {
      await agent.plugin.del(call())
      await agent.plugin.gc('wire', new Set())
      await lookAtPorts({ ...agent, log: SILENT, signal: NEVER })
      expect((await rig.ovs.vsctl('list-ports', 'br1')).split('\n')).toEqual(['older', 'other', 'up0'])
    } finally {
      await rig.ovs.vsctl('del-port', 'other', '--', 'del-port', 'older')
    }
  })
})

test('GC removes the ports of this network that are not in the list, and no others', async () => {
  using b = scratch()
  using c = scratch()
  await agent.plugin.add(callFor(pod, { vlan: 1 }), NEVER)
  await agent.plugin.add(callFor(b, { vlan: 1 }, { containerId: 'c2' }), NEVER)
  await agent.plugin.add(callFor(c, { vlan: 1 }, { containerId: 'c3', network: 'other' }), NEVER)
  await (await rig.start()).plugin.gc('wire', new Set(['c2/eth0']))
  expect((await ports()).sort()).toEqual([linkName('c2/eth0'), linkName('c3/eth0')].sort())
})

describe('while an agent looks after ports', () => {
  test('one that somebody removes comes back as it was', async () => {
    await agent.plugin.add(callFor(pod, CONFIG), NEVER)
    using _keeper = keep(agent)
    const before = agent.ports.named(LINK)
    if (before === undefined) throw new Error('there is no port')
    await rig.ovs.vsctl('del-port', LINK)
    await until(agent, () => agent.ports.named(LINK) !== undefined && agent.ports.named(LINK)?.uuid !== before.uuid)
    expect(agent.ports.named(LINK)?.rows).toEqual(before.rows)
    expect(addrList(pod.rtnl, { link: linkGet(pod.rtnl, 'eth0').index }).map(({ address }) => address)).toContain(
      V4.address,
    )
  })

  test('they come back when their bridge does', async () => {
    await rig.ovs.vsctl('add-br', 'br9', '--', 'set', 'bridge', 'br9', 'datapath_type=netdev')
    await agent.plugin.add(callFor(pod, { vlan: 3, bridge: 'br9' }), NEVER)
    using _keeper = keep(agent)
    await rig.ovs.vsctl('del-br', 'br9')
    await until(agent, () => agent.ports.named(LINK) === undefined)
    await rig.ovs.vsctl('add-br', 'br9', '--', 'set', 'bridge', 'br9', 'datapath_type=netdev')
    await until(agent, () => agent.ports.named(LINK)?.bridge === 'br9')
    await rig.ovs.vsctl('del-br', 'br9')
  })

  test('a port in error goes: by another ADD of the same interface, or when its pod is gone; others’ stay', async () => {
    using second = scratch()
    await agent.plugin.add(callFor(pod, CONFIG), NEVER)
    await agent.plugin.add(callFor(second, { vlan: 1 }, { containerId: 'c2' }), NEVER)
    // Their links went while nobody looked, and Open vSwitch cannot open the ports any more.
    for (const link of [LINK, linkName('c2/eth0')]) {
      linkDel(rig.host.rtnl, link)
      await rig.ovs.vsctl('--no-wait', 'set', 'Interface', link, 'type=no-such-type')
    }
    await rig.ovs.vsctl(
      '--no-wait',
      'add-port',
      'br1',
      'broken',
      '--',
      'set',
      'Interface',
      'broken',
      'type=no-such-type',
    )
    await until(
      agent,
      () => agent.ports.all().length === 2 && agent.ports.all().every(({ error }) => error !== undefined),
    )
    await agent.plugin.add(callFor(pod, CONFIG), NEVER)
    expect(agent.ports.of('c1', 'eth0')?.error).toBeUndefined()
    await lookAtPorts({ ...agent, log: SILENT, signal: NEVER })
    expect((await rig.ovs.vsctl('list-ports', 'br1')).split('\n').sort()).toEqual(['broken', LINK, 'up0'].sort())
    await rig.ovs.vsctl('del-port', 'broken')
  })

  test('one whose pod goes is removed', async () => {
    await agent.plugin.add(callFor(pod, CONFIG), NEVER)
    using _keeper = keep(agent)
    await linkDel(pod.rtnl, 'eth0')
    await until(agent, () => agent.ports.all().length === 0)
    expect(await ports()).toEqual([])
  })

  test('one whose pod went while no agent was there is removed, and one that DEL removed stays away', async () => {
    await agent.plugin.add(callFor(pod, CONFIG), NEVER)
    await linkDel(pod.rtnl, 'eth0')
    const next = await rig.start()
    using _keeper = keep(next)
    await until(next, () => next.ports.all().length === 0)
    while (next.operations.busy.size > 0) await Bun.sleep(1)
    await next.plugin.add(callFor(pod, CONFIG), NEVER)
    await next.plugin.del(callFor(pod, CONFIG))
    await lookAtPorts({ ...next, log: SILENT, signal: NEVER })
    expect([await ports(), next.ports.lost()]).toEqual([[], []])
  })

  test('one that somebody removed while no agent was there comes back by the record of its ADD', async () => {
    const mac = '02:11:22:33:44:55'
    const call = callFor(pod, { ...CONFIG, runtimeConfig: { mac } })
    const prevResult = await agent.plugin.add(call, NEVER)
    const rows = agent.ports.named(LINK)?.rows
    await rig.ovs.vsctl('del-port', LINK)
    const next = await rig.start()
    const standing = { ...call, prevResult, netnsPath: call.netns.path }
    await next.plugin.restore(standing)
    expect([next.ports.named(LINK)?.rows, next.ports.named(LINK)?.bridge]).toEqual([rows, 'br1'])
    // A second time, and for pods that are gone, there is nothing to do.
    await next.plugin.restore(standing)
    await next.plugin.del(call)
    await next.links.sweep()
    await next.plugin.restore(standing)
    expect(await ports()).toEqual([])
  })

  test('hands off what an operation is under way for', async () => {
    await agent.plugin.add(callFor(pod, CONFIG), NEVER)
    await linkDel(pod.rtnl, 'eth0')
    await agent.operations.exclusive({ containerId: 'c1', ifname: 'eth0' }, async () => {
      await lookAtPorts({ ...agent, log: SILENT, signal: NEVER })
      expect(await ports()).toEqual([LINK])
    })
  })
})

test('without a database everything is to be tried again', async () => {
  await agent.plugin.add(callFor(pod, CONFIG), NEVER)
  await rig.ovs.killDatabase()
  try {
    const isDown = Promise.withResolvers<void>()
    agent.client.onState((state) => state !== 'connected' && isDown.resolve())
    if (agent.ports.connected) await isDown.promise
    await expect(agent.plugin.del(callFor(pod, CONFIG))).rejects.toMatchObject({ id: 'ovs-unreachable', code: 11 })
    await expect(agent.plugin.add(callFor(pod, CONFIG), NEVER)).rejects.toMatchObject({ id: 'ovs-unreachable' })
    await expect(agent.plugin.status(callFor(pod, CONFIG))).rejects.toMatchObject({ id: 'status-not-ready', code: 50 })
    expect(rig.asked).toEqual(['ADD c1/eth0'])
  } finally {
    await rig.ovs.startDatabase()
  }
  await agent.client.whenConnected({ timeoutMs: 8_000 })
  await agent.plugin.del(callFor(pod, CONFIG))
  expect(await leftovers(agent)).toEqual([])
})

function ovsCniIds(container: string, owner = 'ovs-cni.network.kubevirt.io'): readonly string[] {
  const ids = { contNetns: `/run/netns/${container}`, contIface: 'eth0', contPodUid: '', owner }
  return Object.entries(ids).map(([key, value]) => `external_ids:${key}="${value}"`)
}
