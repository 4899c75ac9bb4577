/**
 * Real BIRDs on five machines: a mesh, then two reflectors, and what ends on the way.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { BirdKeeper } from '../../src/bird/keeper.ts'
import { birdProtocols } from '../../src/bird/protocols.ts'
import type { BgpCluster, BgpPeer } from '../../src/network/fabric/bgp/model.ts'
import { cidr, ip } from '../../src/network/model/address.ts'
import { output, run } from '../lab/command.ts'
import {
  birdPid,
  clusterOf,
  filesOf,
  type Host,
  type Hosts,
  ipOf,
  isAlive,
  learnedRoutes,
  makeHosts,
  podAddress,
} from './hosts.ts'

const PATIENCE = 60_000
let lab: Hosts
let hosts: readonly Host[] = []
const keepers = new Map<Host, BirdKeeper>()
const children: Bun.Subprocess[] = []

beforeAll(async () => {
  lab = await makeHosts(5)
  hosts = lab.hosts
  for (const host of hosts) keepers.set(host, new BirdKeeper({ ...host.keeper, every: 100 }))
}, PATIENCE)

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  for (const keeper of keepers.values()) await keeper.stop()
  await lab?.remove()
}, PATIENCE)

test(
  'five nodes of a mesh know the way to each other, in their kernels, and nothing else',
  async () => {
    await applyAll(clusterOf(hosts))
    for (const host of hosts) await keeperOf(host).start()
    for (const host of hosts) await untilRoutes(host, expectedRoutes(host))
    expect(await sessionsOf(at(0))).toHaveLength(8)
    expect(await ipOf(at(0), 'route', 'get', podAddress(5, 4), 'from', podAddress(1, 4))).toContain('via 10.99.0.5')
    expect(await ipOf(at(0), 'route', 'get', podAddress(5, 4))).toContain('dev weft0')
    expect(await ipOf(at(0), 'route', 'show', 'proto', 'bird')).toBe('')
    expect(await ipOf(at(0), 'route', 'get', '10.128.1.77')).toContain('dev weft0')
    expect(await ipOf(at(0), 'route', 'get', '10.128.105.1')).toContain('dev weft0')
  },
  PATIENCE,
)

test(
  'they reach the addresses of each other’s ranges',
  async () => {
    for (const host of hosts) {
      for (const other of hosts) {
        if (host === other) continue
        for (const family of [4, 6] as const) await ping(host, other, family)
      }
    }
  },
  PATIENCE,
)

test(
  'of a range that is tunnelled between segments a node learns the ways on its own',
  async () => {
    const cluster = clusterOf(hosts)
    const near: BgpCluster = {
      ...cluster,
      pools: cluster.pools.map((pool) => ({ ...pool, encapsulated: 'across' })),
      // On a smaller segment than the others are.
      nodes: cluster.nodes.map((node) =>
        node.name === 'n1' ? { ...node, networks: { 4: cidr('10.99.0.0/30'), 6: cidr('fd99::/64') } } : node,
      ),
    }
    await keeperOf(at(0)).apply(filesOf(near, at(0)))
    const far = /^10\.128\.[45]\./
    await untilRoutes(
      at(0),
      expectedRoutes(at(0)).filter((route) => !far.test(route)),
    )
    await keeperOf(at(0)).apply(filesOf(cluster, at(0)))
    await untilRoutes(at(0), expectedRoutes(at(0)))
  },
  PATIENCE,
)

test(
  'a route that a node told and that leads there by a router is for the tunnel: the router was told nothing',
  async () => {
    const change = async (verb: 'add' | 'del'): Promise<void> => {
      await ipOf(at(0), 'route', verb, '10.99.0.5/32', 'via', '10.99.0.200')
      await ipOf(at(0), 'route', verb, 'fd99::5/128', 'via', 'fd99::200')
    }
    const all = expectedRoutes(at(0))
    const near = all.filter((route) => !/^(10\.128\.5\.|fd00:128:0:5:)/.test(route))
    await change('add')
    await untilRoutes(at(0), near)
    // Without tunnels a router that may know is better than none.
    await keeperOf(at(0)).apply(filesOf({ ...clusterOf(hosts), hasTunnels: false }, at(0)))
    const byRouter = (route: string) =>
      route.replace('via 10.99.0.5', 'via 10.99.0.200').replace('via fd99::5', 'via fd99::200')
    await untilRoutes(at(0), all.map(byRouter))
    await keeperOf(at(0)).apply(filesOf(clusterOf(hosts), at(0)))
    await untilRoutes(at(0), near)
    await change('del')
    await untilRoutes(at(0), all)
  },
  PATIENCE,
)

test(
  'two of them become reflectors and the mesh ends: no route is lost, no session that stays begins anew',
  async () => {
    const watches = hosts.map((host) => watchRoutes(host))
    const before = await sessionsOf(at(0))
    const reflected = reflectedBy(['n4', 'n5'])
    for (const host of hosts.toReversed()) await keeperOf(host).apply(filesOf(reflected, host))
    for (const host of hosts) await untilReflected(host)
    const last = withoutMesh(reflected)
    await applyAll(last)
    await Bun.sleep(1500)
    for (const host of hosts) expect(await learnedRoutes(host)).toEqual(expectedRoutes(host))
    for (const watch of watches) expect(await watch.lost()).toEqual([])
    const after = await sessionsOf(at(0))
    expect(after.map(({ name }) => name)).toEqual([
      'node4_10_99_0_4',
      'node4_10_99_0_5',
      'node6_fd990000000000000000000000000004',
      'node6_fd990000000000000000000000000005',
    ])
    for (const session of after) expect(before).toContainEqual(session)
  },
  PATIENCE,
)

test(
  'nobody believes a node, nor a reflector, that tells of others’ ranges, of parts of them or of what covers them',
  async () => {
    const cluster = withoutMesh(reflectedBy(['n4', 'n5']))
    const lies = ['10.128.2.0/24', '10.128.2.0/25', '10.128.0.0/16', 'fd00:128:0:2:8000::/65'].map(cidr)
    const liars = [at(2), at(3)]
    for (const liar of liars) await keeperOf(liar).apply(filesOf(cluster, liar, new Map(), lies))
    await until(async () => {
      const sessions = await birdProtocols(keeperOf(at(2)).control)
      const told = sessions
        .filter(({ name }) => /^node4/.test(name))
        .map(({ channels }) => channels[0]?.routes?.exported)
      return told.length === 2 && told.every((count) => count === 4)
    })
    await Bun.sleep(1500)
    for (const host of hosts) {
      if (!liars.includes(host)) expect(await learnedRoutes(host)).toEqual(expectedRoutes(host))
    }
    await applyAll(cluster)
    for (const host of hosts) await untilRoutes(host, expectedRoutes(host))
  },
  PATIENCE,
)

test(
  'one reflector is killed: no route is lost',
  async () => {
    const watches = hosts.slice(0, 4).map((host) => watchRoutes(host))
    await keeperOf(at(4)).stop()
    const pid = birdPid(at(4)) ?? 0
    process.kill(pid, 'SIGKILL')
    await until(async () => !isAlive(pid))
    await until(async () => (await sessionsOf(at(0))).length === 2)
    for (const host of hosts.slice(0, 4)) expect(await learnedRoutes(host)).toEqual(expectedRoutes(host))
    await ping(at(0), at(1), 4)
    await keeperOf(at(4)).start()
    await until(async () => (await sessionsOf(at(0))).length === 4)
    for (const host of hosts) await untilRoutes(host, expectedRoutes(host))
    for (const watch of watches) expect(await watch.lost()).toEqual([])
  },
  PATIENCE,
)

test(
  'a keeper is killed and another one comes: BIRD and its routes stay',
  async () => {
    const host = at(0)
    const files = JSON.stringify(filesOf(withoutMesh(reflectedBy(['n4', 'n5'])), host))
    const pid = birdPid(host)
    await keeperOf(host).stop()
    const watch = watchRoutes(host)
    for (const _ of [1, 2]) {
      const { folder, runFolder, command = [] } = host.keeper
      const child = Bun.spawn([process.execPath, `${import.meta.dir}/keep.ts`, folder, runFolder, files, ...command], {
        stdout: 'pipe',
      })
      children.push(child)
      const { value } = await child.stdout.getReader().read()
      expect(new TextDecoder().decode(value)).toBe(`kept ${pid}\n`)
      child.kill('SIGKILL')
      await child.exited
    }
    expect(birdPid(host)).toBe(pid as number)
    expect(await learnedRoutes(host)).toEqual(expectedRoutes(host))
    expect(await watch.lost()).toEqual([])
  },
  PATIENCE,
)

test(
  'with a wrong password one session ends, and comes back with the right one; a refused configuration changes nothing',
  async () => {
    const host = at(1)
    const guarded = withPassword(withoutMesh(reflectedBy(['n4', 'n5'])))
    const watch = watchRoutes(host)
    const [reflector, keeper] = [keeperOf(at(3)), keeperOf(host)]
    await reflector.apply(filesOf(guarded, at(3), new Map([['p', 'the right one']])))
    await keeper.apply(filesOf(guarded, host, new Map([['p', 'the wrong one']])))
    await until(async () => (await sessionsOf(host)).length === 2)
    expect(await learnedRoutes(host)).toEqual(expectedRoutes(host))
    await keeper.apply(filesOf(guarded, host, new Map([['p', 'the right one']])))
    await until(async () => (await sessionsOf(host)).length === 4)
    const broken = filesOf(guarded, host).map((file) => ({ ...file, content: `${file.content}\nprotocol bgp {` }))
    const error: unknown = await keeper.apply(broken).catch((reason: unknown) => reason)
    expect(String(error)).toContain('BIRD refuses the configuration')
    expect(await sessionsOf(host)).toHaveLength(4)
    expect(await learnedRoutes(host)).toEqual(expectedRoutes(host))
    expect(await watch.lost()).toEqual([])
    expect(JSON.stringify([...new Set(Bun.spawnSync(['ps', 'axww']).stdout.toString().split('\n'))])).not.toContain(
      'right one',
    )
  },
  PATIENCE,
)

function at(index: number): Host {
  const host = hosts[index]
  if (host === undefined) throw new Error(`no host ${index}`)
  return host
}

function keeperOf(host: Host): BirdKeeper {
  const keeper = keepers.get(host)
  if (keeper === undefined) throw new Error(`no keeper of ${host.name}`)
  return keeper
}

async function applyAll(cluster: BgpCluster): Promise<void> {
  await Promise.all(hosts.map((host) => keeperOf(host).apply(filesOf(cluster, host))))
}

/** Each reflector's cluster is its own: what it would say of itself without one. */
function reflectedBy(names: readonly string[]): BgpCluster {
  const cluster = clusterOf(hosts)
  const peer: BgpPeer = {
    name: 'reflectors',
    on: { kind: 'all' },
    to: { kind: 'nodes', nodes: names, isMutual: true },
    nextHop: 'auto',
    bfd: false,
    source: 'node',
    filters: [],
  }
  const nodes = cluster.nodes.map((node) =>
    names.includes(node.name) ? { ...node, clusterId: node.addresses[4] ?? ip('1.0.0.1') } : node,
  )
  return { ...cluster, nodes, peers: [peer] }
}

function withoutMesh({ mesh: _, ...cluster }: BgpCluster): BgpCluster {
  return cluster
}

/** One password between the second node and the fourth. */
function withPassword(cluster: BgpCluster): BgpCluster {
  const [peer] = cluster.peers
  if (peer === undefined) throw new Error('no peer')
  const exact: BgpPeer = {
    ...peer,
    name: 'exact',
    on: { kind: 'node', node: 'n2' },
    to: { kind: 'nodes', nodes: ['n4'], isMutual: true },
    password: 'p',
  }
  const others = { ...peer, on: { kind: 'selected', nodes: ['n1', 'n3', 'n4', 'n5'] } } as const
  const rest = {
    ...peer,
    name: 'rest',
    on: { kind: 'node', node: 'n2' },
    to: { kind: 'nodes', nodes: ['n5'], isMutual: true },
  } as const
  return { ...cluster, peers: [exact, others, rest] }
}

function expectedRoutes(host: Host): readonly string[] {
  return hosts
    .filter((other) => other !== host)
    .flatMap(({ number }) => [
      `10.128.${number}.0/24 via 10.99.0.${number} dev eth0 metric 1024`,
      `fd00:128:0:${number}::/64 via fd99::${number} dev eth0 metric 1024 pref medium`,
    ])
    .sort()
}

async function untilRoutes(host: Host, routes: readonly string[]): Promise<void> {
  await until(async () => (await learnedRoutes(host)).length === routes.length).catch(() => {})
  expect(await learnedRoutes(host)).toEqual(routes)
}

/** Until every range has come by both reflectors. */
async function untilReflected(host: Host): Promise<void> {
  await until(async () => {
    const protocols = await birdProtocols(keeperOf(host).control)
    const reflectors = protocols.filter(({ name }) => /^node4_10_99_0_[45]$/.test(name))
    return reflectors.every(({ channels }) => (channels[0]?.routes?.imported ?? 0) >= 3)
  })
}

/** The sessions that are up, by name, and since when. */
async function sessionsOf(host: Host): Promise<readonly { readonly name: string; readonly since: string }[]> {
  const protocols = await birdProtocols(keeperOf(host).control)
  return protocols
    .filter(({ bgp }) => bgp?.state === 'Established')
    .map(({ name, since }) => ({ name, since }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 300; i += 1) {
    if (await what()) return
    await Bun.sleep(100)
  }
  throw new Error(`${what} did not become true`)
}

async function ping({ netns, number }: Host, to: Host, family: 4 | 6): Promise<void> {
  const ends = ['-I', podAddress(number, family), podAddress(to.number, family)]
  await output(['ip', 'netns', 'exec', netns, 'ping', '-n', '-c', '1', '-W', '5', ...ends])
}

/** What a machine's kernel loses of the pods' routes from now on. */
function watchRoutes(host: Host): { lost(): Promise<readonly string[]> } {
  const child = Bun.spawn(['ip', '-n', host.netns, 'monitor', 'route'], { stdout: 'pipe' })
  children.push(child)
  return {
    async lost() {
      // What comes after this is not waited for.
      await run(['ip', '-n', host.netns, 'route', 'add', '192.0.2.1/32', 'dev', 'lo'])
      const decoder = new TextDecoder()
      let text = ''
      for await (const bytes of child.stdout) {
        text += decoder.decode(bytes)
        if (text.includes('192.0.2.1')) break
      }
      child.kill()
      await run(['ip', '-n', host.netns, 'route', 'del', '192.0.2.1/32', 'dev', 'lo'])
      return text.split('\n').filter((line) => /^Deleted .*proto bird/.test(line))
    },
  }
}
