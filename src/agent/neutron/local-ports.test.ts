/** A node's ports: who gets which, what the controller is told, and what a new agent makes of what it finds. */
import { afterEach, expect, test } from 'bun:test'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ip } from '../../network/model/address.ts'
import { fixedPortId } from '../../network/model/neutron.ts'
import { MemoryRegistry } from '../../registry/memory.ts'
import type { Registry } from '../../registry/registry.ts'
import type { BookFiles } from './port-book.ts'
import { NETWORK_ID, NODE, pool, port, Rig, type RigOptions, until } from './testing/rig.ts'

const rigs: Rig[] = []
afterEach(() => {
  for (const rig of rigs.splice(0)) rig[Symbol.dispose]()
})

function rigWith(options: RigOptions = {}): Rig {
  const rig = new Rig(options)
  rigs.push(rig)
  return rig
}

async function failure(
  call: Promise<unknown>,
): Promise<{ readonly id?: string; readonly code?: number; message: string }> {
  try {
    await call
  } catch (error) {
    return error as never
  }
  throw new Error('it did not fail')
}

test('a pod gets a port, the same when it asks again, and another pod another one', async () => {
  const rig = rigWith()
  await rig.prepare([pool([port(1), port(2)])])
  await rig.start()
  const first = await rig.lease('a')
  expect((await rig.lease('a')).port).toEqual(first.port)
  const second = await rig.lease('b', { network: NETWORK_ID })
  expect([first.port.id, second.port.id].toSorted()).toEqual(['port-1', 'port-2'])
  const use = await rig.told(({ leased }) => leased.length === 2)
  expect(use.leased.map(({ sandbox, ifname, pod }) => [sandbox, ifname, pod])).toEqual([
    ['a', 'eth0', 'shop/a'],
    ['b', 'eth0', 'shop/b'],
  ])
  expect(rig.events).toEqual([])
})

test('a port rests before another pod gets it, and the one that was nobody’s for longest comes first', async () => {
  const rig = rigWith({ restMs: 40 })
  await rig.prepare([pool([port(1), port(2)])])
  await rig.start()
  const { port: mine } = await rig.lease('a')
  rig.neutron.ports.release({ containerId: 'a', ifname: 'eth0' })
  const use = await rig.told(({ resting }) => resting.length === 1)
  expect(use).toEqual(expect.objectContaining({ leased: [], given: [] }))
  const { port: other } = await rig.lease('b')
  expect(other.id).not.toBe(mine.id)
  // Only the rested one is left: it is waited for.
  expect((await rig.lease('c')).port.id).toBe(mine.id)
  rig.neutron.ports.release({ containerId: 'a', ifname: 'eth0' })
})

test('where none is free one is asked for at once, told to the pod, and given to those who came first', async () => {
  const rig = rigWith()
  await rig.prepare([pool([])])
  await rig.start()
  const waiting = [rig.lease('a'), rig.lease('b'), rig.lease('c', { groups: ['db', 'web'] })]
  const use = await rig.told(({ wants }) => wants.length === 2)
  expect(use.wants).toEqual([
    { network: 'pods', n: 2 },
    { network: 'pods', groups: ['db', 'web'], n: 1 },
  ])
  expect(rig.events).toEqual(['shop/a WaitingForPort', 'shop/b WaitingForPort', 'shop/c WaitingForPort'])
  await rig.prepare([pool([port(1)])])
  expect((await waiting[0])?.port.id).toBe('port-1')
  await rig.prepare([pool([port(1), port(2), port(3, { groups: ['db', 'web'] })])])
  expect((await waiting[1])?.port.id).toBe('port-2')
  expect((await waiting[2])?.port.id).toBe('port-3')
  await rig.told(({ wants, leased }) => wants.length === 0 && leased.length === 3)
})

test('who waits in vain is told why, with the object and what to do', async () => {
  const rig = rigWith({ coldMs: 20 })
  const problem = {
    network: 'pods',
    reason: 'OPENSTACK_QUOTA',
    problem: 'project k8s may have no more ports; raise it',
  }
  await rig.prepare([pool([port(1)])], [])
  await rig.start()
  await rig.lease('a')
  const counted = await failure(rig.lease('b'))
  expect(counted).toMatchObject({ id: 'neutron-ports-none', code: 11 })
  expect(counted.message).toContain('of its 1 ports on this node pods have 1')
  await rig.prepare([pool([port(1)])], [problem])
  await until(async () => (await failure(rig.lease('b'))).message.includes(problem.problem))
  expect((await failure(rig.lease('c', { network: 'other' }))).message).toContain('no NeutronNetwork of this name')
})

test('nothing is given out before it is known what there is, and what was promised', async () => {
  const memory = new MemoryRegistry()
  const held = Promise.withResolvers<void>()
  const registry: Registry = {
    get: (kind, name) => memory.get(kind, name),
    list: (kind, atLeast, name) => memory.list(kind, atLeast, name),
    watch: (kind, after, signal, name) => memory.watch(kind, after, signal, name),
    create: (kind, name, value) => memory.create(kind, name, value),
    update: async (kind, name, value, revision) => {
      if (kind === 'PortUse') await held.promise
      return memory.update(kind, name, value, revision)
    },
    delete: (kind, name, revision) => memory.delete(kind, name, revision),
  }
  const rig = rigWith({ registry })
  await rig.prepare([pool([port(1), port(2)])])
  await memory.create('PortUse', NODE, { node: NODE, leased: [], resting: [], given: ['port-1'], wants: [] })
  const starting = rig.start()
  expect((await failure(rig.lease('a'))).id).toBe('agent-starting')
  await starting
  // The controller may be about to delete the one that it was promised.
  expect((await rig.lease('a')).port.id).toBe('port-2')
  const waiting = rig.lease('b')
  // It is told that this is over, and only then the port is anybody's.
  expect(await Promise.race([waiting, Bun.sleep(30).then(() => 'nobody')])).toBe('nobody')
  held.resolve()
  expect((await waiting).port.id).toBe('port-1')
})

test('a withdrawn port is given back when nobody has it, and never given out', async () => {
  const rig = rigWith({ restMs: 20, coldMs: 30 })
  await rig.prepare([pool([port(1), port(2)])])
  await rig.start()
  const { port: mine } = await rig.lease('a')
  await rig.prepare([pool([port(1, { withdrawn: true }), port(2, { withdrawn: true })])])
  const kept = await rig.told(({ given }) => given.length === 1)
  expect(kept.given).not.toContain(mine.id)
  expect((await failure(rig.lease('b'))).id).toBe('neutron-ports-none')
  expect(rig.neutron.ports.leased({ containerId: 'a', ifname: 'eth0' }, 'pods').port.id).toBe(mine.id)
  rig.neutron.ports.release({ containerId: 'a', ifname: 'eth0' })
  expect((await rig.told(({ given }) => given.length === 2)).resting).toEqual([])
})

test('a port that was promised is nobody’s although it is not withdrawn any more, until the controller was told', async () => {
  const rig = rigWith()
  await rig.prepare([pool([port(1, { withdrawn: true })])])
  await rig.start()
  await rig.told(({ given }) => given.length === 1)
  await rig.prepare([pool([port(1)])])
  const { port: mine } = await rig.lease('a')
  const use = await rig.told(({ leased }) => leased.length === 1)
  expect([mine.id, use.given]).toEqual(['port-1', []])
})

test('a new agent knows who has what, and what rests', async () => {
  const rig = rigWith({ restMs: 60_000, coldMs: 30 })
  await rig.prepare([pool([port(1), port(2)])])
  await rig.start()
  const { port: mine } = await rig.lease('a')
  const { port: gone } = await rig.lease('b')
  rig.neutron.ports.release({ containerId: 'b', ifname: 'eth0' })
  rig.kill()
  await rig.start()
  expect((await rig.lease('a')).port.id).toBe(mine.id)
  expect((await failure(rig.lease('c'))).id).toBe('neutron-ports-none')
  const use = await rig.told(({ resting }) => resting.length === 1)
  expect([use.leased.map(({ id }) => id), use.resting.map(({ id }) => id)]).toEqual([[mine.id], [gone.id]])
})

test('GC takes back what is not valid, of the CNI network that it is about', async () => {
  const rig = rigWith()
  await rig.prepare([pool([port(1), port(2), port(3)])])
  await rig.start()
  await rig.lease('a')
  await rig.lease('b')
  await rig.neutron.ports.lease({ ...rig.order('c'), cniNetwork: 'another' }, rig.signal)
  rig.neutron.ports.releaseOthers('n', new Set(['a/eth0']))
  const use = await rig.told(({ resting }) => resting.length === 1)
  expect(use.leased.map(({ sandbox }) => sandbox)).toEqual(['a', 'c'])
})

test('a port that somebody deleted is told of, fails CHECK, and its pod can go', async () => {
  const rig = rigWith()
  await rig.prepare([pool([port(1), port(2)])])
  await rig.start()
  const { port: mine } = await rig.lease('a')
  await rig.prepare([pool([port(1), port(2)].filter(({ id }) => id !== mine.id))])
  await until(() => rig.problems.of('neutron') !== undefined)
  expect(rig.problems.of('neutron')).toBe(
    `port ${mine.id} of shop/a is gone: somebody deleted it in Neutron; recreate the pod`,
  )
  expect(() => rig.neutron.ports.leased({ containerId: 'a', ifname: 'eth0' }, 'pods')).toThrow('somebody deleted it')
  rig.neutron.ports.release({ containerId: 'a', ifname: 'eth0' })
  await rig.told(({ leased }) => leased.length === 0)
  // An ADD that is repeated gets another one.
  expect((await rig.lease('a')).port.id).not.toBe(mine.id)
})

test('security groups of a pod need a port with exactly these, and in mode fixed there is none', async () => {
  const rig = rigWith({ coldMs: 20 })
  const fixed = pool(
    [
      port(9, {
        id: fixedPortId('parent', ip('10.244.1.19')),
        addresses: [{ address: ip('10.244.1.19'), subnetId: 'subnet-4' }],
      }),
    ],
    {
      network: 'few',
      networkId: 'few-id',
      mode: 'fixed',
    },
  )
  await rig.prepare([pool([port(1), port(2, { groups: ['web'] }), port(3, { groups: ['db', 'web'] })]), fixed])
  await rig.start()
  expect((await rig.lease('a', { groups: ['db', 'web'] })).port.id).toBe('port-3')
  expect((await rig.lease('b')).port.id).toBe('port-1')
  expect((await failure(rig.lease('c'))).message).not.toContain('security groups')
  expect((await failure(rig.lease('d', { groups: ['db'] }))).message).toContain('none has the security groups db')
  expect((await failure(rig.lease('e', { network: 'few', groups: ['db'] }))).id).toBe('neutron-mode-unfit')
  expect((await rig.lease('f', { network: 'few' })).port.id).toBe('parent/10.244.1.19')
})

test('a record that cannot be read keeps its port from everybody, and is told of', async () => {
  const rig = rigWith({ coldMs: 20 })
  await rig.prepare([pool([port(1)])])
  await rig.start()
  await rig.lease('a')
  rig.kill()
  const folder = join(rig.stateDir, 'neutron-ports')
  for (const name of readdirSync(folder)) writeFileSync(join(folder, name), '{"version":1,"state":"lea')
  await rig.start()
  expect((await failure(rig.lease('b'))).id).toBe('neutron-ports-none')
  await until(() => rig.problems.of('neutron')?.includes('cannot be read') === true)
  rig.neutron.ports.release({ containerId: 'a', ifname: 'eth0' })
  // It is not said to be free either.
  await rig.prepare([pool([port(1, { withdrawn: true })])])
  await Bun.sleep(30)
  expect((await rig.told(() => true)).given).toEqual([])
})

test.each(['', '\0'.repeat(200)])(
  'a record that a loss of power left as %j frees its port: no pod outlived it',
  async (text) => {
    const rig = rigWith({ coldMs: 20 })
    await rig.prepare([pool([port(1)])])
    await rig.start()
    await rig.lease('a')
    rig.kill()
    const folder = join(rig.stateDir, 'neutron-ports')
    for (const name of readdirSync(folder)) writeFileSync(join(folder, name), text)
    await rig.start()
    expect((await rig.lease('b')).port.id).toBe('port-1')
    expect(rig.problems.of('neutron')).toBeUndefined()
  },
)

test('a port whose DEL was done does not come back as the dead pod’s after a loss of power: no other DEL would free it', async () => {
  const disk = new Map<string, string>()
  const files: BookFiles = {
    write: (path, text, isLasting) => {
      writeFileSync(path, text)
      if (isLasting) disk.set(path, text)
    },
    remove: (path) => rmSync(path, { force: true }),
  }
  const rig = rigWith()
  await rig.prepare([pool([port(1)])])
  await rig.start(files)
  await rig.lease('a')
  // The kernel writes what it has, now and then.
  const folder = join(rig.stateDir, 'neutron-ports')
  for (const name of readdirSync(folder)) disk.set(join(folder, name), readFileSync(join(folder, name), 'utf8'))
  rig.neutron.ports.release({ containerId: 'a', ifname: 'eth0' })
  rig.kill()
  for (const [path, text] of disk) writeFileSync(path, text)
  await rig.start(files)
  await rig.told(({ leased, resting }) => leased.length === 0 && resting.length === 1)
})

test('a clock that was ahead keeps a port for no longer than it rests', async () => {
  const rig = rigWith({ restMs: 30 })
  await rig.prepare([pool([port(1)])])
  await rig.start()
  await rig.lease('a')
  rig.neutron.ports.release({ containerId: 'a', ifname: 'eth0' })
  rig.kill()
  const folder = join(rig.stateDir, 'neutron-ports')
  const record = { version: 1, state: 'resting', id: 'port-1', network: 'pods', until: Date.now() + 9e9 }
  for (const name of readdirSync(folder)) writeFileSync(join(folder, name), JSON.stringify(record))
  await rig.start()
  expect((await rig.lease('b')).port.id).toBe('port-1')
})

test('nothing is written where nothing was ever prepared', async () => {
  const rig = rigWith({ coldMs: 10 })
  await rig.start()
  await Bun.sleep(30)
  expect(await rig.registry.get('PortUse', NODE)).toBeUndefined()
})
