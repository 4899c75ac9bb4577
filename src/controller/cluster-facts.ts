/**
 * Finds out about a cluster what its configuration needs.
 * @module
 */
import {
  impossibleService,
  kubeadmNetworks,
  networkInRefusal,
  serviceAddresses,
  serviceCidrs,
} from '../compat/kubernetes/cluster-facts.ts'
import type { KubeApi } from '../kube/api.ts'
import { KubeError } from '../kube/errors.ts'
import { CONFIG_MAPS, SERVICE_CIDRS, SERVICES } from '../kube/resources.ts'
import type { Cidr } from '../network/model/address.ts'
import type { Registry } from '../registry/registry.ts'
import type { ClusterFacts } from './new-cluster.ts'

const KUBERNETES = { namespace: 'default', name: 'kubernetes' } as const
const KUBEADM = { namespace: 'kube-system', name: 'kubeadm-config' } as const

/** Asks a cluster about itself. `namespace` is where we may ask for a service. Throws a KubeError or RegistryError. */
export async function clusterFacts(api: KubeApi, registry: Registry, namespace: string): Promise<ClusterFacts> {
  const [service, kubeadm, nodes] = await Promise.all([
    api.get(SERVICES, KUBERNETES),
    api.get(CONFIG_MAPS, KUBEADM),
    registry.list('Node'),
  ])
  return {
    serviceNetworks: await serviceNetworks(api, namespace),
    kubernetes: service === undefined ? [] : serviceAddresses(service),
    podNetworks: kubeadm === undefined ? [] : kubeadmNetworks(kubeadm).pods,
    nodeAddresses: nodes.objects.flatMap(({ value }) => value.addresses),
  }
}

/** What the server says itself; one that has no words for it tells by a refusal. */
async function serviceNetworks(api: KubeApi, namespace: string): Promise<readonly Cidr[]> {
  const told = await listed(api)
  if (told.length > 0 || api.createDry === undefined) return told
  const found: Cidr[] = []
  for (const address of ['192.0.2.1', '2001:db8::1'] as const) {
    try {
      await api.createDry(SERVICES, impossibleService(address, namespace))
    } catch (error) {
      const network = networkInRefusal(error)
      if (network !== undefined) found.push(network)
      else if (isPassing(error)) throw error
    }
  }
  return found
}

async function listed(api: KubeApi): Promise<readonly Cidr[]> {
  try {
    return serviceCidrs((await api.list(SERVICE_CIDRS)).items)
  } catch (error) {
    if (error instanceof KubeError && error.code === 'KUBE_NOT_FOUND') return []
    throw error
  }
}

function isPassing(error: unknown): boolean {
  return !(error instanceof KubeError) || error.code === 'KUBE_UNAVAILABLE'
}
