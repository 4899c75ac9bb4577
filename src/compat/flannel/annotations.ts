/**
 * Leases as annotations of Kubernetes' nodes: the subnet is the node's pod range, the rest stands under a prefix. Facts:
 * flannel 0.28, pkg/subnet/kube.
 * @module
 */
import { type Cidr, contains, familyOf, firstIp, type Ip, parseCidr, parseIp } from '../../network/model/address.ts'
import { annotationOf, listAt, textAt } from '../fields.ts'
import type { NetworkConfig } from './config.ts'
import { configFault, FlannelError, quoted } from './errors.ts'
import type { Lease, LeaseAttributes, Subnets } from './lease.ts'

/** flannel's own prefix. */
export const ANNOTATION_PREFIX = 'flannel.alpha.coreos.com'

const MOST_ADDRESSES = 16

/** The annotations' keys. */
export interface AnnotationKeys {
  readonly backendType: string
  readonly backendData: string
  readonly backendV6Data: string
  readonly publicIp: string
  readonly publicIpv6: string
  readonly managed: string
  /** What an administrator would have advertised in the place of the node's own address. */
  readonly publicIpOverwrite: string
  readonly publicIpv6Overwrite: string
  /** The address of which the node's own link is to be found. */
  readonly nodePublicIp: string
  readonly nodePublicIpv6: string
}

/** The keys below a prefix, `name`, `name/` or `name/part`. Throws FLANNEL_CONFIG for one that can stand in no key. */
export function annotationKeys(prefix: string = ANNOTATION_PREFIX): AnnotationKeys {
  if (!/^[a-z\d]([-a-z\d.]*[a-z\d])?(\/([A-Za-z\d][\w.-]*)?)?$/.test(prefix)) {
    throw configFault(`${quoted(prefix)} is no prefix of annotations`, `write it like ${ANNOTATION_PREFIX}`)
  }
  const domain = prefix.includes('/') ? prefix : `${prefix}/`
  const full = /[/-]$/.test(domain) ? domain : `${domain}-`
  return {
    backendType: `${full}backend-type`,
    backendData: `${full}backend-data`,
    backendV6Data: `${full}backend-v6-data`,
    publicIp: `${full}public-ip`,
    publicIpv6: `${full}public-ipv6`,
    managed: `${full}kube-subnet-manager`,
    publicIpOverwrite: `${full}public-ip-overwrite`,
    publicIpv6Overwrite: `${full}public-ipv6-overwrite`,
    nodePublicIp: `${full}node-public-ip`,
    nodePublicIpv6: `${full}node-public-ipv6`,
  }
}

/** Whether a Node says that it takes part. */
export function takesPart(node: unknown, keys: AnnotationKeys): boolean {
  return annotationOf(node, keys.managed) === 'true'
}

/** The lease that a Node tells of; undefined for one that takes no part, or tells nothing that makes sense. */
export function leaseOfNode(node: unknown, keys: AnnotationKeys): Lease | undefined {
  if (!takesPart(node, keys)) return undefined
  const subnets = podRanges(node)
  const publicIp = addressIn(annotationOf(node, keys.publicIp), 4)
  const publicIpv6 = addressIn(annotationOf(node, keys.publicIpv6), 6)
  if (subnets === undefined || (publicIp === undefined && publicIpv6 === undefined)) return undefined
  const data = dataIn(annotationOf(node, keys.backendData))
  const v6Data = dataIn(annotationOf(node, keys.backendV6Data))
  const sources = nodeAddresses(node)
  const since = Date.parse(textAt(node, 'metadata', 'creationTimestamp') ?? '')
  return {
    subnets,
    ...(Number.isNaN(since) ? {} : { since }),
    // An administrator may have others told of an address of which the machine does not know.
    ...(sources.length === 0 ? {} : { sources }),
    attributes: {
      ...(publicIp && { publicIp }),
      ...(publicIpv6 && { publicIpv6 }),
      backendType: annotationOf(node, keys.backendType) ?? '',
      ...(data === undefined ? {} : { backendData: data }),
      ...(v6Data === undefined ? {} : { backendV6Data: v6Data }),
    },
  }
}

/** The subnets of this machine, its node's pod ranges. Throws FLANNEL_NODE. */
export function ownSubnets(node: unknown, name: string, config: NetworkConfig): Subnets {
  const ranges = podRanges(node)
  if (ranges === undefined) {
    const remedy = 'run kube-controller-manager with --allocate-node-cidrs and --cluster-cidr'
    throw new FlannelError('FLANNEL_NODE', `node ${quoted(name)} pod cidr not assigned`, remedy)
  }
  const ipv4 = inside(ranges.ipv4, config.ipv4?.network, 'Network', name)
  const ipv6 = inside(ranges.ipv6, config.ipv6?.network, 'IPv6Network', name)
  return { ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) }
}

/** The addresses by which an administrator would have the Node's own link found, and others told of it. */
export function wishedAddresses(node: unknown, keys: AnnotationKeys): Pick<LeaseAttributes, 'publicIp' | 'publicIpv6'> {
  const publicIp = addressIn(annotationOf(node, keys.nodePublicIp), 4)
  const publicIpv6 = addressIn(annotationOf(node, keys.nodePublicIpv6), 6)
  return { ...(publicIp && { publicIp }), ...(publicIpv6 && { publicIpv6 }) }
}

/** The addresses to advertise: the machine's own, unless the Node says otherwise. */
export function advertised(
  node: unknown,
  keys: AnnotationKeys,
  own: Pick<LeaseAttributes, 'publicIp' | 'publicIpv6'>,
): Pick<LeaseAttributes, 'publicIp' | 'publicIpv6'> {
  const publicIp = own.publicIp && (addressIn(annotationOf(node, keys.publicIpOverwrite), 4) ?? own.publicIp)
  const publicIpv6 = own.publicIpv6 && (addressIn(annotationOf(node, keys.publicIpv6Overwrite), 6) ?? own.publicIpv6)
  return { ...(publicIp && { publicIp }), ...(publicIpv6 && { publicIpv6 }) }
}

/** The annotations that a Node lacks for it to tell of these attributes; undefined when it does already. */
export function missingAnnotations(
  node: unknown,
  keys: AnnotationKeys,
  attributes: LeaseAttributes,
): Readonly<Record<string, string>> | undefined {
  const wanted: readonly (readonly [string, string | undefined])[] = [
    [keys.managed, 'true'],
    [keys.backendType, attributes.backendType],
    // Where a back end tells nothing of a family that is there, flannel writes `null`.
    [keys.backendData, attributes.publicIp && JSON.stringify(attributes.backendData ?? null)],
    [keys.publicIp, attributes.publicIp],
    [keys.backendV6Data, attributes.publicIpv6 && JSON.stringify(attributes.backendV6Data ?? null)],
    [keys.publicIpv6, attributes.publicIpv6],
  ]
  const missing = wanted.flatMap(([key, value]) =>
    value === undefined || annotationOf(node, key) === value ? [] : [[key, value] as const],
  )
  return missing.length === 0 ? undefined : Object.fromEntries(missing)
}

/** What a Node says of its own addresses. */
function nodeAddresses(node: unknown): readonly Ip[] {
  const listed = listAt(node, 'status', 'addresses').slice(0, MOST_ADDRESSES)
  return listed.flatMap((one) => parseIp(textAt(one, 'address') ?? '') ?? [])
}

/** A Node's pod ranges, at most one of each family; undefined where it has none, or more. */
function podRanges(node: unknown): Subnets | undefined {
  const listed = listAt(node, 'spec', 'podCIDRs')
  const texts = listed.length > 0 ? listed : [textAt(node, 'spec', 'podCIDR')]
  const ranges = texts.map((text) => (typeof text === 'string' ? parseCidr(text) : undefined))
  const [ipv4, ...more4] = ranges.filter((range) => range !== undefined && familyOf(range) === 4)
  const [ipv6, ...more6] = ranges.filter((range) => range !== undefined && familyOf(range) === 6)
  if (more4.length + more6.length > 0 || (ipv4 === undefined && ipv6 === undefined)) return undefined
  return { ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) }
}

/** The range of a family that the configuration has. */
function inside(range: Cidr | undefined, network: Cidr | undefined, field: string, name: string): Cidr | undefined {
  if (network === undefined) return undefined
  if (range === undefined) {
    const message = `node ${quoted(name)} has no pod range of the family of ${field} ${network}`
    throw new FlannelError('FLANNEL_NODE', message, 'give kube-controller-manager a --cluster-cidr of each family')
  }
  if (contains(network, firstIp(range)) && Number(range.split('/')[1]) >= Number(network.split('/')[1])) return range
  const message = `the pod range ${range} of node ${quoted(name)} is not in ${field} ${network}`
  throw new FlannelError('FLANNEL_NODE', message, `write kube-controller-manager's --cluster-cidr as ${field}`)
}

function addressIn(text: string | undefined, family: 4 | 6): Ip | undefined {
  const address = text === undefined ? undefined : parseIp(text)
  return address !== undefined && familyOf(address) === family ? address : undefined
}

function dataIn(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : (JSON.parse(text) ?? undefined)
  } catch {
    return undefined
  }
}
