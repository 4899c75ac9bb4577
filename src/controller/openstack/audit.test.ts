import { afterEach, expect, test } from 'bun:test'
import type { AddressMode } from '../../network/model/neutron.ts'
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
  return auditPorts({ cluster: 'cluster-uid', nodes: [...world.ports.values()], ours, parents }).map(({ is }) => is)
}

test.each(['pair', 'fixed', 'trunk'] as const)('mode %s: what was settled has nothing wrong', async (mode) => {
  expect(await findings(await filled(mode))).toEqual([])
})

test('a port of ours in no pool, and one of somebody else', async () => {
  const world = await filled('pair')
  world.neutron.addVm('stray', 'net', '10.1.0.90').tags.push(...clusterTags('cluster-uid'))
  world.neutron.addVm('other', 'net', '10.1.0.91').tags.push(...clusterTags('another'))
  expect(await findings(world)).toEqual(['in-no-pool'])
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
  expect(await findings(world)).toEqual(['missing', 'no-pair'])
  world.neutron.ports.delete('vm-1')
  expect(await findings(world)).toEqual(['no-parent'])
})

test('a trunk that somebody changed', async () => {
  const world = await filled('trunk')
  const [first, second] = world.pool?.ports ?? []
  const subports = world.neutron.trunks.get('trunk-1')?.subports
  subports?.delete(first?.id ?? '')
  subports?.set(second?.id ?? '', 4000)
  expect(await findings(world)).toEqual(['not-on-trunk', 'other-vlan'])
})

test('an address that the VM lost', async () => {
  const world = await filled('fixed')
  const vm = world.neutron.ports.get('vm-1')
  if (vm !== undefined) vm.fixed_ips = vm.fixed_ips.slice(0, -1)
  expect(await findings(world)).toEqual(['no-address'])
})
