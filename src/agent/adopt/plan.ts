/**
 * Which of another plugin's pods are taken over, how they will be recorded, and what is in the way. Pure.
 * @module
 */
import type { NodeContext } from '../../network/context.ts'
import { ENDPOINT_GROUP } from '../../network/host.ts'
import { contains, type Ip, parseIp, parseMac } from '../../network/model/address.ts'
import { endpointId } from '../../network/model/endpoint.ts'
import type { Pod } from '../../network/model/pod.ts'
import { isLinkName, type Lease, linkName } from '../attach/lease.ts'
import { FOREIGN_BRIDGE, type ForeignPort, type FoundPod, type Observed } from './observed.ts'

/** What the cluster says. */
export interface AdoptionTerms {
  readonly context: NodeContext
  readonly datapath: 'system' | 'netdev'
  /** Pods of this node. */
  readonly pods: readonly Pod[]
  readonly hasTenant: (namespace: string) => boolean
  /** A port number that nobody has; another one every time. */
  readonly freeOfport: () => number
  /** Name of the CNI network that the leases will belong to. */
  readonly network: string
}

/** A pod to be taken over. */
export interface AdoptedPod {
  readonly lease: Lease
  readonly host: FoundPod['host']
  /** The MTU that both ends have to be lowered to, in bytes. */
  readonly shrinkTo: number | undefined
}

/** What is in the way, and what to do. */
export interface Obstacle {
  readonly object: string
  readonly cause: string
  readonly remedy: string
}

/** What is to be done. Nothing is, while there are obstacles. */
export interface Adoption {
  readonly pods: readonly AdoptedPod[]
  /** Taken over by an earlier call that did not come to its end: their links lack our mark, or still their names. */
  readonly unfinished: readonly { readonly lease: Lease; readonly host: FoundPod['host'] }[]
  /** Ports whose pod is gone; they go with the bridge. */
  readonly stale: readonly string[]
  readonly obstacles: readonly Obstacle[]
  readonly removesBridge: boolean
}

/** What taking over what was found comes to. */
export function planAdoption(observed: Observed, terms: AdoptionTerms): Adoption {
  const { bridge, leases } = observed
  const ports = new Map(bridge?.ports.map((port) => [port.name, port]))
  const leased = new Map(leases.map((lease) => [lease.link, lease]))
  const candidates = observed.pods.filter(
    ({ host }) => !leased.has(host.name) && (ports.has(host.name) || isLinkName(host.name)),
  )
  const judged = candidates.map((found) => judge(found, ports.get(found.host.name), observed, terms))
  const taken = new Set(candidates.map(({ host }) => host.name))
  const others = (bridge?.ports ?? []).filter(({ name }) => !taken.has(name))
  const twice = doubles(judged.flatMap((one) => ('lease' in one ? [one] : [])))
  return {
    pods: judged.flatMap((one) => ('lease' in one ? [one] : [])),
    unfinished: observed.pods.flatMap(({ host, inside }) => {
      const lease = leased.get(host.name) ?? leases.find((one) => isOf(one, inside))
      return lease === undefined || host.group === ENDPOINT_GROUP ? [] : [{ lease, host }]
    }),
    stale: others.filter(({ hasLink }) => !hasLink).map(({ name }) => name),
    obstacles: [
      ...observed.daemons.map(daemonRuns),
      ...(bridge !== undefined && bridge.datapath !== terms.datapath ? [otherDatapath(bridge.datapath)] : []),
      ...judged.flatMap((one) => ('lease' in one ? [] : [one])),
      ...others.filter(({ hasLink }) => hasLink).map(({ name }) => strangePort(name)),
      ...twice,
    ],
    removesBridge: bridge !== undefined,
  }
}

function judge(
  { host, inside, netns }: FoundPod,
  port: ForeignPort | undefined,
  { records, bridge }: Observed,
  terms: AdoptionTerms,
): AdoptedPod | Obstacle {
  const { context, pods } = terms
  const about = (cause: string, remedy: string): Obstacle => ({ object: `link ${host.name}`, cause, remedy })
  const address = localAddress(inside.addresses, context)
  if (address === undefined) {
    const has = inside.addresses.length === 0 ? 'none' : inside.addresses.join(', ')
    const ranges = context.ranges.map(({ range }) => range).join(', ')
    return about(`its pod has no address of this node’s ${ranges} (it has ${has})`, 'give the node the range it had')
  }
  const record = records.find((one) => parseIp(one.address) === address)
  const named = port ?? bridge?.ports.find((one) => parseIp(one.address ?? '') === address)
  const containerId = record?.containerId ?? named?.sandbox
  if (containerId === undefined || containerId === '') {
    return about(`nobody recorded which container has ${address}`, 'delete that pod; it will be made anew elsewhere')
  }
  const pod = pods.find(({ addresses }) => addresses.includes(address))
  if (pod === undefined) {
    return about(
      `the cluster knows no pod with ${address} on this node`,
      'name the cluster’s API (--kubeconfig), or remove the container',
    )
  }
  if (!terms.hasTenant(pod.namespace)) {
    return about(
      `namespace ${pod.namespace} has no virtual network yet`,
      'start the controller, or bring its networks over first',
    )
  }
  const mac = parseMac(inside.mac)
  if (mac === undefined) return about('its pod’s interface has no MAC address', 'remove the link')
  const ifname = inside.name
  const id = endpointId(containerId, ifname)
  const mtu = Math.min(inside.mtu, context.mtu)
  const endpoint = {
    id,
    containerId,
    ifname,
    namespace: pod.namespace,
    pod: pod.name,
    ...(pod.uid === '' ? {} : { podUid: pod.uid }),
    mac,
    addresses: [address],
    ofport: terms.freeOfport(),
  }
  const lease: Lease = { endpoint, link: linkName(id), network: terms.network, netns, mtu }
  return { lease, host, shrinkTo: mtu < inside.mtu ? mtu : undefined }
}

/** Whether a lease is that of a pod whose link has another name yet. */
function isOf({ endpoint }: Lease, { name, mac, addresses }: FoundPod['inside']): boolean {
  const has = addresses.map((text) => parseIp(text.split('/')[0] ?? ''))
  return (
    endpoint.ifname === name && endpoint.mac === parseMac(mac) && endpoint.addresses.every((one) => has.includes(one))
  )
}

function localAddress(addresses: readonly string[], { ranges }: NodeContext): Ip | undefined {
  const found = addresses.flatMap((text) => parseIp(text.split('/')[0] ?? '') ?? [])
  return found.find((address) => ranges.some(({ range }) => contains(range, address)))
}

/** Two links whose pods would be recorded under one name, or with one address. */
function doubles(pods: readonly AdoptedPod[]): readonly Obstacle[] {
  const seen = new Set<string>()
  return pods.flatMap(({ lease, host }) => {
    const keys = [lease.link, ...lease.endpoint.addresses]
    const known = keys.find((key) => seen.has(key))
    for (const key of keys) seen.add(key)
    if (known === undefined) return []
    const cause = `another link has ${known === lease.link ? 'the same container' : known} too`
    return [{ object: `link ${host.name}`, cause, remedy: 'remove the one that is left over' }]
  })
}

function daemonRuns(socket: string): Obstacle {
  return {
    object: `socket ${socket}`,
    cause: 'the other plugin’s daemon still runs: it would build its bridge anew',
    remedy: 'stop it on this node first',
  }
}

function otherDatapath(datapath: string): Obstacle {
  return {
    object: `bridge ${FOREIGN_BRIDGE}`,
    cause: `it uses the datapath ${datapath}`,
    remedy: `use it too: --datapath ${datapath}, here and for the agent`,
  }
}

function strangePort(name: string): Obstacle {
  return {
    object: `port ${name}`,
    cause: `it is on ${FOREIGN_BRIDGE} and belongs to no pod that could be found`,
    remedy: `remove it from the bridge, if nobody needs it: ovs-vsctl del-port ${FOREIGN_BRIDGE} ${name}`,
  }
}
