/**
 * Addresses that somebody gave labels, so that policies can select them as they select pods: Calico's NetworkSet and
 * GlobalNetworkSet.
 * @module
 */
import type { Cidr } from './address.ts'
import { type Decode, type Decoded, decodeWith } from './decode.ts'
import { list, literal, network, optional, record } from './decoders.ts'
import { labels } from './labels.ts'
import { namespaceName, objectName, uid } from './names.ts'
import type { Labels, PolicyProblem } from './policy.ts'
import { policyProblems } from './validate-policy.ts'

/** The kinds of objects that hold such sets. */
export const NETWORK_SET_KINDS = ['NetworkSet', 'GlobalNetworkSet'] as const

export type NetworkSetKind = (typeof NETWORK_SET_KINDS)[number]

/** Addresses with labels. */
export interface NetworkSet {
  readonly kind: NetworkSetKind
  /** Of a NetworkSet alone. */
  readonly namespace?: string
  readonly name: string
  /** Absent: any of that name. */
  readonly uid?: string
  readonly labels: Labels
  readonly nets: readonly Cidr[]
  /** What of it cannot be read: it holds more than `nets` then, and nobody knows what. */
  readonly problems?: readonly PolicyProblem[]
}

/** The most networks of a set. */
export const MAX_NETS = 50_000

const networkSet: Decode<NetworkSet> = record<NetworkSet>({
  kind: literal(...NETWORK_SET_KINDS),
  namespace: optional(namespaceName),
  name: objectName,
  uid: optional(uid),
  labels,
  nets: list(network, MAX_NETS),
  problems: optional(policyProblems),
})

/** The set in this input, or what is wrong with it. */
export function decodeNetworkSet(input: unknown): Decoded<NetworkSet> {
  return decodeWith(networkSet, input)
}

/** Whether all that a set holds is known. */
export function isWhole({ problems = [] }: NetworkSet): boolean {
  return problems.length === 0
}

/** Tells a set from every other: `NetworkSet/shop/partners`, `GlobalNetworkSet/blocked`. */
export function networkSetKey({ kind, namespace, name }: Pick<NetworkSet, 'kind' | 'namespace' | 'name'>): string {
  return namespace === undefined ? `${kind}/${name}` : `${kind}/${namespace}/${name}`
}
