/**
 * What a SpiderCoordinator's status says: which ranges pods reach by way of their node, learned from whoever in the cluster
 * knows. What was known once stays until something else is: pods that run have routes there.
 * @module
 */
import type { Cidr } from '../../network/model/address.ts'
import type { PodCidrType } from '../../network/model/definition.ts'
import {
  type CiliumRanges,
  distinct,
  type KnownRanges,
  KUBEADM_CONFIG,
  SYSTEM_NAMESPACE,
} from './coordinator-sources.ts'

/** What is known of a cluster. Absent: there is no such source. */
export interface RangeSources {
  /** Our own overlay: this is what its packets are. */
  readonly weft?: KnownRanges | undefined
  readonly kubeadm?: KnownRanges | undefined
  readonly controllerManager?: KnownRanges | undefined
  /** Of the API server's own ServiceCIDR objects. */
  readonly serviceCidrs: readonly Cidr[]
  readonly calico?: readonly Cidr[] | undefined
  readonly cilium?: CiliumRanges | undefined
}

/** A status, and what is to be said about it. */
export interface LearnedRanges {
  readonly phase: 'Synced' | 'NotReady'
  readonly overlayPods: readonly Cidr[]
  readonly services: readonly Cidr[]
  /** Why it is not ready, or is less than was asked for; empty: all is well. */
  readonly reason: string
}

/** Something learned, with what there is to say about it; or why it is not known. */
type Learned =
  | { readonly is: 'known'; readonly ranges: readonly Cidr[]; readonly note?: string }
  /** `otherwise`: what holds where nothing was known before, either. */
  | { readonly is: 'unknown'; readonly why: string; readonly otherwise?: readonly Cidr[] }

/** The status by what is known now; `before`: what a status said that was Synced. */
export function learnRanges(type: PodCidrType, sources: RangeSources, before: KnownRanges | undefined): LearnedRanges {
  const pods = recalled(podsOf(type, sources), before?.pods)
  const services = recalled(servicesOf(sources), before?.services)
  const reason = distinct([pods, services].flatMap((one) => (one.is === 'known' ? (one.note ?? []) : one.why))).join(
    '; ',
  )
  if (pods.is === 'unknown' || services.is === 'unknown') {
    return { phase: 'NotReady', overlayPods: [], services: [], reason }
  }
  return { phase: 'Synced', overlayPods: pods.ranges, services: services.ranges, reason }
}

function recalled(learned: Learned, before: readonly Cidr[] | undefined): Learned {
  if (learned.is === 'known') return learned
  const { otherwise } = learned
  if (otherwise !== undefined && (before ?? []).length === 0) return known(otherwise)
  if (before === undefined) return learned
  return { is: 'known', ranges: before, note: `what was known before holds: ${learned.why}` }
}

function podsOf(type: PodCidrType, sources: RangeSources): Learned {
  if (type === 'none') return { is: 'known', ranges: [] }
  if (type === 'cluster') return clusterRanges('pods', sources)
  if (type === 'calico') return sources.calico === undefined ? absent(type, 'Calico') : known(sources.calico)
  if (type === 'cilium')
    return sources.cilium === undefined ? absent(type, 'Cilium') : ciliumPods(sources.cilium, sources)
  return overlaysThatAreThere(sources)
}

/** `auto`: every overlay there is; without any, what the cluster was told. */
function overlaysThatAreThere(sources: RangeSources): Learned {
  const { weft, calico, cilium } = sources
  const found = [
    ...(weft === undefined ? [] : [known(weft.pods)]),
    ...(calico === undefined ? [] : [known(calico)]),
    ...(cilium === undefined ? [] : [ciliumPods(cilium, sources)]),
  ]
  if (found.length === 0) {
    const told = clusterRanges('pods', sources)
    return told.is === 'known' ? told : { ...told, otherwise: [] }
  }
  return (
    found.find(({ is }) => is === 'unknown') ?? known(found.flatMap((one) => (one.is === 'known' ? one.ranges : [])))
  )
}

function ciliumPods(cilium: CiliumRanges, sources: RangeSources): Learned {
  if (cilium.is === 'cluster') return clusterRanges('pods', sources)
  return cilium.is === 'ranges' ? known(cilium.ranges) : cilium
}

function servicesOf(sources: RangeSources): Learned {
  return sources.serviceCidrs.length > 0 ? known(sources.serviceCidrs) : clusterRanges('services', sources)
}

/** The first source that tells any. One that is there and tells none says that there are none, as far as anybody knows. */
function clusterRanges(what: keyof KnownRanges, { weft, kubeadm, controllerManager }: RangeSources): Learned {
  const sources = [weft, kubeadm, controllerManager].filter((one) => one !== undefined)
  const ranges = sources.map((one) => one[what]).find((one) => one.length > 0)
  if (ranges !== undefined || sources.length > 0) return known(ranges ?? [])
  const { namespace, name } = KUBEADM_CONFIG
  return {
    is: 'unknown',
    why:
      `neither the ConfigMap ${namespace}/${name} nor a kube-controller-manager pod in ${SYSTEM_NAMESPACE} tells the ranges of pods and services: ` +
      'create the ConfigMap with podSubnet and serviceSubnet under networking in its ClusterConfiguration',
  }
}

function known(ranges: readonly Cidr[]): Learned {
  return { is: 'known', ranges: distinct(ranges) }
}

/** No pod has an address of an overlay that is not there. */
function absent(type: PodCidrType, overlay: string): Learned {
  return {
    is: 'known',
    ranges: [],
    note: `podCIDRType is ${type}, and ${overlay} is not there: no overlay pods are known`,
  }
}
