/**
 * A node as the API shows it: registered, its condition kept true, its lease renewed. Pure where it can be.
 * @module
 */
import { readFileSync } from 'node:fs'
import { arch, release } from 'node:os'
import { KubeError } from '../../kube/errors.ts'
import type { KubeObject } from '../../kube/object.ts'
import { LEASES, NODES } from '../../kube/resources.ts'
import { sleep } from '../../registry/backoff.ts'
import { VERSION } from '../../version.ts'
import type { Context } from './context.ts'
import type { Involved } from './events.ts'
import { readConf } from './network/conf.ts'
import { cniStatus } from './network/plugin.ts'
import { fields, list, text, timestamp } from './read.ts'

/** What clients that ask for a kubelet's version are told: the API that is spoken, and who speaks it. */
const KUBELET_VERSION = 'v1.32.0+weft-playground'
/** Where nodes' leases are. */
export const LEASE_NAMESPACE = 'kube-node-lease'
const LEASE_SECONDS = 40
const MAX_PODS = 250
/** How much more often a node is looked at that takes no pods. */
const IMPATIENCE = 10
/** Milliseconds after which an unchanged status is written all the same. */
const REPORT = 300_000

/** Whether a node's network takes pods; the message says why not. */
export interface NetworkState {
  readonly ready: boolean
  readonly message: string
}

/** Keeps a node's object and lease until the signal aborts. */
export async function keepNode(context: Context, signal: AbortSignal): Promise<void> {
  await Promise.all([
    repeat(context, signal, context.timing.nodeStatus, statusKeeper(context)),
    repeat(context, signal, context.timing.lease, async () => {
      await renewLease(context)
      return context.timing.lease
    }),
  ])
}

/** The status of a node; `before` is what is stored. */
export function nodeStatus(
  name: string,
  addresses: readonly string[],
  network: NetworkState,
  before: Readonly<Record<string, unknown>>,
  now: number,
): Readonly<Record<string, unknown>> {
  const stored = list(before['conditions']).map(fields)
  const condition = (type: string, holds: boolean, reason: string, message: string): object => {
    const status = holds ? 'True' : 'False'
    const last = stored.find((each) => each['type'] === type)
    const since = last?.['status'] === status ? text(last['lastTransitionTime']) : undefined
    return {
      type,
      status,
      reason,
      message,
      lastHeartbeatTime: timestamp(now),
      lastTransitionTime: since ?? timestamp(now),
    }
  }
  const { ready, message } = network
  const own = [condition('Ready', ready, ready ? 'KubeletReady' : 'NetworkPluginNotReady', message)]
  const amounts = { pods: String(MAX_PODS) }
  return {
    addresses: [...addresses.map((address) => ({ type: 'InternalIP', address })), { type: 'Hostname', address: name }],
    capacity: amounts,
    allocatable: amounts,
    conditions: [...own, ...stored.filter(({ type }) => type !== 'Ready')],
    nodeInfo: {
      architecture: arch() === 'x64' ? 'amd64' : arch(),
      operatingSystem: 'linux',
      kernelVersion: release(),
      osImage: osName(),
      containerRuntimeVersion: `weft://${VERSION}`,
      kubeletVersion: KUBELET_VERSION,
      kubeProxyVersion: '',
      machineID: '',
      systemUUID: '',
      bootID: '',
    },
  }
}

/** Keeps the status; returns the milliseconds until it is worth another look: soon, while the node takes no pods. */
function statusKeeper(context: Context): () => Promise<number> {
  const { nodeStatus: period } = context.timing
  let told: NetworkState | undefined
  let writtenAt = 0
  return async () => {
    const { api, node, addresses, now, record } = context
    const network = await networkState(context)
    const isNew = told?.ready !== network.ready || told.message !== network.message
    const stored = (await api.get(NODES, { name: node.name })) ?? (await register(context))
    const again = network.ready ? period : period / IMPATIENCE
    if (!isNew && now() - writtenAt < REPORT && fields(stored['status'])['nodeInfo'] !== undefined) return again
    const status = nodeStatus(node.name, addresses, network, fields(stored['status']), now())
    await api.patch(NODES, { name: node.name }, 'merge', { status }, 'status')
    if (isNew) {
      const about: Involved = { kind: 'Node', namespace: 'default', name: node.name, uid: stored.metadata.uid ?? '' }
      record(about, 'Normal', network.ready ? 'NodeReady' : 'NodeNotReady', network.message)
    }
    told = network
    writtenAt = now()
    return again
  }
}

/** What the node's CNI plugins say. */
async function networkState({ runtime }: Context): Promise<NetworkState> {
  try {
    await cniStatus(runtime, readConf(runtime.confFile))
    return { ready: true, message: 'the node takes pods' }
  } catch (error) {
    return { ready: false, message: `no pods can be attached: ${error instanceof Error ? error.message : error}` }
  }
}

async function register({ api, node }: Context): Promise<KubeObject> {
  const { name } = node
  const labels = {
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': arch() === 'x64' ? 'amd64' : arch(),
  }
  return api.create(NODES, { apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, spec: {} })
}

async function renewLease({ api, node, now }: Context): Promise<void> {
  const { name } = node
  const at = { name, namespace: LEASE_NAMESPACE }
  // Leases keep microseconds.
  const renewTime = new Date(now()).toISOString().replace('Z', '000Z')
  const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime }
  try {
    await api.patch(LEASES, at, 'merge', { spec })
  } catch (error) {
    if (!(error instanceof KubeError) || error.code !== 'KUBE_NOT_FOUND') throw error
    await api.create(LEASES, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: at, spec })
  }
}

/** Does work again and again: as soon as it says, or after `period` when it fails. */
async function repeat(
  { log }: Context,
  signal: AbortSignal,
  period: number,
  work: () => Promise<number>,
): Promise<void> {
  while (!signal.aborted) {
    const pause = await work().catch((error: unknown) => {
      log.warn(`node not reported: ${error}`)
      return period
    })
    await sleep(pause, signal)
  }
}

function osName(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux'
  } catch {
    return 'Linux'
  }
}
