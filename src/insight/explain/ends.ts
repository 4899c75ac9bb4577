/**
 * The ends of a connection, by the objects that they are.
 * @module
 */
import { gatewayOf } from '../../ipam/pool.ts'
import { contains, type Family, familyOf, type Ip, parseIp } from '../../network/model/address.ts'
import type { NodeNetwork } from '../../network/model/node.ts'
import type { Pod } from '../../network/model/pod.ts'
import { InsightError } from '../errors.ts'
import { type ClusterView, clusterOf, registryOf } from '../view.ts'

/** One end of a connection. */
export type End =
  | { readonly kind: 'pod'; readonly name: string; readonly address: Ip; readonly pod: Pod }
  | { readonly kind: 'node'; readonly name: string; readonly address: Ip; readonly network: NodeNetwork }
  /** A host beside the cluster that an administrator let in, or something behind it. */
  | { readonly kind: 'host'; readonly name: string; readonly address: Ip; readonly network: NodeNetwork }
  | { readonly kind: 'outside'; readonly name: string; readonly address: Ip }
  /** An address of the pod networks that no pod has. */
  | { readonly kind: 'nobody'; readonly name: string; readonly address: Ip; readonly network: NodeNetwork | undefined }
  /** An address of the service networks that no service has. */
  | { readonly kind: 'no-service'; readonly name: string; readonly address: Ip }

/**
 * Who is meant: `<namespace>/<pod>`, `pod/<namespace>/<pod>`, `node/<name>`, a node's or pod's name where only one has
 * it, or an address. Throws `INSIGHT_NAME_UNKNOWN`, `INSIGHT_NAME_AMBIGUOUS`, `INSIGHT_NO_ADDRESS`.
 */
export function findEnd(view: ClusterView, text: string, family: Family): End {
  const end = endNamed(view, text, family)
  if (end !== undefined) return end
  const remedy =
    '`weft status` lists pods and nodes; write <namespace>/<pod>, or node/<name> for what is on a node’s network'
  throw new InsightError('INSIGHT_NAME_UNKNOWN', `there is no pod or node ${shown(text)}`, remedy)
}

/** The same; undefined for what nobody is called. */
export function endNamed(view: ClusterView, text: string, family: Family): End | undefined {
  const address = parseIp(text)
  if (address !== undefined) return endAt(view, address)
  const { networks, pods } = registryOf(view)
  const node = networks.find((one) => one.node === text.replace(/^node\//, ''))
  if (node !== undefined && !text.startsWith('pod/')) return nodeEnd(node, family)
  const name = text.replace(/^pod\//, '')
  const found = pods.filter((pod) => nameOf(pod) === name || (!name.includes('/') && pod.name === name))
  const [pod, ...more] = found
  if (pod === undefined) return undefined
  if (more.length === 0) return podEnd(pod, family)
  const names = found.map(nameOf).slice(0, 5).join(', ')
  throw new InsightError('INSIGHT_NAME_AMBIGUOUS', `${shown(text)} could be ${names}`, 'write <namespace>/<pod>')
}

/** Whoever has an address. */
export function endAt(view: ClusterView, address: Ip): End {
  const { networks, pods } = registryOf(view)
  const cluster = clusterOf(view)
  const pod = pods.find(({ addresses }) => addresses.includes(address))
  if (pod !== undefined) return { kind: 'pod', name: nameOf(pod), address, pod }
  const own = networks.find((one) => [...one.addresses, ...one.ranges.map(gatewayOf)].includes(address))
  if (own !== undefined) return machineEnd(own, address)
  const home = networks.find(({ ranges }) => ranges.some((range) => contains(range, address)))
  const end = { name: address, address }
  if (home?.machine.kind === 'external') return { kind: 'host', ...end, network: home }
  if (cluster.networks.some(({ cidr }) => contains(cidr, address))) return { kind: 'nobody', ...end, network: home }
  if (cluster.serviceNetworks.some((cidr) => contains(cidr, address))) return { kind: 'no-service', ...end }
  return { kind: 'outside', ...end }
}

function nameOf({ namespace, name }: Pod): string {
  return `${namespace}/${name}`
}

function podEnd(pod: Pod, family: Family): End {
  const address = pod.addresses.find((one) => familyOf(one) === family)
  if (address === undefined) throw noAddress(`pod ${nameOf(pod)}`, pod.addresses, family)
  return { kind: 'pod', name: nameOf(pod), address, pod }
}

/** By its address in the overlay: that is what pods and node reach each other by. */
function nodeEnd(network: NodeNetwork, family: Family): End {
  const addresses = network.ranges.map(gatewayOf)
  const address = addresses.find((one) => familyOf(one) === family)
  if (address === undefined) throw noAddress(`node ${network.node}`, addresses, family)
  return machineEnd(network, address)
}

function machineEnd(network: NodeNetwork, address: Ip): End {
  const kind = network.machine.kind === 'external' ? 'host' : 'node'
  return { kind, name: network.node, address, network }
}

function noAddress(who: string, addresses: readonly Ip[], family: Family): InsightError {
  const other = addresses.length === 0 ? 'wait until it has one: weft status' : `try --family ${family === 4 ? 6 : 4}`
  return new InsightError('INSIGHT_NO_ADDRESS', `${who} has no IPv${family} address in the overlay`, other)
}

function shown(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
