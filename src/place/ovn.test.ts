/** OVN's northbound database as the place of shared state: a controller works on it, and a server may come later. */
import { afterEach, describe, expect, test } from 'bun:test'
import { eventually } from '../../test/kube/process.ts'
import { startController } from '../controller/controller.ts'
import { InvalidObjects } from '../kube/invalid.ts'
import { cidr, ip } from '../network/model/address.ts'
import { type Central, SKIPPED, startCentral } from '../ovn/testing/central.ts'
import { MemoryRegistry } from '../registry/memory.ts'
import { RegistryError } from '../registry/registry.ts'
import { openOvn } from './ovn.ts'

if (SKIPPED !== undefined) console.log(SKIPPED)

const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
}, 60_000)

async function start(): Promise<Central> {
  const central = await startCentral({ northd: false })
  cleanups.push(central.stop)
  return central
}

const CLUSTER = {
  networks: [{ cidr: cidr('10.244.0.0/16'), hostBits: 8 }],
  serviceNetworks: [cidr('10.96.0.0/12')],
  ...({ tenancy: 'multitenant', underlay: 4, services: 'weft' } as const),
  encapsulation: { type: 'geneve', port: 6081 },
} as const

describe.skipIf(SKIPPED !== undefined)('OVN as the place of shared state', () => {
  test('a controller gives nodes their ranges as switches, and takes them back', async () => {
    const central = await start()
    const kubernetes = new MemoryRegistry()
    const { registry, close } = openOvn({ remotes: central.remotes, cluster: 'blue' }, kubernetes)
    cleanups.push(close)
    const aborter = new AbortController()
    const said: string[] = []
    const log = (_: object, message: string): void => void said.push(message)
    const { done } = startController({
      ...{ registry, signal: aborter.signal, random: Math.random, unreadable: new InvalidObjects() },
      log: { info: log, warn: log, error: log },
      backoff: { first: 5, most: 50 },
    })
    cleanups.push(async () => {
      aborter.abort()
      await done
    })
    await registry.create('Cluster', 'default', CLUSTER)
    for (const n of [1, 2]) {
      await kubernetes.create('Node', `n${n}`, { name: `n${n}`, uid: `u${n}`, addresses: [ip(`192.0.2.${n}`)] })
    }
    await kubernetes.create('Namespace', 'shop', { name: 'shop', uid: 'u9' })
    const subnets = async (): Promise<readonly string[]> => {
      const text = await central.nbctl('--bare', '--columns=other_config', 'list', 'Logical_Switch')
      return text.split('\n').filter((line) => line !== '')
    }
    const expectSoon = (check: () => Promise<void>) => eventually(check, 30_000)
    await expectSoon(async () =>
      expect((await subnets()).toSorted()).toEqual(['subnet=10.244.0.0/24', 'subnet=10.244.1.0/24']),
    )
    await expectSoon(async () => expect((await registry.get('Tenant', 'shop'))?.value.vni).toBeGreaterThan(9))
    await kubernetes.delete('Node', 'n1')
    await expectSoon(async () => expect(await subnets()).toHaveLength(1))
    // What somebody removes by hand comes back.
    await central.nbctl('ls-del', 'weft.blue.n2')
    await expectSoon(async () => expect(await subnets()).toHaveLength(1))
  }, 90_000)

  test('while nobody answers every call says so, and the first after that works', async () => {
    const central = await start()
    await central.servers[0]?.kill()
    const { registry, close } = openOvn({ remotes: central.remotes, cluster: 'blue' })
    cleanups.push(close)
    const failure = await registry.list('Tenant').catch((error: unknown) => error)
    expect(failure instanceof RegistryError && failure.code).toBe('REGISTRY_UNAVAILABLE')
    expect(String(failure)).toContain('service ovn-central')
    await central.servers[0]?.start()
    expect((await registry.list('Tenant')).objects).toEqual([])
    const unsaid = await registry.list('Pod').catch((error: unknown) => String(error))
    expect(unsaid).toContain('nothing says where the Kubernetes API server is')
  }, 60_000)
})
