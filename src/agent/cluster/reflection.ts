/**
 * Feeds the cluster view from the registry.
 * @module
 */
import type { PolicyKind } from '../../network/model/policy.ts'
import { reflect } from '../../registry/reflector.ts'
import type { Kind, Kinds, Registry } from '../../registry/registry.ts'
import type { Part, Problems } from '../problems.ts'
import type { ClusterView, ViewedKind } from './view.ts'
import type { NamespaceWatcher, PodWatcher, Watcher } from './watcher.ts'

/** Whom to tell about the registry's health. */
export interface ReflectionListener {
  failed(error: unknown): void
  /** Every kind can be read again. */
  recovered(): void
}

/** Who else is told of what the view is. */
export interface OtherWatchers {
  readonly pods?: readonly PodWatcher[]
  readonly namespaces?: readonly NamespaceWatcher[]
}

/** Who is told of each of some kinds. */
export type Watchers = { readonly [K in Kind]?: Watcher<Kinds[K]> }

/** Keeps watchers told of kinds that no plan is made of, until `signal` aborts. What is not there is nobody's failure. */
export function reflectKinds(
  registry: Registry,
  watchers: Watchers,
  problems: Pick<Problems, 'failed' | 'solved'>,
  signal: AbortSignal,
  part: Part = 'networks',
): void {
  const failing = new Set<Kind>()
  const follow = <K extends Kind>(kind: K, watcher: Watcher<Kinds[K]>): void => {
    const { done } = reflect(registry, kind, {
      onChange: (change) => {
        if (change.type === 'put') watcher.put(change.object.value, change.before?.value)
        else watcher.remove(change.object.name)
      },
      onSynced: () => watcher.read?.(),
      signal,
      onError: (error) => {
        failing.add(kind)
        problems.failed(part, error)
      },
      onRecovered: () => {
        if (failing.delete(kind) && failing.size === 0) problems.solved(part)
      },
    })
    // Only a defect of ours rejects: better to end than to run on with what no longer follows.
    done.catch((error: unknown) => {
      throw error
    })
  }
  for (const kind of Object.keys(watchers) as Kind[]) {
    const watcher: Watcher<Kinds[typeof kind]> | undefined = watchers[kind]
    if (watcher !== undefined) follow(kind, watcher)
  }
}

/** Keeps the view equal to the registry until `signal` aborts. While the registry is away the view stays as it is. */
export function reflectCluster(
  registry: Registry,
  view: ClusterView,
  { failed, recovered }: ReflectionListener,
  signal: AbortSignal,
  { pods = [], namespaces = [] }: OtherWatchers = {},
): void {
  const failing = new Set<Kind>()
  const solved = (kind: Kind): void => {
    if (failing.delete(kind) && failing.size === 0) recovered()
  }
  const follow = <K extends ViewedKind>(kind: K, ...watchers: readonly Watcher<Kinds[K]>[]): void => {
    const { done } = reflect(registry, kind, {
      onChange: (change) => {
        for (const watcher of watchers) {
          if (change.type === 'put') watcher.put(change.object.value, change.before?.value)
          else watcher.remove(change.object.name)
        }
      },
      onSynced: () => {
        for (const watcher of watchers) watcher.read?.()
        view.synced(kind)
      },
      signal,
      onError: (error) => {
        failing.add(kind)
        failed(error)
      },
      onRecovered: () => solved(kind),
    })
    // Only a defect of ours rejects: better to end than to run on with a view that no longer follows.
    done.catch((error: unknown) => {
      throw error
    })
  }
  const policies = (kind: PolicyKind) => () => follow(kind, view.policies.policiesOf(kind))
  const followers: { readonly [K in ViewedKind]: () => void } = {
    Cluster: () =>
      follow('Cluster', {
        put: (cluster) => view.putCluster(cluster),
        remove: () => view.putCluster(undefined),
      }),
    NodeNetwork: () =>
      follow('NodeNetwork', {
        put: (network) => view.putNetwork(network),
        remove: (name) => view.removeNetwork(name),
      }),
    Tenant: () =>
      follow('Tenant', {
        put: (tenant) => view.putTenant(tenant),
        remove: (name) => view.removeTenant(name),
      }),
    Service: () =>
      follow('Service', {
        put: (service) => view.putService(service),
        remove: (name) => view.removeService(name),
      }),
    EndpointSlice: () =>
      follow('EndpointSlice', {
        put: (slice) => view.putEndpointSlice(slice),
        remove: (name) => view.removeEndpointSlice(name),
      }),
    Namespace: () => follow('Namespace', view.policies.namespaces, ...namespaces),
    Pod: () => follow('Pod', view.policies.pods, ...pods),
    NetworkPolicy: policies('NetworkPolicy'),
    AdminNetworkPolicy: policies('AdminNetworkPolicy'),
    BaselineAdminNetworkPolicy: policies('BaselineAdminNetworkPolicy'),
    ClusterNetworkPolicy: policies('ClusterNetworkPolicy'),
    EgressNetworkPolicy: policies('EgressNetworkPolicy'),
    CalicoNetworkPolicy: policies('CalicoNetworkPolicy'),
    GlobalNetworkPolicy: policies('GlobalNetworkPolicy'),
    NetworkSet: () => follow('NetworkSet', view.policies.setsOf('NetworkSet')),
    GlobalNetworkSet: () => follow('GlobalNetworkSet', view.policies.setsOf('GlobalNetworkSet')),
    BgpConfiguration: () => follow('BgpConfiguration', view.outside.configurations),
    BgpRange: () => follow('BgpRange', view.outside.pools),
  }
  for (const kind of view.kinds) followers[kind]()
}
