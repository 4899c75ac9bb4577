import { afterEach, beforeEach, expect, test } from 'bun:test'
import { cidr, ip } from '../network/model/address.ts'
import type { Cluster, Fabric } from '../network/model/cluster.ts'
import { MemoryRegistry } from '../registry/memory.ts'
import { reflect } from '../registry/reflector.ts'
import { runBgpStatus } from './bgp-status.ts'

const CLUSTER: Cluster = {
  networks: [{ cidr: cidr('10.128.0.0/14'), hostBits: 9 }],
  serviceNetworks: [cidr('172.30.0.0/16')],
  tenancy: 'multitenant',
  encapsulation: { type: 'vxlan', port: 4789 },
  underlay: 4,
  services: 'weft',
}
const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined }

let registry = new MemoryRegistry()
let stop = new AbortController()
let told: string[] = []
let running: Promise<void> | undefined
let written: () => Promise<void> = async () => undefined

beforeEach(() => {
  registry = new MemoryRegistry()
  stop = new AbortController()
  told = []
  written = async () => undefined
})

afterEach(async () => {
  stop.abort()
  await running
})

async function start(way: Fabric['way']): Promise<void> {
  const { signal } = stop
  await registry.create('Cluster', 'default', { ...CLUSTER, fabric: { way, otherwise: 'tunnel' } })
  for (const n of [1, 2]) {
    const [node, addresses] = [`n${n}`, [ip(`192.0.2.${n}`)]]
    await registry.create('Node', node, { name: node, uid: node, addresses })
    const ranges = [cidr(`10.128.${2 * n}.0/23`)]
    await registry.create('NodeNetwork', node, { node, machine: { kind: 'node', uid: node }, addresses, ranges })
  }
  running = runBgpStatus({
    registry,
    cluster: reflect(registry, 'Cluster', { signal }),
    networks: reflect(registry, 'NodeNetwork', { signal }),
    nodes: reflect(registry, 'Node', { signal }),
    events: {
      warn: ({ kind, name }, { code, message }) => told.push(`${kind} ${name} ${code} ${message}`),
      settled: () => written(),
    },
    signal,
    log: SILENT,
    settleMs: 10,
  })
}

async function until(count: number): Promise<void> {
  for (let i = 0; i < 400 && told.length < count; i += 1) await Bun.sleep(10)
  await Bun.sleep(60)
  expect(told).toHaveLength(count)
}

const POOL = { name: 'blue', cidr: cidr('10.128.0.0/14'), tunnel: 'ipip' } as const
const SAID = 'BgpRange blue BGP_NOT_DONE IPPool blue spec.ipipMode: there are no ipip tunnels here'

test('what cannot be done is told once at its object, and again when it was well in between', async () => {
  await start('bgp')
  await until(0)
  const created = await registry.create('BgpRange', 'blue', POOL)
  await until(1)
  expect(told[0]).toStartWith(SAID)
  const { tunnel: _, ...plain } = POOL
  const mended = await registry.update('BgpRange', 'blue', plain, created.revision)
  await registry.create('BgpPeering', 'rack', {
    name: 'rack',
    address: ip('192.0.2.9'),
    asNumber: 1,
    filters: ['none'],
  })
  await until(2)
  expect(told[1]).toStartWith('BgpPeering rack BGP_NOT_DONE BGPPeer rack spec.filters: there is no BGPFilter none')
  await registry.update('BgpRange', 'blue', POOL, mended.revision)
  await until(3)
  expect(told[2]).toStartWith(SAID)
})

test('an address that is another node’s is told at the node that says it', async () => {
  await start('bgp')
  await until(0)
  const node = await registry.get('Node', 'n2')
  if (node === undefined) throw new Error('no node')
  const bgp = { addresses: [{ address: ip('192.0.2.1'), length: 24 }] }
  await registry.update('Node', 'n2', { ...node.value, bgp }, node.revision)
  await until(1)
  expect(told[0]).toMatch(/^Node n2 BGP_NOT_DONE Node n2 annotation projectcalico.org\/IPv4Address: 192.0.2.1 does not/)
})

test('nothing is said where nodes do not speak BGP, until they do', async () => {
  await start('tunnel')
  await registry.create('BgpRange', 'blue', POOL)
  await until(0)
  const { value, revision } = (await registry.get('Cluster', 'default')) ?? { value: CLUSTER, revision: 0 }
  await registry.update('Cluster', 'default', { ...value, fabric: { way: 'bgp', otherwise: 'tunnel' } }, revision)
  await until(1)
})

test('a controller that begins to lead does not write all events at once: one after the other', async () => {
  const writing = Array.from({ length: 4 }, () => Promise.withResolvers<void>())
  written = () => writing[told.length - 1]?.promise ?? Promise.resolve()
  for (const name of ['a', 'b', 'c', 'd']) await registry.create('BgpRange', name, { ...POOL, name })
  await start('bgp')
  for (const [index, { resolve }] of writing.entries()) {
    await until(index + 1)
    resolve()
  }
})

test('what is well before its turn comes is not told', async () => {
  const first = Promise.withResolvers<void>()
  written = () => first.promise
  const [, second] = [
    await registry.create('BgpRange', 'a', { ...POOL, name: 'a' }),
    await registry.create('BgpRange', 'b', { ...POOL, name: 'b' }),
  ]
  await start('bgp')
  await until(1)
  const { tunnel: _, ...plain } = POOL
  await registry.update('BgpRange', 'b', { ...plain, name: 'b' }, second.revision)
  await Bun.sleep(60)
  first.resolve()
  await until(1)
})
