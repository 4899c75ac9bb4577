import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Cidr, cidr, familyOf, ip, overlaps } from '../network/model/address.ts'
import type { Tenant } from '../network/model/tenant.ts'
import { type Registry, RegistryError } from '../registry/registry.ts'
import { INPUTS, type Input } from './state.ts'
import { Adversary, type Fate } from './testing/adversary.ts'
import { clusterOf } from './testing/cluster.ts'

const CLUSTER = clusterOf({
  // Room for four nodes in IPv4: five of them meet exhaustion.
  networks: [
    { cidr: cidr('10.1.0.0/16'), hostBits: 14 },
    { cidr: cidr('fd01::/48'), hostBits: 64 },
  ],
  encapsulation: { type: 'geneve', port: 6081 },
})

const RUNS = Number(process.env['WEFT_RUNS'] ?? 600)

/** What others do. */
type Deed =
  | { readonly do: 'node'; readonly name: string; readonly uid: string; readonly host: number }
  | {
      readonly do:
        | 'remove-node'
        | 'remove-network'
        | 'edit-network'
        | 'namespace'
        | 'remove-namespace'
        | 'remove-tenant'
        | 'status'
      readonly name: string
    }
  | { readonly do: 'ask'; readonly name: string; readonly action: string; readonly target: string }
  | { readonly do: 'withdraw' | 'renumber'; readonly name: string }

/** What becomes of the controller and of its calls. */
type Turn =
  | { readonly do: 'start'; readonly fate: Fate }
  | { readonly do: 'answer' | 'arrive' | 'restart' | 'settle' }
  | { readonly do: 'hear'; readonly kind: Input; readonly count: number }
  | { readonly do: 'relist'; readonly kind: Input }

type Step = Deed | Turn

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const namespace = fc.constantFrom('default', 'red', 'green', 'blue')
const kind = fc.constantFrom(...INPUTS)
const deed: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({ do: fc.constant('node' as const), name, uid: fc.constantFrom('u1', 'u2'), host: fc.nat(3) }),
  fc.record({
    do: fc.constantFrom('remove-node' as const, 'remove-network' as const, 'edit-network' as const, 'status' as const),
    name,
  }),
  fc.record({
    do: fc.constantFrom(
      'namespace' as const,
      'namespace' as const,
      'remove-namespace' as const,
      'remove-tenant' as const,
      'withdraw' as const,
      'renumber' as const,
    ),
    name: namespace,
  }),
  fc.record({
    do: fc.constant('ask' as const),
    name: namespace,
    action: fc.constantFrom('join', 'join', 'isolate', 'global', 'leave'),
    target: namespace,
  }),
)
const fate = fc.constantFrom<Fate>('answered', 'answered', 'answered', 'lost before', 'lost after', 'late')
const turn: fc.Arbitrary<Turn> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('start' as const), fate }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('answer' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('hear' as const), kind, count: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('arrive' as const, 'restart' as const, 'settle' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('relist' as const), kind }) },
)
const step: fc.Arbitrary<Step> = fc.oneof({ weight: 1, arbitrary: deed }, { weight: 2, arbitrary: turn })

test(
  'whatever happens in whatever order, and wherever the controller dies, the same holds in the end',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 80, size: 'max' }),
        // Few chances: what is free is soon taken again.
        fc.infiniteStream(fc.constantFrom(0, 0.5)),
        run,
      ),
      { numRuns: RUNS },
    )
    // So that a busy machine makes no difference.
  },
  RUNS * 300,
)

async function run(steps: readonly Step[], chances: fc.Stream<number>): Promise<void> {
  const adversary = new Adversary(() => chances.next().value ?? 0)
  const { registry } = adversary
  await registry.create('Cluster', 'default', CLUSTER)
  await adversary.restart()
  // Most trouble comes to those who have something already.
  for (const [index, name] of ['default', 'red', 'green', 'blue'].entries()) {
    await registry.create('Namespace', name, { name, uid: `first-${index}` })
  }
  for (const name of ['a', 'b', 'c']) {
    await registry.create('Node', name, { name, uid: `${name}-u1`, addresses: [ip('192.0.2.1')] })
  }
  await adversary.settle()
  const joiners = new Set<string>()
  let lasting = await rangesOf(registry)
  for (const [index, next] of steps.entries()) {
    if (next.do === 'ask' && next.action === 'join') joiners.add(next.name)
    if (next.do === 'node' || next.do === 'remove-node') lasting.delete(next.name)
    if (isTurn(next)) await take(adversary, next)
    else await ignoring(perform(registry, next, index))
    // Doubled ranges and unasked sharing must not even be seen on the way.
    await expectNothingShared(registry, joiners)
    if (next.do === 'settle') await expectLasting(registry, lasting)
    // What the controller saw when it came to rest is what it remembers.
    if (next.do === 'settle') lasting = await rangesOf(registry)
    if (next.do === 'restart') lasting.clear()
  }
  await adversary.settle()
  await expectLasting(registry, lasting)
  await expectNothingShared(registry, joiners)
  await expectComplete(registry)
}

function isTurn(step: Step): step is Turn {
  return ['start', 'answer', 'arrive', 'restart', 'settle', 'hear', 'relist'].includes(step.do)
}

async function take(adversary: Adversary, turn: Turn): Promise<void> {
  switch (turn.do) {
    case 'start':
      return adversary.start(turn.fate)
    case 'hear':
      return adversary.hear(turn.kind, turn.count)
    case 'relist':
      return adversary.relist(turn.kind)
    default:
      return adversary[turn.do]()
  }
}

async function perform(registry: Registry, deed: Deed, index: number): Promise<unknown> {
  const { name } = deed
  switch (deed.do) {
    case 'node': {
      const value = { name, uid: `${name}-${deed.uid}`, addresses: [ip(`192.0.2.${deed.host + 1}`)] }
      const found = await registry.get('Node', name)
      return found === undefined
        ? registry.create('Node', name, value)
        : registry.update('Node', name, value, found.revision)
    }
    case 'remove-node':
      return registry.delete('Node', name)
    case 'remove-network':
      return registry.delete('NodeNetwork', name)
    case 'edit-network': {
      // To one range, which nobody else has.
      const found = await registry.get('NodeNetwork', name)
      const ranges = [cidr(`fd01:0:0:${(0xf000 + index).toString(16)}::/64`)]
      return found && registry.update('NodeNetwork', name, { ...found.value, ranges }, found.revision)
    }
    case 'namespace':
      return registry.create('Namespace', name, { name, uid: `uid-${index}` })
    case 'remove-namespace':
      return registry.delete('Namespace', name)
    case 'remove-tenant':
      return registry.delete('Tenant', name)
    case 'status': {
      const found = await registry.get('NodeNetwork', name)
      const status = { ready: true, uplinkMtu: 1000 + index, datapath: 'netdev' } as const
      return found && registry.update('NodeNetwork', name, { ...found.value, status }, found.revision)
    }
    case 'ask': {
      const { action, target } = deed
      const id = `${index}`
      if (action === 'join') return change(registry, name, (tenant) => ({ ...tenant, request: { id, action, target } }))
      if (action === 'isolate' || action === 'global')
        return change(registry, name, (tenant) => ({ ...tenant, request: { id, action } }))
      return change(registry, name, (tenant) => ({ ...tenant, request: { id, action: 'unknown', text: action } }))
    }
    case 'withdraw':
      return change(registry, name, ({ request: _, ...tenant }) => tenant)
    case 'renumber':
      // By hand, to what nobody else has.
      return change(registry, name, (tenant) => ({ ...tenant, vni: 0xf00000 + index }))
  }
}

async function change(registry: Registry, name: string, by: (tenant: Tenant) => Tenant): Promise<unknown> {
  const found = await registry.get('Tenant', name)
  return found && registry.update('Tenant', name, by(found.value), found.revision)
}

async function rangesOf(registry: Registry): Promise<Map<string, readonly Cidr[]>> {
  const { objects } = await registry.list('NodeNetwork')
  return new Map(objects.map(({ name, value }) => [name, value.ranges]))
}

/** Nodes that stayed keep what they had, whatever others did to their networks. */
async function expectLasting(registry: Registry, lasting: ReadonlyMap<string, readonly Cidr[]>): Promise<void> {
  const now = await rangesOf(registry)
  for (const [name, ranges] of lasting) expect(now.get(name)).toEqual(expect.arrayContaining([...ranges]))
}

async function expectNothingShared(registry: Registry, joiners: ReadonlySet<string>): Promise<void> {
  const { objects } = await registry.list('NodeNetwork')
  const ranges = objects.flatMap(({ value }) => value.ranges)
  for (const [i, a] of ranges.entries()) expect(ranges.slice(i + 1).filter((b) => overlaps(a, b))).toEqual([])
  const users = Map.groupBy((await registry.list('Tenant')).objects, ({ value }) => value.vni)
  for (const [vni, sharing] of users) {
    if (vni === 0 || sharing.length === 1) continue
    // All but the first of those who share asked for it.
    const joined = sharing.filter(({ name }) => joiners.has(name))
    expect(joined.length).toBeGreaterThanOrEqual(sharing.length - 1)
  }
}

async function expectComplete(registry: Registry): Promise<void> {
  const nodes = (await registry.list('Node')).objects
  const networks = (await registry.list('NodeNetwork')).objects
  expect(networks.map(({ name }) => name).toSorted()).toEqual(nodes.map(({ name }) => name).toSorted())
  for (const { name, value } of networks) {
    const node = nodes.find((candidate) => candidate.name === name)?.value
    expect(value.machine).toEqual(node === undefined ? { kind: 'external', vni: 0 } : { kind: 'node', uid: node.uid })
    expect(value.addresses).toEqual(node?.addresses ?? [])
    const families = value.ranges.map((range) => familyOf(range))
    expect(families.includes(6)).toBe(true)
    expect(families.includes(4)).toBe(value.problem === undefined)
  }
  expect(networks.filter(({ value }) => value.problem === undefined)).toHaveLength(Math.min(4, nodes.length))
  const namespaces = (await registry.list('Namespace')).objects
  const tenants = (await registry.list('Tenant')).objects
  expect(tenants.map(({ name }) => name).toSorted()).toEqual(namespaces.map(({ name }) => name).toSorted())
  for (const { name, value } of tenants) {
    expect(value.uid).toBe(namespaces.find((candidate) => candidate.name === name)?.value.uid ?? '')
    expectJudged(value, new Set(namespaces.map((one) => one.name)))
  }
}

/** A request that is left is refused, and there is still a reason to. */
function expectJudged({ namespace, request, outcome }: Tenant, namespaces: ReadonlySet<string>): void {
  if (request === undefined) expect(outcome?.accepted).not.toBe(false)
  else {
    expect(outcome).toMatchObject({ id: request.id, accepted: false })
    const isLost = request.action === 'join' && !namespaces.has(request.target)
    const isSelf = request.action === 'join' && request.target === namespace
    expect(isLost || isSelf || request.action === 'unknown' || namespace === 'default').toBe(true)
  }
}

async function ignoring<T>(promise: Promise<T>): Promise<void> {
  try {
    await promise
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
  }
}
