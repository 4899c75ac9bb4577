import { afterEach, expect, test } from 'bun:test'
import { ip } from '../../network/model/address.ts'
import type { NeutronNetwork } from '../../network/model/neutron.ts'
import { configError } from '../../openstack/errors.ts'
import type { Neutron } from '../../openstack/neutron/neutron.ts'
import { FakeCloud, PASSWORD, PROJECT } from '../../openstack/testing/fake-cloud.ts'
import { FakeNeutron } from '../../openstack/testing/fake-neutron.ts'
import { MemoryRegistry } from '../../registry/memory.ts'
import { reflect } from '../../registry/reflector.ts'
import { eventually } from '../testing/eventually.ts'
import { runOpenStack } from './run.ts'

const WISH: NeutronNetwork = { name: 'pods', network: 'net-name', pool: { min: 3, max: 9, batch: 4 }, mode: 'pair' }
const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

interface House {
  readonly registry: MemoryRegistry
  readonly neutron: FakeNeutron
  readonly events: string[]
  readonly clock: { now: number }
  /** Why objects cannot be read, by `<kind>/<name>`. */
  readonly unreadable: Map<string, string>
  open: () => Neutron
}

async function house(open?: (cloud: FakeCloud) => Neutron): Promise<House> {
  const [registry, neutron, aborter] = [new MemoryRegistry(), new FakeNeutron(), new AbortController()]
  const cloud = new FakeCloud({ neutron: neutron.answer })
  neutron.addNetwork('net', '10.1.0')
  neutron.addVm('vm-1', 'net', '10.1.0.200')
  neutron.addVm('vm-2', 'net', '10.1.0.201')
  const made: House = {
    ...{ registry, neutron, events: [], clock: { now: Date.now() }, unreadable: new Map() },
    open: () => open?.(cloud) ?? cloud.client({ limits: { attempts: 1 } }),
  }
  await registry.create('Namespace', 'kube-system', { name: 'kube-system', uid: 'cluster-uid' })
  for (const n of [1, 2])
    await registry.create('Node', `node-${n}`, {
      name: `node-${n}`,
      uid: `u${n}`,
      addresses: [ip(`10.1.0.${199 + n}`)],
    })
  const nodes = reflect(registry, 'Node', { signal: aborter.signal })
  const done = runOpenStack({
    ...{ registry, nodes, signal: aborter.signal, random: () => 0, statusMs: 5, resyncMs: 1_000, goneAfterMs: 600_000 },
    open: () => made.open(),
    now: () => made.clock.now,
    unreadable: made.unreadable,
    events: { warn: ({ kind, name }, { code, message }) => made.events.push(`${kind} ${name} ${code} ${message}`) },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  })
  ends.push(async () => {
    aborter.abort()
    await done
    await cloud.stop()
  })
  return made
}

const poolOf = async ({ registry }: House, node = 'node-1') => (await registry.get('NodePorts', node))?.value.pools[0]
const statusOf = async ({ registry }: House, name = 'pods') =>
  (await registry.get('NeutronNetwork', name))?.value.status

test('every node gets its ports, and the network says so', async () => {
  const one = await house()
  expect(one.neutron.calls).toEqual([])
  await one.registry.create('NeutronNetwork', 'pods', WISH)
  await eventually(async () =>
    expect(await statusOf(one)).toEqual({ ready: true, networkId: 'net', nodes: 2, ports: 6, leased: 0 }),
  )
  const pool = await poolOf(one)
  expect(pool).toEqual(
    expect.objectContaining({ network: 'pods', networkId: 'net', mode: 'pair', mtu: 1442, groups: ['group-default'] }),
  )
  expect(pool?.subnets[0]).toEqual({
    ...{ id: 'net-v4', cidr: '10.1.0.0/24', gateway: '10.1.0.1', nameservers: ['10.0.0.2'] },
    routes: [{ destination: '10.96.0.0/12', gateway: '10.1.0.1' }],
  } as never)
})

test('what pods wait for is made at once, and nodes that do not want it have none', async () => {
  const one = await house()
  await one.registry.create('NeutronNetwork', 'pods', {
    ...WISH,
    nodes: [{ key: 'pool', operator: 'Exists', values: [] }],
  })
  const node = await one.registry.get('Node', 'node-1')
  if (node === undefined) throw new Error('no node')
  await one.registry.update('Node', 'node-1', { ...node.value, labels: { pool: 'yes' } }, node.revision)
  await eventually(async () => expect((await poolOf(one))?.ports).toHaveLength(3))
  const leased = ((await poolOf(one))?.ports ?? []).map(({ id }) => ({ id, sandbox: 'c1', ifname: 'eth0' }))
  await one.registry.create('PortUse', 'node-1', {
    node: 'node-1',
    leased,
    resting: [],
    given: [],
    wants: [{ network: 'pods', n: 2 }],
  })
  await eventually(async () => expect((await poolOf(one))?.ports).toHaveLength(8))
  expect(await poolOf(one, 'node-2')).toBeUndefined()
  await eventually(async () => expect((await statusOf(one))?.leased).toBe(3))
})

test('a node that is gone keeps its ports until it was seen to be gone twice', async () => {
  const one = await house()
  await one.registry.create('NeutronNetwork', 'pods', WISH)
  await eventually(async () => expect((await poolOf(one, 'node-2'))?.ports).toHaveLength(3))
  await one.registry.create('PortUse', 'node-2', { node: 'node-2', leased: [], resting: [], given: [], wants: [] })
  await one.registry.delete('Node', 'node-2')
  one.clock.now += 300_000
  await Bun.sleep(50)
  one.clock.now += 20_000
  await eventually(async () => expect((await poolOf(one))?.ports).toHaveLength(3))
  expect((await poolOf(one, 'node-2'))?.ports).toHaveLength(3)
  one.clock.now += 700_000
  await eventually(async () => expect(await one.registry.get('NodePorts', 'node-2')).toBeUndefined())
  await eventually(async () => expect(await one.registry.get('PortUse', 'node-2')).toBeUndefined())
  expect(one.neutron.ports.get('vm-2')?.allowed_address_pairs).toEqual([])
  expect([...one.neutron.ports.values()].filter(({ tags }) => tags.includes('weft-node=node-2'))).toEqual([])
})

test('a Node that cannot be read is not gone', async () => {
  const one = await house()
  one.neutron.addVm('stray', 'net', '10.1.0.90').tags.push('weft', 'weft-cluster=cluster-uid', 'weft-node=hidden')
  await one.registry.create('NeutronNetwork', 'pods', WISH)
  await eventually(async () => expect((await poolOf(one, 'node-2'))?.ports).toHaveLength(3))
  const ports = (await poolOf(one, 'node-2'))?.ports
  // As the registry tells of them: they are not in its lists.
  for (const object of ['Node/node-2', 'Node/hidden']) one.unreadable.set(object, 'means nothing')
  await one.registry.delete('Node', 'node-2')
  one.neutron.addVm('other', 'net', '10.1.0.91').tags.push('weft', 'weft-cluster=cluster-uid', 'weft-node=gone')
  await one.registry.delete('Node', 'node-1')
  await eventually(async () => {
    one.clock.now += 301_000
    expect(one.neutron.ports.has('other')).toBe(false)
    expect(await one.registry.get('NodePorts', 'node-1')).toBeUndefined()
  })
  expect((await poolOf(one, 'node-2'))?.ports).toEqual(ports)
  expect(one.neutron.ports.has('stray')).toBe(true)
})

test('what is changed about a network’s groups counts at once', async () => {
  const one = await house()
  one.neutron.groups = [...one.neutron.groups, { id: 'web-id', name: 'web', project_id: PROJECT, shared: false }]
  await one.registry.create('NeutronNetwork', 'pods', WISH)
  await eventually(async () => expect((await statusOf(one))?.ports).toBe(6))
  const stored = await one.registry.get('NeutronNetwork', 'pods')
  if (stored === undefined) throw new Error('no network')
  await one.registry.update('NeutronNetwork', 'pods', { ...stored.value, securityGroups: ['web'] }, stored.revision)
  await eventually(async () => {
    const ports = [...one.neutron.ports.values()].filter(({ tags }) => tags.includes('weft'))
    expect(ports.map((port) => port.security_groups)).toEqual(ports.map(() => ['web-id']))
    expect((await poolOf(one))?.groups).toEqual(['web-id'])
  })
})

test('what an agent said of a node that has no ports goes with the node', async () => {
  const one = await house()
  await one.registry.create('NeutronNetwork', 'pods', WISH)
  await one.registry.create('PortUse', 'node-9', { node: 'node-9', leased: [], resting: [], given: [], wants: [] })
  await eventually(async () => {
    one.clock.now += 301_000
    expect(await one.registry.get('PortUse', 'node-9')).toBeUndefined()
  })
})

test('ports of a node that nobody knows go, those of another cluster stay', async () => {
  const one = await house()
  one.neutron.addVm('stray', 'net', '10.1.0.90').tags.push('weft', 'weft-cluster=cluster-uid', 'weft-node=gone')
  one.neutron.addVm('other', 'net', '10.1.0.91').tags.push('weft', 'weft-cluster=another', 'weft-node=gone')
  await one.registry.create('NeutronNetwork', 'pods', WISH)
  await eventually(async () => expect((await statusOf(one))?.ready).toBe(true))
  expect(one.neutron.ports.has('stray')).toBe(true)
  one.clock.now += 700_000
  await eventually(async () => expect(one.neutron.ports.has('stray')).toBe(false))
  expect(one.neutron.ports.has('other')).toBe(true)
})

test('a network that is deleted under us is told of, and others go on', async () => {
  const one = await house()
  one.neutron.addNetwork('gone', '10.2.0')
  await one.registry.create('NeutronNetwork', 'pods', WISH)
  await one.registry.create('NeutronNetwork', 'lost', { name: 'lost', network: 'gone-name' })
  one.neutron.networks.delete('gone')
  await eventually(async () => {
    expect((await statusOf(one, 'lost'))?.problem).toContain('there is no network "gone-name" that this project sees')
    expect((await statusOf(one))?.ready).toBe(true)
  })
  expect(one.events.some((event) => event.startsWith('NeutronNetwork lost PORTS_NO_SUBNET '))).toBe(true)
})

test('of two nodes with the address of one VM one has its ports, and the other is told', async () => {
  const one = await house()
  await one.registry.create('NeutronNetwork', 'pods', WISH)
  await eventually(async () => expect((await poolOf(one))?.ports).toHaveLength(3))
  await one.registry.create('Node', 'node-3', { name: 'node-3', uid: 'u3', addresses: [ip('10.1.0.200')] })
  await eventually(() =>
    expect(one.events.some((event) => event.startsWith('Node node-3 PORTS_SHARED_PARENT '))).toBe(true),
  )
  expect(await poolOf(one, 'node-3')).toBeUndefined()
  expect((await poolOf(one))?.ports).toHaveLength(3)
})

test('a quota names the resource and the project', async () => {
  const one = await house()
  one.neutron.quota = 2
  await one.registry.create('NeutronNetwork', 'pods', WISH)
  await eventually(async () => expect((await statusOf(one))?.reason).toBe('OPENSTACK_QUOTA'))
  expect((await statusOf(one))?.problem).toContain(
    'the quota for ports of project f0e1d2c3b4a5968778695a4b3c2d1e0f is used up',
  )
  one.neutron.quota = -1
  await eventually(async () => {
    one.clock.now += 61_000
    expect((await statusOf(one))?.ready).toBe(true)
  })
})

test('an outage changes nothing, and passes', async () => {
  const one = await house()
  await one.registry.create('NeutronNetwork', 'pods', WISH)
  await eventually(async () => expect(await statusOf(one)).toEqual(expect.objectContaining({ ready: true, ports: 6 })))
  const before = await poolOf(one)
  one.neutron.mishap = () => 'before'
  one.clock.now += 10_000
  await eventually(async () => {
    one.clock.now += 1_100
    expect((await statusOf(one))?.reason).toBe('OPENSTACK_UNAVAILABLE')
  })
  expect(await poolOf(one)).toEqual(before)
  one.neutron.mishap = () => 'none'
  await eventually(async () => {
    one.clock.now += 10_000
    expect((await statusOf(one))?.ready).toBe(true)
  })
})

test('without credentials it says what is missing; with them it goes on', async () => {
  let isThere = false
  const one = await house((cloud) => {
    if (!isThere) throw configError('no cloud is configured', 'write a clouds.yaml')
    return cloud.client()
  })
  await one.registry.create('NeutronNetwork', 'pods', WISH)
  await eventually(async () =>
    expect((await statusOf(one))?.problem).toContain('no cloud is configured; write a clouds.yaml'),
  )
  isThere = true
  await eventually(async () => {
    one.clock.now += 61_000
    expect((await statusOf(one))?.ready).toBe(true)
  })
})

test('a wrong password is told without it, and everything goes when the network does', async () => {
  const one = await house()
  await one.registry.create('NeutronNetwork', 'pods', WISH)
  for (const node of ['node-1', 'node-2']) {
    await eventually(async () => expect((await poolOf(one, node))?.ports).toHaveLength(3))
  }
  await one.registry.delete('NeutronNetwork', 'pods')
  for (const node of ['node-1', 'node-2']) {
    await eventually(async () =>
      expect((await poolOf(one, node))?.ports.every(({ withdrawn }) => withdrawn)).toBe(true),
    )
    const given = ((await poolOf(one, node))?.ports ?? []).map(({ id }) => id)
    await one.registry.create('PortUse', node, { node, leased: [], resting: [], given, wants: [] })
  }
  await eventually(async () => expect((await one.registry.list('NodePorts')).objects).toEqual([]))
  expect([...one.neutron.ports.keys()]).toEqual(['vm-1', 'vm-2'])
  expect(JSON.stringify([one.events, await one.registry.list('NodePorts')])).not.toContain(PASSWORD)
})
