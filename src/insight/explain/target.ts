/**
 * What a request is about: an end with a port, or a service.
 * @module
 */
import { type Family, parseIp } from '../../network/model/address.ts'
import { serviceKey } from '../../network/model/service.ts'
import { InsightError } from '../errors.ts'
import { type FoundService, findService, servicesOf } from '../trace/service.ts'
import type { ClusterView } from '../view.ts'
import type { ExplainedProtocol } from './conversation.ts'
import { type End, endNamed, findEnd } from './ends.ts'

/** A question as it is typed. */
export interface ExplainRequest {
  readonly from: string
  /** A pod, a node, an address, or a service: `service/<namespace>/<name>[:<port>]`, or `<namespace>/<name>`. */
  readonly to: string
  readonly protocol: ExplainedProtocol
  /** A number, or the name that the pod or service has for it. Absent: 80, of a service its own. */
  readonly port?: number | string | undefined
  readonly family: Family
}

/** Whom and which port a request means. */
export type Target =
  | { readonly kind: 'end'; readonly end: End; readonly port: number }
  | ({ readonly kind: 'service' } & FoundService)

const DEFAULT_PORT = 80

/** Throws `INSIGHT_NAME_UNKNOWN`, `INSIGHT_NAME_AMBIGUOUS`, `INSIGHT_NO_ADDRESS`. */
export function targetOf(view: ClusterView, request: ExplainRequest): Target {
  const { to, protocol, family } = request
  const text = serviceText(view, request)
  if (text !== undefined) {
    const port = typeof request.port === 'number' ? request.port : DEFAULT_PORT
    // A probe of ICMP has no port of a service: it is asked for as it stands, and told so.
    const found = findService(view, { from: '', to: text, port, protocol, family })
    if (found !== undefined) return { kind: 'service', ...found }
  }
  const end = findEnd(view, to, family)
  const port = protocol === 'icmp' ? 0 : portOf(end, request)
  refuseNodePort(view, end, port, request)
  return { kind: 'end', end, port }
}

/** A node's port that leads to a service is none of the node's. */
function refuseNodePort(view: ClusterView, { kind }: End, port: number, { protocol, from }: ExplainRequest): void {
  if (kind !== 'node') return
  for (const { namespace, name, ports } of servicesOf(view)) {
    const own = ports.find((one) => one.nodePort === port && one.protocol.toLowerCase() === protocol)
    if (own === undefined) continue
    const service = `service/${serviceKey(namespace, name)}`
    const cause = `${protocol} port ${port} of nodes is a node port of ${service}`
    throw new InsightError('INSIGHT_USAGE', cause, `ask about it: weft explain ${from} ${service} --port ${own.port}`)
  }
}

/** The request as a service's name or address, if it is for one. */
function serviceText(view: ClusterView, { to, port, family }: ExplainRequest): string | undefined {
  const services = servicesOf(view)
  const colon = port === undefined ? '' : `:${port}`
  if (/^(service|svc)\//.test(to)) return to.includes(':') ? to : `${to}${colon}`
  const address = parseIp(to)
  const named = services.find(({ namespace, name, clusterIps }) =>
    address === undefined ? [serviceKey(namespace, name), name].includes(to) : clusterIps.includes(address),
  )
  if (named === undefined) return undefined
  // A pod of that name is meant first: a service can be named for what it is.
  if (address === undefined && endNamed(view, to, family) !== undefined) return undefined
  if (address !== undefined && typeof port !== 'string') return to
  return `service/${serviceKey(named.namespace, named.name)}${colon}`
}

function portOf(end: End, { port = DEFAULT_PORT, protocol }: ExplainRequest): number {
  if (typeof port === 'number') return port
  const own =
    end.kind === 'pod' ? (end.pod.namedPorts ?? []).filter((one) => one.protocol.toLowerCase() === protocol) : []
  const found = own.find(({ name }) => name === port)
  if (found !== undefined) return found.port
  const names = own.map((one) => `${one.name} (${one.port})`).join(', ')
  const cause = `${end.name} has no ${protocol} port named ${port.slice(0, 80)}`
  throw new InsightError('INSIGHT_NAME_UNKNOWN', cause, names === '' ? 'give its number' : `it has ${names}`)
}
