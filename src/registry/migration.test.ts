import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { cidr, ip } from '../network/model/address.ts'
import type { NodeNetwork } from '../network/model/node.ts'
import type { Tenant } from '../network/model/tenant.ts'
import { examples } from './conformance-tools.ts'
import { MemoryRegistry } from './memory.ts'
import { migrate } from './migrate.ts'
import { type DecidedState, type GivenState, planMigration } from './migration.ts'
import type { Registry } from './registry.ts'

const CLUSTER = examples.Cluster.value

function network(node: string, range: string, uid = `uid-of-${node}`): NodeNetwork {
  return { node, machine: { kind: 'node', uid }, addresses: [ip('192.0.2.1')], ranges: [cidr(range)] }
}

function state(networks: readonly NodeNetwork[] = [], tenants: readonly Tenant[] = [], cluster = true): DecidedState {
  return {
    cluster: cluster ? CLUSTER : undefined,
    networks: new Map(networks.map((one) => [one.node, one])),
    tenants: new Map(tenants.map((one) => [one.namespace, one])),
  }
}

function given(nodes: readonly string[] = [], namespaces: readonly string[] = []): GivenState {
  return {
    nodes: new Map(nodes.map((name) => [name, { name, uid: `uid-of-${name}`, addresses: [] }])),
    namespaces: new Map(namespaces.map((name) => [name, { name, uid: `uid-of-${name}` }])),
  }
}

const EMPTY = state([], [], false)

describe('what is in the way', () => {
  const a = network('a', '10.128.0.0/23')
  const shop: Tenant = { namespace: 'shop', vni: 4711 }

  test.each<readonly [string, DecidedState, DecidedState, string]>([
    ['nothing to take over', EMPTY, EMPTY, 'there is no configuration'],
    ['another configuration', state(), { ...EMPTY, cluster: { ...CLUSTER, mtu: 1400 } }, 'another configuration'],
    ['another range', state([a]), state([network('a', '10.128.2.0/23')], [], false), 'it has 10.128.2.0/23 there'],
    ['a range that another has', state([a]), state([network('b', '10.128.0.0/22')]), 'overlaps with'],
    ['a range twice', state([a, network('b', '10.128.0.0/24')]), EMPTY, 'overlaps with'],
    ['another VNI', state([], [shop]), state([], [{ ...shop, vni: 12 }]), 'it has VNI 12 there, and 4711 here'],
    ['a VNI that another has', state([], [shop]), state([], [{ namespace: 'till', vni: 4711 }]), 'is that of till'],
  ])('%s', (_, source, target, reason) => {
    const { conflicts } = planMigration(source, target, given(['a', 'b'], ['shop', 'till']))
    expect(conflicts).toHaveLength(1)
    expect(conflicts[0]?.reason).toContain(reason)
  })

  test('neither what is global in both nor what is joined already', () => {
    const source = state([], [{ namespace: 'a', vni: 0 }, shop, { namespace: 'till', vni: 4711 }])
    const target = state([], [{ namespace: 'b', vni: 0 }, shop])
    expect(planMigration(source, target, given([], ['a', 'shop', 'till'])).conflicts).toEqual([])
  })
})

test('what belongs to nobody any more is left, and what k8s-ovs made is known by its name', () => {
  const made: NodeNetwork = { ...network('a', '10.128.0.0/23'), machine: { kind: 'external', vni: 0 } }
  const host: NodeNetwork = { ...network('lb', '10.128.4.0/23'), machine: { kind: 'external', vni: 0 } }
  const tenants: Tenant[] = [
    { namespace: 'gone', vni: 10 },
    { namespace: 'anew', vni: 11, uid: 'earlier' },
    { namespace: 'shop', vni: 12 },
  ]
  const { steps } = planMigration(
    state([made, host, network('b', '10.128.2.0/23')], tenants),
    EMPTY,
    given(['a'], ['anew', 'shop']),
  )
  expect(steps.map(({ name, does }) => [name, does])).toEqual([
    ['a', 'create'],
    ['lb', 'create'],
    ['b', 'left'],
    ['gone', 'left'],
    ['anew', 'left'],
    ['shop', 'create'],
    ['default', 'create'],
  ])
  expect(steps[0]?.value).toMatchObject({ machine: { kind: 'node', uid: 'uid-of-a' } })
  expect(steps[1]?.value).toMatchObject({ machine: { kind: 'external' } })
  expect(steps[5]?.value).toMatchObject({ uid: 'uid-of-shop' })
})

test('killed after any write and run again, it ends the same, with the configuration last', async () => {
  const names = ['a', 'b', 'c', 'd']
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(12), { maxLength: 6 }), async (deaths) => {
      const source = new MemoryRegistry()
      const target = new MemoryRegistry()
      await source.create('Cluster', 'default', CLUSTER)
      for (const [i, name] of names.entries()) {
        await source.create('NodeNetwork', name, network(name, `10.128.${2 * i}.0/23`))
        await source.create('Tenant', name, { namespace: name, vni: 100 + (i >> 1) })
        await target.create('Node', name, { name, uid: `uid-of-${name}`, addresses: [] })
        await target.create('Namespace', name, { name, uid: `uid-of-${name}` })
      }
      for (const writes of deaths) {
        await migrate({ source, target: mortal(target, writes) }).catch(() => undefined)
        const isWhole = (await target.get('Cluster', 'default')) !== undefined
        if (isWhole) expect((await target.list('Tenant')).objects).toHaveLength(names.length)
      }
      const end = await migrate({ source, target })
      expect(end.conflicts).toEqual([])
      expect(end.steps.every(({ does }) => does === 'same')).toBe(true)
      for (const name of names) {
        const ranges = (await source.get('NodeNetwork', name))?.value.ranges
        expect((await target.get('NodeNetwork', name))?.value.ranges).toEqual(ranges ?? [])
        expect((await target.get('Tenant', name))?.value.vni).toBe((await source.get('Tenant', name))?.value.vni ?? -1)
      }
    }),
    { numRuns: 30 },
  )
})

/** A registry to which only so many writes are made before everything ends, some of them unnoticed. */
function mortal(registry: Registry, writes: number): Registry {
  let left = writes
  return {
    get: (kind, name) => registry.get(kind, name),
    list: (kind) => registry.list(kind),
    watch: (kind, after, signal) => registry.watch(kind, after, signal),
    create: async (kind, name, value) => {
      if (left === 0) throw new Error('killed before')
      left -= 1
      const made = await registry.create(kind, name, value)
      if (left === 0) throw new Error('killed after')
      return made
    },
    update: () => Promise.reject(new Error('nothing that is there is changed')),
    delete: () => Promise.reject(new Error('nothing that is there is removed')),
  }
}
