import { describe, expect, test } from 'bun:test'
import { cidr, type Ip, ip } from '../network/model/address.ts'
import type { Cluster } from '../network/model/cluster.ts'
import type { Node, NodeNetwork } from '../network/model/node.ts'
import { MemoryRegistry } from '../registry/memory.ts'
import { reconcile } from './reconcile.ts'

const CLUSTER: Cluster = {
  networks: [
    { cidr: cidr('10.1.0.0/16'), hostBits: 14 },
    { cidr: cidr('fd01::/48'), hostBits: 64 },
  ],
  serviceNetworks: [cidr('10.96.0.0/12')],
  tenancy: 'multitenant',
  encapsulation: { type: 'vxlan', port: 4789 },
  underlay: 4,
  services: 'weft',
}

class Nodes {
  readonly registry = new MemoryRegistry()
  readonly cluster: Cluster

  readonly #names: string[] = []

  constructor(cluster: Cluster = CLUSTER) {
    this.cluster = cluster
  }

  /** A machine's own. */
  address(name: string): Ip {
    if (!this.#names.includes(name)) this.#names.push(name)
    return ip(`192.0.2.${101 + this.#names.indexOf(name)}`)
  }

  async add(name: string, change: Partial<Node> = {}): Promise<void> {
    const found = await this.registry.get('Node', name)
    const value = { name, uid: `uid-${name}`, addresses: [this.address(name)], ...change }
    if (found === undefined) await this.registry.create('Node', name, value)
    else await this.registry.update('Node', name, value, found.revision)
    await this.settle()
  }

  async record(node: string, ranges: readonly string[], change: Partial<NodeNetwork> = {}): Promise<void> {
    const value = {
      node,
      machine: { kind: 'node' as const, uid: `uid-${node}` },
      addresses: [this.address(node)],
      ranges: ranges.map(cidr),
      ...change,
    }
    await this.registry.create('NodeNetwork', node, value)
  }

  async remove(name: string): Promise<void> {
    await this.registry.delete('Node', name)
    await this.settle()
  }

  async settle(): Promise<void> {
    if ((await this.registry.get('Cluster', 'default')) === undefined) {
      await this.registry.create('Cluster', 'default', this.cluster)
    }
    await reconcile(this.registry, () => 0)
    expect((await reconcile(this.registry, () => 0)).written).toEqual([])
  }

  async ranges(): Promise<Readonly<Record<string, readonly string[]>>> {
    const { objects } = await this.registry.list('NodeNetwork')
    return Object.fromEntries(objects.map(({ name, value }) => [name, value.ranges]))
  }

  async network(name: string): Promise<NodeNetwork | undefined> {
    return (await this.registry.get('NodeNetwork', name))?.value
  }
}

describe('node ranges', () => {
  test('every node gets a range of each family', async () => {
    const nodes = new Nodes()
    for (const name of ['a', 'b']) await nodes.add(name)
    expect(await nodes.ranges()).toEqual({
      a: ['10.1.0.0/18', 'fd01:0:0:1::/64'],
      b: ['10.1.64.0/18', 'fd01:0:0:2::/64'],
    })
  })

  test('a node keeps its ranges when its address changes, and its successor takes them over', async () => {
    const nodes = new Nodes()
    await nodes.add('a')
    await nodes.add('b')
    const before = await nodes.ranges()
    await nodes.add('b', { addresses: [ip('192.0.2.9')] })
    expect(await nodes.network('b')).toMatchObject({ addresses: ['192.0.2.9'] })
    await nodes.add('b', { uid: 'another' })
    expect(await nodes.network('b')).toMatchObject({ machine: { kind: 'node', uid: 'another' } })
    expect(await nodes.ranges()).toEqual(before)
  })

  test("the status is the agent's and stays, but not for another machine", async () => {
    const nodes = new Nodes()
    const status = { ready: true, uplinkMtu: 1500, datapath: 'system' } as const
    await nodes.record('a', ['10.1.0.0/18', 'fd01:0:0:1::/64'], { status })
    await nodes.add('a', { addresses: [ip('192.0.2.7')] })
    expect((await nodes.network('a'))?.status).toEqual(status)
    await nodes.add('a', { uid: 'another' })
    expect((await nodes.network('a'))?.status).toBeUndefined()
  })

  test('a removed node gives its range back, and exhaustion is said and healed', async () => {
    const nodes = new Nodes()
    for (const name of ['a', 'b', 'c', 'd']) await nodes.add(name)
    const before = await nodes.ranges()
    await nodes.add('e')
    expect((await nodes.network('e'))?.problem).toStartWith('no subnets available')
    expect((await nodes.network('e'))?.ranges).toEqual([cidr('fd01:0:0:5::/64')])
    expect(await nodes.ranges()).toMatchObject(before)
    await nodes.remove('b')
    expect((await nodes.network('e'))?.ranges).toEqual([cidr('10.1.64.0/18'), cidr('fd01:0:0:5::/64')])
    expect((await nodes.network('e'))?.problem).toBeUndefined()
    expect(Object.keys(await nodes.ranges())).toEqual(['a', 'c', 'd', 'e'])
  })

  test('of a doubled range the first by name keeps it', async () => {
    const nodes = new Nodes()
    await nodes.record('b', ['10.1.64.0/18'])
    await nodes.record('a', ['10.1.64.0/18'])
    await nodes.add('b')
    await nodes.add('a')
    await nodes.settle()
    const { a, b } = await nodes.ranges()
    expect(new Set([a?.[0], b?.[0]]).size).toBe(2)
  })

  test('of a doubled range found at the start the first by name keeps it', async () => {
    const nodes = new Nodes()
    for (const name of ['b', 'a']) {
      await nodes.record(name, ['10.1.64.0/18'])
      await nodes.registry.create('Node', name, { name, uid: `uid-${name}`, addresses: [nodes.address(name)] })
    }
    await nodes.settle()
    expect(await nodes.ranges()).toMatchObject({
      a: ['10.1.64.0/18', 'fd01:0:0:2::/64'],
      b: ['10.1.0.0/18', 'fd01:0:0:1::/64'],
    })
  })

  test('an external host keeps what it has, also of another size, gets what it lacks, and goes only when it is removed', async () => {
    const nodes = new Nodes()
    const external = { machine: { kind: 'external' as const, vni: 7 } }
    await nodes.record('balancer', ['10.1.1.0/24'], external)
    await nodes.record('other', [], external)
    await nodes.settle()
    await nodes.add('a')
    expect(await nodes.ranges()).toEqual({
      balancer: ['10.1.1.0/24', 'fd01:0:0:1::/64'],
      other: ['10.1.64.0/18', 'fd01:0:0:2::/64'],
      a: ['10.1.128.0/18', 'fd01:0:0:3::/64'],
    })
    expect(await nodes.network('other')).toMatchObject({ ...external, addresses: [nodes.address('other')] })
    await nodes.registry.delete('NodeNetwork', 'balancer')
    await nodes.settle()
    expect(await nodes.network('balancer')).toBeUndefined()
    await nodes.add('b')
    expect((await nodes.ranges())['b']).toEqual(['10.1.0.0/18', 'fd01:0:0:1::/64'])
  })

  test('a node that comes back under its name gets the range that it had, unless somebody else has it now', async () => {
    const nodes = new Nodes()
    for (const name of ['a', 'b', 'c']) await nodes.add(name)
    const { b: had } = await nodes.ranges()
    await nodes.registry.delete('Node', 'b')
    await nodes.settle()
    expect((await nodes.ranges())['b']).toBeUndefined()
    await nodes.add('b')
    expect((await nodes.ranges())['b']).toEqual(had)
    await nodes.registry.delete('Node', 'b')
    await nodes.settle()
    // Four ranges of IPv4 there are: one of the new ones takes what was b's.
    for (const name of ['d', 'e']) await nodes.add(name)
    await nodes.registry.delete('Node', 'a')
    await nodes.settle()
    await nodes.add('b')
    const ranges = await nodes.ranges()
    expect(ranges['d']?.concat(ranges['e'] ?? [])).toContain(had?.[0])
    expect(ranges['b']?.[0]).not.toBe(had?.[0])
  })

  test('of a doubled range a node keeps it, whose pods live there, and an external host gets another', async () => {
    const nodes = new Nodes()
    await nodes.record('a-host', ['10.1.64.0/18'], { machine: { kind: 'external', vni: 0 } })
    await nodes.record('b', ['10.1.64.0/18'])
    await nodes.registry.create('Node', 'b', { name: 'b', uid: 'uid-b', addresses: [nodes.address('b')] })
    await nodes.settle()
    expect(await nodes.ranges()).toMatchObject({
      b: ['10.1.64.0/18', 'fd01:0:0:1::/64'],
      'a-host': ['10.1.0.0/18', 'fd01:0:0:2::/64'],
    })
  })

  test('a range that the cluster no longer has is kept and named, one of another size inside it stays', async () => {
    const nodes = new Nodes()
    await nodes.record('a', ['10.9.0.0/18'])
    await nodes.record('b', ['10.1.2.0/24'])
    for (const name of ['a', 'b']) {
      await nodes.registry.create('Node', name, { name, uid: `uid-${name}`, addresses: [nodes.address(name)] })
    }
    await nodes.settle()
    expect((await nodes.ranges())['a']?.[0]).toBe('10.9.0.0/18')
    expect((await nodes.network('a'))?.problem).toContain('10.9.0.0/18 is in none of the cluster')
    expect((await nodes.ranges())['b']?.[0]).toBe('10.1.2.0/24')
  })

  test('a foreign range that somebody typed for an external host is not let in: every node would send it there', async () => {
    const nodes = new Nodes()
    const external = { machine: { kind: 'external' as const, vni: 0 } }
    for (const [name, range] of [
      ['services', '10.96.0.0/18'],
      ['underlay', '192.0.2.0/24'],
      ['half', '0.0.0.0/1'],
    ] as const)
      await nodes.record(name, [range], external)
    await nodes.settle()
    expect(Object.values(await nodes.ranges()).toSorted()).toEqual([
      ['10.1.0.0/18', 'fd01:0:0:1::/64'],
      ['10.1.128.0/18', 'fd01:0:0:3::/64'],
      ['10.1.64.0/18', 'fd01:0:0:2::/64'],
    ])
    expect((await nodes.network('half'))?.problem).toBeUndefined()
  })

  const addressCases: readonly {
    readonly title: string
    readonly addresses: readonly string[]
    readonly problem: RegExp
  }[] = [
    { title: 'inside a pod network', addresses: ['10.1.2.3'], problem: /10\.1\.2\.3 lies inside the pod network/ },
    { title: 'inside a service network', addresses: ['10.96.0.1'], problem: /lies inside the service network/ },
    { title: 'of the wrong family', addresses: ['2001:db8::1'], problem: /no IPv4 address/ },
    { title: 'none at all', addresses: [], problem: /no IPv4 address/ },
  ]
  for (const { title, addresses, problem } of addressCases) {
    test(`a node address ${title} is refused, and others are not disturbed`, async () => {
      const nodes = new Nodes()
      await nodes.add('bad', { addresses: addresses.map(ip) })
      await nodes.add('good')
      expect((await nodes.network('bad'))?.problem).toMatch(problem)
      expect((await nodes.network('bad'))?.ranges).toEqual([])
      expect((await nodes.network('good'))?.ranges).toHaveLength(2)
      await nodes.add('bad', { addresses: [ip('192.0.2.3')] })
      expect((await nodes.network('bad'))?.problem).toBeUndefined()
      expect((await nodes.network('bad'))?.ranges).toHaveLength(2)
    })
  }
})
