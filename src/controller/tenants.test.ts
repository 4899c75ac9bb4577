import { describe, expect, test } from 'bun:test'
import { VniPool } from '../ipam/vni.ts'
import type { Tenant, TenantRequest } from '../network/model/tenant.ts'
import { MemoryRegistry } from '../registry/memory.ts'
import { decideTenants } from './tenants.ts'
import { applyWrite } from './write.ts'

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
    expect(after?.request).toBeUndefined()
    return after?.outcome
  }

  async settle(): Promise<readonly string[]> {
    for (let passes = 0; passes < 50; passes += 1) {
      const { writes, problems } = decideTenants({
        tenancy: this.#tenancy,
        namespaces: (await this.registry.list('Namespace')).objects,
        tenants: (await this.registry.list('Tenant')).objects,
        random: () => this.#chances.shift() ?? 0,
        ...(this.#limit === undefined ? {} : { pool: new VniPool(10, this.#limit) }),
      })
      if (writes.length === 0) return problems
      for (const write of writes) await applyWrite(this.registry, write)
    }
    throw new Error('decisions never come to rest')
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
    expect((await tenants.settle())[0]).toStartWith('namespace d has no VNI: range is full')
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
})
