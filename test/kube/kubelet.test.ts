/**
 * The playground's kubelet against a real kube-apiserver: it accepts what the kubelet writes.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { KubeClient } from '../../src/kube/client.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { EVENTS, LEASES, NAMESPACES, NODES, PODS } from '../../src/kube/resources.ts'
import { LEASE_NAMESPACE } from '../../src/playground/kubelet/node.ts'
import { fields, list } from '../../src/playground/kubelet/read.ts'
import { Bench } from '../../src/playground/kubelet/testing/bench.ts'
import { ASSETS, ControlPlane, SKIPPED } from './control-plane.ts'
import { eventually } from './process.ts'

const PATIENCE = 120_000
const NAMESPACE = 'test'

if (ASSETS === undefined) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
} else {
  describe('on a real kube-apiserver', () => testKubelet(ASSETS ?? ''))
}

function testKubelet(assets: string): void {
  const bench = new Bench()
  let plane: ControlPlane
  let client: KubeClient

  beforeAll(async () => {
    plane = await ControlPlane.start(assets)
    client = new KubeClient(plane.config())
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }
    await client.create(NAMESPACES, namespace)
    await bench.up()
    bench.start(client)
  }, PATIENCE)
  afterAll(async () => {
    await bench.down()
    client.close()
    await plane.stop()
  }, PATIENCE)

  const pod = async (name: string): Promise<KubeObject> => {
    const found = await client.get(PODS, { namespace: NAMESPACE, name })
    if (found === undefined) throw new Error(`there is no pod ${name}`)
    return found
  }
  const create = (name: string, spec: object): Promise<KubeObject> =>
    client.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: NAMESPACE },
      spec: { nodeName: bench.node.name, ...spec },
    })
  const holds = (what: () => Promise<void>): Promise<void> => eventually(what, 30_000)

  test(
    'the node is registered, ready, and has a lease',
    async () => {
      await holds(async () => {
        const node = await client.get(NODES, { name: bench.node.name })
        const conditions = list(fields(node?.['status'])['conditions']).map(fields)
        expect(conditions.find(({ type }) => type === 'Ready')?.['status']).toBe('True')
        const lease = await client.get(LEASES, { name: bench.node.name, namespace: LEASE_NAMESPACE })
        expect(fields(lease?.['spec'])['holderIdentity']).toBe(bench.node.name)
      })
    },
    PATIENCE,
  )

  test(
    'a pod becomes ready, is told of in events, and goes',
    async () => {
      await create('web', {
        initContainers: [{ name: 'first', image: 'none', command: ['true'] }],
        containers: [
          { name: 'main', image: 'shown', readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 } },
          { name: 'crasher', image: 'none', command: ['sh', '-c', 'exit 3'] },
        ],
      })
      await holds(async () => {
        const status = fields((await pod('web'))['status'])
        const [crasher, main] = list(status['containerStatuses'])
          .map(fields)
          .toSorted((a, b) => (String(a['name']) < String(b['name']) ? -1 : 1))
        expect(status).toMatchObject({ phase: 'Running', qosClass: 'BestEffort' })
        expect(main).toMatchObject({ ready: true, started: true, restartCount: 0 })
        expect(crasher).toMatchObject({ lastState: { terminated: { exitCode: 3 } } })
        expect(Number(crasher?.['restartCount'])).toBeGreaterThan(0)
      })
      await holds(async () => {
        const { items } = await client.list(EVENTS, { namespace: NAMESPACE })
        const reasons = items.map((each) => each['reason'])
        expect(reasons).toEqual(expect.arrayContaining(['Created', 'Started', 'BackOff']))
      })
      await client.delete(PODS, { namespace: NAMESPACE, name: 'web' }, { gracePeriodSeconds: 3 })
      await holds(async () => {
        expect(await client.get(PODS, { namespace: NAMESPACE, name: 'web' })).toBeUndefined()
      })
    },
    PATIENCE,
  )

  test(
    'a pod that ran to its end has succeeded',
    async () => {
      await create('once', { restartPolicy: 'Never', containers: [{ name: 'main', image: 'none', command: ['true'] }] })
      await holds(async () => {
        expect(fields((await pod('once'))['status'])['phase']).toBe('Succeeded')
      })
    },
    PATIENCE,
  )
}
