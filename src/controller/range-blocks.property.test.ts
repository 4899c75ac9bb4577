import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { AddressPool } from '../ipam/pool.ts'
import { type RangeUse, rangeNeed } from '../ipam/range-need.ts'
import { type Cidr, cidr, ip, overlaps } from '../network/model/address.ts'
import type { NodeNetwork, NodeNetworkStatus } from '../network/model/node.ts'
import type { Stored } from '../registry/registry.ts'
import { INPUTS } from './state.ts'
import { Adversary, type Fate } from './testing/adversary.ts'
import { clusterOf } from './testing/cluster.ts'

/** Ranges of five addresses for pods each; four nodes want more of them than there are. */
const CLUSTER = clusterOf({ networks: [{ cidr: cidr('10.1.0.0/25'), hostBits: 3 }], rangesPerNode: 6 })
const NAMES = ['a', 'b', 'c', 'd']
const RUNS = Number(process.env['WEFT_RUNS'] ?? 40)

/** A node's agent: what its watch told it, and the pods that it recorded in its switch, which outlive it. */
class Agent {
  readonly pods = new Set<string>()
  seen: NodeNetwork | undefined
  /** What it said, oldest first. The controller hears of it when it does. */
  readonly said: NodeNetworkStatus[] = []

  attach(): void {
    const closed = new Set(this.seen?.closing?.map(({ range }) => range))
    for (const range of this.seen?.ranges ?? []) {
      const pool = this.#pool(range)
      if (closed.has(range) || pool.busy(0) >= Number(pool.capacity)) continue
      this.pods.add(pool.allocate(0))
      return
    }
  }

  /** The pod that came last goes. */
  detach(): void {
    const last = [...this.pods].at(-1)
    if (last !== undefined) this.pods.delete(last)
  }

  report(): void {
    const closing = new Map(this.seen?.closing?.map(({ range, since }) => [range, since]))
    const uses = (this.seen?.ranges ?? []).map((range): RangeUse => {
      const pool = this.#pool(range)
      const since = closing.get(range)
      return { range, capacity: pool.capacity, busy: pool.busy(0), ...(since === undefined ? {} : { since }) }
    })
    this.said.push({ ready: true, uplinkMtu: 1500, datapath: 'netdev', ...rangeNeed(uses, CLUSTER.rangesPerNode ?? 1) })
  }

  #pool(range: Cidr): AddressPool {
    const pool = new AddressPool(range)
    for (const pod of this.pods) if (overlaps(range, cidr(`${pod}/32`))) pool.mark(ip(pod))
    return pool
  }
}

/** How often there was what the property is about, over all runs: runs in which nothing closes show nothing. */
const SEEN = { given: 0, closed: 0, taken: 0, late: 0, restarts: 0 }

/** What became of a node's ranges from one look to the next. */
function noteChange(before: NodeNetwork | undefined, { ranges, closing = [] }: NodeNetwork): void {
  const [had, was] = [before?.ranges ?? [], new Set(before?.closing?.map(({ range }) => range))]
  SEEN.given += ranges.filter((range) => !had.includes(range)).length
  SEEN.closed += closing.filter(({ range }) => !was.has(range)).length
  SEEN.taken += had.filter((range) => !ranges.includes(range)).length
}

class World {
  readonly adversary = new Adversary(() => 0)
  readonly agents = new Map(NAMES.map((name) => [name, new Agent()]))
  /** How much of what agents said was read, and a copy of it that is about to be written. */
  readonly #read = new Map<string, number>()
  readonly #copying = new Map<string, { readonly record: Stored<'NodeNetwork'>; readonly status: NodeNetworkStatus }>()
  readonly #firsts = new Map<string, Cidr>()
  readonly #before = new Map<string, NodeNetwork>()

  async begin(): Promise<void> {
    const { registry } = this.adversary
    await registry.create('Cluster', 'default', CLUSTER)
    for (const [index, name] of NAMES.entries())
      await registry.create('Node', name, { name, uid: `uid-${name}`, addresses: [ip(`192.0.2.${index + 1}`)] })
    // Most trouble comes to those who have something to lose.
    for (const [index, name] of ['a', 'b'].entries()) {
      const ranges = [0, 1, 2, 3].map((n) => cidr(`10.1.0.${32 * index + 8 * n}/29`))
      const record = { node: name, machine: { kind: 'node', uid: `uid-${name}` }, addresses: [], ranges } as const
      await registry.create('NodeNetwork', name, record)
    }
    await this.adversary.restart()
    await this.adversary.settle()
    for (const name of NAMES) await this.see(name)
    for (const name of ['a', 'b']) for (let n = 0; n < 18; n += 1) this.agents.get(name)?.attach()
  }

  async see(name: string): Promise<void> {
    const found = await this.adversary.registry.get('NodeNetwork', name)
    const agent = this.agents.get(name)
    if (agent !== undefined && found !== undefined) agent.seen = found.value
  }

  /** The controller reads one more report, or none, and the record as it is. */
  async read(name: string): Promise<void> {
    const record = await this.adversary.registry.get('NodeNetwork', name)
    const said = this.agents.get(name)?.said ?? []
    const at = Math.min((this.#read.get(name) ?? 0) + 1, said.length)
    this.#read.set(name, at)
    const status = said[at - 1]
    if (record !== undefined && status !== undefined) this.#copying.set(name, { record, status })
  }

  async copy(name: string): Promise<void> {
    const copying = this.#copying.get(name)
    this.#copying.delete(name)
    if (copying === undefined) return
    const { record, status } = copying
    const { registry } = this.adversary
    await registry.update('NodeNetwork', name, { ...record.value, status }, record.revision).catch(() => undefined)
  }

  /** Until nobody has anything to say or to write. */
  async rest(): Promise<void> {
    for (let before = ''; ; ) {
      for (const name of NAMES) {
        const agent = this.agents.get(name)
        await this.copy(name)
        await this.see(name)
        agent?.report()
        this.#read.set(name, (agent?.said.length ?? 1) - 1)
        await this.read(name)
        await this.copy(name)
      }
      await this.adversary.settle()
      const { objects } = await this.adversary.registry.list('NodeNetwork')
      const now = JSON.stringify(objects.map(({ value }) => value))
      if (now === before) return
      before = now
    }
  }

  async records(): Promise<readonly NodeNetwork[]> {
    return (await this.adversary.registry.list('NodeNetwork')).objects.map(({ value }) => value)
  }

  /** Nobody's range is another's, and no pod lives in what its node has not. */
  async check(): Promise<void> {
    const records = await this.records()
    for (const record of records) {
      noteChange(this.#before.get(record.node), record)
      this.#before.set(record.node, record)
    }
    const all = records.flatMap(({ ranges }) => ranges)
    for (const [index, range] of all.entries())
      expect(all.slice(index + 1).filter((other) => overlaps(range, other))).toEqual([])
    for (const { node, ranges } of records) {
      const stray = [...(this.agents.get(node)?.pods ?? [])].filter(
        (pod) => !ranges.some((range) => overlaps(range, cidr(`${pod}/32`))),
      )
      expect([node, stray]).toEqual([node, []])
      const [first] = ranges
      if (first === undefined) continue
      expect(first).toBe(this.#firsts.get(node) ?? first)
      this.#firsts.set(node, first)
    }
  }
}

const DEEDS = {
  attach: (world: World, name: string) => world.agents.get(name)?.attach(),
  detach: (world: World, name: string) => world.agents.get(name)?.detach(),
  tell: async (world: World, name: string) => {
    world.agents.get(name)?.report()
    await world.read(name)
    await world.copy(name)
  },
  report: (world: World, name: string) => world.agents.get(name)?.report(),
  see: (world: World, name: string) => world.see(name),
  read: (world: World, name: string) => world.read(name),
  copy: (world: World, name: string) => world.copy(name),
  // Another agent knows what the switch recorded, and reads the record before anything else.
  'kill the agent of': (world: World, name: string) => world.see(name),
} as const

const deed = fc.record({
  deed: fc.constantFrom(
    ...(['attach', 'detach', 'detach', 'report', 'see', 'see', 'tell', 'tell', 'tell', 'read', 'copy'] as const),
    'kill the agent of' as const,
  ),
  name: fc.constantFrom('a', 'a', 'b', 'c'),
  times: fc.integer({ min: 1, max: 5 }),
})
const fate = fc.constantFrom<Fate>('answered', 'answered', 'lost before', 'lost after', 'late')
const turn = fc.oneof(
  fc.record({ turn: fc.constant('start' as const), fate }),
  fc.record({ turn: fc.constantFrom('answer' as const, 'answer' as const, 'arrive' as const) }),
  fc.record({ turn: fc.constantFrom('hear' as const, 'hear' as const, 'settle' as const, 'restart' as const) }),
)

type Step =
  typeof deed extends fc.Arbitrary<infer D> ? D | (typeof turn extends fc.Arbitrary<infer T> ? T : never) : never

async function take(world: World, step: Step): Promise<void> {
  if ('deed' in step) for (let n = 0; n < step.times; n += 1) await DEEDS[step.deed](world, step.name)
  else if (step.turn === 'start') {
    if (step.fate === 'late') SEEN.late += 1
    await world.adversary.start(step.fate)
  } else if (step.turn === 'hear') for (const kind of INPUTS) world.adversary.hear(kind, 3)
  else {
    if (step.turn === 'restart') SEEN.restarts += 1
    await world.adversary[step.turn]()
  }
}

test(
  'ranges come and go with pods: never two owners, none taken from a pod, whoever dies when; in the end none is lost',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(deed, turn), { maxLength: 120, size: 'max' }), async (steps) => {
        const world = new World()
        await world.begin()
        for (const step of steps) {
          await take(world, step)
          await world.check()
        }
        await world.rest()
        await world.check()
        for (const { pods } of world.agents.values()) pods.clear()
        await world.rest()
        expect((await world.records()).map(({ ranges, closing }) => [ranges.length, closing])).toEqual(
          NAMES.map(() => [1, undefined]),
        )
      }),
      { numRuns: RUNS },
    )
    expect(Object.entries(SEEN).filter(([, count]) => count === 0)).toEqual([])
    expect(Math.min(SEEN.given, SEEN.taken)).toBeGreaterThan(RUNS / 4)
  },
  RUNS * 1000,
)

test('a node that fills up gets range after range, as many as it may; others get what it gives back', async () => {
  const world = new World()
  await world.begin()
  for (const { pods } of world.agents.values()) pods.clear()
  await world.rest()
  const a = world.agents.get('a')
  for (let n = 0; n < 32; n += 1) {
    a?.attach()
    await world.rest()
  }
  expect([a?.pods.size, (await world.records())[0]?.ranges.length]).toEqual([30, 6])
  await world.check()
  for (const name of ['b', 'c'])
    for (let n = 0; n < 32; n += 1) {
      world.agents.get(name)?.attach()
      await world.rest()
    }
  const [, , c] = await world.records()
  expect([c?.ranges.length, c?.problem]).toEqual([
    3,
    expect.stringContaining('its pods need a further range: no subnets available'),
  ])
  a?.pods.clear()
  await world.rest()
  for (let n = 0; n < 32; n += 1) {
    world.agents.get('c')?.attach()
    await world.rest()
  }
  expect((await world.records()).map(({ ranges, problem }) => [ranges.length, problem])).toEqual([
    [1, undefined],
    [6, undefined],
    [6, undefined],
    [1, undefined],
  ])
}, 60_000)
