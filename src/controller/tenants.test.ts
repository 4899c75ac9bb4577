import { describe, expect, test } from 'bun:test'
import { VniPool } from '../ipam/vni.ts'
import type { Tenant, TenantRequest } from '../network/model/tenant.ts'
import { MemoryRegistry } from '../registry/memory.ts'
import { reconcile } from './reconcile.ts'
import { clusterOf } from './testing/cluster.ts'

type Vnis = Readonly<Record<string, number>>

/** A cluster's tenants, driven by decisions until nothing is left to do. */
class Tenants {
  readonly registry = new MemoryRegistry()
  readonly #chances: number[]
  readonly #limit: number | undefined
  readonly #tenancy: 'multitenant' | 'subnet'

  constructor(chances: readonly number[] = [], limit?: number, tenancy: 'multitenant' | 'subnet' = 'multitenant') {
    this.#chances = [...chances]
    this.#limit = limit
    this.#tenancy = tenancy
  }

  async add(...names: readonly string[]): Promise<this> {
    for (const name of names) await this.registry.create('Namespace', name, { name, uid: `uid-${name}` })
    await this.settle()
    return this
  }

  async put(vnis: Vnis): Promise<this> {
    for (const [namespace, vni] of Object.entries(vnis)) {
      await this.registry.create('Namespace', namespace, { name: namespace, uid: 'u' })
      await this.registry.create('Tenant', namespace, { namespace, vni })
    }
    return this
  }

  async ask(namespace: string, action: 'join' | 'isolate' | 'global', target = ''): Promise<Tenant['outcome']> {
    const found = await this.registry.get('Tenant', namespace)
    if (found === undefined) throw new Error(`no tenant ${namespace}`)
    const request: TenantRequest = action === 'join' ? { id: 'r', action, target } : { id: 'r', action }
    await this.registry.update('Tenant', namespace, { ...found.value, request }, found.revision)
    await this.settle()
    const after = (await this.registry.get('Tenant', namespace))?.value
    // What is granted is taken away; what is refused stays.
    expect(after?.request).toEqual(after?.outcome?.accepted === false ? request : undefined)
    return after?.outcome
  }

  async settle(): Promise<void> {
    if ((await this.registry.get('Cluster', 'default')) === undefined) {
      await this.registry.create('Cluster', 'default', clusterOf({ tenancy: this.#tenancy }))
    }
    await this.#reconcile()
    // Judging again with the same verdict writes nothing.
    expect((await this.#reconcile()).written).toEqual([])
  }

  #reconcile() {
    const pool = this.#limit === undefined ? undefined : new VniPool(10, this.#limit)
    return reconcile(this.registry, () => this.#chances.shift() ?? 0, pool)
  }

  async vnis(): Promise<Vnis> {
    const { objects } = await this.registry.list('Tenant')
    return Object.fromEntries(objects.map(({ name, value }) => [name, value.vni]))
  }
}

describe('tenants', () => {
  test('the worked example of the k8s-ovs administration guide', async () => {
    const chanceFor = (vni: number): number => (vni - 10 + 0.5) / (0xffffff - 10 + 1)
    const tenants = new Tenants([chanceFor(6693608)])
    await tenants.put({ helloworld1: 300924, helloworld2: 3831805, helloworld3: 12800140 })
    await tenants.ask('helloworld1', 'join', 'helloworld2')
    expect(await tenants.vnis()).toEqual({ helloworld1: 3831805, helloworld2: 3831805, helloworld3: 12800140 })
    await tenants.ask('helloworld1', 'isolate')
    expect(await tenants.vnis()).toEqual({ helloworld1: 6693608, helloworld2: 3831805, helloworld3: 12800140 })
    await tenants.ask('helloworld3', 'global')
    expect((await tenants.vnis())['helloworld3']).toBe(0)
  })

  test('the scenario of OpenShift SDN: TestMasterVNIDMap', async () => {
    const tenants = await new Tenants().add('default', 'alpha', 'bravo', 'charlie')
    const shape = async (): Promise<readonly number[]> => {
      const vnis = Object.values(await tenants.vnis())
      return [vnis.length, new Set(vnis.filter((vni) => vni !== 0)).size]
    }
    expect(await shape()).toEqual([4, 3])
    expect((await tenants.vnis())['default']).toBe(0)
    await tenants.ask('alpha', 'join', 'bravo')
    expect(await shape()).toEqual([4, 2])
    expect(await tenants.ask('alpha', 'join', 'bogus')).toMatchObject({
      accepted: false,
      code: 'TENANT_UNKNOWN_TARGET',
    })
    await tenants.ask('alpha', 'global')
    await tenants.ask('charlie', 'global')
    expect(await shape()).toEqual([4, 1])
    const { bravo } = await tenants.vnis()
    await tenants.ask('alpha', 'isolate')
    await tenants.ask('bravo', 'isolate')
    expect((await tenants.vnis())['bravo']).toBe(bravo as number)
    expect(await shape()).toEqual([4, 2])
    for (const name of ['default', 'alpha', 'bravo', 'charlie']) await tenants.registry.delete('Namespace', name)
    await tenants.settle()
    expect(await shape()).toEqual([0, 0])
  })

  const cases: readonly {
    readonly title: string
    readonly before: Vnis
    readonly ask: readonly [string, 'join' | 'isolate' | 'global', string?]
    readonly outcome: object
    readonly after: Vnis
  }[] = [
    {
      title: 'joins',
      before: { a: 20, b: 30 },
      ask: ['a', 'join', 'b'],
      outcome: { accepted: true },
      after: { a: 30, b: 30 },
    },
    {
      title: 'joins a global one',
      before: { a: 20, b: 0 },
      ask: ['a', 'join', 'b'],
      outcome: { accepted: true },
      after: { a: 0, b: 0 },
    },
    {
      title: 'joins itself',
      before: { a: 20 },
      ask: ['a', 'join', 'a'],
      outcome: { accepted: false, code: 'TENANT_SELF_JOIN' },
      after: { a: 20 },
    },
    {
      title: 'joins nobody',
      before: { a: 20 },
      ask: ['a', 'join', 'x'],
      outcome: { accepted: false, code: 'TENANT_UNKNOWN_TARGET' },
      after: { a: 20 },
    },
    {
      title: 'joins a prototype',
      before: { a: 20 },
      ask: ['a', 'join', '__proto__'],
      outcome: { accepted: false, code: 'TENANT_UNKNOWN_TARGET' },
      after: { a: 20 },
    },
    {
      title: 'isolates default',
      before: { default: 0 },
      ask: ['default', 'isolate'],
      outcome: { accepted: false, code: 'TENANT_DEFAULT_MUST_BE_GLOBAL' },
      after: { default: 0 },
    },
    {
      title: 'joins default to a tenant',
      before: { default: 0, a: 20 },
      ask: ['default', 'join', 'a'],
      outcome: { accepted: false, code: 'TENANT_DEFAULT_MUST_BE_GLOBAL' },
      after: { default: 0, a: 20 },
    },
    {
      title: 'isolates a sole user',
      before: { a: 20 },
      ask: ['a', 'isolate'],
      outcome: { accepted: true },
      after: { a: 20 },
    },
    {
      title: 'isolates one of two',
      before: { a: 20, b: 20 },
      ask: ['a', 'isolate'],
      outcome: { accepted: true },
      after: { a: 10, b: 20 },
    },
    {
      title: 'isolates the only global one',
      before: { a: 0 },
      ask: ['a', 'isolate'],
      outcome: { accepted: true },
      after: { a: 10 },
    },
    {
      title: 'globalises',
      before: { a: 20, b: 20 },
      ask: ['a', 'global'],
      outcome: { accepted: true },
      after: { a: 0, b: 20 },
    },
    {
      title: 'globalises a global one',
      before: { a: 0 },
      ask: ['a', 'global'],
      outcome: { accepted: true },
      after: { a: 0 },
    },
  ]
  for (const { title, before, ask, outcome, after } of cases) {
    test(title, async () => {
      const tenants = await new Tenants().put(before)
      expect(await tenants.ask(...ask)).toMatchObject({ id: 'r', ...outcome })
      expect(await tenants.vnis()).toEqual(after)
    })
  }

  test('an empty pool refuses with the reason and leaves a new namespace without a VNI', async () => {
    const tenants = await new Tenants([], 11).put({ a: 10, b: 11, c: 11 })
    expect(await tenants.ask('c', 'isolate')).toMatchObject({ accepted: false, code: 'TENANT_VNIS_EXHAUSTED' })
    await tenants.add('d')
    expect((await tenants.registry.get('Namespace', 'd'))?.value.problem).toStartWith('range is full')
    expect(await tenants.vnis()).toEqual({ a: 10, b: 11, c: 11 })
    await tenants.registry.delete('Namespace', 'a')
    await tenants.settle()
    expect(await tenants.vnis()).toEqual({ b: 11, c: 11, d: 10 })
    expect((await tenants.registry.get('Namespace', 'd'))?.value).toEqual({ name: 'd', uid: 'uid-d' })
  })

  test('without isolation every tenant is global and requests are refused', async () => {
    const tenants = await new Tenants([], undefined, 'subnet').put({ a: 20 })
    await tenants.add('b')
    expect(await tenants.vnis()).toEqual({ a: 0, b: 0 })
    expect(await tenants.ask('a', 'isolate')).toMatchObject({ accepted: false, code: 'TENANT_TENANCY_IS_SUBNET' })
  })

  test('a namespace that was deleted and made again does not inherit what the old one had joined', async () => {
    const tenants = await new Tenants().add('a', 'b')
    await tenants.ask('a', 'join', 'b')
    await tenants.registry.delete('Namespace', 'a')
    await tenants.registry.create('Namespace', 'a', { name: 'a', uid: 'another' })
    await tenants.settle()
    const { a, b } = await tenants.vnis()
    expect(a).not.toBe(b as number)
  })

  test('a refused request is judged again when what it lacked is there', async () => {
    const tenants = await new Tenants().add('a')
    expect(await tenants.ask('a', 'join', 'late')).toMatchObject({ accepted: false })
    await tenants.add('late')
    const { a, late } = await tenants.vnis()
    expect(a).toBe(late as number)
    expect((await tenants.registry.get('Tenant', 'a'))?.value).toMatchObject({ outcome: { id: 'r', accepted: true } })
  })

  test('words that nobody understands are refused by name', async () => {
    const tenants = await new Tenants().add('a')
    const found = await tenants.registry.get('Tenant', 'a')
    if (found === undefined) throw new Error('no tenant')
    const request = { id: 'r', action: 'unknown', text: 'leave' } as const
    await tenants.registry.update('Tenant', 'a', { ...found.value, request }, found.revision)
    await tenants.settle()
    const outcome = { code: 'TENANT_UNKNOWN_ACTION', message: expect.stringContaining('"leave"') }
    expect((await tenants.registry.get('Tenant', 'a'))?.value).toMatchObject({ request, outcome })
  })

  test('a refusal goes with its request', async () => {
    const tenants = await new Tenants().add('a')
    await tenants.ask('a', 'join', 'a')
    const found = await tenants.registry.get('Tenant', 'a')
    if (found === undefined) throw new Error('no tenant')
    const { request: _, ...withdrawn } = found.value
    await tenants.registry.update('Tenant', 'a', withdrawn, found.revision)
    await tenants.settle()
    expect((await tenants.registry.get('Tenant', 'a'))?.value.outcome).toBeUndefined()
  })

  test('a tenant made before its namespace waits for it and is its own from then on', async () => {
    const tenants = await new Tenants().add('a')
    await tenants.registry.create('Tenant', 'early', { namespace: 'early', vni: 99 })
    await tenants.settle()
    await tenants.add('early')
    expect((await tenants.registry.get('Tenant', 'early'))?.value).toEqual({
      namespace: 'early',
      uid: 'uid-early',
      vni: 99,
    })
    await tenants.registry.delete('Namespace', 'early')
    await tenants.settle()
    expect(await tenants.registry.get('Tenant', 'early')).toBeUndefined()
  })

  test('a tenant that is deleted by hand is made anew', async () => {
    const tenants = await new Tenants([0.5, 0.25]).add('a')
    const { a } = await tenants.vnis()
    await tenants.registry.delete('Tenant', 'a')
    await tenants.settle()
    expect((await tenants.vnis())['a']).not.toBe(a as number)
  })
})
