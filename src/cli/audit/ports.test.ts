import { afterEach, expect, test } from 'bun:test'
import { clusterTags } from '../../controller/openstack/ours.ts'
import { NODE, WISH, World } from '../../controller/openstack/testing/world.ts'
import { configError } from '../../openstack/errors.ts'
import { MOST_IDS } from '../../openstack/neutron/model.ts'
import { FakeCloud, PASSWORD } from '../../openstack/testing/fake-cloud.ts'
import { MemoryRegistry } from '../../registry/memory.ts'
import { type Registry, RegistryError } from '../../registry/registry.ts'
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

test('what VMs of no node still let through is found, and asked for only where ports are in no pool', async () => {
  const all = await scene()
  const { neutron } = all.world
  neutron.addVm('vm-2', 'net', '10.1.0.201', 'trunk-2')
  neutron.calls.length = 0
  await lookAtPorts(all)
  expect(neutron.calls).toEqual(['GET /ports', 'GET /ports'])
  const strays = ['paired', 'carried'].map((id, i) => neutron.addVm(id, 'net', `10.1.0.9${i}`))
  for (const { tags } of strays) tags.push(...clusterTags('cluster-uid'))
  neutron.addVm('theirs', 'net', '10.1.0.95')
  const pairs = ['10.1.0.90', '10.1.0.95'].map((ip_address) => ({ ip_address, mac_address: 'fa:16:3e:00:00:07' }))
  neutron.ports.get('vm-2')?.allowed_address_pairs.push(...pairs)
  neutron.trunks.get('trunk-2')?.subports.set('carried', 7).set('theirs', 8)
  const { findings } = await lookAtPorts(all)
  expect(findings.map(({ code, object, detail }) => [code, object, detail])).toEqual([
    [
      'neutron-pair-stray',
      'port vm-2, pair 10.1.0.90',
      'the address is that of port paired, and the pair’s MAC address fa:16:3e:00:00:07',
    ],
    ['neutron-subport-stray', 'port vm-2, subport carried', 'VLAN 7 of trunk trunk-2'],
    ['neutron-port-unpooled', 'port paired', expect.stringContaining('10.1.0.90')],
    ['neutron-port-unpooled', 'port carried', expect.stringContaining('10.1.0.91')],
  ] as never)
})

test('VMs’ ports are asked for together, however many nodes there are', async () => {
  const all = await scene()
  const [first] = all.world.ports.values()
  if (first === undefined) throw new Error('ports')
  for (let i = 0; i < 120; i += 1) {
    const node = `n${i}`
    all.world.neutron.addVm(`vm-of-${node}`, 'net', `10.1.1.${i + 1}`)
    const pools = first.pools.map((pool) => ({
      ...pool,
      parent: { ...pool.parent, portId: `vm-of-${node}` },
      ports: [],
    }))
    await all.registry.create('NodePorts', node, { ...first, node, pools })
  }
  all.world.neutron.calls.length = 0
  expect((await lookAtPorts(all)).findings).toEqual([])
  expect(all.world.neutron.calls.filter((call) => call.includes('/ports'))).toHaveLength(1 + Math.ceil(121 / MOST_IDS))
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
  const registry: Registry = Object.create(all.registry, {
    list: {
      value: async (kind: 'Node' | 'PortUse') => {
        if (kind === 'PortUse') throw new RegistryError('REGISTRY_UNAVAILABLE', 'the account may not list portuses')
        return await all.registry.list(kind)
      },
    },
    get: { value: all.registry.get.bind(all.registry) },
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
