/**
 * flannel's Kubernetes subnet manager on machines that are namespaces: on the playground's API server, and on a real one with
 * what flannel's own role allows.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KubeObject } from '../../src/kube/object.ts'
import { NODES, PODS } from '../../src/kube/resources.ts'
import { ASSETS, SKIPPED } from '../kube/control-plane.ts'
import { eventually } from '../kube/process.ts'
import { embeddedCluster, realCluster, type TestCluster } from './clusters.ts'
import { inside, obstacle, PATIENCE, Rig } from './rig.ts'

const reason = obstacle()
if (reason !== undefined) console.log(reason)
if (ASSETS === undefined) console.log(SKIPPED)

type Start = (folder: string) => Promise<TestCluster>
const real = ASSETS
const CLUSTERS: readonly (readonly [name: string, start: Start | undefined])[] = [
  ['the playground’s API server', embeddedCluster],
  ['a real API server', real === undefined ? undefined : (folder) => realCluster(real, folder)],
]

for (const [name, start] of CLUSTERS) {
  const lacking = reason ?? (start === undefined ? SKIPPED : undefined)
  describe.skipIf(lacking !== undefined)(`flannel in Kubernetes: ${name}${lacking ? ` (${lacking})` : ''}`, () => {
    if (start !== undefined) machinesIn(start)
  })
}

const PREFIX = 'flannel.alpha.coreos.com/'
const MAC = 'c6:d2:32:6f:8f:44'

function machinesIn(start: Start): void {
  const rig = new Rig(2)
  const [one, two] = [rig.host(1), rig.host(2)]
  const file = join(rig.folder, 'net-conf.json')
  let cluster: TestCluster

  beforeAll(async () => {
    await rig.up({ hasEtcd: false })
    cluster = await start(rig.folder)
    writeFileSync(file, '{"Network": "10.244.0.0/16", "Backend": {"Type": "vxlan"}}')
    await cluster.admin.create(NODES, nodeNamed('node1'))
    await cluster.admin.create(NODES, nodeNamed('node2', { podCIDR: '10.244.2.0/24', podCIDRs: ['10.244.2.0/24'] }))
    await cluster.admin.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'kube-flannel-x', namespace: 'default' },
      spec: { nodeName: 'node2', containers: [{ name: 'kube-flannel', image: 'x' }] },
    })
  }, 2 * PATIENCE)
  afterAll(async () => {
    await rig.down()
    await cluster?.stop()
  }, PATIENCE)

  test(
    'a node waits for its range, tells how it is reached, and its network counts as there when it is',
    async () => {
      const before = { type: 'NetworkUnavailable', status: 'True', reason: 'NoRouteCreated', message: 'x' }
      await patchStatus('node1', { conditions: [before, { ...before, type: 'MemoryPressure' }] })
      one.startInCluster(cluster.kubeconfig, file, ['NODE_NAME=node1'])
      two.startInCluster(cluster.kubeconfig, file, ['POD_NAME=kube-flannel-x', 'POD_NAMESPACE=default'])
      await eventually(async () => expect(one.log).toContain('pod cidr not assigned'), PATIENCE)
      expect(conditionOf(await node('node1'))).toMatchObject({ status: 'True' })
      const spec = { podCIDR: '10.244.1.0/24', podCIDRs: ['10.244.1.0/24'] }
      await cluster.admin.patch(NODES, { name: 'node1' }, 'merge', { spec })
      await rig.dockAll()
      expect(await Promise.all(rig.hosts.map((host) => host.subnet()))).toEqual(['10.244.1.0/24', '10.244.2.0/24'])
      await rig.expectMesh()
      await eventually(async () => {
        expect(conditionOf(await node('node1'))).toMatchObject({ status: 'False', reason: 'FlannelIsUp' })
      }, PATIENCE)
      const { metadata, status } = await node('node1')
      expect(metadata?.annotations).toMatchObject({
        [`${PREFIX}kube-subnet-manager`]: 'true',
        [`${PREFIX}backend-type`]: 'vxlan',
        [`${PREFIX}backend-data`]: JSON.stringify({ VNI: 1, VtepMAC: await mac() }),
        [`${PREFIX}public-ip`]: one.address,
      })
      // Others' conditions are others'.
      expect((status as { conditions: readonly object[] }).conditions).toContainEqual(
        expect.objectContaining({ type: 'MemoryPressure', status: 'True' }),
      )
    },
    3 * PATIENCE,
  )

  test(
    'a node of flannel’s own is reached as its annotations say, and no more when it is gone',
    async () => {
      const annotations = {
        [`${PREFIX}kube-subnet-manager`]: 'true',
        [`${PREFIX}backend-type`]: 'vxlan',
        [`${PREFIX}backend-data`]: `{"VNI":1,"VtepMAC":"${MAC}"}`,
        [`${PREFIX}public-ip`]: '192.0.2.77',
      }
      const foreign = nodeNamed('foreign', { podCIDR: '10.244.7.0/24', podCIDRs: ['10.244.7.0/24'] }, annotations)
      await cluster.admin.create(NODES, foreign)
      await expectWay('192.0.2.77')
      // What happened meanwhile can be watched no more, where that is to be had.
      await cluster.forgetPast?.()
      await annotate('foreign', { [`${PREFIX}public-ip`]: '192.0.2.78' })
      await expectWay('192.0.2.78')
      await annotate('foreign', { [`${PREFIX}public-ip`]: 'nonsense' })
      await eventually(async () => expect(await routes()).not.toContain('10.244.7.0/24'), PATIENCE)
      expect(one.log).toContain('the Node foreign does not tell how it is reached')
      await annotate('foreign', { [`${PREFIX}public-ip`]: '192.0.2.79' })
      await expectWay('192.0.2.79')
      await cluster.admin.delete(NODES, { name: 'foreign' })
      await eventually(async () => expect(await routes()).not.toContain('10.244.7.0/24'), PATIENCE)
      expect(await routes()).toContain('10.244.2.0/24')
    },
    3 * PATIENCE,
  )

  test(
    'the MAC address in the annotations outlives the device, and an address from an administrator replaces our own',
    async () => {
      const known = await mac()
      await one.stop()
      await inside(one.namespace, 'ip', 'link', 'delete', 'flannel.1')
      await annotate('node1', { [`${PREFIX}public-ip-overwrite`]: '192.0.2.201' })
      await inside(one.namespace, 'ip', 'address', 'add', '192.0.2.201/24', 'dev', 'eth0')
      one.startInCluster(cluster.kubeconfig, file, ['NODE_NAME=node1'])
      await eventually(async () => expect(await mac()).toBe(known), PATIENCE)
      await eventually(
        async () => expect((await node('node1')).metadata?.annotations?.[`${PREFIX}public-ip`]).toBe('192.0.2.201'),
        PATIENCE,
      )
      await eventually(
        async () =>
          expect(await inside(two.namespace, 'bridge', 'fdb', 'show', 'dev', 'flannel.1')).toContain(
            `${known} dst 192.0.2.201`,
          ),
        PATIENCE,
      )
    },
    3 * PATIENCE,
  )

  test(
    'node-public-ip says by which of its addresses a machine is reached, and from where it sends',
    async () => {
      await two.stop()
      await inside(two.namespace, 'ip', 'address', 'add', '192.0.2.202/24', 'dev', 'eth0')
      await annotate('node2', { [`${PREFIX}node-public-ip`]: '192.0.2.202' })
      two.startInCluster(cluster.kubeconfig, file, ['NODE_NAME=node2'])
      await eventually(
        async () => expect((await node('node2')).metadata?.annotations?.[`${PREFIX}public-ip`]).toBe('192.0.2.202'),
        PATIENCE,
      )
      const device = () => inside(two.namespace, 'ip', '-d', 'link', 'show', 'flannel.1')
      await eventually(async () => expect(await device()).toContain('local 192.0.2.202'), PATIENCE)
      const ways = () => inside(two.namespace, 'ip', 'route', 'show', 'proto', '77')
      await eventually(async () => expect(await ways()).toContain('10.244.1.0/24'), PATIENCE)
    },
    3 * PATIENCE,
  )

  test.each<[string, string]>([
    ['no JSON', 'the network configuration is no JSON'],
    ['{"Network": "10.244.0.0/16", "Backend": {"Type": "wireguard"}}', 'WireGuard is not made here yet'],
  ])(
    'with the configuration %j it ends with 2 and says why',
    async (text, why) => {
      await two.stop()
      const other = join(rig.folder, 'other.json')
      writeFileSync(other, text)
      two.startInCluster(cluster.kubeconfig, other, ['NODE_NAME=node2'])
      expect(await two.ended()).toBe(2)
      expect(two.log).toContain(why)
      // What stood stands.
      expect(await inside(two.namespace, 'ip', 'route', 'show', 'proto', '77')).toContain('10.244.1.0/24')
    },
    PATIENCE,
  )

  const node = async (name: string): Promise<KubeObject> => {
    const found = await cluster.admin.get(NODES, { name })
    if (found === undefined) throw new Error(`there is no node ${name}`)
    return found
  }
  const annotate = (name: string, annotations: object) =>
    cluster.admin.patch(NODES, { name }, 'merge', { metadata: { annotations } })
  const patchStatus = (name: string, status: object) =>
    cluster.admin.patch(NODES, { name }, 'merge', { status }, 'status')
  const routes = () => inside(one.namespace, 'ip', 'route', 'show', 'proto', '77')
  const mac = async () => (await inside(one.namespace, 'ip', '-br', 'link', 'show', 'flannel.1')).split(/\s+/)[2]
  const expectWay = (machine: string) =>
    eventually(async () => {
      expect(await routes()).toContain('10.244.7.0/24 via 10.244.7.0 dev flannel.1 onlink')
      expect(await inside(one.namespace, 'bridge', 'fdb', 'show', 'dev', 'flannel.1')).toContain(
        `${MAC} dst ${machine}`,
      )
      expect(await inside(one.namespace, 'ip', 'neigh', 'show', 'dev', 'flannel.1')).toContain(
        `10.244.7.0 lladdr ${MAC} PERMANENT`,
      )
    }, PATIENCE)
}

function nodeNamed(name: string, spec: object = {}, annotations: object = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, annotations }, spec } as KubeObject
}

function conditionOf({ status }: KubeObject): unknown {
  const { conditions = [] } = (status ?? {}) as { readonly conditions?: readonly { readonly type: string }[] }
  return conditions.find(({ type }) => type === 'NetworkUnavailable')
}
