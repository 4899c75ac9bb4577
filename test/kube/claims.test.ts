/**
 * What is derived from claims, on API servers that check what they are given: the playground's, and a real one.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { at } from '../../src/compat/fields.ts'
import { SPIDER_ENDPOINTS, SPIDER_IP_POOLS, SPIDER_SUBNETS } from '../../src/compat/spiderpool/resources.ts'
import { ADDRESS_CLAIMS, addressClaimBinding } from '../../src/compat/weft/address-claim.ts'
import { runClaims } from '../../src/controller/claims/run.ts'
import type { KubeApi } from '../../src/kube/api.ts'
import { EventRecorder } from '../../src/kube/events.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { DEPLOYMENTS, NAMESPACES, PODS } from '../../src/kube/resources.ts'
import { cidr, ip } from '../../src/network/model/address.ts'
import type { AddressClaim } from '../../src/network/model/pool.ts'
import { type OpenRegistry, openPlace } from '../../src/place/place.ts'
import { formats } from '../../src/playground/apiserver/all-formats.ts'
import { serveApi } from '../../src/playground/apiserver/serve.ts'
import { ROOT } from '../docs/markdown.ts'
import { installCrds } from './cluster-objects.ts'
import { ASSETS, ControlPlane, SKIPPED } from './control-plane.ts'
import { eventually } from './process.ts'

const LIMIT = 120_000
const PATIENCE = 30_000
const NAMESPACE = 'shop'
const SPIDER = 'spiderpool.spidernet.io/v2beta1'
const PODS_AT_ONCE = 60

type Serve = (folder: string, file: string) => Promise<{ stop(): Promise<void> }>

describe('the playground’s API server', () =>
  derives(async (dir, file) => {
    const serviceNetworks = [cidr('172.30.0.0/16')]
    const server = await serveApi({ dir, formats, tls: false, serviceNetworks, bookmarkInterval: 20 })
    server.writeKubeconfig(file, 'admin')
    return server
  }))

if (ASSETS === undefined) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
} else {
  const assets = ASSETS
  describe('a real kube-apiserver', () =>
    derives(async (_, file) => {
      const plane = await ControlPlane.start(assets, ['--disable-admission-plugins=ServiceAccount'])
      plane.writeKubeconfig(file)
      return plane
    }, 'with repair'))
}

function derives(serve: Serve, extent?: 'with repair'): void {
  const folder = mkdtempSync(join(tmpdir(), 'wefttest-claims-'))
  const kubeconfig = join(folder, 'kubeconfig')
  const ending = new AbortController()
  let server: { stop(): Promise<void> } | undefined
  let opened: OpenRegistry
  let running: Promise<void> | undefined
  /** Nobody waits half a minute for a claim to be old. */
  let ahead = 0

  beforeAll(async () => {
    server = await serve(folder, kubeconfig)
    opened = openPlace({ kind: 'kubeconfig', file: kubeconfig })
    await installCrds(api())
    await api().create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
    const say = (): void => undefined
    running = runClaims({
      api: api(),
      events: new EventRecorder(api(), { component: 'test' }),
      signal: ending.signal,
      log: { info: say, warn: say, error: say },
      now: () => Date.now() + ahead,
      auditEveryMs: 500,
    })
  }, LIMIT)

  afterAll(async () => {
    ending.abort()
    await running
    opened?.close()
    await server?.stop()
    rmSync(folder, { recursive: true, force: true })
  }, LIMIT)

  function api(): KubeApi {
    if (opened.kubernetes === undefined) throw new Error('it is an API server')
    return opened.kubernetes
  }

  async function weft(...args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string }> {
    const argv = [process.execPath, join(ROOT, 'src/main.ts'), ...args, '--kubeconfig', kubeconfig]
    const child = Bun.spawn(argv, { stdout: 'pipe', stderr: 'pipe' })
    const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
    return { code: await child.exited, stdout: `${stdout}${stderr}` }
  }

  async function podWith(name: string, claim: Pick<AddressClaim, 'address' | 'pool'>): Promise<KubeObject> {
    const pod = await api().create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: NAMESPACE },
      spec: { nodeName: 'n1', containers: [{ name: 'main', image: 'none' }] },
    })
    const value: AddressClaim = {
      prefix: 16,
      namespace: NAMESPACE,
      pod: name,
      podUid: pod.metadata.uid ?? '',
      ifname: 'eth0',
      containerId: `sandbox-of-${name}`,
      node: 'n1',
      gateway: ip('172.18.0.1'),
      isSticky: false,
      routes: [],
      hasCleanGateway: false,
      ...claim,
    }
    await api().create(ADDRESS_CLAIMS, addressClaimBinding.encode(value))
    const podIPs = [{ ip: claim.address }]
    const status = { phase: 'Running', podIP: claim.address, podIPs }
    await api().patch(PODS, { name, namespace: NAMESPACE }, 'merge', { status }, 'status')
    return pod
  }

  const statusOf = async (name: string): Promise<Record<string, unknown>> =>
    Object((await api().get(SPIDER_IP_POOLS, { name }))?.['status'])

  test(
    'many pods at once: counts, endpoints, an audit without a difference, and nothing left',
    async () => {
      const spec = { subnet: '172.18.0.0/16', ips: ['172.18.30.1-172.18.30.100'], gateway: '172.18.0.1' }
      await api().create(SPIDER_IP_POOLS, {
        apiVersion: SPIDER,
        kind: 'SpiderIPPool',
        metadata: { name: 'many' },
        spec,
      })
      const names = Array.from({ length: PODS_AT_ONCE }, (_, i) => `pod-${i + 1}`)
      await Promise.all(names.map((name, i) => podWith(name, { address: ip(`172.18.30.${i + 1}`), pool: 'many' })))
      await eventually(async () => {
        expect(await statusOf('many')).toMatchObject({ totalIPCount: 100, allocatedIPCount: PODS_AT_ONCE })
        expect((await api().list(SPIDER_ENDPOINTS)).items).toHaveLength(PODS_AT_ONCE)
      }, PATIENCE)
      const { allocatedIPs } = await statusOf('many')
      expect(Object.keys(JSON.parse(String(allocatedIPs)))).toHaveLength(PODS_AT_ONCE)
      const endpoint = await api().get(SPIDER_ENDPOINTS, { name: 'pod-7', namespace: NAMESPACE })
      expect(endpoint?.['status']).toMatchObject({
        current: {
          node: 'n1',
          ips: [{ interface: 'eth0', ipv4: '172.18.30.7/16', ipv4Pool: 'many', ipv4Gateway: '172.18.0.1' }],
        },
        ownerControllerType: 'Pod',
        ownerControllerName: 'pod-7',
      })

      const audit = await weft('ipam', 'audit')
      expect(audit).toMatchObject({ code: 0 })
      expect(audit.stdout).toContain(`${PODS_AT_ONCE} claims, ${PODS_AT_ONCE} pods, 1 pool compared: no difference`)
      const who = await weft('ipam', 'who', '172.18.30.7')
      expect(who.code).toBe(0)
      for (const part of ['is held for a pod', 'shop/pod-7', 'sandbox-of-pod-7', 'many'])
        expect(who.stdout).toContain(part)
      expect(await weft('ipam', 'who', '172.18.30.99', '--json')).toMatchObject({ code: 1 })
      const pools = JSON.parse((await weft('ipam', 'pools', '--json')).stdout)
      expect(pools).toMatchObject([{ name: 'many', total: 100, used: PODS_AT_ONCE, free: 100 - PODS_AT_ONCE }])

      await Promise.all(
        names.map((name) => api().delete(PODS, { name, namespace: NAMESPACE }, { gracePeriodSeconds: 0 })),
      )
      ahead = 60_000
      await eventually(async () => {
        expect((await api().list(ADDRESS_CLAIMS)).items).toEqual([])
        expect((await api().list(SPIDER_ENDPOINTS)).items).toEqual([])
        expect(await statusOf('many')).toMatchObject({ allocatedIPCount: 0, allocatedIPs: '{}' })
      }, PATIENCE)
      ahead = 0
    },
    LIMIT,
  )

  test(
    'what Spiderpool gave out is claimed for pods that live, shown, and collected with the pod',
    async () => {
      const make = (name: string): Promise<KubeObject> =>
        api().create(PODS, {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name, namespace: NAMESPACE },
          spec: { nodeName: 'n1', containers: [{ name: 'main', image: 'none' }] },
        })
      const [uid, other] = (await Promise.all(['old-1', 'old-2'].map(make))).map(({ metadata }) => metadata.uid ?? '')
      // As Spiderpool 1.0 leaves them.
      const FINALIZER = 'spiderpool.spidernet.io'
      const ips = [
        { interface: 'eth0', ipv4: '172.20.0.5/16', ipv4Pool: 'theirs', ipv4Gateway: '172.20.0.1', vlan: 0 },
        { interface: 'net1', ipv4: '172.20.0.6/16', ipv4Pool: 'theirs', vlan: 0, cleanGateway: true },
      ]
      await api().create(SPIDER_ENDPOINTS, {
        apiVersion: SPIDER,
        kind: 'SpiderEndpoint',
        metadata: { name: 'old-1', namespace: NAMESPACE, finalizers: [FINALIZER] },
        status: {
          current: { uid, node: 'n1', ips },
          ownerControllerType: 'Pod',
          ownerControllerName: 'old-1',
        },
      })
      const spec = { subnet: '172.20.0.0/16', ips: ['172.20.0.5-172.20.0.9'], gateway: '172.20.0.1' }
      const metadata = { name: 'theirs', finalizers: [FINALIZER] }
      await api().create(SPIDER_IP_POOLS, { apiVersion: SPIDER, kind: 'SpiderIPPool', metadata, spec })
      const of = (pod: string, podUid: string) => ({ interface: 'eth0', pod: `${NAMESPACE}/${pod}`, podUid })
      const allocated = {
        '172.20.0.5': of('old-1', uid ?? ''),
        '172.20.0.6': { ...of('old-1', uid ?? ''), interface: 'net1' },
        '172.20.0.7': of('old-2', 'of-an-earlier-one'),
        '172.20.0.8': { ...of('old-2', other ?? ''), interface: 'net3' },
        '172.20.0.9': of('never', 'was'),
      }
      const status = { allocatedIPs: JSON.stringify(allocated), allocatedIPCount: 5, totalIPCount: 5 }
      await api().patch(SPIDER_IP_POOLS, { name: 'theirs' }, 'merge', { status }, 'status')
      const brief = async (): Promise<readonly string[]> =>
        (await api().list(ADDRESS_CLAIMS, { labelSelector: 'weft.dev/pool=theirs' })).items
          .map(({ spec: claim }) => `${at(claim, 'address')} ${at(claim, 'pod')} ${at(claim, 'interface')}`)
          .toSorted()
      const claimed = ['172.20.0.5 old-1 eth0', '172.20.0.6 old-1 net1', '172.20.0.8 old-2 net3']
      await eventually(async () => {
        expect(await statusOf('theirs')).toMatchObject({ allocatedIPCount: 3 })
        expect(await brief()).toEqual(claimed)
      }, PATIENCE)
      await eventually(async () => {
        const audit = await weft('ipam', 'audit')
        expect([audit.code, audit.stdout]).toEqual([0, expect.stringContaining('no difference')])
      }, PATIENCE)
      const who = await weft('ipam', 'who', '172.20.0.6')
      for (const part of ['is held for a pod', 'shop/old-1', 'Spiderpool attached it'])
        expect(who.stdout).toContain(part)

      ahead = 600_000
      await Bun.sleep(1_000)
      expect(await brief()).toEqual(claimed)
      for (const name of ['old-1', 'old-2'])
        await api().delete(PODS, { name, namespace: NAMESPACE }, { gracePeriodSeconds: 0 })
      await eventually(async () => expect(await brief()).toEqual([]), PATIENCE)
      ahead = 0
    },
    LIMIT,
  )

  test(
    'a Deployment’s pool comes, grows, and stays until nobody has an address of it',
    async () => {
      const spec = { subnet: '172.19.0.0/16', ips: ['172.19.40.1-172.19.40.10'], gateway: '172.19.0.1' }
      await api().create(SPIDER_SUBNETS, { apiVersion: SPIDER, kind: 'SpiderSubnet', metadata: { name: 's4' }, spec })
      const labels = { app: 'demo' }
      const annotations = { 'ipam.spidernet.io/subnet': '{"ipv4":["s4"]}' }
      const template = { metadata: { labels, annotations }, spec: { containers: [{ name: 'main', image: 'none' }] } }
      await api().create(DEPLOYMENTS, {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'demo', namespace: NAMESPACE },
        spec: { replicas: 2, selector: { matchLabels: labels }, template },
      })
      const made = async (): Promise<KubeObject> => {
        const labelSelector = 'ipam.spidernet.io/owner-application-name=demo'
        const [pool] = (await api().list(SPIDER_IP_POOLS, { labelSelector })).items
        if (pool === undefined) throw new Error('there is no pool yet')
        return pool
      }
      const ipsOf = (pool: KubeObject): unknown => Object(pool['spec'])['ips']
      await eventually(async () => expect(ipsOf(await made())).toEqual(['172.19.40.1-172.19.40.3']), PATIENCE)
      const { name } = (await made()).metadata
      await api().patch(DEPLOYMENTS, { name: 'demo', namespace: NAMESPACE }, 'merge', { spec: { replicas: 4 } })
      await eventually(async () => expect(ipsOf(await made())).toEqual(['172.19.40.1-172.19.40.5']), PATIENCE)
      await eventually(async () => {
        const subnet = await api().get(SPIDER_SUBNETS, { name: 's4' })
        expect(subnet?.['status']).toMatchObject({ totalIPCount: 10, allocatedIPCount: 5 })
      }, PATIENCE)
      await podWith('holder', { address: ip('172.19.40.5'), pool: name })
      await eventually(async () => expect(await statusOf(name)).toMatchObject({ allocatedIPCount: 1 }), PATIENCE)
      await api().delete(DEPLOYMENTS, { name: 'demo', namespace: NAMESPACE })
      await eventually(async () => expect((await made()).metadata.deletionTimestamp).toBeDefined(), PATIENCE)
      await api().delete(PODS, { name: 'holder', namespace: NAMESPACE }, { gracePeriodSeconds: 0 })
      ahead = 60_000
      await eventually(async () => expect(await api().get(SPIDER_IP_POOLS, { name })).toBeUndefined(), PATIENCE)
    },
    LIMIT,
  )

  // It takes half a minute.
  test.if(extent === 'with repair')(
    'repair gives back what nobody has; no controller is needed for that',
    async () => {
      ending.abort()
      await running
      await podWith('gone', { address: ip('172.18.30.50'), pool: 'many' })
      await api().delete(PODS, { name: 'gone', namespace: NAMESPACE }, { gracePeriodSeconds: 0 })
      // It is a real program with a clock of its own, and young claims are left alone.
      await Bun.sleep(31_000)
      const found = await weft('ipam', 'audit')
      expect(found.code).toBe(1)
      expect(found.stdout).toContain('172.18.30.50 of pod shop/gone, eth0: the pod is gone')
      const repaired = await weft('ipam', 'audit', '--repair')
      expect(repaired.stdout).toContain('172.18.30.50 is given back')
      expect((await api().list(ADDRESS_CLAIMS)).items).toEqual([])
    },
    LIMIT,
  )
}
