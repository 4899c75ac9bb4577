import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { cidr, ip } from '../network/model/address.ts'
import type { Machine, NodeNetwork } from '../network/model/node.ts'
import { sharedAddress } from '../network/shared-address.ts'
import { MemoryRegistry } from '../registry/memory.ts'
import { startController } from './controller.ts'
import { perform } from './perform.ts'
import { type Addressed, SharedAddresses } from './shared-addresses.ts'
import { ControllerState, INPUTS, type Input } from './state.ts'
import { clusterOf } from './testing/cluster.ts'

const CLUSTER = clusterOf()
const HOST: Machine = { kind: 'external', vni: 42 }

describe('the index', () => {
  const address = fc.integer({ min: 1, max: 4 }).map((n) => ip(n < 4 ? `192.0.2.${n}` : '2001:db8::4'))
  const machine: fc.Arbitrary<Addressed> = fc.record({
    node: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    machine: fc.constantFrom<Machine>({ kind: 'node', uid: 'u' }, HOST),
    addresses: fc.uniqueArray(address, { maxLength: 2 }),
  })
  const change = fc.record({ one: machine, isGone: fc.boolean() })

  test('says what comparing everybody with everybody says, and of whom it is another than before', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const index = new SharedAddresses(CLUSTER)
        const there = new Map<string, Addressed>()
        let before = new Map<string, string | undefined>()
        for (const { one, isGone } of changes) {
          const concerned = isGone ? index.remove(one.node) : index.put(one)
          if (isGone) there.delete(one.node)
          else there.set(one.node, one)
          const now = byComparing([...there.values()])
          // What was told before is told on, so that nothing has to last here.
          const said = [...there.values()].map(
            (known) => [known.node, index.problemOf(known, now.get(known.node))] as const,
          )
          expect(new Map(said)).toEqual(now)
          const changed = [...now].filter(([name, problem]) => name !== one.node && problem !== before.get(name))
          expect(concerned).toEqual(expect.arrayContaining(changed.map(([name]) => name)))
          before = now
        }
      }),
    )
  })

  test('a change concerns those at its addresses, however many there are, and nobody for a bridge that all nodes have', () => {
    const index = new SharedAddresses(CLUSTER)
    const named = (n: number, last: string) => ({
      node: `node${n}`,
      machine: { kind: 'node', uid: 'u' } as const,
      addresses: [ip(`198.18.${n >> 8}.${n & 255}`), ip(last)],
    })
    for (let n = 1; n <= 2000; n += 1) index.put(named(n, '172.17.0.1'))
    expect(index.put(named(2001, '172.17.0.1'))).toEqual(['node2001'])
    expect(index.put(named(2001, '172.18.0.1'))).toEqual(['node2001'])
    index.put({ node: 'lb', machine: HOST, addresses: [ip('198.18.0.7')] })
    expect(index.put({ ...named(7, '172.17.0.1'), addresses: [ip('198.18.255.7')] })).toEqual(['lb', 'node7'])
    expect(index.remove('lb')).toEqual([])
  })
})

/** The naive way. */
function byComparing(machines: readonly Addressed[]): Map<string, string | undefined> {
  const all = machines.map((one) => ({ ...one, ranges: [] }))
  return new Map(
    all.map((one) => {
      const found = sharedAddress(CLUSTER, one, all)
      return [one.node, found && `${found.problem} (${found.remedy})`]
    }),
  )
}

/** A controller that goes on from step to step. */
class Running {
  readonly registry = new MemoryRegistry()
  #state = new ControllerState(() => 0)

  static async start(): Promise<Running> {
    const running = new Running()
    await running.registry.create('Cluster', 'default', CLUSTER)
    return running
  }

  async node(name: string, address: string): Promise<void> {
    const value = { name, uid: `uid-${name}`, addresses: [ip(address)] }
    const found = await this.registry.get('Node', name)
    if (found === undefined) await this.registry.create('Node', name, value)
    else await this.registry.update('Node', name, value, found.revision)
  }

  /** As others than `weft host` declare it. */
  async host(name: string, address: string): Promise<void> {
    const found = await this.registry.get('NodeNetwork', name)
    const value = { node: name, machine: HOST, addresses: [ip(address)], ranges: [] }
    if (found === undefined) await this.registry.create('NodeNetwork', name, value)
    else await this.registry.update('NodeNetwork', name, { ...found.value, addresses: [ip(address)] }, found.revision)
  }

  /** The cluster gets a network of the other family. */
  async widen(): Promise<void> {
    const revision = (await this.registry.get('Cluster', 'default'))?.revision ?? 0
    const networks = [...CLUSTER.networks, { cidr: cidr('fd01::/48'), hostBits: 64 }]
    await this.registry.update('Cluster', 'default', { ...CLUSTER, networks }, revision)
  }

  restart(): void {
    this.#state = new ControllerState(() => 0)
  }

  look(): void {
    this.#state.judged(new Map())
  }

  /** Writes until nothing is left to do; what was told. */
  async settle(): Promise<readonly string[]> {
    for (const kind of INPUTS) await this.#read(kind)
    const told: string[] = []
    for (let count = 0; ; count += 1) {
      const write = this.#state.next()
      if (write === undefined) return told.sort()
      if (count > 50) throw new Error('the controller never comes to rest')
      expect(await perform(this.registry, this.#state, write)).toMatchObject({ is: 'made' })
      if (write.op !== 'delete' && write.notice !== undefined) told.push(`${write.name} ${write.notice.code}`)
    }
  }

  async network(name: string): Promise<NodeNetwork | undefined> {
    return (await this.registry.get('NodeNetwork', name))?.value
  }

  async problem(name: string): Promise<string | undefined> {
    return (await this.network(name))?.problem
  }

  async #read<K extends Input>(kind: K): Promise<void> {
    this.#state.listed(kind, await this.registry.list(kind))
  }
}

describe('an external host at an address that is another’s', () => {
  test('is told so at once, gets no range, and the node is not touched; it ends when either of them moves', async () => {
    for (const mover of ['host', 'node'] as const) {
      const running = await Running.start()
      await running.node('node1', '192.0.2.11')
      await running.settle()
      const before = await running.registry.get('NodeNetwork', 'node1')
      await running.host('lb', '192.0.2.11')
      expect(await running.settle()).toEqual(['lb NODE_ADDRESS_SHARED'])
      expect(await running.network('lb')).toMatchObject({
        ranges: [],
        problem:
          "192.0.2.11 is node1's address: it stays the node's, and nobody serves this host there (give the host its own)",
      })
      expect(await running.registry.get('NodeNetwork', 'node1')).toEqual(before)
      await running[mover](mover === 'host' ? 'lb' : 'node1', '192.0.2.40')
      expect(await running.settle()).toEqual([])
      expect(await running.problem('lb')).toBeUndefined()
      expect((await running.network('lb'))?.ranges).toHaveLength(1)
    }
  })

  test('leaves the one that was there before what it has, whatever their names; both are told', async () => {
    const running = await Running.start()
    await running.host('lb2', '192.0.2.40')
    await running.settle()
    const ranges = (await running.network('lb2'))?.ranges
    await running.host('lb1', '192.0.2.40')
    expect(await running.settle()).toEqual(['lb1 NODE_ADDRESS_SHARED', 'lb2 NODE_ADDRESS_SHARED'])
    expect([(await running.network('lb1'))?.ranges, (await running.network('lb2'))?.ranges]).toEqual([[], ranges ?? []])
    running.restart()
    expect(await running.settle()).toEqual([])
    await running.registry.delete('NodeNetwork', 'lb2')
    expect(await running.settle()).toEqual([])
    expect((await running.network('lb1'))?.ranges).toHaveLength(1)
    expect(await running.problem('lb1')).toBeUndefined()
  })

  test('that has ranges keeps them while it is in somebody’s way: machines exchange addresses', async () => {
    const running = await Running.start()
    await running.node('node1', '192.0.2.11')
    await running.host('lb', '192.0.2.40')
    await running.settle()
    const ranges = (await running.network('lb'))?.ranges
    await running.node('node1', '192.0.2.40')
    expect(await running.settle()).toEqual(['lb NODE_ADDRESS_SHARED'])
    await running.host('lb', '192.0.2.11')
    expect(await running.settle()).toEqual([])
    expect(await running.network('lb')).toEqual({
      node: 'lb',
      machine: HOST,
      addresses: [ip('192.0.2.11')],
      ranges: ranges ?? [],
    })
  })
})

describe('two nodes at one address', () => {
  test('are told when it lasts, once, also by the next controller; nothing is held up', async () => {
    const running = await Running.start()
    await running.node('node1', '192.0.2.11')
    await running.node('node2', '192.0.2.11')
    expect(await running.settle()).toEqual([])
    expect((await running.network('node2'))?.ranges).toHaveLength(1)
    running.look()
    expect(await running.settle()).toEqual([])
    running.look()
    expect(await running.settle()).toEqual(['node1 NODE_ADDRESS_SHARED', 'node2 NODE_ADDRESS_SHARED'])
    expect(await running.problem('node1')).toContain("192.0.2.11 is node2's address too")
    running.restart()
    expect(await running.settle()).toEqual([])
    running.look()
    expect(await running.settle()).toEqual([])
    expect(await running.problem('node2')).toContain("192.0.2.11 is node1's address too")
    await running.widen()
    await running.settle()
    expect((await running.network('node1'))?.ranges).toHaveLength(2)
    await running.node('node1', '192.0.2.12')
    expect(await running.settle()).toEqual([])
    expect([await running.problem('node1'), await running.problem('node2')]).toEqual([undefined, undefined])
  })

  test('that exchange theirs are not told, and no record is written but for the addresses', async () => {
    const running = await Running.start()
    await running.node('node1', '192.0.2.11')
    await running.node('node2', '192.0.2.12')
    await running.settle()
    running.look()
    await running.node('node1', '192.0.2.12')
    expect(await running.settle()).toEqual([])
    const second = await running.registry.get('NodeNetwork', 'node2')
    running.look()
    expect(await running.settle()).toEqual([])
    expect(await running.registry.get('NodeNetwork', 'node2')).toEqual(second)
    await running.node('node2', '192.0.2.11')
    expect(await running.settle()).toEqual([])
    running.look()
    running.look()
    expect(await running.settle()).toEqual([])
    expect([await running.problem('node1'), await running.problem('node2')]).toEqual([undefined, undefined])
  })
})

test('a controller that runs tells it in the record, in an event and in its log, and takes it back', async () => {
  const registry = new MemoryRegistry()
  const aborter = new AbortController()
  const lines: string[] = []
  const events: string[] = []
  const { done } = startController({
    registry,
    signal: aborter.signal,
    random: () => 0,
    log: { info: () => undefined, warn: (_, line) => void lines.push(line), error: () => undefined },
    events: { warn: ({ kind, name }, { code }) => void events.push(`${kind} ${name} ${code}`) },
    lookEveryMs: 5,
  })
  const problem = async (name: string) => (await registry.get('NodeNetwork', name))?.value.problem
  await registry.create('Cluster', 'default', CLUSTER)
  for (const [name, address] of [
    ['node1', '192.0.2.11'],
    ['node2', '192.0.2.11'],
  ] as const) {
    await registry.create('Node', name, { name, uid: name, addresses: [ip(address)] })
  }
  await registry.create('NodeNetwork', 'lb', { node: 'lb', machine: HOST, addresses: [ip('192.0.2.11')], ranges: [] })
  for (const name of ['lb', 'node1', 'node2']) await until(async () => (await problem(name)) !== undefined)
  await until(async () => events.length === 3)
  expect(events.sort()).toEqual(['lb', 'node1', 'node2'].map((name) => `NodeNetwork ${name} NODE_ADDRESS_SHARED`))
  expect(lines).toHaveLength(3)
  const { revision } = (await registry.get('Node', 'node2')) ?? { revision: 0 }
  await registry.update('Node', 'node2', { name: 'node2', uid: 'node2', addresses: [ip('192.0.2.12')] }, revision)
  for (const name of ['node1', 'node2']) await until(async () => (await problem(name)) === undefined)
  expect(await problem('lb')).toContain("node1's address")
  await registry.delete('Node', 'node1')
  await until(async () => (await problem('lb')) === undefined)
  expect((await registry.get('NodeNetwork', 'lb'))?.value.ranges).toHaveLength(1)
  expect(events).toHaveLength(3)
  aborter.abort()
  await done
})

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await Bun.sleep(5)
}
