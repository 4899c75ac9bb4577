/**
 * Calico's etcd, as `calicoctl` and Calico's controllers write it, in a real etcd: what is read of it, what becomes of what
 * cannot be read, and what agents do with it.
 */
import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BgpWishes } from '../../src/agent/bgp/objects.ts'
import { NodesView } from '../../src/agent/cluster/nodes-view.ts'
import { OutsideInputs } from '../../src/agent/cluster/outside-inputs.ts'
import { reflectKinds } from '../../src/agent/cluster/reflection.ts'
import { wishedBgp } from '../../src/compat/calico/bgp/cluster.ts'
import { CALICO_KINDS } from '../../src/compat/calico/etcd/layout.ts'
import { REFUSED_KINDS } from '../../src/compat/calico/refused/kinds.ts'
import { type RefusedSource, refusedNow } from '../../src/compat/calico/refused/source.ts'
import { refusedLines } from '../../src/compat/calico/refused/words.ts'
import { runRefusedStatus } from '../../src/controller/refused-status.ts'
import { InvalidObjects } from '../../src/kube/invalid.ts'
import { fullMesh } from '../../src/network/fabric/bgp/cluster.ts'
import { BIRD_FILE, birdConfiguration, PASSWORDS_FILE } from '../../src/network/fabric/bgp/configuration.ts'
import { cidr, ip } from '../../src/network/model/address.ts'
import type { NodeNetwork } from '../../src/network/model/node.ts'
import { judge } from '../../src/network/policy/oracle.ts'
import { openBeside } from '../../src/place/etcd.ts'
import { MemoryRegistry } from '../../src/registry/memory.ts'
import { reflect } from '../../src/registry/reflector.ts'
import type { Kind, Registry, Stored } from '../../src/registry/registry.ts'
import { eventually } from '../kube/process.ts'
import { generatedWorlds } from '../tables/calico/generate.ts'
import { isAllowed } from '../tables/calico/oracle.ts'
import { calicoWorldOf, callOf } from '../tables/calico/world.ts'
import { connectionsOf, someOf, textOf } from '../tables/policy/connections.ts'
import { worldWith } from '../tables/policy/world.ts'
import { ETCDS, EtcdServer, SKIPPED } from './etcd-server.ts'

const QUICK = { first: 5, most: 50 }
const PATIENCE = 15_000
const TIMEOUT = 60_000

/** One Calico in the etcd of all tests. */
class Calico {
  readonly kubernetes = new MemoryRegistry()
  readonly invalid = new InvalidObjects()
  readonly registry: Registry
  readonly refused: readonly RefusedSource[]
  readonly #server: EtcdServer
  readonly #prefix = `/${crypto.randomUUID()}`
  readonly #stop = new AbortController()
  readonly #close: () => void

  constructor(server: EtcdServer) {
    this.#server = server
    const { endpoint: endpoints, certificates } = server
    const identity = { caFile: certificates?.ca, certFile: certificates?.clientCert, keyFile: certificates?.clientKey }
    const place = { layout: 'calico', settings: { endpoints, ...identity }, prefix: this.#prefix } as const
    const { registry, refused, close } = openBeside(place, this.kubernetes, false, this.invalid)
    this.registry = registry
    this.refused = refused === undefined ? [] : [refused]
    this.#close = close
  }

  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** As `calicoctl apply` leaves it: `path` is `<plural>/[<namespace>/]<name>`. */
  async put(path: string, value: object | string): Promise<void> {
    await this.etcdctl('put', this.#keyOf(path), typeof value === 'string' ? value : JSON.stringify(value))
  }

  async remove(path: string): Promise<void> {
    await this.etcdctl('del', this.#keyOf(path))
  }

  etcdctl(...args: readonly string[]): Promise<string> {
    return this.#server.etcdctl(3, args)
  }

  reflect<K extends Kind>(kind: K) {
    return reflect(this.registry, kind, { signal: this.signal, backoff: QUICK })
  }

  end(): void {
    this.#stop.abort()
    this.#close()
  }

  #keyOf(path: string): string {
    return `${this.#prefix}/resources/v3/projectcalico.org/${path}`
  }
}

const [program] = ETCDS
if (program === undefined) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
} else {
  const starting = EtcdServer.start({ program, tls: true })
  afterAll(async () => (await starting).stop())
  const check = (title: string, body: (calico: Calico) => Promise<void>): void =>
    test(
      title,
      async () => {
        const calico = new Calico(await starting)
        try {
          await body(calico)
        } finally {
          calico.end()
        }
      },
      TIMEOUT,
    )

  check('what is not done is said, of what is in etcd, too', async (calico) => {
    const told: string[] = []
    const running = runRefusedStatus({
      sources: calico.refused,
      events: {
        record: ({ kind, metadata: { name } }, { message }) => void told.push(`${kind} ${name}: ${message}`),
        settled: async () => undefined,
      },
      signal: calico.signal,
      log: { info: () => undefined, error: () => undefined, warn: () => undefined },
    })
    await calico.put('hostendpoints/n1-eth0', resource('HostEndpoint', 'n1-eth0', { node: 'n1' }))
    await calico.put('stagednetworkpolicies/shop/default.p', resource('StagedNetworkPolicy', 'default.p', {}))
    await calico.put('tiers/default', resource('Tier', 'default', {}))
    await calico.put('tiers/odd', 'no JSON')
    const key = { status: { wireguardPublicKey: 'k' } }
    await calico.put('nodes/n1', { ...resource('Node', 'n1', {}), ...key })
    const now = async (): Promise<readonly string[]> => refusedLines(await refusedNow(calico.refused, REFUSED_KINDS))
    expect((await now()).map((line) => line.slice(0, line.indexOf(':')))).toEqual([
      'HostEndpoint n1-eth0',
      'StagedNetworkPolicy shop/default.p',
    ])
    const felix = resource('FelixConfiguration', 'default', { wireguardEnabled: true })
    await calico.put('felixconfigurations/default', felix)
    const all = ['FelixConfiguration default', 'HostEndpoint n1-eth0', 'Node n1', 'StagedNetworkPolicy default.p']
    const heads = (): readonly string[] => told.map((line) => line.slice(0, line.indexOf(':'))).toSorted()
    await eventually(async () => expect(heads()).toEqual(all), PATIENCE)
    expect((await now()).length).toBe(4)
    await calico.remove('hostendpoints/n1-eth0')
    await calico.put('felixconfigurations/default', { ...felix, spec: {} })
    await eventually(async () => expect((await now()).length).toBe(1), PATIENCE)
    expect(heads()).toEqual(all)
    calico.end()
    await running
  })

  check('every kind is read, changes are told, and what is none is passed over', async (calico) => {
    const seen = Object.fromEntries(CALICO_KINDS.map((kind) => [kind, calico.reflect(kind)]))
    await Promise.all(Object.values(seen).map(({ synced }) => synced))
    const names = (): readonly unknown[] => CALICO_KINDS.map((kind) => [kind, [...(seen[kind]?.store.keys() ?? [])]])
    await calico.put('bgpconfigurations/default', resource('BGPConfiguration', 'default', { asNumber: 64_513 }))
    await calico.put('bgppeers/rack', resource('BGPPeer', 'rack', { peerIP: '192.0.2.254', asNumber: 65_001 }))
    await calico.put('bgpfilters/none', resource('BGPFilter', 'none', { importV4: [{ action: 'Reject' }] }))
    await calico.put('ippools/pods', resource('IPPool', 'pods', { cidr: '10.1.0.0/16' }))
    await calico.put('networkpolicies/shop/default.p', resource('NetworkPolicy', 'default.p', { selector: 'all()' }))
    await calico.put('networkpolicies/shop/knp.default.copy', resource('NetworkPolicy', 'knp.default.copy', {}))
    await calico.put('networkpolicies/strange', resource('NetworkPolicy', 'strange', {}))
    await calico.put('globalnetworkpolicies/default.g', resource('GlobalNetworkPolicy', 'default.g', {}))
    await calico.put('networksets/shop/s', resource('NetworkSet', 's', { nets: ['192.0.2.0/24'] }))
    await calico.put('globalnetworksets/g', resource('GlobalNetworkSet', 'g', { nets: ['192.0.2.1'] }))
    const all = [
      ['BgpConfiguration', ['default']],
      ['BgpPeering', ['rack']],
      ['BgpFilter', ['none']],
      ['BgpRange', ['pods']],
      ['CalicoNetworkPolicy', ['shop/default.p']],
      ['GlobalNetworkPolicy', ['default.g']],
      ['NetworkSet', ['shop/s']],
      ['GlobalNetworkSet', ['g']],
    ]
    await eventually(async () => expect(names()).toEqual(all), PATIENCE)
    expect(seen['NetworkSet']?.store.get('shop/s')?.value).toMatchObject({ namespace: 'shop', nets: ['192.0.2.0/24'] })
    expect([...calico.invalid]).toEqual([])
    expect(await calico.registry.get('GlobalNetworkSet', 'g')).toMatchObject({ value: { nets: ['192.0.2.1/32'] } })
    await calico.remove('bgppeers/rack')
    await eventually(async () => expect(names()[1]).toEqual(['BgpPeering', []]), PATIENCE)
    expect(await calico.registry.get('BgpPeering', 'rack')).toBeUndefined()
    const write = calico.registry.delete('NetworkSet', 'shop/s')
    await expect(write).rejects.toMatchObject({ code: 'REGISTRY_INVALID' })
  })

  check('what cannot be read stays what it was and is told, through a loss of history, too', async (calico) => {
    const peers = calico.reflect('BgpPeering')
    const policies = calico.reflect('CalicoNetworkPolicy')
    await Promise.all([peers.synced, policies.synced])
    const peer = (peerIP: string) => resource('BGPPeer', 'rack', { peerIP, asNumber: 65_001 })
    const address = () => peers.store.get('rack')?.value.address
    const told = (): readonly string[] => [...calico.invalid].map(([object]) => object)
    await calico.put('bgppeers/rack', peer('192.0.2.254'))
    await eventually(async () => expect(address()).toBe(ip('192.0.2.254')), PATIENCE)
    await calico.put('bgppeers/rack', '{"kind":')
    // Of one that could never be read a policy denies, and a peering is none.
    await calico.put('networkpolicies/shop/broken', '[]')
    await calico.put('bgppeers/never', resource('BGPPeer', 'never', { asNumber: 'x' }))
    await eventually(async () => {
      expect([...told()].sort()).toEqual(['BgpPeering/never', 'BgpPeering/rack', 'CalicoNetworkPolicy/shop/broken'])
    }, PATIENCE)
    await eventually(
      async () => expect(policies.store.get('shop/broken')?.value.ingress).toEqual([{ action: 'deny' }]),
      PATIENCE,
    )
    expect([...peers.store.keys()]).toEqual(['rack'])
    expect(address()).toBe(ip('192.0.2.254'))
    const { header } = JSON.parse(await calico.etcdctl('get', 'x', '-w', 'json')) as { header: { revision: number } }
    await calico.etcdctl('compaction', String(header.revision))
    expect((await calico.registry.list('BgpPeering')).objects.map(({ value }) => value.address)).toEqual([
      ip('192.0.2.254'),
    ])
    await expect(firstOf(calico.registry.watch('BgpPeering', 1, calico.signal))).rejects.toMatchObject({
      code: 'REGISTRY_EXPIRED',
    })
    await calico.put('bgppeers/rack', peer('192.0.2.253'))
    await calico.remove('bgppeers/never')
    await calico.remove('networkpolicies/shop/broken')
    await eventually(async () => expect(address()).toBe(ip('192.0.2.253')), PATIENCE)
    await eventually(async () => expect(told()).toEqual([]), PATIENCE)
    await eventually(async () => expect([...policies.store.keys()]).toEqual([]), PATIENCE)
  })

  check('nodes are those of Kubernetes, with what Calico says of their BGP', async (calico) => {
    const labels = { zone: 'a' }
    await calico.kubernetes.create('Node', 'n1', { name: 'n1', uid: 'u1', addresses: [ip('192.0.2.1')], labels })
    const nodes = calico.reflect('Node')
    await nodes.synced
    const node = () => nodes.store.get('n1')?.value
    expect(node()).toEqual({ name: 'n1', uid: 'u1', addresses: [ip('192.0.2.1')], labels })
    const bgp = { ipv4Address: '198.51.100.1/24', asNumber: 64_600, routeReflectorClusterID: '1.0.0.1' }
    const record = resource('Node', 'n1', { bgp })
    await calico.put('nodes/n1', { ...record, metadata: { name: 'n1', labels: { reflects: 'yes', zone: 'b' } } })
    const wished = { addresses: [{ address: '198.51.100.1', length: 24 }], asNumber: 64_600, clusterId: '1.0.0.1' }
    await eventually(async () => {
      expect(node()).toMatchObject({ labels: { zone: 'a', reflects: 'yes' }, bgp: wished })
    }, PATIENCE)
    await calico.put('nodes/n1', 'x')
    await eventually(async () => {
      expect(node()?.bgp).toEqual(
        expect.objectContaining({ ...wished, problem: expect.stringContaining('not a JSON object') }),
      )
    }, PATIENCE)
    // Kubernetes' own changes come through as ever.
    const stored = await calico.kubernetes.get('Node', 'n1')
    if (stored === undefined) throw new Error('no node')
    const moved = { ...stored.value, addresses: [ip('192.0.2.9')] }
    await calico.kubernetes.update('Node', 'n1', moved, stored.revision)
    await eventually(async () => expect(node()?.addresses).toEqual([ip('192.0.2.9')]), PATIENCE)
    await calico.remove('nodes/n1')
    await eventually(async () => expect(node()?.bgp).toBeUndefined(), PATIENCE)
    expect(node()?.labels).toEqual(labels)
  })

  check('a watcher that was cut off hears what another one listed meanwhile', async (calico) => {
    await calico.kubernetes.create('Node', 'n1', { name: 'n1', uid: 'u1', addresses: [ip('192.0.2.1')] })
    const cutOff = await calico.registry.list('Node')
    await calico.put('nodes/n1', resource('Node', 'n1', { bgp: { asNumber: 64_600 } }))
    const other = await calico.registry.list('Node')
    expect(other.objects[0]?.value.bgp?.asNumber).toBe(64_600)
    // Kubernetes has nothing new: its own revision is the same for both.
    await expect(nextNode(calico.registry, cutOff.revision)).rejects.toMatchObject({ code: 'REGISTRY_EXPIRED' })
    const [listed] = other.objects
    if (listed === undefined) throw new Error('no node')
    const watching = nextNode(calico.registry, other.revision)
    await calico.registry.update('Node', 'n1', { ...listed.value, addresses: [ip('192.0.2.9')] }, listed.revision)
    expect(await watching).toMatchObject({ value: { addresses: ['192.0.2.9'], bgp: { asNumber: 64_600 } } })
  })

  check('policies of worlds made at random mean what they mean to Calico', async (calico) => {
    const seen = { allowed: 0, denied: 0 }
    for (const [i, written] of generatedWorlds(4, 11).entries()) {
      const paths: string[] = []
      const put = async (plural: string, kind: string, one: Named, spec: object, metadata: object): Promise<void> => {
        const { name, namespace } = one
        const path = namespace === undefined ? `global${plural}/${name}` : `${plural}/${namespace}/${name}`
        paths.push(path)
        const object = resource(kind, name, spec)
        await calico.put(path, { ...object, metadata: { ...object.metadata, ...metadata } })
      }
      for (const { name, namespace, ...spec } of written.calico) {
        await put('networkpolicies', 'NetworkPolicy', namesOf(name, namespace), spec, {})
      }
      for (const { name, namespace, labels, nets } of written.sets) {
        await put('networksets', 'NetworkSet', namesOf(name, namespace), { nets }, { labels })
      }
      const policies = await valuesOf(calico.registry, ['CalicoNetworkPolicy', 'GlobalNetworkPolicy'])
      const sets = await valuesOf(calico.registry, ['NetworkSet', 'GlobalNetworkSet'])
      const world = worldWith(policies, { sets })
      const truth = calicoWorldOf({ ...written, kubernetes: [] })
      const asked = someOf(
        connectionsOf(world).filter(({ source, destination }) => source.type !== 'node' && destination.type !== 'node'),
        60,
        i,
      )
      const wrong = asked.filter((one) => judge(world, one).allowed !== isAllowed(truth, callOf(one)))
      expect(wrong.map(textOf)).toEqual([])
      for (const one of asked) seen[isAllowed(truth, callOf(one)) ? 'allowed' : 'denied'] += 1
      for (const path of paths) await calico.remove(path)
    }
    expect(Math.min(seen.allowed, seen.denied)).toBeGreaterThan(10)
  })

  const hasBird = Bun.which('bird') !== null
  if (!hasBird) console.log('SKIPPED: install bird2 to have BIRD read what comes of it')
  test.skipIf(!hasBird)(
    'BIRD reads what comes of it: reflectors, a router outside, a filter, the AS of a node',
    async () => {
      const calico = new Calico(await starting)
      const folder = mkdtempSync(join(tmpdir(), 'weft-calico-etcd-'))
      try {
        for (const n of [1, 2, 3]) {
          const name = `n${n}`
          await calico.kubernetes.create('Node', name, { name, uid: name, addresses: [ip(`192.0.2.${n}`)] })
        }
        const reflector = { bgp: { ipv4Address: '192.0.2.1/24', routeReflectorClusterID: '1.0.0.1' } }
        const record = resource('Node', 'n1', reflector)
        await calico.put('nodes/n1', { ...record, metadata: { name: 'n1', labels: { reflects: 'yes' } } })
        await calico.put('nodes/n2', resource('Node', 'n2', { bgp: { ipv4Address: '192.0.2.2/24', asNumber: 64_602 } }))
        const mesh = { nodeToNodeMeshEnabled: false, asNumber: 64_601 }
        await calico.put('bgpconfigurations/default', resource('BGPConfiguration', 'default', mesh))
        const all = { nodeSelector: '!has(reflects)', peerSelector: 'has(reflects)' }
        await calico.put('bgppeers/reflectors', resource('BGPPeer', 'reflectors', all))
        const rack = { node: 'n3', peerIP: '192.0.2.254', asNumber: 65_001, filters: ['ours'] }
        await calico.put('bgppeers/rack', resource('BGPPeer', 'rack', rack))
        const filter = {
          exportV4: [{ matchOperator: 'In', cidr: '10.1.0.0/16', action: 'Accept' }, { action: 'Reject' }],
        }
        await calico.put('bgpfilters/ours', resource('BGPFilter', 'ours', filter))
        const outside = new OutsideInputs(() => undefined)
        const nodes = new NodesView()
        const wishes = new BgpWishes(() => undefined, outside, nodes)
        reflectKinds(
          calico.registry,
          { ...wishes.watchers, Node: nodes, BgpConfiguration: outside.configurations, BgpRange: outside.pools },
          { failed: () => undefined, solved: () => undefined },
          calico.signal,
          'bgp',
        )
        await eventually(
          async () => expect([wishes.isRead, outside.configuration?.mesh]).toEqual([true, false]),
          PATIENCE,
        )
        const machines = [1, 2, 3].map((n) => machineOf(n))
        const base = fullMesh({ networks: [{ cidr: cidr('10.1.0.0/16'), hostPrefix: 24 }] as never }, machines)
        const { cluster, problems } = wishedBgp(base, wishes)
        expect(problems).toEqual([])
        const told = [1, 2, 3].map((n) => {
          const self = { name: `n${n}`, ranges: [{ cidr: cidr(`10.1.${n}.0/24`), isConfirmed: true }], services: [] }
          const made = birdConfiguration(cluster, self, { passwords: new Map() })
          if (made === undefined) throw new Error(`n${n} has no part in it`)
          writeFileSync(join(folder, BIRD_FILE), made.main)
          writeFileSync(join(folder, PASSWORDS_FILE), made.passwords)
          const { exitCode, stderr } = Bun.spawnSync(['bird', '-p', '-c', join(folder, BIRD_FILE)], { cwd: folder })
          expect([exitCode, stderr.toString()]).toEqual([0, ''])
          return made.sessions.map(({ local, remote, filters }) =>
            [local.asNumber, remote.address, remote.asNumber, ...filters].join(' '),
          )
        })
        expect(told.map((one) => one.toSorted())).toEqual([
          ['64601 192.0.2.2 64602', '64601 192.0.2.3 64601'],
          ['64602 192.0.2.1 64601'],
          ['64601 192.0.2.1 64601', '64601 192.0.2.254 65001 ours'],
        ])
      } finally {
        calico.end()
        rmSync(folder, { recursive: true, force: true })
      }
    },
    TIMEOUT,
  )
}

interface Named {
  readonly name: string
  readonly namespace?: string
}

function namesOf(name: string, namespace: string | undefined): Named {
  return namespace === undefined ? { name } : { name, namespace }
}

/** As Calico writes it; the namespace is in the key, too. */
function resource(kind: string, name: string, spec: object) {
  const metadata = { name, uid: '9a1d8f0e-0000-4000-8000-000000000000', creationTimestamp: '2026-01-01T00:00:00Z' }
  return { kind, apiVersion: 'projectcalico.org/v3', metadata, spec }
}

function machineOf(n: number): NodeNetwork {
  const [addresses, ranges] = [[ip(`192.0.2.${n}`)], [cidr(`10.1.${n}.0/24`)]]
  return { node: `n${n}`, machine: { kind: 'node', uid: `u${n}` }, addresses, ranges }
}

async function valuesOf<K extends Kind>(registry: Registry, kinds: readonly K[]) {
  const listings = await Promise.all(kinds.map((kind) => registry.list(kind)))
  return listings.flatMap(({ objects }) => objects.map(({ value }) => value))
}

async function firstOf<T>(all: AsyncIterable<T>): Promise<T | undefined> {
  for await (const one of all) return one
  return undefined
}

/** The first change of a node after a revision. Without one, and without an error, it gives up. */
async function nextNode(registry: Registry, after: number): Promise<Stored<'Node'> | undefined> {
  for await (const change of registry.watch('Node', after, AbortSignal.timeout(PATIENCE))) {
    if (change.type === 'put') return change.object
  }
  return undefined
}
