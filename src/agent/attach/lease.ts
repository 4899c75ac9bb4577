/**
 * The lease record: the `external_ids` of an endpoint's OVSDB Interface row, written in the transaction that adds the
 * port. An agent without memory rebuilds everything from these rows.
 * @module
 */
import { type Ip, parseIp, parseMac } from '../../network/model/address.ts'
import { LEAST_RATE, type Limits, MOST_RATE } from '../../network/model/bandwidth.ts'
import { type Endpoint, endpointId } from '../../network/model/endpoint.ts'
import { isUnlimited } from '../../network/qos/shaping.ts'

/** An attachment as it is recorded. The OpenFlow port and the link's name are the row's own. */
export interface Lease {
  readonly endpoint: Endpoint
  /** Name of the node's end of the veth pair. */
  readonly link: string
  /** Name of the CNI network that the attachment belongs to. */
  readonly network: string
  /** Path of the pod's network namespace as the runtime sees it. */
  readonly netns: string
  /** MTU of the pod's interface in bytes, as ADD answered it. */
  readonly mtu: number
  /** The call of the runtime that it is one of several networks of, as its record is named; absent: it was called for alone. */
  readonly plan?: string
  /** Where the port is, if not on the overlay's bridge. */
  readonly wire?: { readonly bridge: string; readonly datapath: 'system' | 'netdev' }
}

/** An Interface row that claims to be ours but cannot be read. */
export interface UnreadableLease {
  readonly link: string
  readonly problem: string
}

const VERSION = '1'
/** The part of the record that changes while a pod stands. */
export const LIMITS_KEY = 'weft-limits'
/** The keys of a record. */
export const RECORD_KEY = {
  version: 'weft-lease',
  network: 'weft-network',
  plan: 'weft-plan',
  container: 'weft-container',
  ifname: 'weft-ifname',
  netns: 'weft-netns',
  mtu: 'weft-mtu',
  namespace: 'weft-namespace',
  pod: 'weft-pod',
  podUid: 'weft-pod-uid',
  mac: 'weft-mac',
  addresses: 'weft-addresses',
  limits: LIMITS_KEY,
} as const

/** The `external_ids` that record a lease. */
export function leaseIds({ endpoint, network, netns, mtu, plan }: Lease): ReadonlyMap<string, string> {
  const ids = new Map<string, string>([
    [RECORD_KEY.version, VERSION],
    [RECORD_KEY.network, network],
    [RECORD_KEY.container, endpoint.containerId],
    [RECORD_KEY.ifname, endpoint.ifname],
    [RECORD_KEY.netns, netns],
    [RECORD_KEY.mtu, String(mtu)],
    [RECORD_KEY.namespace, endpoint.namespace],
    [RECORD_KEY.pod, endpoint.pod],
    [RECORD_KEY.mac, endpoint.mac],
    [RECORD_KEY.addresses, endpoint.addresses.join(',')],
  ])
  if (endpoint.podUid !== undefined) ids.set(RECORD_KEY.podUid, endpoint.podUid)
  if (plan !== undefined) ids.set(RECORD_KEY.plan, plan)
  const limits = limitsText(endpoint.limits ?? {})
  if (limits !== undefined) ids.set(RECORD_KEY.limits, limits)
  return ids
}

/**
 * The lease that an Interface row records; undefined when the row is not ours. `ofport` is the row's requested port
 * number, which stands from the first moment.
 */
export function leaseOf(
  link: string,
  ofport: number | undefined,
  ids: ReadonlyMap<string, string>,
): Lease | UnreadableLease | undefined {
  const version = ids.get(RECORD_KEY.version)
  if (version === undefined) return undefined
  if (version !== VERSION) return { link, problem: `its record has version ${version}, this agent reads ${VERSION}` }
  const containerId = ids.get(RECORD_KEY.container)
  const ifname = ids.get(RECORD_KEY.ifname)
  const namespace = ids.get(RECORD_KEY.namespace)
  const mac = parseMac(ids.get(RECORD_KEY.mac) ?? '')
  const addresses = parseAddresses(ids.get(RECORD_KEY.addresses) ?? '')
  if (containerId === undefined || ifname === undefined || namespace === undefined)
    return { link, problem: 'its record names no pod' }
  if (mac === undefined || addresses === undefined) return { link, problem: 'its record has no usable address' }
  if (ofport === undefined) return { link, problem: 'it has no port number' }
  const mtu = Number(ids.get(RECORD_KEY.mtu) ?? '')
  if (!Number.isInteger(mtu) || mtu < 68 || mtu > 65_535) return { link, problem: 'its record has no usable MTU' }
  const podUid = ids.get(RECORD_KEY.podUid)
  const endpoint: Endpoint = {
    id: endpointId(containerId, ifname),
    containerId,
    ifname,
    namespace,
    pod: ids.get(RECORD_KEY.pod) ?? '',
    ...(podUid === undefined ? {} : { podUid }),
    mac,
    addresses,
    ofport,
    ...limitsIn(ids),
  }
  const plan = ids.get(RECORD_KEY.plan)
  return {
    endpoint,
    link,
    network: ids.get(RECORD_KEY.network) ?? '',
    netns: ids.get(RECORD_KEY.netns) ?? '',
    mtu,
    ...(plan === undefined ? {} : { plan }),
  }
}

/** The addresses a row's record names, readable or not otherwise: they are nobody else's. */
export function recordedAddresses(ids: ReadonlyMap<string, string>): readonly Ip[] {
  return (ids.get(RECORD_KEY.addresses) ?? '').split(',').flatMap((text) => parseIp(text) ?? [])
}

/** Whether a row's record could be read. */
export function isLease(record: Lease | UnreadableLease): record is Lease {
  return 'endpoint' in record
}

/**
 * The name of the node's end of an attachment's veth pair: the same for the same attachment, so that a memory-less
 * agent finds what an interrupted ADD left. 15 characters, the kernel's limit.
 */
export function linkName(id: string): string {
  return `weft${new Bun.CryptoHasher('sha256').update(id).digest('hex').slice(0, 11)}`
}

/** Whether a link or port has a name that {@link linkName} makes. */
export function isLinkName(name: string): boolean {
  return /^weft[0-9a-f]{11}$/.test(name)
}

/** Limits as they are recorded, in bit/s: `to-pod=10000000 from-pod=1000000`; undefined where there is none. */
export function limitsText(limits: Limits): string | undefined {
  if (isUnlimited(limits)) return undefined
  const { toPod, fromPod } = limits
  return [
    ...(toPod === undefined ? [] : [`${TO_POD}=${toPod}`]),
    ...(fromPod === undefined ? [] : [`${FROM_POD}=${fromPod}`]),
  ].join(' ')
}

const TO_POD = 'to-pod'
const FROM_POD = 'from-pod'

/** The limits that a row records. What cannot be read limits nothing: the pod's annotations say it again. */
export function limitsIn(ids: ReadonlyMap<string, string>): { readonly limits?: Limits } {
  const text = ids.get(RECORD_KEY.limits) ?? ''
  const rates = new Map(text.split(' ').flatMap((part) => rateIn(part) ?? []))
  const [toPod, fromPod] = [rates.get(TO_POD), rates.get(FROM_POD)]
  const limits: Limits = { ...(toPod === undefined ? {} : { toPod }), ...(fromPod === undefined ? {} : { fromPod }) }
  return isUnlimited(limits) ? {} : { limits }
}

function rateIn(part: string): readonly (readonly [string, number])[] | undefined {
  const [, direction, digits] = /^(to-pod|from-pod)=(\d{4,16})$/.exec(part) ?? []
  const rate = Number(digits)
  return direction === undefined || rate < LEAST_RATE || rate > MOST_RATE ? undefined : [[direction, rate]]
}

function parseAddresses(text: string): readonly Ip[] | undefined {
  const addresses = text.split(',').map(parseIp)
  return addresses.every((address) => address !== undefined) ? (addresses as Ip[]) : undefined
}
