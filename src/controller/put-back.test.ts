import { describe, expect, test } from 'bun:test'
import { type Cidr, cidr, ip } from '../network/model/address.ts'
import type { NodeNetwork } from '../network/model/node.ts'
import { MemoryRegistry } from '../registry/memory.ts'
import { perform } from './perform.ts'
import { putBackNotice, rangesToKeep } from './put-back.ts'
import { ControllerState, INPUTS, type Input } from './state.ts'
import { clusterOf } from './testing/cluster.ts'

const NETWORKS = [
  { cidr: cidr('10.1.0.0/16'), hostBits: 14 },
  { cidr: cidr('fd01::/48'), hostBits: 64 },
]
const A = ['10.1.0.0/18', 'fd01:0:0:1::/64'].map(cidr)
const B = ['10.1.64.0/18', 'fd01:0:0:2::/64'].map(cidr)
const C = ['10.1.128.0/18', 'fd01:0:0:3::/64'].map(cidr)

/** A controller that goes on from step to step, and three nodes that have A, B and C. */
class Running {
  readonly registry = new MemoryRegistry()
  #state = new ControllerState(() => 0)

  static async start(): Promise<Running> {
    const running = new Running()
    await running.registry.create('Cluster', 'default', clusterOf({ networks: NETWORKS }))
    for (const name of ['a', 'b', 'c']) await running.addNode(name)
    await running.settle()
    expect(await running.ranges()).toEqual({ a: A, b: B, c: C })
    return running
  }

  async addNode(name: string, uid = `uid-${name}`): Promise<void> {
    await this.registry.create('Node', name, { name, uid, addresses: [ip('192.0.2.1')] })
  }

  async replaceNode(name: string): Promise<void> {
    const revision = (await this.registry.get('Node', name))?.revision ?? 0
    await this.registry.update('Node', name, { name, uid: 'another', addresses: [ip('192.0.2.1')] }, revision)
  }

  async edit(name: string, change: Partial<NodeNetwork>): Promise<void> {
    const found = await this.registry.get('NodeNetwork', name)
    if (found === undefined) throw new Error(`no network of ${name}`)
    await this.registry.update('NodeNetwork', name, { ...found.value, ...change }, found.revision)
  }

  restart(): void {
    this.#state = new ControllerState(() => 0)
  }

  /** Writes until nothing is left to do; the notices that were told. */
  async settle(): Promise<readonly string[]> {
    for (const kind of INPUTS) await this.#read(kind)
    const told: string[] = []
    for (let count = 0; ; count += 1) {
      const write = this.#state.next()
      if (write === undefined) return told
      if (count > 50) throw new Error('the controller never comes to rest')
      expect(await perform(this.registry, this.#state, write)).toMatchObject({ is: 'made' })
      if (write.op !== 'delete' && write.notice !== undefined) told.push(`${write.name} ${write.notice.code}`)
    }
  }

  async ranges(): Promise<Readonly<Record<string, readonly Cidr[]>>> {
    const { objects } = await this.registry.list('NodeNetwork')
    return Object.fromEntries(objects.map(({ name, value }) => [name, value.ranges]))
  }

  async #read<K extends Input>(kind: K): Promise<void> {
    this.#state.listed(kind, await this.registry.list(kind))
  }
}

interface Meddling {
  readonly title: string
  readonly meddle: (running: Running) => Promise<unknown>
  /** Of those other than A, B and C. */
  readonly ranges?: Readonly<Record<string, readonly Cidr[] | undefined>>
  readonly told: readonly string[]
}

const CASES: readonly Meddling[] = [
  {
    title: 'deleted',
    meddle: ({ registry }) => registry.delete('NodeNetwork', 'b'),
    told: ['b NODE_NETWORK_PUT_BACK'],
  },
  {
    title: 'all deleted, whatever the order',
    meddle: async ({ registry }) => {
      for (const name of ['c', 'a', 'b']) await registry.delete('NodeNetwork', name)
    },
    told: ['a', 'b', 'c'].map((name) => `${name} NODE_NETWORK_PUT_BACK`),
  },
  {
    title: 'edited to the range of one that comes first by name',
    meddle: (running) => running.edit('c', { ranges: A }),
    told: ['c NODE_NETWORK_PUT_BACK'],
  },
  {
    title: 'edited to the range of one that comes later by name',
    meddle: (running) => running.edit('a', { ranges: C }),
    told: ['a NODE_NETWORK_PUT_BACK'],
  },
  {
    title: 'edited to the range of another, and to be an external host’s',
    meddle: (running) => running.edit('c', { ranges: A, machine: { kind: 'external', vni: 0 } }),
    told: ['c NODE_NETWORK_PUT_BACK'],
  },
  {
    title: 'two exchanged',
    meddle: async (running) => {
      await running.edit('a', { ranges: B })
      await running.edit('b', { ranges: A })
    },
    told: ['a NODE_NETWORK_PUT_BACK', 'b NODE_NETWORK_PUT_BACK'],
  },
  {
    title: 'edited to an own other range',
    meddle: (running) => running.edit('b', { ranges: ['10.1.192.0/18', 'fd01:0:0:2::/64'].map(cidr) }),
    told: ['b NODE_NETWORK_PUT_BACK'],
  },
  {
    title: 'edited to have one less',
    meddle: (running) => running.edit('b', { ranges: B.slice(1) }),
    told: ['b NODE_NETWORK_PUT_BACK'],
  },
  {
    title: 'edited to have none',
    meddle: (running) => running.edit('b', { ranges: [] }),
    told: ['b NODE_NETWORK_PUT_BACK'],
  },
  {
    title: 'edited to a range outside the networks',
    meddle: (running) => running.edit('b', { ranges: [cidr('10.9.0.0/18')] }),
    told: ['b NODE_NETWORK_PUT_BACK'],
  },
  {
    title: 'edited in its addresses and order only, which is put back without words',
    meddle: (running) => running.edit('b', { ranges: B.toReversed(), addresses: [] }),
    told: [],
  },
  {
    title: 'deleted while another node comes, which does not get its range',
    meddle: async (running) => {
      await running.registry.delete('NodeNetwork', 'a')
      await running.addNode('0')
    },
    ranges: { 0: ['10.1.192.0/18', 'fd01:0:0:4::/64'].map(cidr) },
    told: ['a NODE_NETWORK_PUT_BACK'],
  },
  {
    title: 'deleted and its range taken by an external host, which gets another',
    meddle: async ({ registry }) => {
      await registry.delete('NodeNetwork', 'a')
      const host = {
        node: 'hand',
        machine: { kind: 'external' as const, vni: 0 },
        addresses: [ip('192.0.2.2')],
        ranges: [cidr('10.1.0.0/18')],
      }
      await registry.create('NodeNetwork', 'hand', host)
    },
    ranges: { hand: ['10.1.192.0/18', 'fd01:0:0:4::/64'].map(cidr) },
    told: ['a NODE_NETWORK_PUT_BACK'],
  },
  {
    title: 'node replaced: its successor takes over what is there, also when that was edited',
    meddle: async (running) => {
      await running.replaceNode('b')
      await running.edit('b', { ranges: ['10.1.192.0/18', 'fd01:0:0:9::/64'].map(cidr) })
    },
    ranges: { b: ['10.1.192.0/18', 'fd01:0:0:9::/64'].map(cidr) },
    told: [],
  },
  {
    title: 'node replaced and its network deleted: its successor gets what it had, which is nobody’s',
    meddle: async (running) => {
      await running.replaceNode('b')
      await running.registry.delete('NodeNetwork', 'b')
    },
    told: [],
  },
  {
    title: 'node deleted: its ranges are free',
    meddle: async (running) => {
      await running.registry.delete('Node', 'b')
      await running.settle()
      for (const name of ['d', 'e']) await running.addNode(name)
    },
    ranges: {
      b: undefined,
      d: ['10.1.192.0/18', 'fd01:0:0:4::/64'].map(cidr),
      e: ['10.1.64.0/18', 'fd01:0:0:5::/64'].map(cidr),
    },
    told: [],
  },
  {
    title: 'the network of a range is gone since before a restart: an edit to what there is stays',
    meddle: async (running) => {
      running.restart()
      const { revision = 0 } = (await running.registry.get('Cluster', 'default')) ?? {}
      const networks = [{ cidr: cidr('10.2.0.0/16'), hostBits: 14 }, ...NETWORKS.slice(1)]
      await running.registry.update('Cluster', 'default', clusterOf({ networks }), revision)
      await running.settle()
      await running.edit('b', { ranges: ['10.2.64.0/18', 'fd01:0:0:2::/64'].map(cidr) })
    },
    ranges: { b: ['10.2.64.0/18', 'fd01:0:0:2::/64'].map(cidr) },
    told: [],
  },
  {
    title: 'edited before a restart, of which nothing is remembered',
    meddle: async (running) => {
      running.restart()
      await running.edit('b', { ranges: ['10.1.192.0/18', 'fd01:0:0:2::/64'].map(cidr) })
    },
    ranges: { b: ['10.1.192.0/18', 'fd01:0:0:2::/64'].map(cidr) },
    told: [],
  },
  {
    title: 'deleted after a restart',
    meddle: async (running) => {
      running.restart()
      await running.settle()
      await running.registry.delete('NodeNetwork', 'b')
    },
    told: ['b NODE_NETWORK_PUT_BACK'],
  },
]

describe('a node’s network that others meddle with', () => {
  for (const { title, meddle, ranges = {}, told } of CASES) {
    test(title, async () => {
      const running = await Running.start()
      await meddle(running)
      expect((await running.settle()).toSorted()).toEqual([...told])
      const expected = Object.entries({ a: A, b: B, c: C, ...ranges }).filter(([, one]) => one !== undefined)
      expect(await running.ranges()).toEqual(Object.fromEntries(expected) as never)
      expect(await running.settle()).toEqual([])
    })
  }

  test('gets its ranges back each time', async () => {
    const running = await Running.start()
    for (let count = 0; count < 3; count += 1) {
      await running.edit('c', { ranges: A })
      expect(await running.settle()).toEqual(['c NODE_NETWORK_PUT_BACK'])
      await running.registry.delete('NodeNetwork', 'c')
      expect(await running.settle()).toEqual(['c NODE_NETWORK_PUT_BACK'])
      expect(await running.ranges()).toEqual({ a: A, b: B, c: C })
    }
  })
})

test('of each family the remembered ranges come first, then the recorded, then what may come', () => {
  expect(rangesToKeep([...A, ...B, ...C], A, B)).toEqual(A)
  expect(rangesToKeep([...A, ...B, ...C], A.slice(0, 1), B)).toEqual([...A.slice(0, 1), ...B.slice(1)])
  expect(rangesToKeep(C, A, B)).toEqual(C)
  expect(rangesToKeep([], A, B)).toEqual([])
})

test('a notice says what was there, what is put back, and what is still missing', () => {
  const network: NodeNetwork = { node: 'a', machine: { kind: 'node', uid: 'u' }, addresses: [], ranges: A }
  const message = (record: NodeNetwork, problem?: string): string | undefined =>
    putBackNotice(problem === undefined ? network : { ...network, problem }, A, record)?.message
  expect(message({ ...network, ranges: [] })).toBe(
    "the node's network was deleted or emptied while its pods live in 10.1.0.0/18, fd01:0:0:1::/64, which is put back",
  )
  expect(message({ ...network, ranges: B }, 'no room')).toMatch(/changed to 10\.1\.64\.0\/18, .*put back; no room$/)
  expect(message(network)).toBeUndefined()
  expect(putBackNotice(network, [], { ...network, ranges: [] })).toBeUndefined()
})
