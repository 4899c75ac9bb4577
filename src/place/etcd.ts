/**
 * An etcd as a place of shared state, beside Kubernetes: k8s-ovs's registry, with the configuration, machines and tenants,
 * or Calico's, with what it says of BGP, its policies and network sets.
 * @module
 */
import { CALICO_KINDS, CalicoLayout } from '../compat/calico/etcd/layout.ts'
import { CalicoNodes } from '../compat/calico/etcd/nodes.ts'
import { CalicoRegistry } from '../compat/calico/etcd/registry.ts'
import { refusedInEtcd } from '../compat/calico/refused/etcd.ts'
import type { RefusedSource } from '../compat/calico/refused/source.ts'
import { layoutOf } from '../compat/k8s-ovs/layout.ts'
import { K8sOvsRegistry } from '../compat/k8s-ovs/registry.ts'
import { type EtcdApi, openKeySpace } from '../etcd/choose.ts'
import { configError, type EtcdSettings, etcdConfig } from '../etcd/config.ts'
import { EtcdV3 } from '../etcd/v3.ts'
import type { InvalidObjects } from '../kube/invalid.ts'
import { LayeredRegistry, layersOf } from '../registry/layered.ts'
import type { Kind, Registry } from '../registry/registry.ts'
import { NOTHING } from './nothing.ts'

/** Who keeps things in an etcd. */
export const ETCD_LAYOUTS = ['k8s-ovs', 'calico'] as const

/** An etcd. */
export type EtcdPlace = OvsEtcdPlace | CalicoEtcdPlace

/** An etcd that Calico keeps its objects in, by v3. */
export interface CalicoEtcdPlace {
  readonly layout: 'calico'
  readonly settings: EtcdSettings
  /** Root of all its keys. */
  readonly prefix: string
}

/** An etcd that holds k8s-ovs's registry. */
export interface OvsEtcdPlace {
  readonly layout?: 'k8s-ovs'
  readonly settings: EtcdSettings
  readonly api: EtcdApi
  /** k8s-ovs's `--etcd-prefix` and `--network`. */
  readonly prefix: string
  readonly network: string
}

/** The registry of a place, with what is kept there; `close` gives back connections. */
export interface OpenedEtcd<R extends Registry = K8sOvsRegistry> {
  readonly registry: R
  /** Objects in it of which something is not done. */
  readonly refused?: RefusedSource
  close(): void
}

/** Opens what is shared beside Kubernetes, whoever keeps it. Nothing is asked yet. Throws `ETCD_CONFIG`. */
export function openBeside(
  place: EtcdPlace,
  kubernetes: Registry = NOTHING,
  confirms: boolean,
  invalid: InvalidObjects,
): OpenedEtcd<Registry> {
  if (place.layout === 'calico') return openCalico(place, kubernetes, invalid)
  const { registry, close } = openEtcd(place, confirms, invalid)
  return { registry: new LayeredRegistry(layersOf(registry, KINDS, kubernetes)), close }
}

/** What Calico keeps over what Kubernetes says. */
function openCalico(
  { settings, prefix }: CalicoEtcdPlace,
  kubernetes: Registry,
  invalid: InvalidObjects,
): OpenedEtcd<Registry> {
  const layout = CalicoLayout.of(prefix)
  if (layout === undefined) throw configError('--etcd-prefix is no path', 'write a path such as /calico')
  const space = new EtcdV3(etcdConfig(settings))
  const layers = {
    ...layersOf(new CalicoRegistry(space, layout, invalid), CALICO_KINDS, kubernetes),
    Node: new CalicoNodes(space, layout, kubernetes),
  }
  const refused = refusedInEtcd(space, layout)
  return { registry: new LayeredRegistry(layers), refused, close: () => space.close() }
}

/** The kinds that k8s-ovs keeps. */
const KINDS: readonly Kind[] = ['Cluster', 'NodeNetwork', 'Tenant']

/**
 * Opens k8s-ovs's registry. Nothing is asked yet. `confirms`: for the controller, who is to confirm numbers that somebody
 * typed. Throws `ETCD_CONFIG`.
 */
export function openEtcd(place: OvsEtcdPlace, confirms: boolean, invalid: InvalidObjects): OpenedEtcd {
  const { settings, api, prefix, network } = place
  const layout = layoutOf({ prefix, network })
  if (layout === undefined) {
    throw configError('--etcd-prefix or --network is no path', 'write a path such as /k8s.ovs.com/ovs/network')
  }
  const space = openKeySpace(etcdConfig(settings), api, layout.config)
  return {
    registry: new K8sOvsRegistry(space, layout, { invalid, confirms }),
    close: () => space.close(),
  }
}
