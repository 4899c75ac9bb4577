import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { cidr, familyOf, ip, overlaps } from '../network/model/address.ts'
import type { Cluster } from '../network/model/cluster.ts'
import { MemoryRegistry } from '../registry/memory.ts'
import { type Registry, RegistryError } from '../registry/registry.ts'
import { type PassMemory, reconcile } from './reconcile.ts'

const CLUSTER: Cluster = {
  // Room for four nodes in IPv4: five of them meet exhaustion.
  networks: [
    { cidr: cidr('10.1.0.0/16'), hostBits: 14 },
    { cidr: cidr('fd01::/48'), hostBits: 64 },
  ],
  serviceNetworks: [],
  tenancy: 'multitenant',
  encapsulation: { type: 'geneve', port: 6081 },
  underlay: 4,
  services: 'weft',
}

type Step =
  | { readonly do: 'node'; readonly name: string; readonly uid: string; readonly host: number }
  | { readonly do: 'remove-node' | 'namespace' | 'remove-namespace'; readonly name: string }
  | {
      readonly do: 'ask'
      readonly name: string
      readonly action: 'join' | 'isolate' | 'global'
      readonly target: string
    }
  /** A pass of the controller that dies at its `crash`th call, before or after that call took effect. */
  | { readonly do: 'pass'; readonly crash: number; readonly after: boolean; readonly restart: boolean }

const nodeName = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const namespace = fc.constantFrom('default', 'red', 'green', 'blue')
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('node' as const), name: nodeName, uid: fc.constantFrom('u1', 'u2'), host: fc.nat(3) }),
  fc.record({ do: fc.constant('remove-node' as const), name: nodeName }),
  fc.record({ do: fc.constant('namespace' as const), name: namespace }),
  fc.record({ do: fc.constant('remove-namespace' as const), name: namespace }),
  fc.record({
    do: fc.constant('ask' as const),
    name: namespace,
    action: fc.constantFrom('join' as const, 'isolate' as const, 'global' as const),
    target: namespace,
  }),
  fc.record({ do: fc.constant('pass' as const), crash: fc.nat(12), after: fc.boolean(), restart: fc.boolean() }),
)

test('whatever happens in whatever order, and wherever the controller dies, the same holds in the end', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40, size: 'max' }),
      fc.infiniteStream(fc.double({ min: 0, max: 0.99, noNaN: true })),
      run,
    ),
    { numRuns: 300 },
  )
})

async function run(steps: readonly Step[], chances: fc.Stream<number>): Promise<void> {
  const registry = new MemoryRegistry()
  await registry.create('Cluster', 'default', CLUSTER)
  const random = (): number => chances.next().value ?? 0
  const joiners = new Set<string>()
  let memory: PassMemory = { position: [] }
  for (const [index, next] of steps.entries()) {
    if (next.do === 'ask' && next.action === 'join') joiners.add(next.name)
    if (next.do !== 'pass') await ignoring(perform(registry, next, index))
    else {
      const died = await ignoring(reconcile(mortal(registry, next.crash, next.after), random, memory))
      memory = next.restart || died === undefined ? { position: [] } : died.memory
    }
    // Doubled ranges and unasked sharing must not even be seen on the way.
    await expectNothingShared(registry, joiners)
  }
  for (let passes = 0; ; passes += 1) {
    const result = await reconcile(registry, random, memory)
    memory = result.memory
    if (result.written.length === 0 && result.overtaken.length === 0) break
    expect(passes).toBeLessThan(60)
  }
  await expectNothingShared(registry, joiners)
  await expectComplete(registry)
}

async function perform(registry: Registry, step: Exclude<Step, { do: 'pass' }>, index: number): Promise<unknown> {
  const { name } = step
  switch (step.do) {
    case 'node': {
      const value = { name, uid: `${name}-${step.uid}`, addresses: [ip(`192.0.2.${step.host + 1}`)] }
      const found = await registry.get('Node', name)
      return found === undefined
        ? registry.create('Node', name, value)
        : registry.update('Node', name, value, found.revision)
    }
    case 'remove-node':
      return registry.delete('Node', name)
    case 'namespace':
      return registry.create('Namespace', name, { name, uid: `uid-${index}` })
    case 'remove-namespace':
      return registry.delete('Namespace', name)
    case 'ask': {
      const found = await registry.get('Tenant', name)
      if (found === undefined) return undefined
      const { action, target } = step
      const request = action === 'join' ? { id: `${index}`, action, target } : { id: `${index}`, action }
      return registry.update('Tenant', name, { ...found.value, request }, found.revision)
    }
  }
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
    expect(value.nodeUid).toBe(node?.uid ?? '')
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
    expect(value.request).toBeUndefined()
    expect(value.uid).toBe(namespaces.find((candidate) => candidate.name === name)?.value.uid ?? '')
    if (name === 'default') expect(value.vni).toBe(0)
  }
}

/** The registry until the `crash`th call, which fails before or after it took effect, as do all that follow. */
function mortal(registry: MemoryRegistry, crash: number, after: boolean): Registry {
  let calls = 0
  return new Proxy(registry, {
    get(target, key) {
      const method: unknown = Reflect.get(target, key, target)
      if (typeof method !== 'function') return method
      return async (...args: unknown[]) => {
        calls += 1
        const result = calls < crash || (calls === crash && after) ? await method.apply(target, args) : undefined
        if (calls < crash) return result
        throw new RegistryError('REGISTRY_UNAVAILABLE', 'the controller died')
      }
    },
  })
}

/** What came of it, or undefined when the registry refused. */
async function ignoring<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    if (error instanceof RegistryError) return undefined
    throw error
  }
}
