/**
 * k8s-ovs's registry in etcd as a place of shared state: the configuration, machines and tenants are there, and what
 * Kubernetes says of nodes, namespaces, pods, services and policies comes from Kubernetes.
 * @module
 */
import { layoutOf } from '../compat/k8s-ovs/layout.ts'
import { K8sOvsRegistry } from '../compat/k8s-ovs/registry.ts'
import { type EtcdApi, openKeySpace } from '../etcd/choose.ts'
import { configError, type EtcdSettings, etcdConfig } from '../etcd/config.ts'
import type { InvalidObjects } from '../kube/invalid.ts'
import { LayeredRegistry, layersOf } from '../registry/layered.ts'
import { type Kind, type Registry, RegistryError } from '../registry/registry.ts'

/** An etcd that holds k8s-ovs's registry. */
export interface EtcdPlace {
  readonly settings: EtcdSettings
  readonly api: EtcdApi
  /** k8s-ovs's `--etcd-prefix` and `--network`. */
  readonly prefix: string
  readonly network: string
}

/** The registry of a place, with what is kept there; `close` gives back connections. */
export interface OpenedEtcd {
  readonly registry: K8sOvsRegistry
  close(): void
}

/** The kinds that k8s-ovs keeps. */
const KINDS: readonly Kind[] = ['Cluster', 'NodeNetwork', 'Tenant']

/**
 * Opens k8s-ovs's registry. Nothing is asked yet. `confirms`: for the controller, who is to confirm numbers that somebody
 * typed. Throws `ETCD_CONFIG`.
 */
export function openEtcd(place: EtcdPlace, confirms: boolean, invalid: InvalidObjects): OpenedEtcd {
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

/** k8s-ovs's registry over what Kubernetes says; without that, its kinds alone can be had. */
export function overKubernetes(etcd: Registry, kubernetes: Registry | undefined): Registry {
  return new LayeredRegistry(layersOf(etcd, KINDS, kubernetes ?? NOTHING))
}

/** Where nobody said where Kubernetes is. */
const NOTHING: Registry = {
  get: unsaid,
  list: unsaid,
  watch: async function* () {
    yield await unsaid()
  },
  create: unsaid,
  update: unsaid,
  delete: unsaid,
}

async function unsaid(): Promise<never> {
  const message =
    'nothing says where the Kubernetes API server is, which knows nodes, namespaces, pods, services and policies'
  throw new RegistryError('REGISTRY_UNAVAILABLE', `${message} → give --kubeconfig, or set KUBERNETES_MASTER`)
}
