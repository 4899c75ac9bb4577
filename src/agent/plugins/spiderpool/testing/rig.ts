/**
 * Agents' IPAM plugins against one registry: as many as a test wants, told by real watches, killed as it wants.
 */
import { type CniResult, EMPTY_RESULT, type JsonObject } from '../../../../cni/index.ts'
import type { SelectionSettings } from '../../../../compat/spiderpool/selection/question.ts'
import type { Pod } from '../../../../network/model/pod.ts'
import type { AddressClaim } from '../../../../network/model/pool.ts'
import { reflect } from '../../../../registry/reflector.ts'
import type { Registry } from '../../../../registry/registry.ts'
import type { WireCheck } from '../../../wire/check.ts'
import type { PluginCallInside } from '../../plugin.ts'
import { ClusterPools } from '../cluster-pools.ts'
import { SpiderpoolPlugin } from '../plugin.ts'

export const SETTINGS: SelectionSettings = {
  installNamespace: 'kube-system',
  families: new Set([4, 6]),
  hasSubnets: true,
}

const KINDS = ['AddressPool', 'ReservedAddresses', 'AddressClaim', 'Node', 'Namespace'] as const

/** What may be other than in a calm cluster. */
export interface AgentOptions {
  readonly node?: string
  /** What claims are written to, where it is not the registry itself. */
  readonly store?: Pick<Registry, 'get' | 'create' | 'update' | 'delete'>
  readonly checkWire?: (check: WireCheck) => Promise<void>
  readonly restMs?: number
  /** Not told of anything after the first reading. */
  readonly isDeaf?: boolean
}

/** A node's plugin, with what feeds it. */
export class Agent {
  readonly pools: ClusterPools
  readonly plugin: SpiderpoolPlugin
  readonly warnings: string[] = []
  readonly #pods = new Map<string, Pod>()
  readonly #over = new AbortController()

  private constructor(registry: Registry, options: AgentOptions) {
    const { node = 'node1', restMs, store = registry, checkWire } = options
    this.pools = new ClusterPools({ node, ...(restMs === undefined ? {} : { restMs }) })
    this.plugin = new SpiderpoolPlugin({
      pools: this.pools,
      registry: {
        get: (kind, name) => this.#unlessOver(store.get(kind, name)),
        create: (kind, name, value) => this.#unlessOver(store.create(kind, name, value)),
        update: (kind, name, value, revision) => this.#unlessOver(store.update(kind, name, value, revision)),
        delete: (kind, name, revision) => this.#unlessOver(store.delete(kind, name, revision)),
      },
      pods: { find: async ({ namespace, name }) => this.#pods.get(`${namespace}/${name}`) },
      settings: SETTINGS,
      notices: { warn: (_, reason, message) => void this.warnings.push(`${reason}: ${message}`) },
      checkWire: checkWire ?? (async () => undefined),
      findsConflicts: checkWire !== undefined,
      findsGateway: checkWire !== undefined,
    })
  }

  /** Starts one, and waits until it has read everything. */
  static async start(registry: Registry, options: AgentOptions = {}): Promise<Agent> {
    const agent = new Agent(registry, options)
    const hearing = options.isDeaf === true ? new AbortController() : agent.#over
    await Promise.all(KINDS.map((kind) => agent.#follow(registry, kind, hearing.signal)))
    if (options.isDeaf === true) hearing.abort()
    return agent
  }

  async #follow(registry: Registry, kind: (typeof KINDS)[number], signal: AbortSignal): Promise<void> {
    const watcher = this.pools.watchers[kind] as {
      put(value: unknown): void
      remove(name: string): void
      read?(): void
    }
    const { synced, done } = reflect(registry, kind, {
      signal,
      onChange: (change) => {
        if (change.type === 'put') watcher.put(change.object.value)
        else watcher.remove(change.object.name)
      },
      onSynced: () => watcher.read?.(),
      backoff: { first: 20, most: 100 },
    })
    done.catch((error: unknown) => {
      throw error
    })
    await synced
  }

  /** As `kill -9`: what it was about to do it does not do, and nobody hears of what it did. */
  kill(): void {
    this.#over.abort()
  }

  get isKilled(): boolean {
    return this.#over.signal.aborted
  }

  /** What comes of a call, unless the agent is killed before; then as the forwarder has it. */
  async calling<T>(call: Promise<T>): Promise<T> {
    const { signal } = this.#over
    const { promise: over, reject } = Promise.withResolvers<never>()
    const end = (): void => reject(new Error('the agent vanished'))
    if (signal.aborted) end()
    signal.addEventListener('abort', end)
    try {
      return await Promise.race([call, over])
    } finally {
      signal.removeEventListener('abort', end)
    }
  }

  know(pod: Pod): void {
    this.#pods.set(`${pod.namespace}/${pod.name}`, pod)
  }

  async add(pod: Pod, sandbox = `sandbox-${pod.name}`, more: Partial<PluginCallInside> = {}): Promise<CniResult> {
    this.know(pod)
    return this.plugin.add(callFor(pod, sandbox, more), AbortSignal.timeout(30_000))
  }

  /** The addresses that ADD answers. */
  async addresses(pod: Pod, sandbox?: string, more?: Partial<PluginCallInside>): Promise<string> {
    const { ips } = await this.add(pod, sandbox, more)
    return ips.map(({ address }) => address.slice(0, address.indexOf('/'))).join(' ')
  }

  del(pod: Pod, sandbox = `sandbox-${pod.name}`, ifname = 'eth0'): Promise<void> {
    return this.plugin.del(callFor(pod, sandbox, { ifname }))
  }

  #unlessOver<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this.#over
    if (signal.aborted) return new Promise(() => undefined)
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => signal.aborted || resolve(value),
        (error: unknown) => signal.aborted || reject(error),
      )
    })
  }
}

/** A network's call for a pod. */
export function callFor(pod: Pod, containerId: string, more: Partial<PluginCallInside> = {}): PluginCallInside {
  const { namespace, name, uid } = pod
  return {
    containerId,
    ifname: 'eth0',
    network: 'ovs-conf',
    version: '1.0.0',
    config: { type: 'ovs', ipam: { type: 'spiderpool' } } satisfies JsonObject,
    origin: { kind: 'node' },
    args: { pairs: new Map(), pod: { namespace, name, uid, infraContainerId: containerId } },
    ordinal: 0,
    plan: 'of a test',
    path: [],
    prevResult: EMPTY_RESULT,
    netns: { fd: -1, path: '/proc/1/ns/net' },
    ...more,
  }
}

/** Every claim there is: `<address> <pod> <sandbox>`. */
export async function claimsIn(registry: Registry): Promise<readonly string[]> {
  const { objects } = await registry.list('AddressClaim')
  return objects.map(({ value }) => textOf(value)).sort()
}

export function textOf({ address, pod, containerId }: AddressClaim): string {
  return `${address} ${pod} ${containerId}`
}
