import { afterEach, expect, test } from 'bun:test'
import { type AddressMode, poolProblemOf } from '../../network/model/neutron.ts'
import { WISH, World } from './testing/world.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

function worldOf(mode: AddressMode): World {
  const world = new World({ trunk: 'trunk-1' })
  ends.push(() => world.stop())
  world.wishes = [{ ...WISH, mode }]
  return world
}

test('the ports of a network that cannot be read stay as they are', async () => {
  const world = worldOf('pair')
  await world.settle()
  const { pool } = world
  // As the registry tells of it: it is not in its list.
  world.wishes = []
  world.spoilt.add('pods')
  world.keeper.doubt()
  await world.settle()
  expect(world.pool).toEqual(pool)
  world.spoilt.clear()
  await world.settle()
  expect(world.pool?.ports.every(({ withdrawn }) => withdrawn)).toBe(true)
})

const ids = (world: World): readonly string[] => (world.pool?.ports ?? []).map(({ id }) => id)
const withdrawn = (world: World): readonly string[] =>
  (world.pool?.ports ?? []).filter((port) => port.withdrawn).map(({ id }) => id)

test('an address pair that there is no room for takes no port from a pod that may have it', async () => {
  const world = worldOf('pair')
  await world.settle()
  const all = ids(world)
  const vm = world.neutron.ports.get('vm-1')
  if (vm !== undefined) vm.allowed_address_pairs = []
  world.neutron.mostPairs = 1
  // One of those that no longer fit was leased, and the agent has not yet told of it.
  world.lease(2)
  world.keeper.doubt()
  await world.settle()
  expect(all.filter((id) => world.neutron.ports.has(id))).toEqual([...all])
  expect(withdrawn(world)).toEqual(all.slice(1))
  world.agree()
  await world.settle()
  expect(all.filter((id) => world.neutron.ports.has(id))).toEqual([all[0] ?? '', all[2] ?? ''])
})

test('a port keeps the VLAN that its pod knows, or goes when the pod does', async () => {
  const world = worldOf('trunk')
  await world.settle()
  const [taken, moved, kept] = world.pool?.ports ?? []
  const subports = world.neutron.trunks.get('trunk-1')?.subports
  if (taken === undefined || moved === undefined || subports === undefined) throw new Error('no pool')
  world.lease()
  world.tell()
  subports.delete(taken.id)
  subports.set('somebody', taken.vlan ?? 0)
  subports.set(moved.id, 4000)
  world.keeper.doubt()
  await world.settle()
  expect(world.pool?.ports.slice(0, 3)).toEqual([{ ...taken, withdrawn: true }, moved, kept] as never)
  expect([subports.get(taken.id), subports.get(moved.id)]).toEqual([undefined, moved.vlan])
  expect(world.said).toEqual([expect.stringContaining(`somebody else took VLAN ${taken.vlan} of trunk trunk-1`)])
  world.release()
  world.agree()
  await world.settle()
  expect(world.neutron.ports.has(taken.id)).toBe(false)
})

test.each(['pair', 'fixed', 'trunk'] as const)(
  'mode %s: a pool is emptied although the VM’s port is gone',
  async (mode) => {
    const world = worldOf(mode)
    await world.settle()
    world.lease()
    world.tell()
    const [first = ''] = ids(world)
    world.neutron.trunks.delete('trunk-1')
    world.neutron.ports.delete('vm-1')
    world.wishes = []
    world.restart()
    await world.settle()
    world.agree()
    await world.settle()
    expect(ids(world)).toEqual([first])
    world.release()
    world.agree()
    await world.settle()
    expect(world.pool).toBeUndefined()
    expect([...world.neutron.ports.keys()]).toEqual([])
  },
)

test('the pair of an address that a port had before goes', async () => {
  const world = worldOf('pair')
  await world.settle()
  const [first = ''] = ids(world)
  const port = world.neutron.ports.get(first)
  if (port !== undefined) port.fixed_ips = [{ subnet_id: 'net-v4', ip_address: '10.1.0.55' }]
  world.keeper.doubt()
  await world.settle()
  const addresses = world.pool?.ports.flatMap((one) => one.addresses.map(({ address }) => address as string))
  expect(addresses).toContain('10.1.0.55')
  expect(
    world.neutron.ports
      .get('vm-1')
      ?.allowed_address_pairs.map((pair) => pair.ip_address)
      .toSorted(),
  ).toEqual(addresses?.toSorted() ?? [])
})

test('a group that is not there is the problem of the pods that ask for it alone', async () => {
  const world = worldOf('trunk')
  await world.settle()
  const pass = async (): Promise<void> => {
    for (let nth = 0; nth < 5; nth += 1) await world.keeper.lookAfter()
  }
  world.wants = [{ network: 'pods', groups: ['wbe'], n: 1 }]
  world.tell()
  await pass()
  expect(world.problems).toEqual([
    expect.objectContaining({ network: 'pods', reason: 'PORTS_POD_GROUP', groups: ['wbe'] }),
  ])
  // No time passes: nobody waits for the end of another one's pause.
  world.wants = [...world.wants, { network: 'pods', n: 3 }]
  world.tell()
  await pass()
  expect(world.pool?.ports).toHaveLength(6)
  const told = { problems: world.problems }
  expect(poolProblemOf(told, 'pods')).toBeUndefined()
  expect(poolProblemOf(told, 'pods', ['wbe'])?.problem).toContain('there is no security group "wbe"')
  world.wants = []
  world.tell()
  await pass()
  expect(world.problems).toEqual([])
})

test('a network that comes while the cloud is away is told why it has no ports, though another one’s turn comes first', async () => {
  const world = worldOf('pair')
  world.neutron.mishap = () => 'before'
  await world.keeper.lookAfter()
  world.wishes = [...world.wishes, { ...WISH, name: 'others' }]
  await world.keeper.lookAfter()
  expect(world.problems.map(({ network, reason }) => [network, reason])).toEqual([
    ['pods', 'OPENSTACK_UNAVAILABLE'],
    ['others', 'OPENSTACK_UNAVAILABLE'],
  ])
  world.neutron.mishap = () => 'none'
  await world.settle()
  expect(world.problems.filter(({ network }) => network === 'pods')).toEqual([])
})

test('a new MAC address of the VM’s port is told', async () => {
  const world = worldOf('pair')
  await world.settle()
  const vm = world.neutron.ports.get('vm-1')
  if (vm === undefined) throw new Error('no port')
  vm['mac_address'] = 'fa:16:3e:aa:bb:cc'
  world.keeper.doubt()
  await world.settle()
  expect(world.pool?.parent.mac as string).toBe('fa:16:3e:aa:bb:cc')
  expect(world.pool?.ports.map(({ mac }) => mac as string)).toEqual(Array(3).fill('fa:16:3e:aa:bb:cc'))
})

test('a new MAC address of a part of a trunk is told', async () => {
  const world = worldOf('trunk')
  await world.settle()
  const [first = ''] = ids(world)
  const port = world.neutron.ports.get(first)
  if (port === undefined) throw new Error('no port')
  port['mac_address'] = 'fa:16:3e:aa:bb:cc'
  world.keeper.doubt()
  await world.settle()
  expect(world.pool?.ports[0]?.mac as string).toBe('fa:16:3e:aa:bb:cc')
})
