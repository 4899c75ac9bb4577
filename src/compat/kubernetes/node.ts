/**
 * Node and Namespace as the Kubernetes API has them.
 * @module
 */
import type { KubeBinding } from '../../kube/binding.ts'
import type { KubeObject } from '../../kube/object.ts'
import { NAMESPACES, NODES } from '../../kube/resources.ts'
import { MAX_WISHES, NAMESPACE_NAME_LABEL, type Namespace, WISH_TOO_LONG } from '../../network/model/pod.ts'
import { nodeBgpAnnotations, nodeBgpIn } from '../calico/bgp/node.ts'
import { annotationOf, at, labelsIn, listAt, nameOf, optionalField } from '../fields.ts'
import { clusterPlace, type MergePatch, objectOf } from '../merge.ts'
import { bandwidthIn, TOTAL_ANNOTATIONS } from './bandwidth.ts'

/** On a Namespace: why its pods cannot be attached. */
const PROBLEM = 'weft.dev/network-problem'
const MAX_PROBLEM = 1024

/** On a Namespace: JSON lists of the pools that its pods get addresses from where they name none. */
const DEFAULT_POOLS = {
  ipv4: 'ipam.spidernet.io/default-ipv4-ippool',
  ipv6: 'ipam.spidernet.io/default-ipv6-ippool',
} as const

/** On a Namespace: security groups of Neutron's that its pods get where they name none. */
const SECURITY_GROUPS = 'weft.dev/security-groups'

/** The kinds of address that other nodes reach a node at, the preferred first. Names are nothing to send packets to. */
const ADDRESS_TYPES = ['InternalIP', 'ExternalIP']

/** Node ↔ Node. The API server gives the uid; addresses are part of the status. */
export const nodeBinding: KubeBinding<'Node'> = {
  resource: NODES,
  place: clusterPlace,
  nameOf,
  decode: (object) => ({
    name: nameOf(object),
    uid: at(object, 'metadata', 'uid'),
    addresses: addressesIn(object),
    ...optionalField('labels', labelsIn(object)),
    ...optionalField('bgp', nodeBgpIn(object)),
  }),
  encode: ({ name, labels, bgp, ...node }) =>
    objectOf(NODES, clusterPlace(name), {
      metadata: {
        ...optionalField('labels', labels),
        ...optionalField('annotations', bgp === undefined ? undefined : nodeBgpAnnotations(bgp)),
      },
      ...nodeStatus(node),
    }),
  patch: () => ({}),
  statusPatch: nodeStatus,
}

/** Namespace ↔ Namespace. The API server gives the uid. */
export const namespaceBinding: KubeBinding<'Namespace'> = {
  resource: NAMESPACES,
  place: clusterPlace,
  nameOf,
  decode: (object) => ({
    name: nameOf(object),
    uid: at(object, 'metadata', 'uid'),
    ...optionalField('problem', annotationOf(object, PROBLEM)?.slice(0, MAX_PROBLEM) || undefined),
    ...optionalField('totals', bandwidthIn(object, TOTAL_ANNOTATIONS)),
    labels: { ...Object(at(object, 'metadata', 'labels')), [NAMESPACE_NAME_LABEL]: nameOf(object) },
    ...optionalField('defaultPools', defaultPoolsIn(object)),
    ...optionalField('securityGroups', shortOf(annotationOf(object, SECURITY_GROUPS))),
  }),
  encode: ({ labels, defaultPools = {}, securityGroups, ...namespace }) => {
    const groups = optionalField(SECURITY_GROUPS, securityGroups)
    const annotations = { ...problemOf(namespace), ...poolAnnotations(defaultPools), ...groups }
    return objectOf(NAMESPACES, clusterPlace(namespace.name), {
      metadata: { annotations, ...optionalField('labels', labels) },
    })
  },
  patch: namespacePatch,
}

/** Labels, default pools and security groups are a new namespace's alone: they are others' business. */
function namespacePatch(namespace: Namespace): MergePatch {
  return { metadata: { annotations: problemOf(namespace) } }
}

function problemOf({ problem }: Pick<Namespace, 'problem'>): MergePatch {
  return { [PROBLEM]: problem ?? null }
}

/** One that is too long is there as one that nobody can read: its pods are refused, instead of getting another pool. */
function defaultPoolsIn(object: KubeObject): Namespace['defaultPools'] {
  const [ipv4, ipv6] = [DEFAULT_POOLS.ipv4, DEFAULT_POOLS.ipv6].map((key) => shortOf(annotationOf(object, key)))
  if (ipv4 === undefined && ipv6 === undefined) return undefined
  return { ...optionalField('ipv4', ipv4), ...optionalField('ipv6', ipv6) }
}

function shortOf(text: string | undefined): string | undefined {
  return text === undefined || text.length <= MAX_WISHES ? text : WISH_TOO_LONG
}

function poolAnnotations({ ipv4, ipv6 }: NonNullable<Namespace['defaultPools']>): MergePatch {
  return { ...optionalField(DEFAULT_POOLS.ipv4, ipv4), ...optionalField(DEFAULT_POOLS.ipv6, ipv6) }
}

function addressesIn(object: KubeObject): readonly unknown[] {
  const all = listAt(object, 'status', 'addresses')
  const found = ADDRESS_TYPES.flatMap((type) => all.filter((one) => at(one, 'type') === type))
  return [...new Set(found.map((one) => at(one, 'address')))]
}

function nodeStatus({ addresses }: { readonly addresses: readonly string[] }): MergePatch {
  return { status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) } }
}
