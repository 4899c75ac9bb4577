/**
 * `weft controller` on a real Kubernetes API, and people who use kubectl: what `oc adm pod-network` does, and what
 * becomes of wrong requests.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CHANGE_NETWORK } from '../../src/compat/openshift/resources.ts'
import { KubeClient } from '../../src/kube/client.ts'
import { loadKubeconfig } from '../../src/kube/kubeconfig.ts'
import { cidr } from '../../src/network/model/address.ts'
import { formats } from '../../src/playground/apiserver/all-formats.ts'
import { serveApi } from '../../src/playground/apiserver/serve.ts'
import { installCrds } from './cluster-objects.ts'
import { ASSETS, ControlPlane, SKIPPED } from './control-plane.ts'
import { runKubectl } from './kubectl.ts'
import { eventually, type Running, start } from './process.ts'

const PATIENCE = 20_000
const LIMIT = 120_000

const CLUSTER_NETWORK = {
  apiVersion: 'network.openshift.io/v1',
  kind: 'ClusterNetwork',
  metadata: { name: 'default' },
  network: '10.128.0.0/14',
  hostsubnetlength: 9,
  serviceNetwork: '172.30.0.0/16',
  pluginName: 'redhat/openshift-ovs-multitenant',
  clusterNetworks: [
    { CIDR: '10.128.0.0/14', hostSubnetLength: 9 },
    { CIDR: 'fd01::/48', hostSubnetLength: 64 },
  ],
}

interface Cluster {
  readonly kubeconfig: string
  stop(): Promise<void>
}

async function realCluster(assets: string, folder: string): Promise<Cluster> {
  const plane = await ControlPlane.start(assets)
  const kubeconfig = join(folder, 'kubeconfig')
  plane.writeKubeconfig(kubeconfig)
  return { kubeconfig, stop: () => plane.stop() }
}

async function embeddedCluster(folder: string): Promise<Cluster> {
  const serviceNetworks = [cidr('172.30.0.0/16'), cidr('fd02::/112')]
  const server = await serveApi({ dir: join(folder, 'api'), formats, serviceNetworks })
  const kubeconfig = join(folder, 'kubeconfig')
  server.writeKubeconfig(kubeconfig, 'admin')
  return { kubeconfig, stop: () => server.stop() }
}

if (ASSETS === undefined) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
} else {
  const assets = ASSETS
  describe('the embedded API server', () => tenancy(assets, embeddedCluster))
  describe('a real kube-apiserver', () => tenancy(assets, (folder) => realCluster(assets, folder)))
}

function tenancy(assets: string, bringUp: (folder: string) => Promise<Cluster>): void {
  const folder = mkdtempSync(join(tmpdir(), 'wefttest-tenancy-'))
  const kubeconfig = join(folder, 'kubeconfig')
  let cluster: Cluster | undefined
  let controller: Running | undefined

  beforeAll(async () => {
    cluster = await bringUp(folder)
    const client = new KubeClient(loadKubeconfig(kubeconfig))
    await installCrds(client)
    client.close()
    controller = startController()
  }, LIMIT)

  afterAll(async () => {
    await controller?.stop()
    await cluster?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  function startController(): Running {
    const main = join(import.meta.dir, '../../src/main.ts')
    const options = ['--kubeconfig', kubeconfig, '--run-dir', folder, '--no-election']
    return start([process.execPath, main, 'controller', ...options], join(folder, 'controller.log'))
  }

  function kubectl(args: readonly string[], input?: object): Promise<string> {
    return runKubectl({ assets, kubeconfig, home: folder }, args, input)
  }

  function field(resource: string, name: string, path: string): Promise<string> {
    return kubectl(['get', resource, name, '-o', `jsonpath=${path}`])
  }

  function createNamespace(name: string): Promise<string> {
    return kubectl(['create', 'namespace', name])
  }

  function annotate(name: string, change: string): Promise<string> {
    return kubectl(['annotate', '--overwrite', 'netnamespace', name, `${CHANGE_NETWORK}=${change}`])
  }

  async function asked(name: string): Promise<string> {
    const annotations = await field('netnamespace', name, '{.metadata.annotations}')
    return (JSON.parse(annotations) as Readonly<Record<string, string>>)[CHANGE_NETWORK] ?? ''
  }

  function soon(check: () => Promise<void>): Promise<void> {
    return eventually(check, PATIENCE)
  }

  test(
    'every namespace gets a network of its own, the default one that of all',
    async () => {
      for (const name of ['shop', 'till', 'bank']) await createNamespace(name)
      await kubectl(['create', '-f', '-'], CLUSTER_NETWORK)
      await soon(async () => {
        const netids = await kubectl(['get', 'netnamespaces', '-o', 'jsonpath={.items[*].netid}'])
        expect(new Set(netids.split(' ')).size).toBeGreaterThanOrEqual(4)
        expect(await field('netnamespace', 'default', '{.netid}')).toBe('0')
      })
      expect(await kubectl(['get', 'netnamespaces'])).toMatch(/NAME\s+NETID\s+EGRESS IPS\s+CHANGE\s+REASON/)
    },
    LIMIT,
  )

  test(
    'join, isolate and global are carried out, and the request goes',
    async () => {
      await annotate('bank', 'join:shop')
      await soon(async () => {
        expect(await field('netnamespace', 'bank', '{.netid}')).toBe(await field('netnamespace', 'shop', '{.netid}'))
        expect(await asked('bank')).toBe('')
      })
      await kubectl(['wait', '--for=condition=ChangeAccepted', 'netnamespace/bank', '--timeout=5s'])
      await annotate('bank', 'isolate')
      await soon(async () => {
        expect(await field('netnamespace', 'bank', '{.netid}')).not.toBe(
          await field('netnamespace', 'shop', '{.netid}'),
        )
      })
      await annotate('bank', 'global')
      await soon(async () => expect(await field('netnamespace', 'bank', '{.netid}')).toBe('0'))
    },
    LIMIT,
  )

  test.each([
    ['till', 'join:nowhere', 'TENANT_UNKNOWN_TARGET'],
    ['shop', 'join:shop', 'TENANT_SELF_JOIN'],
    ['default', 'isolate', 'TENANT_DEFAULT_MUST_BE_GLOBAL'],
    ['bank', 'leave', 'TENANT_UNKNOWN_ACTION'],
  ])(
    '%s cannot %s: it says so in a condition and an event',
    async (name, change, code) => {
      const before = await field('netnamespace', name, '{.netid}')
      await annotate(name, change)
      await soon(async () => {
        const reason = '{.status.conditions[?(@.type=="ChangeAccepted")].reason}'
        expect(await field('netnamespace', name, reason)).toBe(code)
        expect(await kubectl(['describe', 'netnamespace', name])).toMatch(new RegExp(`Warning\\s+${code}`))
      })
      expect(await asked(name)).toBe(change)
      expect(await field('netnamespace', name, '{.netid}')).toBe(before)
    },
    LIMIT,
  )

  test(
    'weft tenant asks once: what is refused is withdrawn, with the reason',
    async () => {
      const weft = async (...args: readonly string[]) => {
        const main = join(import.meta.dir, '../../src/main.ts')
        const options = { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' } as const
        const child = Bun.spawn(
          [process.execPath, main, 'tenant', ...args, '--kubeconfig', kubeconfig, '--json'],
          options,
        )
        return { said: JSON.parse(await new Response(child.stdout).text()), code: await child.exited }
      }
      expect(await weft('isolate', 'bank')).toMatchObject({ code: 0, said: { namespace: 'bank', shared: [] } })
      expect(await asked('bank')).toBe('')
      const refused = await weft('join', 'bank', '--to', 'nobody')
      expect(refused).toMatchObject({ code: 1, said: { error: { code: 'TENANT_UNKNOWN_TARGET' } } })
      expect(await asked('bank')).toBe('')
      expect(await field('netnamespace', 'bank', '{.status}')).toBe('')
    },
    LIMIT,
  )

  test(
    'a request that was refused is granted when it can be',
    async () => {
      await createNamespace('nowhere')
      await soon(async () => {
        expect(await field('netnamespace', 'till', '{.netid}')).toBe(await field('netnamespace', 'nowhere', '{.netid}'))
        expect(await asked('till')).toBe('')
      })
    },
    LIMIT,
  )

  test(
    'a controller that was killed goes on, and repeats no complaint',
    async () => {
      await controller?.stop('SIGKILL')
      const before = await field('netnamespace', 'shop', '{.metadata.resourceVersion}')
      controller = startController()
      await createNamespace('late')
      await soon(async () => expect(Number(await field('netnamespace', 'late', '{.netid}'))).toBeGreaterThan(9))
      expect(await field('netnamespace', 'shop', '{.metadata.resourceVersion}')).toBe(before)
    },
    LIMIT,
  )

  test(
    'nodes get ranges of both families; HostSubnets show those of IPv4 and are put back',
    async () => {
      const addresses = [{ type: 'InternalIP', address: '192.0.2.1' }]
      const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' }, status: { addresses } }
      await kubectl(['create', '-f', '-'], node)
      const subnet = (): Promise<string> => field('hostsubnet', 'node-1', '{.subnet}')
      await soon(async () => expect(await subnet()).toBe('10.128.0.0/23'))
      expect(await field('nodenetwork', 'node-1', '{.spec.ranges}')).toBe('["10.128.0.0/23","fd01:0:0:1::/64"]')
      await kubectl([
        'patch',
        'hostsubnet',
        'node-1',
        '--type=merge',
        '-p',
        '{"subnet":"10.0.0.0/24","hostIP":"192.0.2.9"}',
      ])
      await soon(async () => expect(await subnet()).toBe('10.128.0.0/23'))
      expect(await field('hostsubnet', 'node-1', '{.hostIP}')).toBe('192.0.2.1')
      await kubectl(['delete', 'hostsubnet', 'node-1'])
      await soon(async () => expect(await subnet()).toBe('10.128.0.0/23'))
      const metadata = { name: 'outside', annotations: { 'pod.network.openshift.io/assign-subnet': '' } }
      const outside = {
        apiVersion: 'network.openshift.io/v1',
        kind: 'HostSubnet',
        metadata,
        host: 'outside',
        hostIP: '192.0.2.77',
      }
      await kubectl(['create', '-f', '-'], { ...outside, subnet: '' })
      await soon(async () => expect(await field('hostsubnet', 'outside', '{.subnet}')).toMatch(/^10\.\d+\.\d+\.0\/23$/))
      await kubectl(['delete', 'node', 'node-1'])
      // A host outside is let in by its HostSubnet, and stays with it.
      await soon(async () =>
        expect((await kubectl(['get', 'hostsubnets,nodenetworks', '-o', 'name'])).split('\n')).toEqual([
          'hostsubnet.network.openshift.io/outside',
          'nodenetwork.weft.dev/outside',
        ]),
      )
    },
    LIMIT,
  )

  test(
    'a node gets a further range by its agent’s report, and gives it back by two more; an older word takes nothing',
    async () => {
      await kubectl(['patch', 'clusternetwork', 'default', '--type=merge', '-p', '{"weft":{"rangesPerNode":3}}'])
      const addresses = [{ type: 'InternalIP', address: '192.0.2.9' }]
      const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-9' }, status: { addresses } }
      await kubectl(['create', '-f', '-'], node)
      const nodeUID = await field('node', 'node-9', '{.metadata.uid}')
      const report = (says: object): Promise<string> =>
        kubectl(['apply', '-f', '-'], {
          apiVersion: 'weft.dev/v1alpha1',
          kind: 'NodeReport',
          metadata: { name: 'node-9' },
          nodeUID,
          agent: { ready: true, uplinkMtu: 1500, datapath: 'netdev', ...says },
        })
      const network = async (path: string): Promise<unknown> => {
        const text = await field('nodenetwork', 'node-9', path)
        return text === '' ? undefined : JSON.parse(text)
      }
      const ranges = async (): Promise<readonly string[]> => {
        const found = await network('{.spec.ranges}').catch(() => [])
        return (found ?? []) as readonly string[]
      }
      await soon(async () => expect(await ranges()).toHaveLength(2))
      const first = await ranges()
      await report({ wants: { IPv4: 2 } })
      await soon(async () => expect(await ranges()).toHaveLength(3))
      const two = await ranges()
      const range = two.find((one) => !first.includes(one))
      await report({ unused: [{ range, since: 1 }] })
      await report({ unused: [{ range }] })
      await soon(async () => expect(await field('nodenetwork', 'node-9', '{.spec.closing[0].range}')).toBe(range ?? ''))
      expect(await ranges()).toEqual(two)
      const since = await network('{.spec.closing[0].since}')
      await report({ unused: [{ range, since }] })
      await soon(async () => expect(await ranges()).toEqual(first))
      expect(await network('{.spec.closing}')).toBeUndefined()
      await kubectl(['delete', 'node', 'node-9'])
    },
    LIMIT,
  )

  test(
    'a tenant that cannot be read is named in its namespace, and in order when it is corrected',
    async () => {
      const patch = (args: readonly string[]): Promise<string> => kubectl(['patch', ...args])
      const renumber = ['netnamespace', 'late', '--type=merge', '-p', '{"netid":16777216}']
      await expect(patch(renumber)).rejects.toThrow(/16777215/)
      // The definition of others may let through what ours refuses.
      const maximum = '/spec/versions/0/schema/openAPIV3Schema/properties/netid/maximum'
      const loosened = JSON.stringify([{ op: 'remove', path: maximum }])
      await patch(['crd', 'netnamespaces.network.openshift.io', '--type=json', '-p', loosened])
      await soon(async () => void (await patch(renumber)))
      const problem = (): Promise<string> =>
        field('namespace', 'late', '{.metadata.annotations.weft\\.dev/network-problem}')
      await soon(async () => expect(await problem()).toMatch(/virtual network is not valid.*16777216/))
      const events = ['get', 'events', '--field-selector=reason=TENANT_UNREADABLE']
      await soon(async () => expect(await kubectl(events)).toContain('namespace/late'))
      await patch(['netnamespace', 'late', '--type=merge', '-p', '{"netid":77}'])
      await soon(async () => expect(await problem()).toBe(''))
      expect(await field('netnamespace', 'late', '{.netid}')).toBe('77')
    },
    LIMIT,
  )
}
