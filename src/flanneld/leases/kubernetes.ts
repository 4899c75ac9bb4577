/**
 * Leases as annotations of Kubernetes' nodes: the controller manager cuts the network, each machine says of itself how it
 * is reached. Facts: flannel 0.28, pkg/subnet/kube.
 * @module
 */
import { readFileSync } from 'node:fs'
import {
  type AnnotationKeys,
  advertised,
  annotationKeys,
  leaseOfNode,
  missingAnnotations,
  ownSubnets,
  takesPart,
  wishedAddresses,
} from '../../compat/flannel/annotations.ts'
import { decodeNetworkConfig, type NetworkConfig } from '../../compat/flannel/config.ts'
import { FlannelError } from '../../compat/flannel/errors.ts'
import { type Lease, type LeaseAttributes, leaseKey } from '../../compat/flannel/lease.ts'
import type { KubeApi } from '../../kube/api.ts'
import { KubeError } from '../../kube/errors.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type Picked, reflectPicked } from '../../kube/reflector.ts'
import { NODES, PODS } from '../../kube/resources.ts'
import { sleep } from '../../registry/backoff.ts'
import { Told } from '../told.ts'
import { type FlannelLog, type HeldLease, type LeaseManager, type LeaseWish, RETRY_MS } from './manager.ts'

/** How leases are kept in Kubernetes. */
export interface KubeLeaseOptions {
  /** The Node of this machine. */
  readonly node: string
  /** A file with the network configuration. */
  readonly configPath: string
  readonly annotationPrefix: string
  /** Whether the Node's condition `NetworkUnavailable` is taken away. */
  readonly setCondition: boolean
}

/** Leases in Kubernetes. */
export class KubeLeases implements LeaseManager {
  readonly #api: KubeApi & { close?(): void }
  readonly #options: KubeLeaseOptions
  readonly #keys: AnnotationKeys
  readonly #log: FlannelLog

  /** Throws FLANNEL_CONFIG for a prefix that can be none. */
  constructor(api: KubeApi & { close?(): void }, options: KubeLeaseOptions, log: FlannelLog) {
    this.#api = api
    this.#options = options
    this.#keys = annotationKeys(options.annotationPrefix)
    this.#log = log
  }

  close(): void {
    this.#api.close?.()
  }

  /** A file that cannot be followed is no matter of waiting: whoever changes it starts the daemon again. */
  async config(): Promise<NetworkConfig> {
    const { configPath } = this.#options
    try {
      return decodeNetworkConfig(readFileSync(configPath, 'utf8'), 'kubernetes')
    } catch (error) {
      if (error instanceof FlannelError) throw error
      const { code = 'unreadable' } = error as NodeJS.ErrnoException
      const message = `the network configuration ${configPath} cannot be read (${code})`
      throw new FlannelError('FLANNEL_CONFIG', message, 'mount it there, or name it with --net-config-path')
    }
  }

  async wished(signal: AbortSignal): Promise<Pick<LeaseAttributes, 'publicIp' | 'publicIpv6'>> {
    return wishedAddresses(await this.#node(signal), this.#keys)
  }

  async stored(_own: unknown, signal: AbortSignal): Promise<LeaseAttributes | undefined> {
    return leaseOfNode(await this.#node(signal), this.#keys)?.attributes
  }

  async take({ config, attributes }: LeaseWish, signal: AbortSignal): Promise<HeldLease> {
    const { node: name } = this.#options
    const node = await this.#untilAssigned(config, signal)
    const subnets = ownSubnets(node, name, config)
    const { publicIp: _4, publicIpv6: _6, ...data } = attributes
    const told: LeaseAttributes = { ...data, ...advertised(node, this.#keys, attributes) }
    await this.#annotate(told, signal)
    const held = new HeldInKubernetes(
      { api: this.#api, options: this.#options, keys: this.#keys, log: this.#log },
      { subnets, attributes: told },
      signal,
    )
    return held
  }

  async #annotate(attributes: LeaseAttributes, signal: AbortSignal): Promise<void> {
    const { node: name } = this.#options
    await untilAnswered(this.#log, 'writing annotations of the Node', signal, async () => {
      const node = await this.#api.get(NODES, { name }, signal)
      const annotations = missingAnnotations(node, this.#keys, attributes)
      if (annotations === undefined) return
      // The status is what flannel's role may write; its metadata goes along.
      await this.#api.patch(NODES, { name }, 'strategic', { metadata: { annotations } }, 'status', signal)
    })
  }

  /** The Node as soon as it has its range: controllers come up beside us. */
  async #untilAssigned(config: NetworkConfig, signal: AbortSignal): Promise<KubeObject> {
    let told = ''
    for (;;) {
      const node = await this.#node(signal)
      try {
        ownSubnets(node, this.#options.node, config)
        return node
      } catch (error) {
        if (!(error instanceof FlannelError)) throw error
        if (error.message !== told) this.#log.warn({ remedy: error.remedy }, error.message)
        told = error.message
      }
      await sleep(RETRY_MS, signal)
      signal.throwIfAborted()
    }
  }

  #node(signal: AbortSignal): Promise<KubeObject> {
    const { node: name } = this.#options
    return untilAnswered(this.#log, `reading the Node ${name}`, signal, async () => {
      const node = await this.#api.get(NODES, { name }, signal)
      if (node !== undefined) return node
      throw new KubeError('KUBE_NOT_FOUND', `there is no Node ${name}`, 'name it with NODE_NAME')
    })
  }
}

/** The name of the Node that this program runs on: told, or that of its pod. Throws FLANNEL_CONFIG. */
export async function nodeName(
  api: Pick<KubeApi, 'get'>,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<string> {
  const { NODE_NAME: named = '', POD_NAME: name = '', POD_NAMESPACE: namespace = '' } = env
  if (named !== '') return named
  if (name === '' || namespace === '') {
    const message = 'nothing says which Node this machine is'
    throw new FlannelError('FLANNEL_CONFIG', message, 'set NODE_NAME, or in a pod POD_NAME and POD_NAMESPACE')
  }
  const pod = await api.get(PODS, { namespace, name }, signal)
  const spec = pod?.['spec']
  const node =
    typeof spec === 'object' && spec !== null ? (spec as { readonly nodeName?: unknown }).nodeName : undefined
  if (typeof node === 'string' && node !== '') return node
  const message = `the pod ${namespace}/${name} is on no Node`
  throw new FlannelError('FLANNEL_CONFIG', message, 'set NODE_NAME')
}

interface HeldPlace {
  readonly api: KubeApi
  readonly options: KubeLeaseOptions
  readonly keys: AnnotationKeys
  readonly log: FlannelLog
}

/** Of a Node that takes part; without a lease it says nothing that makes sense. */
interface Seen {
  readonly lease: Lease | undefined
}

/** Changes that come together are told together. */
const SETTLE_MS = 50

/** A Node's range lasts as long as the Node. */
class HeldInKubernetes implements HeldLease {
  readonly lease: Lease
  readonly lost: Promise<void>
  readonly #place: HeldPlace
  readonly #signal: AbortSignal
  readonly #store: ReadonlyMap<string, Picked<Seen | undefined>>
  readonly #told: Told
  readonly #revoked = Promise.withResolvers<void>()
  #onLeases: ((leases: readonly Lease[]) => void) | undefined
  #settling: ReturnType<typeof setTimeout> | undefined
  #isSynced = false

  constructor(place: HeldPlace, lease: Lease, signal: AbortSignal) {
    const { api, keys, options, log } = place
    this.#told = new Told(log)
    this.lease = lease
    this.#place = place
    this.#signal = signal
    this.lost = this.#revoked.promise
    this.lost.catch(() => undefined)
    signal.addEventListener('abort', () => this.#revoked.resolve(), { once: true })
    const pick = (node: KubeObject): Seen | undefined =>
      takesPart(node, keys) ? { lease: leaseOfNode(node, keys) } : undefined
    const { store } = reflectPicked(
      api,
      { resource: NODES, pick, keep: (found) => found !== undefined },
      {
        signal,
        onSynced: () => {
          this.#isSynced = true
          this.#tellSoon()
        },
        onChange: ({ type, object }) => {
          if (object.name === options.node) this.#ownChanged(type === 'delete' ? undefined : object.value?.lease)
          else this.#tellSoon()
        },
        onError: (error) => log.warn({}, `Nodes cannot be watched: ${error instanceof Error ? error.message : error}`),
        onRecovered: () => log.info({}, 'Nodes are watched again'),
      },
    )
    this.#store = store
  }

  follow(onLeases: (leases: readonly Lease[]) => void): void {
    this.#onLeases = onLeases
    if (this.#isSynced) this.#tellSoon()
  }

  /** Facts: flannel 0.28, reason and message as kubelet's documents have them. */
  async ready(): Promise<void> {
    const { api, options, log } = this.#place
    if (!options.setCondition) return
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
    const condition = {
      type: 'NetworkUnavailable',
      status: 'False',
      reason: 'FlannelIsUp',
      message: 'Flannel is running on this node',
      lastTransitionTime: now,
      lastHeartbeatTime: now,
    }
    await untilAnswered(log, "writing the Node's condition", this.#signal, async () => {
      const patch = { status: { conditions: [condition] } }
      await api.patch(NODES, { name: options.node }, 'strategic', patch, 'status', this.#signal)
    })
  }

  #ownChanged(lease: Lease | undefined): void {
    const { subnets } = this.lease
    if (lease !== undefined && leaseKey(lease.subnets) === leaseKey(subnets)) return
    // Somebody took the annotations away, or gave the Node another range.
    const message = `lease revoked: the Node ${this.#place.options.node} does not tell of ${leaseKey(subnets)} any more`
    this.#revoked.reject(new FlannelError('FLANNEL_REVOKED', message, 'start again: what it tells then is taken'))
  }

  #tellSoon(): void {
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined
      if (!this.#isSynced || this.#signal.aborted) return
      const others = [...this.#store.values()].filter(({ name }) => name !== this.#place.options.node)
      const strange = others.filter(({ value }) => value?.lease === undefined)
      this.#told.tell(strange.map(({ name }) => `the Node ${name} does not tell how it is reached: it is left out`))
      this.#onLeases?.(others.flatMap(({ value }) => value?.lease ?? []))
    }, SETTLE_MS)
  }
}

/** Repeats what the API server does not allow yet; what it says is told once. */
async function untilAnswered<T>(
  log: FlannelLog,
  what: string,
  signal: AbortSignal,
  attempt: () => Promise<T>,
): Promise<T> {
  let told = ''
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof KubeError) || error.code === 'KUBE_CONFIG') throw error
      if (error.message !== told) log.warn({ remedy: error.remedy }, `${what}: ${error.message}`)
      told = error.message
      await sleep(Math.max(RETRY_MS, error.retryAfter ?? 0), signal)
      signal.throwIfAborted()
    }
  }
}
