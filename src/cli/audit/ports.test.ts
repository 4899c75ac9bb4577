import { afterEach, expect, test } from 'bun:test'
import { clusterTags } from '../../controller/openstack/ours.ts'
import { NODE, WISH, World } from '../../controller/openstack/testing/world.ts'
import { configError } from '../../openstack/errors.ts'
import { FakeCloud, PASSWORD } from '../../openstack/testing/fake-cloud.ts'
import { MemoryRegistry } from '../../registry/memory.ts'
import { RegistryError } from '../../registry/registry.ts'
import { lookAtPorts, type PortsChoice } from './ports.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

interface Scene extends PortsChoice {
  readonly world: World
  readonly registry: MemoryRegistry
  readonly cloud: FakeCloud
}

/** A cluster with one node whose pool is filled, as the registry and the cloud have it. */
async function scene({ isEmpty = false } = {}): Promise<Scene> {
  const world = new World()
  ends.push(() => world.stop())
  const registry = new MemoryRegistry()
  await registry.create('Namespace', 'kube-system', { name: 'kube-system', uid: 'cluster-uid' })
  await registry.create('Node', NODE.name, NODE)
  if (!isEmpty) {
    world.wishes = [{ ...WISH, mode: 'pair' }]
    await world.settle()
    for (const [name, value] of world.ports) await registry.create('NodePorts', name, value)
  }
  const cloud = new FakeCloud({ neutron: world.neutron.answer })
  ends.push(() => cloud.stop())
  return { world, registry, cloud, open: () => cloud.client(), isNamed: false, isGiven: false }
}

test('all agrees', async () => {
  const all = await scene()
  const ports = all.world.pool?.ports.length ?? 0
  expect(await lookAtPorts(all)).toEqual({ findings: [], compared: [[ports, 'Neutron port']], notes: [] })
})

test('what somebody deleted and what nobody uses is told, and nothing is written', async () => {
  const all = await scene()
  const [first] = all.world.pool?.ports ?? []
  all.world.neutron.ports.delete(first?.id ?? '')
  all.world.neutron.addVm('stray', 'net', '10.1.0.90').tags.push(...clusterTags('cluster-uid'))
  all.world.neutron.addVm('theirs', 'net', '10.1.0.91').tags.push(...clusterTags('another'))
  all.world.neutron.calls.length = 0
  const use = {
    node: NODE.name,
    leased: [{ id: 'p9', sandbox: 'c', ifname: 'eth0' }],
    resting: [],
    given: [],
    wants: [],
  }
  await all.registry.create('PortUse', NODE.name, use)
  const { findings } = await lookAtPorts(all)
  expect(findings.map(({ code, node, object }) => [code, node, object])).toEqual([
    ['neutron-port-missing', NODE.name, `port ${first?.id}`],
    ['neutron-port-unpooled', '-', 'port stray'],
    ['neutron-lease-without-port', NODE.name, 'port p9'],
  ])
  expect(all.world.neutron.calls.filter((call) => !call.startsWith('GET '))).toEqual([])
})

test('nobody uses OpenStack: nobody is asked', async () => {
  const all = await scene({ isEmpty: true })
  const open = (): never => {
    throw new Error('it asked')
  }
  expect(await lookAtPorts({ ...all, open, isGiven: true })).toEqual({ findings: [], compared: [], notes: [] })
})

test('a cloud that is named is asked where nothing is written down any more', async () => {
  const all = await scene({ isEmpty: true })
  all.world.neutron.addVm('left', 'net', '10.1.0.90').tags.push(...clusterTags('cluster-uid'))
  const { findings } = await lookAtPorts({ ...all, isNamed: true, isGiven: true })
  expect(findings.map(({ code, object }) => `${code} ${object}`)).toEqual(['neutron-port-unpooled port left'])
})

test('without credentials the audit says that Neutron was not looked at, and compares the rest', async () => {
  const all = await scene()
  const use = {
    node: NODE.name,
    leased: [{ id: 'p9', sandbox: 'c', ifname: 'eth0' }],
    resting: [],
    given: [],
    wants: [],
  }
  await all.registry.create('PortUse', NODE.name, use)
  const open = (): never => {
    throw configError('no cloud is configured', 'set OS_CLOUD')
  }
  const { findings, notes, compared } = await lookAtPorts({ ...all, open })
  expect(findings.map(({ code }) => code)).toEqual(['neutron-lease-without-port'])
  expect(notes).toEqual([
    'Neutron was not looked at: no cloud is configured here → give --openstack-clouds-file FILE, or ask where the controller runs',
  ])
  expect(compared).toEqual([])
})

test('credentials that are refused are a finding without a secret', async () => {
  const all = await scene()
  const refusing = new FakeCloud({ keystone: () => Response.json({ error: { message: PASSWORD } }, { status: 401 }) })
  ends.push(() => refusing.stop())
  const { findings } = await lookAtPorts({ ...all, open: () => refusing.client(), isGiven: true })
  expect(findings.map(({ code, object }) => `${code} ${object}`)).toEqual(['neutron-silent Neutron'])
  expect(JSON.stringify(findings)).not.toContain(PASSWORD)
})

test('an account that may not read PortUse says so', async () => {
  const all = await scene()
  const registry = new Proxy(all.registry, {
    get: (target, key: keyof MemoryRegistry) => {
      if (key !== 'list') return Reflect.get(target, key).bind(target)
      return async (kind: 'Node' | 'PortUse') => {
        if (kind === 'PortUse') throw new RegistryError('REGISTRY_UNAVAILABLE', 'the account may not list portuses')
        return await target.list(kind)
      }
    },
  })
  expect(await lookAtPorts({ ...all, registry })).toEqual({
    findings: [],
    compared: [],
    notes: ['Not compared: ports of OpenStack: the account may not list portuses'],
  })
  const { findings } = await lookAtPorts({ ...all, registry, isNamed: true })
  expect(findings.map(({ code }) => code)).toEqual(['registry-silent'])
})

test('without the namespace kube-system nobody knows which ports are ours', async () => {
  const all = await scene()
  await all.registry.delete('Namespace', 'kube-system')
  const asked = all.cloud.asked.neutron
  const { findings, notes } = await lookAtPorts({ ...all, isNamed: true })
  expect(findings).toEqual([])
  expect(notes).toEqual([expect.stringContaining('there is no namespace kube-system')])
  expect(all.cloud.asked.neutron).toBe(asked)
})
