/**
 * Pods that nobody reaches, and that their kubelets reach all the same: they are ready as long as they live.
 * @module
 */
import { networkPolicy } from '../../tables/policy/objects.ts'
import type { Cluster } from '../cluster.ts'
import { pod } from '../objects.ts'
import type { NodePlace } from '../places.ts'
import type { Report } from '../report.ts'
import { NET_IMAGE } from './image.ts'
import { policyObject } from './steering.ts'

const NAMESPACE = 'isolated'
const EVERY_SECOND = { periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 5 }

interface PodObject {
  readonly metadata: { readonly name: string; readonly creationTimestamp: string }
  readonly spec: { readonly nodeName: string }
  readonly status: {
    readonly podIPs: readonly { readonly ip: string }[]
    readonly conditions: readonly {
      readonly type: string
      readonly status: string
      readonly lastTransitionTime: string
    }[]
    readonly containerStatuses: readonly {
      readonly restartCount: number
      readonly state: { readonly running?: { readonly startedAt: string } }
    }[]
  }
}

/** Makes one on each node, in a namespace that is isolated from the beginning. */
export async function makeIsolated(rig: Cluster): Promise<void> {
  await rig.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
  await rig.apply(policyObject(networkPolicy(NAMESPACE, 'nobody', [], { ingress: [], egress: [] })))
  await rig.ask('-n', NAMESPACE, 'wait', '--for=create', 'serviceaccount/default', '--timeout=30s')
  await rig.apply(...rig.places.nodes.map(isolatedPod))
  await rig.ask('-n', NAMESPACE, 'wait', 'pod', '--all', '--for=condition=Ready', '--timeout=90s')
}

/** Shows that no probe of theirs ever failed, that their own node reaches them, and that nobody else does. */
export async function showIsolated(rig: Cluster, report: Report): Promise<void> {
  report.section('Isolated pods and their kubelets')
  const { items } = await rig.get<{ readonly items: readonly PodObject[] }>('pods', '-n', NAMESPACE)
  const events = await rig.ask('-n', NAMESPACE, 'get', 'events', '--field-selector', 'reason=Unhealthy', '-o', 'name')
  for (const { metadata, spec, status } of items) {
    const ready = status.conditions.find(({ type }) => type === 'Ready')
    const restarts = status.containerStatuses.reduce((sum, { restartCount }) => sum + restartCount, 0)
    const since = Date.parse(ready?.lastTransitionTime ?? '')
    const started = Date.parse(status.containerStatuses[0]?.state.running?.startedAt ?? '')
    // A pod that was not ready for a while is ready since later than its start.
    const isSteady = ready?.status === 'True' && since - started < 15_000
    const seconds = Math.round((Date.now() - since) / 1000)
    report.check(
      isSteady && restarts === 0,
      `${metadata.name}: ready for ${seconds} s by probes every second (HTTP, TCP, exec), ${restarts} restarts`,
    )
    for (const node of rig.places.nodes) {
      for (const { ip } of status.podIPs) {
        const isOwn = node.name === spec.nodeName
        const reaches = await reached(rig, node, ip)
        report.check(
          reaches === isOwn,
          `${node.name} ${reaches ? 'reaches' : 'does not reach'} ${metadata.name} (${ip})`,
        )
      }
    }
  }
  report.check(events === '', `probes that failed: ${events === '' ? 'none' : events}`)
}

async function reached(rig: Cluster, node: NodePlace, ip: string): Promise<boolean> {
  const host = ip.includes(':') ? `[${ip}]` : ip
  const curl = ['curl', '-sf', '--noproxy', '*', '--max-time', '3', '-o', '/dev/null', `http://${host}/`]
  return (await rig.onNode(node, curl)).code === 0
}

/** The kubelet asks by HTTP and by TCP; a program in the pod asks its own address. */
function isolatedPod({ name }: NodePlace): object {
  const self = `${NAMESPACE}/on-${name}`
  const asksItself = { exec: { command: ['sh', '-c', `net once tcp,$POD_IP,80,${self},yes`] }, ...EVERY_SECOND }
  const env = [{ name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }]
  const second = {
    name: 'second',
    image: NET_IMAGE,
    imagePullPolicy: 'Never',
    command: ['sleep', '100000'],
    env,
    readinessProbe: { ...asksItself, initialDelaySeconds: 3, periodSeconds: 2 },
  }
  const main = {
    name: 'main',
    image: NET_IMAGE,
    imagePullPolicy: 'Never',
    command: ['net', 'serve', self, '80'],
    readinessProbe: { httpGet: { port: 80 }, ...EVERY_SECOND, initialDelaySeconds: 1 },
    livenessProbe: { tcpSocket: { port: 80 }, ...EVERY_SECOND, initialDelaySeconds: 2 },
  }
  return pod({ name: `on-${name}`, namespace: NAMESPACE, node: name, spec: { containers: [main, second] } })
}
