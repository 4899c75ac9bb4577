/**
 * Follows everything in a cluster that tells the ranges of its pods and services.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { kubeadmNetworks, serviceCidrs } from '../../compat/kubernetes/cluster-facts.ts'
import type { RangeSources } from '../../compat/spiderpool/coordinator-ranges.ts'
import {
  CALICO_BLOCKS,
  CALICO_IP_POOLS,
  CILIUM_CONFIG,
  CILIUM_IP_POOLS,
  CONTROLLER_MANAGER,
  calicoPoolIn,
  calicoRanges,
  calicoUsedBlockIn,
  ciliumRanges,
  controllerManagerRanges,
  type KnownRanges,
  KUBEADM_CONFIG,
  SYSTEM_NAMESPACE,
} from '../../compat/spiderpool/coordinator-sources.ts'
import type { ObjectName, Selection } from '../../kube/api.ts'
import type { KubeObject, Resource } from '../../kube/object.ts'
import type { Picked } from '../../kube/reflector.ts'
import { CONFIG_MAPS, PODS, SERVICE_CIDRS } from '../../kube/resources.ts'
import type { SourceReflection } from '../../registry/reflect.ts'
import type { Complaints } from '../complaints.ts'
import { follow, type SpiderpoolOptions } from './options.ts'

/** What a cluster tells of its ranges, kept up to date. */
export interface ClusterSources {
  /** When all of it is known. */
  readonly synced: Promise<unknown>
  readonly done: Promise<unknown>
  /** What is known. */
  now(): RangeSources
}

/** Follows a cluster's sources until `signal` aborts; `onChange` hears of everything that may matter. */
export function clusterSources(
  options: Pick<SpiderpoolOptions, 'api' | 'cluster' | 'signal'>,
  complaints: Complaints,
  onChange: () => void,
): ClusterSources {
  const { cluster } = options
  const all: Pick<SourceReflection<unknown>, 'synced' | 'done'>[] = []
  /** Most changes of these objects change nothing of what they tell. */
  const told = <T>(
    resource: Resource,
    pick: (object: KubeObject) => T,
    selection: Selection = {},
  ): (() => readonly T[]) => {
    const reflection = follow(
      options,
      { resource, selection, pick: dated(pick) },
      complaints,
      ({ type, object, before }) => {
        if (type === 'delete' || !isDeepStrictEqual(object.value, before?.value)) onChange()
      },
    )
    all.push(reflection)
    return () => [...reflection.store.values()].toSorted(byAge).map(({ value }) => value.told)
  }
  const kubeadm = told(CONFIG_MAPS, kubeadmNetworks, only(KUBEADM_CONFIG))
  const managers = told(PODS, controllerManagerRanges, MANAGERS)
  const services = told(SERVICE_CIDRS, (object) => serviceCidrs([object]))
  const calicoPools = told(CALICO_IP_POOLS, calicoPoolIn)
  const calicoBlocks = told(CALICO_BLOCKS, calicoUsedBlockIn)
  const ciliumConfig = told(CONFIG_MAPS, ({ data }): unknown => ({ data }), only(CILIUM_CONFIG))
  const ciliumPools = told(CILIUM_IP_POOLS, ({ spec }): unknown => ({ spec }))
  cluster.listen(onChange)
  return {
    synced: Promise.all([cluster.synced, ...all.map(({ synced }) => synced)]),
    done: Promise.all(all.map(({ done }) => done)),
    now: () => {
      const overlay = cluster.store.get('default')?.value
      const pools = calicoPools().filter((one) => one !== undefined)
      const blocks = calicoBlocks().filter((one) => one !== undefined)
      const [config] = ciliumConfig()
      return {
        weft: overlay && { pods: overlay.networks.map(({ cidr }) => cidr), services: overlay.serviceNetworks },
        kubeadm: kubeadm()[0],
        controllerManager: managers().find(tellsAny) ?? managers()[0],
        serviceCidrs: services().flat(),
        calico: pools.length === 0 ? undefined : calicoRanges(pools, blocks),
        cilium: config === undefined ? undefined : ciliumRanges(config, ciliumPools()),
      }
    },
  }
}

/** The others are tenants' pods. */
const MANAGERS: Selection = { namespace: SYSTEM_NAMESPACE, labelSelector: CONTROLLER_MANAGER }

function only({ namespace = '', name }: ObjectName): Selection {
  return { namespace, fieldSelector: `metadata.name=${name}` }
}

/** What an object tells, and since when it is there. */
interface Told<T> {
  readonly told: T
  readonly createdAt: string
}

function dated<T>(pick: (object: KubeObject) => T): (object: KubeObject) => Told<T> {
  return (object) => ({ told: pick(object), createdAt: object.metadata.creationTimestamp ?? '' })
}

function byAge(a: Picked<Told<unknown>>, b: Picked<Told<unknown>>): number {
  if (a.value.createdAt !== b.value.createdAt) return a.value.createdAt < b.value.createdAt ? -1 : 1
  return a.name < b.name ? -1 : 1
}

function tellsAny({ pods, services }: KnownRanges): boolean {
  return pods.length > 0 || services.length > 0
}
