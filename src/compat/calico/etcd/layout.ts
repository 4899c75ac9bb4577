/**
 * Where Calico keeps what in etcd (its driver `etcdv3`): every resource of its API as JSON under
 * `<prefix>/resources/v3/projectcalico.org/<plural>/[<namespace>/]<name>`.
 * @module
 */
import type { KubeBinding } from '../../../kube/binding.ts'
import type { Resource } from '../../../kube/object.ts'
import type { Kind } from '../../../registry/registry.ts'
import { bgpConfigurationBinding } from '../bgp/configuration.ts'
import { bgpFilterBinding } from '../bgp/filter.ts'
import { bgpPeerBinding } from '../bgp/peer.ts'
import { bgpRangeBinding } from '../bgp/pool.ts'
import { globalNetworkSetBinding, networkSetBinding } from '../policy/network-set.ts'
import { calicoNetworkPolicyBinding, globalNetworkPolicyBinding } from '../policy/policy.ts'

/** Root of all of Calico's keys. */
export const CALICO_PREFIX = '/calico'

/** How each kind is read: its resources are those that Kubernetes has, too. */
const BINDINGS = {
  BgpConfiguration: bgpConfigurationBinding,
  BgpPeering: bgpPeerBinding,
  BgpFilter: bgpFilterBinding,
  BgpRange: bgpRangeBinding,
  CalicoNetworkPolicy: calicoNetworkPolicyBinding,
  GlobalNetworkPolicy: globalNetworkPolicyBinding,
  NetworkSet: networkSetBinding,
  GlobalNetworkSet: globalNetworkSetBinding,
} as const satisfies { readonly [K in Kind]?: KubeBinding<K> }

/** The kinds that are read from Calico's etcd as a whole. */
export type CalicoKind = keyof typeof BINDINGS

export const CALICO_KINDS = Object.keys(BINDINGS) as readonly CalicoKind[]

/**
 * Kinds whose binding makes of what cannot be read something that closes: a policy that denies, a set of which nothing is
 * known. Others are absent then: a filter without rules would open its peering.
 */
export const CLOSING_KINDS: ReadonlySet<CalicoKind> = new Set<CalicoKind>([
  'CalicoNetworkPolicy',
  'GlobalNetworkPolicy',
  'NetworkSet',
  'GlobalNetworkSet',
])

/** How a kind is read. */
export function bindingOf<K extends CalicoKind>(kind: K): KubeBinding<K> {
  return BINDINGS[kind] as unknown as KubeBinding<K>
}

/** Copies of Kubernetes' NetworkPolicies, which Calico's controllers make. What Kubernetes says is asked of Kubernetes. */
const COPIED = 'knp.default.'

/** What an object is called. */
export interface CalicoName {
  readonly namespace?: string
  readonly name: string
}

/** Folders and keys below a prefix. */
export class CalicoLayout {
  readonly #root: string

  private constructor(root: string) {
    this.#root = root
  }

  /** Undefined for what is no path. */
  static of(prefix: string): CalicoLayout | undefined {
    const parts = prefix.replace(/^\/|\/$/g, '').split('/')
    const isPath = prefix.length <= 512 && parts.every((part) => /^(?!\.{1,2}$)[\w.-]+$/.test(part))
    return isPath ? new CalicoLayout(`/${parts.join('/')}/resources/v3/projectcalico.org/`) : undefined
  }

  /** Calico's nodes. */
  get nodes(): string {
    return `${this.#root}nodes/`
  }

  folderOf(kind: CalicoKind): string {
    return this.folderNamed(bindingOf(kind).resource.plural)
  }

  folderNamed(plural: string): string {
    return `${this.#root}${plural}/`
  }

  keyOf(kind: CalicoKind, name: string): string {
    const { namespace, name: last } = bindingOf(kind).place(name)
    return `${this.folderOf(kind)}${namespace === undefined ? '' : `${namespace}/`}${last}`
  }

  /** What the key of an object of a kind says; undefined for a key that is none. */
  named(kind: CalicoKind, key: string): CalicoName | undefined {
    const named = this.placeNamed(bindingOf(kind).resource, key)
    return kind === 'CalicoNetworkPolicy' && named?.name.startsWith(COPIED) === true ? undefined : named
  }

  /** The same of any resource, with all its objects. */
  placeNamed({ plural, namespaced }: Pick<Resource, 'plural' | 'namespaced'>, key: string): CalicoName | undefined {
    const parts = belowIn(this.folderNamed(plural), key)
    const [first, second] = parts
    if (first === undefined || parts.some((part) => part === '')) return undefined
    if (!namespaced) return parts.length === 1 ? { name: first } : undefined
    return second === undefined || parts.length !== 2 ? undefined : { namespace: first, name: second }
  }

  /** The name of the node of a key; undefined for a key that is none. */
  nodeNamed(key: string): string | undefined {
    const [name = '', ...rest] = belowIn(this.nodes, key)
    return name === '' || rest.length > 0 ? undefined : name
  }
}

function belowIn(folder: string, key: string): readonly string[] {
  return key.startsWith(folder) ? key.slice(folder.length).split('/') : []
}
