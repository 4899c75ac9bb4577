/**
 * Who in a cluster tells which ranges its pods and services have. Nothing about these objects is taken for granted.
 * @module
 */
import type { KubeObject, Resource } from '../../kube/object.ts'
import { type Cidr, contains, firstIp, lastIp } from '../../network/model/address.ts'
import { at, listAt, textAt } from '../fields.ts'
import { networkIn, networksIn } from '../network-text.ts'

/** What a source tells; a list may be empty. */
export interface KnownRanges {
  readonly pods: readonly Cidr[]
  readonly services: readonly Cidr[]
}

/** Where Kubernetes' own parts are. Pods of other namespaces are their tenants' and tell nothing. */
export const SYSTEM_NAMESPACE = 'kube-system'
export const KUBEADM_CONFIG = { namespace: SYSTEM_NAMESPACE, name: 'kubeadm-config' } as const
export const CILIUM_CONFIG = { namespace: SYSTEM_NAMESPACE, name: 'cilium-config' } as const
export const CONTROLLER_MANAGER = 'component=kube-controller-manager'

const CALICO = { group: 'crd.projectcalico.org', version: 'v1', namespaced: false } as const
export const CALICO_IP_POOLS: Resource = { ...CALICO, plural: 'ippools', kind: 'IPPool' }
/** Parts of pools that nodes have; with the addresses in use. */
export const CALICO_BLOCKS: Resource = { ...CALICO, plural: 'ipamblocks', kind: 'IPAMBlock' }
export const CILIUM_IP_POOLS: Resource = {
  group: 'cilium.io',
  version: 'v2alpha1',
  plural: 'ciliumpodippools',
  kind: 'CiliumPodIPPool',
  namespaced: false,
}

/** What the controller manager was started with: `--cluster-cidr=…`, `--service-cluster-ip-range=…`. */
export function controllerManagerRanges(pod: unknown): KnownRanges {
  const words = listAt(pod, 'spec', 'containers').flatMap((one) => [...listAt(one, 'command'), ...listAt(one, 'args')])
  const line = words.filter((word) => typeof word === 'string').join(' ')
  return { pods: networksAfter('cluster-cidr', line), services: networksAfter('service-cluster-ip-range', line) }
}

function networksAfter(flag: string, line: string): readonly Cidr[] {
  const [, value] = new RegExp(`(?:^|\\s)--${flag}(?:=|\\s+)["']?([^\\s"']+)`).exec(line) ?? []
  return networksIn(value)
}

/** A pool of Calico's. */
export interface CalicoPool {
  readonly cidr: Cidr
  /** Gives nothing out any more, or is about to go: it counts only as long as somebody has an address of it. */
  readonly isDisabled: boolean
  /** For a stable order. */
  readonly createdAt: string
}

/** A pool of Calico's; undefined for what is none. */
export function calicoPoolIn(object: KubeObject): CalicoPool | undefined {
  const cidr = networkIn(at(object, 'spec', 'cidr'))
  const isEnding = object.metadata.deletionTimestamp !== undefined
  const isDisabled = isEnding || at(object, 'spec', 'disabled') === true
  return cidr && { cidr, isDisabled, createdAt: object.metadata.creationTimestamp ?? '' }
}

/** The block's range while somebody has an address of it. */
export function calicoUsedBlockIn(object: KubeObject): Cidr | undefined {
  const isUsed = listAt(object, 'spec', 'allocations').some((one) => one !== null)
  return isUsed ? networkIn(at(object, 'spec', 'cidr')) : undefined
}

/** Ranges that pods on Calico have. */
export function calicoRanges(pools: Iterable<CalicoPool>, usedBlocks: Iterable<Cidr>): readonly Cidr[] {
  const sorted = [...pools].toSorted((a, b) => order(a.createdAt, b.createdAt) || order(a.cidr, b.cidr))
  const isUsed = (pool: Cidr): boolean => {
    for (const block of usedBlocks) if (contains(pool, firstIp(block)) && contains(pool, lastIp(block))) return true
    return false
  }
  return distinct(sorted.filter(({ cidr, isDisabled }) => !isDisabled || isUsed(cidr)).map(({ cidr }) => cidr))
}

/** What Cilium says of its pods. */
export type CiliumRanges =
  | { readonly is: 'ranges'; readonly ranges: readonly Cidr[] }
  /** Nodes' ranges are Kubernetes' own. */
  | { readonly is: 'cluster' }
  | { readonly is: 'unknown'; readonly why: string }

/** Ranges that pods on Cilium have, by its ConfigMap and its pools. */
export function ciliumRanges(config: unknown, pools: readonly unknown[]): CiliumRanges {
  const mode = textAt(config, 'data', 'ipam') ?? ''
  if (mode === 'kubernetes') return { is: 'cluster' }
  if (mode === 'multi-pool') {
    const texts = pools.flatMap((pool) => [
      ...listAt(pool, 'spec', 'ipv4', 'cidrs'),
      ...listAt(pool, 'spec', 'ipv6', 'cidrs'),
    ])
    return { is: 'ranges', ranges: distinct(texts.flatMap((text) => networkIn(text) ?? [])) }
  }
  if (mode !== 'cluster-pool' && mode !== 'cluster-pool-v2beta') {
    const { namespace, name } = CILIUM_CONFIG
    return { is: 'unknown', why: `the ConfigMap ${namespace}/${name} has an ipam that tells no ranges` }
  }
  const ranges = ['cluster-pool-ipv4-cidr', 'cluster-pool-ipv6-cidr'].flatMap((key) =>
    networksIn(at(config, 'data', key)),
  )
  return { is: 'ranges', ranges: distinct(ranges) }
}

/** Each once, in the order of its first. */
export function distinct<T>(items: Iterable<T>): readonly T[] {
  return [...new Set(items)]
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
