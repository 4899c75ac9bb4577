/**
 * Which endpoints may serve a connection.
 * @module
 */
import { type Family, familyOf, type Ip } from '../model/address.ts'
import type { EndpointSlice, ServiceEndpoint, ServicePort, TrafficPolicy } from '../model/service.ts'
import { hash32 } from '../pipeline/stable-ids.ts'

/** Endpoints of the whole cluster, or of one node. */
export type Scope = TrafficPolicy

/** A place that connections can be sent to. */
export interface Backend {
  readonly address: Ip
  readonly port: number
}

/**
 * The endpoints of a service's port for one family, each once, in the order of their addresses. Ready ones; when there
 * is none, those that are ending but still serve (as kube-proxy does, KEP-1669).
 */
export function backendsOf(
  slices: readonly EndpointSlice[],
  port: Pick<ServicePort, 'name' | 'protocol'>,
  family: Family,
  scope: Scope,
  node: string,
): readonly Backend[] {
  const candidates = slices.flatMap((slice) => candidatesOf(slice, port, family, scope, node))
  const ready = candidates.filter(({ endpoint }) => endpoint.ready)
  const chosen =
    ready.length > 0 ? ready : candidates.filter(({ endpoint }) => endpoint.serving && endpoint.terminating)
  const backends = new Map(
    chosen.map(({ endpoint: { address }, port }) => [`${address} ${port}`, { address, port }] as const),
  )
  return [...backends].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, backend]) => backend)
}

/**
 * At most `most` of these, chosen by the node's name: the nodes' shares together cover all of them, and one that comes or
 * goes changes little.
 */
export function shareOf(backends: readonly Backend[], node: string, most: number): readonly Backend[] {
  if (backends.length <= most) return backends
  const ranked = backends.map((backend) => ({ backend, rank: hash32(`${node} ${backend.address} ${backend.port}`) }))
  const chosen = new Set(
    ranked
      .sort((a, b) => a.rank - b.rank)
      .slice(0, most)
      .map(({ backend }) => backend),
  )
  return backends.filter((backend) => chosen.has(backend))
}

interface Candidate {
  readonly endpoint: ServiceEndpoint
  readonly port: number
}

function candidatesOf(
  slice: EndpointSlice,
  wanted: Pick<ServicePort, 'name' | 'protocol'>,
  family: Family,
  scope: Scope,
  node: string,
): readonly Candidate[] {
  const found = slice.ports.find(({ name, protocol }) => name === wanted.name && protocol === wanted.protocol)
  if (found === undefined) return []
  return slice.endpoints
    .filter(({ address }) => familyOf(address) === family)
    .filter((endpoint) => scope === 'Cluster' || endpoint.node === node)
    .map((endpoint) => ({ endpoint, port: found.port }))
}
