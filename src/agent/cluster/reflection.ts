/**
 * Feeds the cluster view from the registry.
 * @module
 */
import { type ReflectOptions, reflect } from '../../registry/reflector.ts'
import type { Kind, Registry } from '../../registry/registry.ts'
import type { ClusterView, ViewedKind } from './view.ts'

/** Whom to tell about the registry's health. */
export interface ReflectionListener {
  failed(error: unknown): void
  /** Every kind can be read again. */
  recovered(): void
}

/** Keeps the view equal to the registry until `signal` aborts. While the registry is away the view stays as it is. */
export function reflectCluster(
  registry: Registry,
  view: ClusterView,
  { failed, recovered }: ReflectionListener,
  signal: AbortSignal,
): void {
  const failing = new Set<Kind>()
  const solved = (kind: Kind): void => {
    if (failing.delete(kind) && failing.size === 0) recovered()
  }
  const follow = <K extends Kind>(kind: K, options: Pick<ReflectOptions<K>, 'onChange' | 'onSynced'>) => {
    const onError = (error: unknown): void => {
      failing.add(kind)
      failed(error)
    }
    const { done } = reflect(registry, kind, { ...options, signal, onError, onRecovered: () => solved(kind) })
    // Only a defect of ours rejects: better to end than to run on with a view that no longer follows.
    done.catch((error: unknown) => {
      throw error
    })
  }
  const synced = (kind: ViewedKind) => view.synced(kind)
  const followers: { readonly [K in ViewedKind]: () => void } = {
    Cluster: () =>
      follow('Cluster', {
        onChange: (change) => view.putCluster(change.type === 'put' ? change.object.value : undefined),
        onSynced: () => synced('Cluster'),
      }),
    NodeNetwork: () =>
      follow('NodeNetwork', {
        onChange: ({ type, object }) => {
          if (type === 'put') view.putNetwork(object.value)
          else view.removeNetwork(object.name)
        },
        onSynced: () => synced('NodeNetwork'),
      }),
    Tenant: () =>
      follow('Tenant', {
        onChange: ({ type, object }) => {
          if (type === 'put') view.putTenant(object.value)
          else view.removeTenant(object.name)
        },
        onSynced: () => synced('Tenant'),
      }),
    Service: () =>
      follow('Service', {
        onChange: ({ type, object }) => {
          if (type === 'put') view.putService(object.value)
          else view.removeService(object.name)
        },
        onSynced: () => synced('Service'),
      }),
    EndpointSlice: () =>
      follow('EndpointSlice', {
        onChange: ({ type, object }) => {
          if (type === 'put') view.putEndpointSlice(object.value)
          else view.removeEndpointSlice(object.name)
        },
        onSynced: () => synced('EndpointSlice'),
      }),
  }
  for (const kind of view.kinds) followers[kind]()
}
