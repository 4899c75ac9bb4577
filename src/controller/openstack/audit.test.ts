import { afterEach, expect, test } from 'bun:test'
import type { Ip } from '../../network/model/address.ts'
import type { AddressMode, NodePorts } from '../../network/model/neutron.ts'
import type { Port } from '../../openstack/neutron/model.ts'
import { FakeCloud } from '../../openstack/testing/fake-cloud.ts'
import { auditPorts } from './audit.ts'
import { clusterTags } from './ours.ts'
import { WISH, World } from './testing/world.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

async function filled(mode: AddressMode): Promise<World> {
  const world = new World({ trunk: 'trunk-1' })
  ends.push(() => world.stop())
  world.wishes = [{ ...WISH, mode }]
  await world.settle()
  return world
}

async function findings(world: World): Promise<readonly string[]> {
  const cloud = new FakeCloud({ neutron: world.neutron.answer })
  ends.push(() => cloud.stop())
  const { ports } = cloud.client()
  const ours = await ports.list({ tags: clusterTags('cluster-uid') })
  const vm = await ports.get('vm-1').catch(() => undefined)
  const parents = new Map(vm === undefined ? [] : [[vm.id, vm] as const])
  return auditPorts({ cluster: 'cluster-uid', nodes: [...world.ports.values()], ours, parents }).map(({ code }) => code)
}

test.each(['pair', 'fixed', 'trunk'] as const)('mode %s: what was settled has nothing wrong', async (mode) => {
  expect(await findings(await filled(mode))).toEqual([])
})

test('a port of ours in no pool, and one of somebody else', async () => {
  const world = await filled('pair')
  world.neutron.addVm('stray', 'net', '10.1.0.90').tags.push(...clusterTags('cluster-uid'))
  world.neutron.addVm('other', 'net', '10.1.0.91').tags.push(...clusterTags('another'))
  expect(await findings(world)).toEqual(['neutron-port-unpooled'])
})

test('what somebody took away', async () => {
  const world = await filled('pair')
  const [first, second] = world.pool?.ports ?? []
  world.neutron.ports.delete(first?.id ?? '')
  const vm = world.neutron.ports.get('vm-1')
  if (vm !== undefined)
    vm.allowed_address_pairs = vm.allowed_address_pairs.filter(
      (pair) => pair.ip_address !== second?.addresses[0]?.address,
    )
  expect(await findings(world)).toEqual(['neutron-port-missing', 'neutron-pair-missing'])
  world.neutron.ports.delete('vm-1')
  expect(await findings(world)).toEqual(['neutron-parent-missing'])
})

test('a trunk that somebody changed', async () => {
  const world = await filled('trunk')
  const [first, second] = world.pool?.ports ?? []
  const subports = world.neutron.trunks.get('trunk-1')?.subports
  subports?.delete(first?.id ?? '')
  subports?.set(second?.id ?? '', 4000)
  expect(await findings(world)).toEqual(['neutron-subport-missing', 'neutron-subport-differs'])
})

test('an address that the VM lost', async () => {
  const world = await filled('fixed')
  const vm = world.neutron.ports.get('vm-1')
  if (vm !== undefined) vm.fixed_ips = vm.fixed_ips.slice(0, -1)
  expect(await findings(world)).toEqual(['neutron-address-missing'])
})

test('a VM’s port that lets through what is behind another one', async () => {
  const world = await filled('pair')
  const stray = world.neutron.addVm('stray', 'net', '10.1.0.90')
  stray.tags.push(...clusterTags('cluster-uid'))
  world.neutron.ports.get('vm-1')?.allowed_address_pairs.push({ ip_address: '10.1.0.90' })
  expect(await findings(world)).toEqual(['neutron-pair-stray', 'neutron-port-unpooled'])
})

test('a trunk that carries what is no node’s', async () => {
  const world = await filled('trunk')
  world.neutron.addVm('stray', 'net', '10.1.0.90').tags.push(...clusterTags('cluster-uid'))
  world.neutron.trunks.get('trunk-1')?.subports.set('stray', 77)
  expect(await findings(world)).toEqual(['neutron-subport-stray', 'neutron-port-unpooled'])
})

test('a port that is another one by now', async () => {
  const world = await filled('trunk')
  const [first, second] = world.pool?.ports ?? []
  const [one, two] = [first, second].map((port) => world.neutron.ports.get(port?.id ?? ''))
  if (one === undefined || two === undefined) throw new Error('two ports')
  one['mac_address'] = 'fa:16:3e:ff:ff:ff'
  one.security_groups = ['group-of-somebody']
  two.fixed_ips = [{ subnet_id: 'net-v4', ip_address: '10.1.0.91' }]
  expect(await findings(world)).toEqual(['neutron-port-differs', 'neutron-groups-differ', 'neutron-port-differs'])
})

test.each(['pair', 'fixed', 'trunk'] as const)(
  'mode %s: what others have on the VM is nobody’s business',
  async (mode) => {
    const world = await filled(mode)
    const theirs = world.neutron.addVm('theirs', 'net', '10.1.0.92')
    theirs.tags.push('weft', 'somebody')
    const another = world.neutron.addVm('another', 'net', '10.1.0.93')
    another.tags.push(...clusterTags('another'))
    const vm = world.neutron.ports.get('vm-1')
    for (const ip_address of ['10.1.0.92', '10.1.0.93', '192.0.2.0/24']) vm?.allowed_address_pairs.push({ ip_address })
    vm?.fixed_ips.push({ subnet_id: 'net-v4', ip_address: '10.1.0.94' })
    world.neutron.trunks.get('trunk-1')?.subports.set('theirs', 78).set('another', 79)
    expect(await findings(world)).toEqual([])
  },
)

test('what an audit looks at grows with the ports of the cluster, and not with those times its nodes', () => {
  let reads = 0
  const [NODES, PER] = [20, 5]
  const tags = clusterTags('cluster-uid')
  const node = (i: number) => {
    const ports = Array.from({ length: PER }, (_, j) => `10.1.${i}.${j}` as Ip)
    const addressPairs = ports.map((address) => ({ address }))
    const vm = { ...{ id: `vm-${i}`, networkId: 'net', fixedIps: [], tags: [] }, addressPairs } as unknown as Port
    const ours = ports.map((address) => ({
      ...{ id: `port-${address}`, networkId: 'net', tags, securityGroups: [], mac: 'fa:16:3e:00:00:01' },
      get fixedIps() {
        reads += 1
        return [{ subnetId: 's', address }]
      },
    })) as unknown as Port[]
    const pooled = ports.map((address) => ({ id: `port-${address}`, addresses: [{ address, subnetId: 's' }] }))
    const pool = { ...{ network: 'pods', networkId: 'net', mode: 'pair', groups: [] }, parent: { portId: vm.id } }
    return { vm, ours, ports: { node: `node-${i}`, pools: [{ ...pool, ports: pooled }], problems: [] } }
  }
  const nodes = Array.from({ length: NODES }, (_, i) => node(i))
  const found = auditPorts({
    cluster: 'cluster-uid',
    nodes: nodes.map(({ ports }) => ports as unknown as NodePorts),
    ours: nodes.flatMap(({ ours }) => ours),
    parents: new Map(nodes.map(({ vm }) => [vm.id, vm])),
  })
  expect(found).toEqual([])
  expect(reads).toBeLessThan(4 * NODES * PER)
})
