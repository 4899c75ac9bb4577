/**
 * Whether one end reaches a service: by every endpoint that it may be led to.
 * @module
 */
import type { Action, Bucket, Group } from '../../flow/flow.ts'
import { type Family, familyOf, type Ip, parseIp } from '../../network/model/address.ts'
import { type Service, serviceKey } from '../../network/model/service.ts'
import type { Backend } from '../../network/service/backends.ts'
import { InsightError } from '../errors.ts'
import type { ClusterView } from '../view.ts'
import { atAddress, type Sender } from './party.ts'
import type { Probe } from './probe.ts'
import { converse, familyWanted, probeFor, senderOf, type Trace, type TraceRequest, trace } from './trace.ts'
import { newWorld } from './walk.ts'

/** A request that may name a service: `service/<name>[:<port>]`, `service/<namespace>/<name>`, or its address. */
export interface ServiceRequest extends TraceRequest {
  /** Only this endpoint: an address, `<address>:<port>`, or a pod. */
  readonly backend?: string | undefined
}

/** Everything that a request's packet may come to. */
export interface Traced {
  /** Undefined when the packet is for no service. */
  readonly service: TracedService | undefined
  /** One for every endpoint; a single one where nothing balances. */
  readonly ways: readonly Way[]
}

/** A service as a packet finds it. */
export interface TracedService {
  /** `<namespace>/<name>`. */
  readonly name: string
  readonly address: Ip
  readonly port: number
  readonly from: Sender
  readonly probe: Probe
  /** How many endpoints the packet may be led to. */
  readonly endpoints: number
  /** A client is always led to the same one. */
  readonly byClient: boolean
}

/** What becomes of a packet that is led to one endpoint. */
export interface Way {
  readonly backend: Backend | undefined
  readonly trace: Trace
}

/** Traces a packet to whoever may get it. Throws as `trace` does, and `INSIGHT_NAME_UNKNOWN` for an endpoint. */
export function traceAll(view: ClusterView, request: ServiceRequest): Traced {
  const found = findService(view, request)
  if (found === undefined) return { service: undefined, ways: [{ backend: undefined, trace: trace(view, request) }] }
  const { service, address, port } = found
  const name = serviceKey(service.namespace, service.name)
  const family = familyWanted({ ...request, to: address })
  const from = senderOf(view, request, family)
  const probe = probeFor({ ...request, port }, from, address, family)
  const first = converse(view, from, { kind: 'address', name: `service ${name}`, address }, probe)
  const group = first.there.hops[0]?.choice?.group
  const buckets = group === undefined ? [] : group.buckets.flatMap(targetOf)
  const byClient = group?.selection?.method === 'hash'
  const traced = { name, address, port, from, probe, endpoints: buckets.length, byClient }
  if (buckets.length === 0) return { service: traced, ways: [{ backend: undefined, trace: first }] }
  const wanted = buckets.filter(({ backend }) => isWanted(view, backend, request.backend))
  if (wanted.length === 0) throw noSuchEndpoint(name, request.backend, buckets)
  const ways = wanted.map(({ backend, bucket }): Way => {
    const world = newWorld((one: Group) => one.buckets.find(({ id }) => id === bucket.id) ?? one.buckets[0])
    return { backend, trace: converse(view, from, atAddress(view, backend.address), probe, world) }
  })
  return { service: traced, ways }
}

/** A service that a request names, by an address and a port of it. */
export interface FoundService {
  readonly service: Service
  readonly address: Ip
  readonly port: number
}

const NAME = /^(?:service|svc)\/(?:([^/:]+)\/)?([^/:]+)(?::([^/:]+))?$/

/**
 * The service that a request names or whose address it has. Throws `INSIGHT_NAME_UNKNOWN`, `INSIGHT_NAME_AMBIGUOUS`,
 * `INSIGHT_NO_ADDRESS`.
 */
export function findService(view: ClusterView, request: Omit<ServiceRequest, 'size'>): FoundService | undefined {
  const services = servicesOf(view)
  const address = parseIp(request.to)
  if (address !== undefined) {
    const service = services.find(({ clusterIps }) => clusterIps.includes(address))
    return service === undefined ? undefined : { service, address, port: request.port }
  }
  const named = NAME.exec(request.to)
  if (named === null) return undefined
  const [, namespace, name, port] = named
  const service = onlyService(services, request.to, namespace, name ?? '')
  const family = familyWanted({ ...request, to: '' })
  return { service, address: addressOf(service, family), port: portOf(service, request, port) }
}

/** What any agent knows, each service once. */
export function servicesOf(view: ClusterView): readonly Service[] {
  const all = view.nodes.flatMap(({ services }) => services.map(({ service }) => service))
  return [...new Map(all.map((service) => [serviceKey(service.namespace, service.name), service])).values()]
}

function onlyService(services: readonly Service[], text: string, namespace: string | undefined, name: string): Service {
  const found = services.filter((one) => one.name === name && (namespace ?? one.namespace) === one.namespace)
  const [service, ...more] = found
  if (service === undefined) {
    throw new InsightError('INSIGHT_NAME_UNKNOWN', `there is no ${shown(text)}`, 'write service/<namespace>/<name>')
  }
  if (more.length === 0) return service
  const places = found.map((one) => serviceKey(one.namespace, one.name)).slice(0, 5)
  const cause = `${shown(text)} could be ${places.join(', ')}`
  throw new InsightError('INSIGHT_NAME_AMBIGUOUS', cause, 'write service/<namespace>/<name>')
}

function addressOf({ namespace, name, clusterIps }: Service, family: Family): Ip {
  const address = clusterIps.find((one) => familyOf(one) === family)
  if (address !== undefined) return address
  const what = `service ${serviceKey(namespace, name)} has no IPv${family} address`
  const remedy = clusterIps.length === 0 ? 'trace to one of its endpoints' : family === 4 ? 'try -6' : 'try without -6'
  throw new InsightError('INSIGHT_NO_ADDRESS', what, remedy)
}

/** The port that is asked for by number or name; without one, that of the request or the service's first. */
function portOf(
  { namespace, name, ports }: Service,
  { port, protocol }: Pick<ServiceRequest, 'port' | 'protocol'>,
  text?: string,
): number {
  const own = ports.filter((one) => one.protocol.toLowerCase() === protocol)
  if (text === undefined) return own.some((one) => one.port === port) ? port : (own[0]?.port ?? port)
  const number = Number(text)
  if (Number.isInteger(number) && number >= 0 && number <= 0xffff) return number
  const found = own.find((one) => one.name === text)
  if (found !== undefined) return found.port
  const cause = `service ${serviceKey(namespace, name)} has no ${protocol} port ${shown(text)}`
  const names = own.map((one) => (one.name === '' ? one.port : `${one.name} (${one.port})`)).join(', ')
  throw new InsightError('INSIGHT_NAME_UNKNOWN', cause, names === '' ? 'see --protocol' : `it has ${names}`)
}

interface Target {
  readonly bucket: Bucket
  readonly backend: Backend
}

function targetOf(bucket: Bucket): readonly Target[] {
  return bucket.actions.flatMap((action) => {
    const backend = backendOf(action)
    return backend === undefined ? [] : [{ bucket, backend }]
  })
}

/** The endpoint that an action leads to. */
export function backendOf(action: Action): Backend | undefined {
  if (action.op !== 'ct' || action.nat?.direction !== 'dst') return undefined
  const address = parseIp(action.nat.address?.min ?? '')
  return address === undefined ? undefined : { address, port: action.nat.port?.min ?? 0 }
}

/** `10.128.0.2:8080`, `[fd00::2]:8080`. */
export function backendText({ address, port }: Backend): string {
  return familyOf(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`
}

function isWanted(view: ClusterView, backend: Backend, text: string | undefined): boolean {
  if (text === undefined || text === backend.address || text === backendText(backend)) return true
  const party = atAddress(view, backend.address)
  return party.kind === 'pod' && (party.name === text || party.lease.endpoint.pod === text)
}

function noSuchEndpoint(name: string, text: string | undefined, targets: readonly Target[]): InsightError {
  const all = targets.map(({ backend }) => backendText(backend))
  const more = all.length > 8 ? `, and ${all.length - 8} more` : ''
  const cause = `service ${name} leads nobody to ${shown(text ?? '')} from here`
  return new InsightError('INSIGHT_NAME_UNKNOWN', cause, `its endpoints are ${all.slice(0, 8).join(', ')}${more}`)
}

function shown(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
