import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { ip, type Mac } from '../../network/model/address.ts'
import type { NodePorts, PooledPort, PortPool } from '../../network/model/neutron.ts'
import { OpenStackError } from '../../openstack/errors.ts'
import { FakeCloud } from '../../openstack/testing/fake-cloud.ts'
import { FakeNeutron } from '../../openstack/testing/fake-neutron.ts'
import { Cloud } from './cloud.ts'
import { deleteStrays, findStrays, straysOf } from './garbage.ts'
import { findParent } from './parent.ts'
import { leavesDoubt, PortsError, problemOf } from './problem.ts'
import { Rounds } from './rounds.ts'
import { idleOfOthers, sizePool } from './sizing.ts'
import { statusOf } from './status.ts'
import { freeVlans } from './vlans.ts'

const SIZES = { min: 2, max: 8, batch: 4 }
const port = (id: string, more: Partial<PooledPort> = {}): PooledPort => ({
  id,
  mac: 'fa:16:3e:00:00:01' as Mac,
  addresses: [],
  ...more,
})
const pool = (ports: readonly PooledPort[], mode: PortPool['mode'] = 'trunk'): PortPool => ({
  ...{ network: 'pods', networkId: 'n', mode, parent: { portId: 'vm', mac: 'fa:16:3e:00:00:00' as Mac } },
  ...{ mtu: 1500, subnets: [], groups: [], ports },
})
const use = (
  leased: readonly string[],
  wants: readonly { readonly groups?: readonly string[]; readonly n: number }[] = [],
) => ({
  leased: leased.map((id) => ({ id, sandbox: 's', ifname: 'eth0' })),
  resting: [],
  wants: wants.map((one) => ({ network: 'pods', ...one })),
})

test('free VLANs are free, and 1 comes last', () => {
  expect(freeVlans([2, 4], 2)).toEqual([3, 5])
  expect(
    freeVlans(
      Array.from({ length: 4093 }, (_, i) => i + 2),
      2,
    ),
  ).toEqual([1])
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 4094 })), fc.nat({ max: 300 }), (taken, n) => {
      const free = freeVlans(taken, n)
      expect(new Set(free).size).toBe(Math.min(n, 4094 - taken.length))
      expect(free.some((vlan) => taken.includes(vlan))).toBe(false)
    }),
  )
})

describe('sizes', () => {
  test('groups that pods ask for come first, and are counted by themselves', () => {
    const sized = sizePool({
      pool: pool([port('a'), port('b')]),
      sizes: SIZES,
      use: use([], [{ groups: ['web'], n: 3 }]),
      demand: 0,
    })
    expect(sized).toEqual([
      { groups: ['web'], decision: { do: 'fetch', n: 3 }, isWanted: true },
      { decision: { do: 'wait' }, isWanted: false },
    ])
  })

  test('a quota is shared by all of them', () => {
    const sized = sizePool({
      pool: pool([]),
      sizes: SIZES,
      use: use([], [{ groups: ['web'], n: 3 }]),
      demand: 0,
      quotaLeft: 4,
    })
    expect(sized.map(({ decision }) => decision)).toEqual([
      { do: 'fetch', n: 3 },
      { do: 'fetch', n: 1, limit: 'quota' },
    ])
  })

  test('addresses of the VM’s port have no groups of their own', () => {
    const sized = sizePool({
      pool: pool([port('a'), port('b')], 'fixed'),
      sizes: SIZES,
      use: use([], [{ groups: ['web'], n: 3 }]),
      demand: 0,
    })
    expect(sized).toEqual([{ decision: { do: 'wait' }, isWanted: false }])
  })

  test('what is leased or about to go is not ready', () => {
    const ports = [port('a'), port('b', { withdrawn: true }), port('c')]
    const sized = sizePool({ pool: pool(ports), sizes: SIZES, use: use(['a']), demand: 0 })
    expect(sized).toEqual([{ decision: { do: 'fetch', n: 1 }, isWanted: false }])
  })

  test('only ports of groups that nobody asks for make room', () => {
    const ports = [
      port('a'),
      port('b', { groups: ['web'] }),
      port('c', { groups: ['db'] }),
      port('d', { groups: ['old'] }),
    ]
    expect(idleOfOthers({ pool: pool(ports), use: use(['a'], [{ groups: ['db'], n: 1 }]) }, ['web'])).toEqual(['d'])
  })
})

describe('the VM’s port', () => {
  const wish = { mode: 'auto' } as const
  const node = { name: 'node-1', addresses: [ip('10.1.0.200')] }

  async function find(
    prepare: (neutron: FakeNeutron) => void,
    more: { readonly parentNetworkId?: string; readonly wish?: Parameters<typeof findParent>[0]['wish'] } = {},
  ): Promise<string> {
    const neutron = new FakeNeutron()
    neutron.addNetwork('nodes', '10.1.0')
    neutron.addNetwork('pods', '10.2.0')
    prepare(neutron)
    const cloud = new FakeCloud({ neutron: neutron.answer })
    try {
      const found = await findParent({
        neutron: cloud.client(),
        node,
        wish,
        network: { id: 'pods', name: 'pods' },
        ...more,
      })
      return found.id
    } catch (error) {
      return error instanceof PortsError ? `${error.code}: ${error.message}` : String(error)
    } finally {
      await cloud.stop()
    }
  }

  const second = (
    neutron: FakeNeutron,
    id: string,
    network: string,
    address: string,
    vm = 'vm-eth0',
    trunk?: string,
  ): void => {
    neutron.addVm(id, network, address, trunk).device_id = vm
  }

  test('has the Node’s address', async () => {
    expect(await find((neutron) => neutron.addVm('eth0', 'nodes', '10.1.0.200'))).toBe('eth0')
  })
  test('is the one of the same VM in the pods’ network', async () => {
    const prepare = (neutron: FakeNeutron): void => {
      neutron.addVm('eth0', 'nodes', '10.1.0.200')
      second(neutron, 'eth1', 'pods', '10.2.0.9')
      second(neutron, 'other', 'pods', '10.2.0.10', 'vm-other')
    }
    expect(await find(prepare)).toBe('eth1')
    expect(await find(prepare, { parentNetworkId: 'nodes' })).toBe('eth0')
  })
  test('is the one with a trunk where that is allowed', async () => {
    const prepare = (neutron: FakeNeutron): void => {
      neutron.addVm('eth0', 'nodes', '10.1.0.200', 'trunk-0')
      second(neutron, 'eth1', 'pods', '10.2.0.9')
    }
    expect(await find(prepare)).toBe('eth0')
    expect(await find(prepare, { wish: { mode: 'pair' } })).toBe('eth1')
  })
  test('is not one that we reserved', async () => {
    const prepare = (neutron: FakeNeutron): void => {
      neutron.addVm('ours', 'pods', '10.1.0.200').tags.push('weft')
      neutron.addVm('eth0', 'nodes', '10.1.0.200')
    }
    expect(await find(prepare)).toBe('eth0')
  })
  test('is not another project’s that has the same address', async () => {
    const prepare = (neutron: FakeNeutron): void => {
      neutron.addVm('theirs', 'nodes', '10.1.0.200')['project_id'] = 'another'
      neutron.addVm('eth0', 'nodes', '10.1.0.200')
    }
    expect(await find(prepare)).toBe('eth0')
    const foreign = (neutron: FakeNeutron): void => {
      prepare(neutron)
      neutron.ports.delete('eth0')
    }
    expect(await find(foreign)).toContain('PORTS_NO_PARENT: there is not a port')
  })
  test('has to be one', async () => {
    expect(await find(() => undefined)).toContain(
      'PORTS_NO_PARENT: there is not a port with an address of node node-1 (10.1.0.200)',
    )
    const twice = (neutron: FakeNeutron): void => {
      neutron.addVm('a', 'nodes', '10.1.0.200')
      neutron.addVm('b', 'nodes', '10.1.0.200')
    }
    expect(await find(twice)).toContain(
      'PORTS_NO_PARENT: there is more than a port with an address of node node-1 (10.1.0.200): a, b',
    )
  })
})

test('nodes are looked at anew one after the other, not all at the same moment', () => {
  let seed = 0
  const rounds = new Rounds(600_000, () => {
    seed += 1
    return (seed * 0.618_034) % 1
  })
  const names = new Set(Array.from({ length: 100 }, (_, i) => `node-${i}`))
  expect(rounds.take(names, 0)).toHaveLength(100)
  for (const period of [0, 1]) {
    const turns = Array.from({ length: 60 }, (_, i) => rounds.take(names, period * 600_000 + (i + 1) * 10_000))
    expect(new Set(turns.flat()).size).toBe(100)
    expect(turns.flat()).toHaveLength(100)
    expect(Math.max(...turns.map((one) => one.length))).toBeLessThan(6)
  }
})

test('who comes back while strays are listed keeps its ports', async () => {
  const neutron = new FakeNeutron()
  neutron.addNetwork('net', '10.1.0')
  for (const [name, node] of [
    ['a', 'back'],
    ['b', 'gone'],
  ] as const)
    neutron
      .addVm(name, 'net', `10.1.0.${name === 'a' ? 7 : 8}`)
      .tags.push('weft', 'weft-cluster=c', `weft-node=${node}`)
  const fake = new FakeCloud({ neutron: neutron.answer })
  try {
    const cloud = new Cloud({ open: () => fake.client(), now: () => 0 })
    let nodes = new Set<string>()
    const strays = await findStrays(cloud, 'c', () => nodes)
    expect(strays.map(({ id }) => id)).toEqual(['a', 'b'])
    nodes = new Set(['back'])
    await deleteStrays(cloud, strays, {
      isStray: (port) => straysOf([port], 'c', nodes).length > 0,
      tell: () => undefined,
    })
    expect([...neutron.ports.keys()]).toEqual(['a'])
  } finally {
    await fake.stop()
  }
})

test('a network says what most of its nodes say, and nothing that only pods ask for', () => {
  const problem = (reason: string) => ({
    ...{ network: 'pods', reason, problem: `${reason}!` },
    ...(reason === 'PORTS_POD_GROUP' ? { groups: ['web'] } : {}),
  })
  const of = (node: string, ...reasons: string[]): NodePorts => ({
    node,
    pools: [pool([port(`${node}-1`), port(`${node}-2`)])],
    problems: reasons.map(problem),
  })
  const leased = (node: string) => ({ node, ...use([`${node}-1`, 'elsewhere']), given: [] })
  expect(statusOf('pods', [of('a', 'PORTS_POD_GROUP'), of('b')], leased)).toEqual({
    ready: true,
    networkId: 'n',
    nodes: 2,
    ports: 4,
    leased: 2,
  })
  const status = statusOf('pods', [of('c', 'X'), of('b', 'Y'), of('a', 'Y')], () => undefined)
  expect(status).toEqual(expect.objectContaining({ ready: false, reason: 'Y', problem: 'node a and 1 more: Y!' }))
})

test('a network is not ready before any node has a port of it', () => {
  const empty: NodePorts = { node: 'a', pools: [pool([])], problems: [] }
  const elsewhere: NodePorts = { node: 'a', pools: [{ ...pool([port('x')]), network: 'other' }], problems: [] }
  for (const nodes of [[], [elsewhere], [empty]]) {
    const status = statusOf('pods', nodes, () => undefined)
    expect(status).toEqual(expect.objectContaining({ ready: false, reason: 'PORTS_NO_NODE', ports: 0 }))
    expect(status.problem).toContain('nodeSelector')
  }
  expect(statusOf('pods', [empty], () => undefined, 0).ready).toBe(true)
})

test('what passes by itself has no time to wait for, and refusals leave no doubt', () => {
  const failure = (code: ConstructorParameters<typeof OpenStackError>[0], isUncertain = false) =>
    new OpenStackError(code, 'no', 'do it', { isUncertain })
  expect(problemOf('pods', failure('OPENSTACK_UNAVAILABLE'))).toEqual({
    network: 'pods',
    reason: 'OPENSTACK_UNAVAILABLE',
    problem: 'no; do it',
  })
  expect(problemOf('pods', failure('OPENSTACK_QUOTA'))?.retryAfter).toBe(60)
  expect(problemOf('pods', new TypeError('x'))).toBeUndefined()
  expect(
    [failure('OPENSTACK_QUOTA'), failure('OPENSTACK_QUOTA', true), failure('OPENSTACK_NOT_FOUND')].map(leavesDoubt),
  ).toEqual([false, true, true])
})
