/**
 * The rig itself, with a bridge on each node for a pod network: nodes, deployments, exec, logs, host namespaces,
 * capabilities and account tokens work as they do on machines of their own.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { copyFileSync, existsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ASSETS } from '../kube/control-plane.ts'
import { Cluster } from './cluster.ts'
import { hostPath } from './node-host.ts'
import { daemonSet, deployment, pod } from './objects.ts'
import { placesOf } from './places.ts'
import { waitFor } from './programs.ts'
import { missing } from './requirements.ts'

const PATIENCE = 240_000
const reason = missing(ASSETS)

if (ASSETS === undefined || reason !== undefined) {
  console.log(reason)
  test.skip(reason ?? '', () => undefined)
} else {
  const places = placesOf(join(tmpdir(), `wefttest-cluster-${process.pid}`), ASSETS)
  describe('a Kubernetes of two nodes', () => testRig(new Cluster(places)))
}

function testRig(rig: Cluster): void {
  const { places } = rig
  const runs = (name: string): Promise<string> =>
    rig.ask('wait', `pod/${name}`, '--for=condition=Ready', '--timeout=90s')

  beforeAll(() => Cluster.up(places, () => undefined), PATIENCE)
  afterAll(async () => {
    await rig.down()
    expect(existsSync(places.layout.runDir)).toBe(false)
  }, PATIENCE)

  test(
    'nodes are registered, and ready once there is a pod network',
    async () => {
      expect(await rig.readyNodes()).toEqual([])
      for (const [index, node] of places.nodes.entries()) {
        for (const name of ['bridge', 'host-local'])
          copyFileSync(`/usr/lib/cni/${name}`, hostPath(node, `/opt/cni/bin/${name}`))
        writeFileSync(hostPath(node, '/etc/cni/net.d/10-bridge.conf'), bridgeNetwork(index))
      }
      await waitFor('every node is ready', async () => (await rig.readyNodes()).length === places.nodes.length)
    },
    PATIENCE,
  )

  test(
    'a deployment runs on both nodes; exec and logs reach its pods',
    async () => {
      await rig.apply(deployment({ name: 'web', spec: SPREAD }, 4))
      await rig.ask('rollout', 'status', 'deployment/web', '--timeout=90s')
      const { items } = await rig.get<{ readonly items: readonly { readonly spec: { readonly nodeName: string } }[] }>(
        'pods',
      )
      expect(new Set(items.map(({ spec }) => spec.nodeName))).toEqual(new Set(['node1', 'node2']))
      expect(await rig.ask('exec', 'deployment/web', '--', 'wget', '-qO-', 'http://127.0.0.1:8080/')).toStartWith(
        'web-',
      )
      expect(await rig.ask('logs', 'deployment/web')).toContain('serves')
    },
    PATIENCE,
  )

  test(
    'pods of a node’s network see the node: its links, its name, its files',
    async () => {
      const mount = { name: 'run', mountPath: '/host/run' }
      await rig.apply(
        daemonSet({
          name: 'host',
          command: ['sleep', '3600'],
          container: { volumeMounts: [mount] },
          spec: { hostNetwork: true, volumes: [{ name: 'run', hostPath: { path: '/run' } }] },
        }),
      )
      await rig.ask('rollout', 'status', 'daemonset/host', '--timeout=90s')
      const look = 'hostname; ip -o -4 address show dev br-phy; ls /host/run/openvswitch'
      const { items } = await rig.get<{ readonly items: readonly HostPod[] }>('pods', '-l', 'app=host')
      for (const { metadata, spec, status } of items) {
        const seen = await rig.ask('exec', metadata.name, '--', 'sh', '-c', look)
        expect(seen).toStartWith(spec.nodeName)
        expect(seen).toContain(`inet ${status.hostIP}/`)
        expect(seen).toContain('db.sock')
      }
      expect(items).toHaveLength(places.nodes.length)
    },
    PATIENCE,
  )

  test(
    'capabilities are given and withheld',
    async () => {
      const ask = ['grep', 'CapEff', '/proc/self/status']
      const some = { add: ['NET_ADMIN', 'SYS_ADMIN'], drop: ['ALL'] }
      await rig.apply(
        pod({ name: 'some', container: { securityContext: { capabilities: some } } }),
        pod({ name: 'all', container: { securityContext: { privileged: true } } }),
      )
      await Promise.all([runs('some'), runs('all')])
      expect(await rig.ask('exec', 'some', '--', ...ask)).toEndWith('0000000000201000')
      const mount = ['sh', '-c', 'mount -t tmpfs tmpfs /tmp && ip link add link0 type veth peer name link1']
      await rig.ask('exec', 'all', '--', ...mount)
    },
    PATIENCE,
  )

  test(
    'accounts get tokens that the API server believes, and node names are in them',
    async () => {
      await rig.apply(
        pod({ name: 'account', command: ['sleep', '3600'], spec: { automountServiceAccountToken: true } }),
      )
      await runs('account')
      const token = await rig.ask('exec', 'account', '--', 'cat', '/var/run/secrets/kubernetes.io/serviceaccount/token')
      const { node } = await whoIs(rig, token)
      expect(places.nodes.map(({ name }) => name)).toContain(node)
    },
    PATIENCE,
  )
}

interface HostPod {
  readonly metadata: { readonly name: string }
  readonly spec: { readonly nodeName: string }
  readonly status: { readonly hostIP: string }
}

/** What the API server makes of a token. */
async function whoIs(rig: Cluster, token: string): Promise<{ readonly node: string }> {
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } }
  const { stdout } = await rig.kubectl(['create', '-f', '-', '-o', 'json'], { input: JSON.stringify(review) })
  const { status } = JSON.parse(stdout) as { readonly status: { readonly user: { readonly extra: Extra } } }
  return { node: status.user.extra['authentication.kubernetes.io/node-name']?.[0] ?? 'none' }
}

type Extra = Readonly<Record<string, readonly string[]>>

const SPREAD = {
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: 'kubernetes.io/hostname',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: 'web' } },
    },
  ],
}

function bridgeNetwork(index: number): string {
  const ranges = [[{ subnet: `10.99.${index}.0/24` }]]
  const ipam = { type: 'host-local', ranges }
  return JSON.stringify({ cniVersion: '0.4.0', name: 'rig', type: 'bridge', bridge: 'cni0', isGateway: true, ipam })
}
