/**
 * The registry's conformance suite on a real northbound database; the kinds that it does not keep are in memory. And what
 * only this registry meets: rows removed by hand, two processes, servers that die.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { cidr } from '../../network/model/address.ts'
import { type RegistryUnderTest, registryConformance } from '../../registry/conformance.ts'
import { LayeredRegistry, layersOf } from '../../registry/layered.ts'
import { MemoryRegistry } from '../../registry/memory.ts'
import { connectNorthbound, type Northbound } from '../connect.ts'
import { ensurePort } from '../rows/ports.ts'
import { ensureJoin } from '../rows/routers.ts'
import { type Central, SKIPPED, startCentral } from '../testing/central.ts'
import { OVN_KINDS } from './records.ts'
import { OvnRegistry } from './registry.ts'

if (SKIPPED !== undefined) console.log(SKIPPED)

describe.skipIf(SKIPPED !== undefined)('the northbound database as a registry', () => {
  let central: Central
  let clusters = 0

  beforeAll(async () => {
    central = await startCentral({ northd: false })
  }, 60_000)

  afterAll(async () => {
    await central?.stop()
  })

  const connect = (cluster: string): Promise<Northbound> => connectNorthbound({ remotes: central.remotes, cluster })

  registryConformance(
    'OvnRegistry',
    async ({ history }): Promise<RegistryUnderTest> => {
      // Each test has a cluster of its own in the same database.
      clusters += 1
      const nbd = await connect(`c${clusters}`)
      const registry = await OvnRegistry.open(nbd, history === undefined ? {} : { history })
      return {
        registry: new LayeredRegistry(layersOf(registry, OVN_KINDS, new MemoryRegistry())),
        close: async () => {
          registry.close()
          nbd.close()
        },
      }
    },
    60_000,
  )

  const network = (node: string, range = '10.244.1.0/24') => ({
    node,
    machine: { kind: 'node', uid: 'u' } as const,
    addresses: [],
    ranges: [cidr(range), cidr('fd00:1::/64')],
  })

  test('a node’s network is a switch with its subnets, which others may add to, and goes with its ends', async () => {
    using nbd = disposable(await connect('native'))
    const registry = await OvnRegistry.open(nbd.it)
    const cluster = {
      networks: [{ cidr: cidr('10.244.0.0/16'), hostBits: 8 }],
      serviceNetworks: [],
      tenancy: 'subnet',
      underlay: 4,
      services: 'weft',
    } as const
    await registry.create('Cluster', 'default', { ...cluster, encapsulation: { type: 'vxlan', port: 4789 } })
    const first = await registry.create('NodeNetwork', 'n1', network('n1'))
    const config = () => central.nbctl('get', 'Logical_Switch', 'weft.native.n1', 'other_config')
    expect(await config()).toBe('{ipv6_prefix="fd00:1::", subnet="10.244.1.0/24"}')
    await central.nbctl('set', 'Logical_Switch', 'weft.native.n1', 'other_config:mcast_snoop=true')
    await ensureJoin(nbd.it, { router: 'weft.native', switch: 'weft.native.n1', gateways: ['10.244.1.1/24'] })
    await ensurePort(nbd.it, { switch: 'weft.native.n1', name: 'pod', addresses: ['dynamic'] })
    await registry.update('NodeNetwork', 'n1', network('n1', '10.244.9.0/24'), first.revision)
    expect(await config()).toBe('{ipv6_prefix="fd00:1::", mcast_snoop="true", subnet="10.244.9.0/24"}')
    await central.nbctl('lsp-add', 'weft.native.n1', 'stranger')
    const refused = await registry.delete('NodeNetwork', 'n1').catch((error: unknown) => String(error))
    expect(refused).toContain('has the port stranger, which is not of this cluster')
    await central.nbctl('lsp-del', 'stranger')
    await registry.delete('NodeNetwork', 'n1')
    await registry.delete('Cluster', 'default')
    expect(await central.nbctl('show')).not.toContain('native')
  })

  test('a row that somebody removes by hand is told as a deletion, with a revision, to every process', async () => {
    using here = disposable(await connect('hand'))
    using there = disposable(await connect('hand'))
    const [a, b] = [await OvnRegistry.open(here.it), await OvnRegistry.open(there.it)]
    const made = await a.create('NodeNetwork', 'n1', network('n1'))
    expect((await b.list('NodeNetwork')).revision).toBe(made.revision)
    const watches = [a, b].map(async (registry) => {
      for await (const change of registry.watch('NodeNetwork', made.revision, AbortSignal.timeout(30_000))) {
        if (change.type !== 'bookmark') return change
      }
      return undefined
    })
    await central.nbctl('ls-del', 'weft.hand.n1')
    for (const change of await Promise.all(watches)) {
      expect(change?.type).toBe('delete')
      expect(change?.object.value).toEqual(made.value)
      expect(change?.object.revision).toBeGreaterThan(made.revision)
    }
    expect((await a.list('NodeNetwork')).objects).toEqual([])
    await b.create('NodeNetwork', 'n1', network('n1'))
    expect((await a.list('NodeNetwork')).objects).toHaveLength(1)
  })

  test('a name that somebody else has is taken; a spoilt row is nobody’s object, and its name is taken too', async () => {
    using nbd = disposable(await connect('spoilt'))
    const registry = await OvnRegistry.open(nbd.it)
    await central.nbctl('ls-add', 'weft.spoilt.n1')
    const create = (name: string) => registry.create('NodeNetwork', name, network(name)).catch((error) => error.code)
    expect(await create('n1')).toBe('REGISTRY_EXISTS')
    await create('n2')
    await central.nbctl(
      'set',
      'Logical_Switch',
      'weft.spoilt.n2',
      'external_ids:weft-value=nonsense',
      'external_ids:weft-revision=77',
    )
    expect((await (await OvnRegistry.open(nbd.it)).list('NodeNetwork')).objects).toEqual([])
    expect(await create('n2')).toBe('REGISTRY_EXISTS')
    await registry.delete('NodeNetwork', 'n2')
    expect(await create('n2')).toEqual(expect.objectContaining({ name: 'n2' }))
  })
})

function disposable(it: Northbound) {
  return { it, [Symbol.dispose]: () => it.close() }
}
