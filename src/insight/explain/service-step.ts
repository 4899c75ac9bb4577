/**
 * What a service makes of a connection: which port, which endpoints.
 * @module
 */
import { familyOf } from '../../network/model/address.ts'
import { type ServicePort, serviceKey } from '../../network/model/service.ts'
import { listWords } from '../../network/policy/rule-names.ts'
import { type Backend, backendsOf } from '../../network/service/backends.ts'
import { InsightError } from '../errors.ts'
import type { FoundService } from '../trace/service.ts'
import { type ClusterView, clusterOf, nodeOf } from '../view.ts'
import { type ExplainedProtocol, type Step, whatOf } from './conversation.ts'

/** A service's part in a connection. */
export interface ServiceLook {
  readonly step: Step
  /** Empty where the step stops it. */
  readonly backends: readonly Backend[]
}

/** What a service leads clients of a node to. Throws `INSIGHT_USAGE` where kube-proxy does that. */
export function lookAtService(
  view: ClusterView,
  found: FoundService,
  protocol: ExplainedProtocol,
  node: string,
): ServiceLook {
  refuseKubeProxy(view)
  const { service, address, port } = found
  const title = `service ${serviceKey(service.namespace, service.name)}`
  if (protocol === 'icmp') return stopped(`no address of ${title} answers to ping: it has ${portsOf(service.ports)}`)
  const own = service.ports.find((one) => one.port === port && one.protocol.toLowerCase() === protocol)
  if (own === undefined)
    return stopped(`${title} has no ${whatOf({ protocol, port })}: it has ${portsOf(service.ports)}`)
  const slices = slicesOf(view, service.namespace, service.name)
  const backends = backendsOf(slices, own, familyOf(address), service.internalPolicy, node)
  const called = own.name === '' ? '' : ` (${own.name})`
  const where = service.internalPolicy === 'Local' ? ` on ${node} (spec.internalTrafficPolicy is Local)` : ''
  const head = `${whatOf({ protocol, port })}${called} of ${title} at ${address}`
  if (backends.length === 0)
    return stopped(
      `${title} has no ready endpoint${where} for ${whatOf({ protocol, port })}`,
      'See which pods are ready: kubectl get endpointslices -A',
    )
  if (protocol === 'sctp' && nodeOf(view, node)?.status.datapath === 'netdev') {
    const remedy = 'use the kernel’s datapath, or the endpoints’ own addresses (a headless service)'
    return stopped(`Open vSwitch on ${node} works in user space, where it leads no SCTP to endpoints`, remedy)
  }
  const ports = [...new Set(backends.map((one) => one.port))]
  const count = backends.length === 1 ? 'one endpoint' : `${backends.length} endpoints`
  const says = `${head} leads to port ${listWords(ports.map(String))} of ${count}${where}`
  return { step: { name: 'service', outcome: 'passes', says }, backends }
}

/** The step of a connection that is for no service. */
export function noServiceStep(
  view: ClusterView,
  { kind, address }: { readonly kind: string; readonly address: string },
): Step {
  const name = 'service'
  if (kind !== 'no-service') return { name, outcome: 'passes', says: `${address} is no service’s address` }
  refuseKubeProxy(view)
  const remedy = 'Compare with the services: kubectl get services -A'
  return { name, outcome: 'stops', says: `no service has the address ${address}`, remedy }
}

function stopped(
  says: string,
  remedy = 'Compare port and protocol with the service: kubectl get services -A',
): ServiceLook {
  return { step: { name: 'service', outcome: 'stops', says, remedy }, backends: [] }
}

function slicesOf(view: ClusterView, namespace: string, name: string) {
  return (
    view.nodes
      .flatMap(({ services }) => services)
      .find(({ service }) => service.namespace === namespace && service.name === name)?.slices ?? []
  )
}

function portsOf(ports: readonly ServicePort[]): string {
  const words = ports.map(
    ({ name, protocol, port }) => `${protocol.toLowerCase()} port ${port}${name === '' ? '' : ` (${name})`}`,
  )
  return words.length === 0 ? 'none' : listWords(words)
}

function refuseKubeProxy(view: ClusterView): void {
  if (clusterOf(view).services === 'weft') return
  const remedy = 'ask about one of its endpoints: kubectl get endpointslices -A'
  throw new InsightError(
    'INSIGHT_USAGE',
    'kube-proxy leads services to endpoints here, so Weft does not know which',
    remedy,
  )
}
