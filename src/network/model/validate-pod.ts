/**
 * What a pod and a namespace must be.
 * @module
 */
import { type Bandwidth, LEAST_RATE, MOST_RATE, type RateWish } from './bandwidth.ts'
import { type Decode, type Decoded, decodeWith, reject } from './decode.ts'
import { address, checked, integer, list, literal, optional, record, text, texts } from './decoders.ts'
import { sharedList, sharedRecord, sharedText } from './interned.ts'
import { labels } from './labels.ts'
import { namespaceName, objectName, uid } from './names.ts'
import { type HostPort, MAX_WISHES, type NamedPort, type Namespace, type Pod, WISHES } from './pod.ts'
import type { PodOwner } from './pool.ts'

const MAX_ADDRESSES = 32
const MAX_SENTENCE = 1024
const MAX_HOST_PORTS = 32
/** More than fit into an object of the Kubernetes API. */
const MAX_NAMED_PORTS = 100_000

/** The longest of an owner's words: names of custom resources are DNS names, versions have a group before them. */
const MAX_OWNER = 320
const MAX_POOL_NAMES = 65_536

/** The most names of namespaces and of nodes, and lists of ports, that pods share. */
const MOST_SHARED = 20_000

const sharedNamespace = sharedText(namespaceName, MOST_SHARED)
/** A pod that no node was chosen for has an empty one. */
const nodeOrNone: Decode<string> = sharedText((input, at) => (input === '' ? '' : objectName(input, at)), MOST_SHARED)

const refused = record<Extract<RateWish, { readonly problem: string }>>({ problem: text(1, MAX_SENTENCE) })
const granted = record<Extract<RateWish, { readonly rate: number }>>({ rate: integer(LEAST_RATE, MOST_RATE) })

const wish: Decode<RateWish> = (input, at) =>
  typeof input === 'object' && input !== null && Object.hasOwn(input, 'problem')
    ? refused(input, at)
    : granted(input, at)

const bandwidth: Decode<Bandwidth> = record<Bandwidth>({ toPod: optional(wish), fromPod: optional(wish) })

const hostPort: Decode<HostPort> = record<HostPort>({
  port: integer(1, 65_535),
  protocol: literal('TCP', 'UDP', 'SCTP'),
})

const namedPort: Decode<NamedPort> = record<NamedPort>({
  name: text(1, 63),
  protocol: literal('TCP', 'UDP', 'SCTP'),
  port: integer(1, 65_535),
})

/** Wishes of more characters than this are rarely those of many pods. */
const LONGEST_SHARED = 8192
const MOST_WISHES_SHARED = 2000

const wishes: Decode<Readonly<Record<string, string>>> = sharedRecord(
  checked(texts(WISHES, MAX_WISHES), (value, at) => {
    const length = Object.entries(value).reduce((sum, [key, { length }]) => sum + key.length + length, 0)
    if (length > MAX_WISHES) reject(at, `wishes of ${length} characters are too long`, `give at most ${MAX_WISHES}`)
  }),
  MOST_WISHES_SHARED,
  LONGEST_SHARED,
)

/** The object that manages a pod. */
export const podOwner: Decode<PodOwner> = record<PodOwner>({
  apiVersion: sharedText(text(1, MAX_OWNER), MOST_SHARED),
  kind: sharedText(text(1, MAX_OWNER), MOST_SHARED),
  name: sharedText(text(1, MAX_OWNER), MOST_SHARED),
  uid: optional(uid),
})

/** Of an annotation that names default pools, or security groups. */
const poolNames = text(0, MAX_POOL_NAMES)

const defaultPools = record<NonNullable<Namespace['defaultPools']>>({
  ipv4: optional(poolNames),
  ipv6: optional(poolNames),
})

const pod: Decode<Pod> = record<Pod>({
  namespace: sharedNamespace,
  name: objectName,
  uid,
  node: nodeOrNone,
  addresses: list(address, MAX_ADDRESSES),
  bandwidth: optional(bandwidth),
  hostPorts: optional(list(hostPort, MAX_HOST_PORTS)),
  labels: optional(labels),
  namedPorts: optional(sharedList(list(namedPort, MAX_NAMED_PORTS), MOST_SHARED)),
  wishes: optional(wishes),
  controller: optional(sharedRecord(podOwner, MOST_SHARED)),
  isEnding: optional(literal(true)),
})

const namespace: Decode<Namespace> = record<Namespace>({
  name: namespaceName,
  uid,
  problem: optional(text(1, MAX_SENTENCE)),
  totals: optional(bandwidth),
  labels: optional(labels),
  defaultPools: optional(defaultPools),
  securityGroups: optional(poolNames),
})

/** The pod in this input, or what is wrong with it. */
export function decodePod(input: unknown): Decoded<Pod> {
  return decodeWith(pod, input)
}

/** The namespace in this input, or what is wrong with it. */
export function decodeNamespace(input: unknown): Decoded<Namespace> {
  return decodeWith(namespace, input)
}
