import { expect, test } from 'bun:test'
import { reconcile } from '../controller/reconcile.ts'
import { ip } from '../network/model/address.ts'
import { clusterOf, DEFAULT_SHAPE } from '../playground/options.ts'
import { MemoryRegistry } from '../registry/memory.ts'
import { type Registry, RegistryError, type Stored } from '../registry/registry.ts'
import { addHost, changeHost, listHosts, removeHost, vniOfTenant } from './external-hosts.ts'

const LB = { name: 'lb', addresses: [ip('192.0.2.40')], vni: 42 }

/** A cluster with one node, and a controller that looks every few milliseconds. */
async function cluster() {
  const registry: Registry = new MemoryRegistry()
  await registry.create('Cluster', 'default', clusterOf(DEFAULT_SHAPE))
  await registry.create('Node', 'node1', { name: 'node1', uid: 'u1', addresses: [ip('192.0.2.11')] })
  await reconcile(registry, Math.random)
  const controller = setInterval(() => reconcile(registry, Math.random).catch(() => undefined), 5)
  return { registry, [Symbol.dispose]: () => clearInterval(controller) }
}

test('a host is let in, gets its ranges, is changed, and is shut out', async () => {
  using one = await cluster()
  const host = await addHost(one.registry, LB)
  expect(host).toMatchObject({ ...LB, state: 'unmanaged' })
  expect(host.ranges).toHaveLength(2)
  const changed = await changeHost(one.registry, 'lb', { vni: 0 })
  expect(changed).toMatchObject({ before: LB, host: { ...LB, vni: 0, ranges: host.ranges } })
  expect(await listHosts(one.registry)).toEqual([changed.host])
  await removeHost(one.registry, 'lb')
  expect(await listHosts(one.registry)).toEqual([])
})

test('a host that is there is not changed by letting it in again: the same is fine, anything else refused', async () => {
  using one = await cluster()
  const two = { ...LB, addresses: [ip('192.0.2.40'), ip('fd00::40')] }
  const host = await addHost(one.registry, two)
  expect(await addHost(one.registry, { ...two, addresses: two.addresses.toReversed() })).toEqual(host)
  await expect(addHost(one.registry, LB)).rejects.toMatchObject({
    code: 'HOST_EXISTS',
    remedy: '`weft host change lb --address 192.0.2.40` changes that',
  })
  await expect(addHost(one.registry, { ...two, vni: 0 })).rejects.toMatchObject({
    message: '"lb" was let in before, at 192.0.2.40 and fd00::40 with the VNI 42',
    remedy: '`weft host change lb --vni 0` changes that',
  })
  expect(await listHosts(one.registry)).toEqual([host])
})

test('what was not named in a change stays', async () => {
  using one = await cluster()
  await addHost(one.registry, LB)
  const moved = await changeHost(one.registry, 'lb', { addresses: [ip('192.0.2.41')] })
  expect(moved.host).toMatchObject({ addresses: [ip('192.0.2.41')], vni: LB.vni })
  expect(await changeHost(one.registry, 'lb', { vni: LB.vni })).toEqual({
    ...moved,
    before: { ...LB, addresses: moved.host.addresses },
  })
  const wrong = changeHost(one.registry, 'lb', { addresses: [ip('192.0.2.11')] })
  await expect(wrong).rejects.toMatchObject({ code: 'HOST_ADDRESS' })
  await expect(changeHost(one.registry, 'nobody', { vni: 0 })).rejects.toMatchObject({ code: 'HOST_NOT_FOUND' })
  await expect(changeHost(one.registry, 'node1', { vni: 0 })).rejects.toMatchObject({ code: 'HOST_IS_NODE' })
})

test('another host’s address is refused, whichever is first by name', async () => {
  using one = await cluster()
  await addHost(one.registry, LB)
  for (const name of ['aa', 'zz']) {
    await expect(addHost(one.registry, { ...LB, name })).rejects.toMatchObject({
      code: 'HOST_ADDRESS',
      message: "192.0.2.40 is lb's address too: one host at most is served there",
    })
  }
  expect(await listHosts(one.registry)).toHaveLength(1)
})

test('who declared a host at a node’s address in another way sees it in the list', async () => {
  using one = await cluster()
  const machine = { kind: 'external', vni: 42 } as const
  const status = { ready: true, uplinkMtu: 1500, datapath: 'netdev' } as const
  const value = { node: 'lb', machine, addresses: [ip('192.0.2.11')], ranges: [], status }
  await one.registry.create('NodeNetwork', 'lb', value)
  const listed = async () => {
    await Bun.sleep(5)
    return listHosts(one.registry)
  }
  let hosts = await listed()
  while (hosts[0]?.problem === undefined) hosts = await listed()
  expect(hosts).toEqual([
    expect.objectContaining({
      state: 'waiting',
      ranges: [],
      problem: expect.stringContaining("192.0.2.11 is node1's"),
    }),
  ])
  const { host } = await changeHost(one.registry, 'lb', { addresses: [ip('192.0.2.40')] })
  expect(host).toEqual(
    expect.objectContaining({
      state: 'ready',
      addresses: [ip('192.0.2.40')],
      ranges: [expect.anything(), expect.anything()],
    }),
  )
  expect(host.problem).toBeUndefined()
})

test.each([
  { title: 'a node’s name', declaration: { ...LB, name: 'node1' }, code: 'HOST_IS_NODE' },
  { title: 'a node’s address', declaration: { ...LB, addresses: [ip('192.0.2.11')] }, code: 'HOST_ADDRESS' },
  { title: 'a pod’s address', declaration: { ...LB, addresses: [ip('10.128.3.4')] }, code: 'HOST_ADDRESS' },
])('$title is refused, and nothing is declared', async ({ declaration, code }) => {
  using one = await cluster()
  await expect(addHost(one.registry, declaration)).rejects.toMatchObject({ code })
  expect(await listHosts(one.registry)).toEqual([])
})

test('what is not there, or is a node, is not removed', async () => {
  using one = await cluster()
  await expect(removeHost(one.registry, 'lb')).rejects.toMatchObject({ code: 'HOST_NOT_FOUND' })
  await expect(removeHost(one.registry, 'node1')).rejects.toMatchObject({ code: 'HOST_IS_NODE' })
  await expect(vniOfTenant(one.registry, 'nobody')).rejects.toMatchObject({ code: 'HOST_NO_TENANT' })
})

test('a host that says something of itself meanwhile is removed all the same', async () => {
  using one = await cluster()
  await addHost(one.registry, LB)
  const status = { ready: true, uplinkMtu: 1500, datapath: 'netdev' } as const
  let beat = 0
  const get: Registry['get'] = async (kind, name) => {
    const stored = await one.registry.get(kind, name)
    if (stored === undefined || kind !== 'NodeNetwork' || beat === 3) return stored
    beat += 1
    const { value, revision } = stored as Stored<'NodeNetwork'>
    await one.registry.update('NodeNetwork', name, { ...value, status: { ...status, beat } }, revision)
    return stored
  }
  const remove = one.registry.delete.bind(one.registry)
  await removeHost(Object.assign(Object.create(one.registry) as Registry, { get, delete: remove }), 'lb')
  expect(beat).toBe(3)
  expect(await listHosts(one.registry)).toEqual([])
})

test('a record that cannot be read in its place is told: nobody tries for ever', async () => {
  using one = await cluster()
  const exists = () => Promise.reject(new RegistryError('REGISTRY_EXISTS', 'NodeNetwork "lb" exists already'))
  const registry: Registry = Object.assign(Object.create(one.registry) as Registry, {
    get: one.registry.get.bind(one.registry),
    list: one.registry.list.bind(one.registry),
    create: exists,
  })
  await expect(addHost(registry, LB)).rejects.toMatchObject({ code: 'HOST_HIDDEN' })
  // Whoever is asked to end does.
  await expect(addHost(registry, LB, AbortSignal.abort())).rejects.toMatchObject({ code: 'HOST_HIDDEN' })
})

test('without a controller the declaration stays, and who waits is told', async () => {
  const registry: Registry = new MemoryRegistry()
  const asked = addHost(registry, LB, undefined, 1)
  await expect(asked).rejects.toMatchObject({ code: 'HOST_TIMEOUT' })
  expect(await listHosts(registry)).toMatchObject([{ name: 'lb', ranges: [] }])
})
