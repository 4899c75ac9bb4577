/**
 * Cluster-wide pools: claims loaded at an agent's start, one choice in pools of any size, and as many pods as addresses
 * at once on four nodes.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClusterPools } from '../../src/agent/plugins/spiderpool/cluster-pools.ts'
import { Crowd } from '../../src/agent/plugins/spiderpool/testing/crowd.ts'
import { claim, pool } from '../../src/agent/plugins/spiderpool/testing/objects.ts'
import { poolProblemTexts } from '../../src/ipam/pool-problems.ts'
import { SharedPools } from '../../src/ipam/shared-pools.ts'
import { cidr, formatIp, type Ip, ipValue } from '../../src/network/model/address.ts'
import { RegistryClient } from '../../src/registry/client.ts'
import { MemoryRegistry } from '../../src/registry/memory.ts'
import { serveRegistry } from '../../src/registry/server.ts'
import { median, type Result } from '../result.ts'

const CLAIMS = 1_000_000
const CHOICES = 10_000
const PODS = 1_000
const NODES = 4
const POOLS = 10

/** What Spiderpool's documents say of its version 0.8. */
const PUBLISHED =
  'published elsewhere (Spiderpool v0.8.0, macvlan): 207 s, from creating 100 Deployments to 1,000 running pods on ten ' +
  'machines with kubelets. Ours is the addresses alone, without kubelets and links: no ratio is claimed'

/** Loading, choosing, and a crowd. Claims are made before the clock runs. */
export async function measurePools(quick: boolean): Promise<readonly Result[]> {
  return [...measureView(quick ? CLAIMS / 10 : CLAIMS), ...(await measureCrowd())]
}

function measureView(count: number): readonly Result[] {
  const first = ipValue('10.0.0.0' as Ip)
  const claims = Array.from({ length: count }, (_, i) => claim(formatIp(4, first + BigInt(i)), { pool: 'eight' }))
  const eight = pool('eight', '10.0.0.0-10.255.255.255', { subnet: cidr('10.0.0.0/8') })
  const shared = new SharedPools(poolProblemTexts, 0)
  shared.put(eight)
  const loaded = timed(() => {
    for (const { address, pool: name } of claims) shared.claim(address, name)
    shared.pick('eight', 0)
  })
  const pools = new ClusterPools({ node: 'node1' })
  const { AddressPool, AddressClaim } = pools.watchers
  AddressPool.put(eight)
  AddressPool.put(pool('sixty-four', 'fd00::2-fd00::ffff:ffff:ffff:ffff'))
  const heard = timed(() => {
    for (const one of claims) AddressClaim.put(one)
    pools.pick('eight')
  })
  const many = count.toLocaleString('en')
  return [
    {
      what: `${many} claims loaded into a cluster-wide /8`,
      unit: 's',
      ours: loaded,
      target: { of: 'ours', atMost: 1 },
    },
    { what: `${many} claims heard of by an agent, with who has what`, unit: 's', ours: heard },
    ...(['eight', 'sixty-four'] as const).map(
      (name): Result => ({
        what: name === 'eight' ? 'one choice in the /8 with those claims' : 'one choice in a cluster-wide /64',
        unit: 'µs',
        ours: choose(pools, name),
        target: { of: 'ours', atMost: 50 },
      }),
    ),
  ]
}

function timed(work: () => void): number {
  const started = performance.now()
  work()
  return (performance.now() - started) / 1000
}

/** What is chosen is claimed, so that the next choice is another. */
function choose(pools: ClusterPools, name: string): number {
  const samples = Array.from({ length: CHOICES }, () => {
    const started = performance.now()
    const address = pools.pick(name)
    if (address !== undefined) pools.claims.doubt(claim(address, { pool: name }))
    return (performance.now() - started) * 1000
  })
  return median(samples)
}

async function measureCrowd(): Promise<readonly Result[]> {
  const folder = mkdtempSync(join(tmpdir(), 'weft-bench-'))
  const path = join(folder, 'registry.sock')
  const server = await serveRegistry(new MemoryRegistry({ history: 100_000 }), { path })
  const connect = () => new RegistryClient(path)
  const crowd = await Crowd.start({ pods: PODS, pools: POOLS, nodes: NODES, atOnce: 16, connect, registry: connect() })
  try {
    const rounds: { readonly add: number; readonly del: number }[] = []
    for (let round = 0; round < 2; round += 1) {
      const add = await seconds(() => crowd.addAll())
      if (crowd.served !== PODS || crowd.doubled().length > 0)
        throw new Error('not every pod has an address of its own')
      rounds.push({ add, del: await seconds(() => crowd.delAll()) })
    }
    const what = `${PODS.toLocaleString('en')} pods on as many addresses, ${POOLS} pools, ${NODES} nodes`
    return [
      { what: `${what}: all have one`, unit: 's', ours: median(rounds.map(({ add }) => add)), note: PUBLISHED },
      { what: 'the same, addresses per second', unit: '/s', ours: PODS / median(rounds.map(({ add }) => add)) },
      { what: 'the same: all given back', unit: 's', ours: median(rounds.map(({ del }) => del)) },
    ]
  } finally {
    crowd.stop()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}
