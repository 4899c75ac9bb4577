/**
 * What EndpointSlices say of one pod behind a Service.
 * @module
 */
import { parseIp } from '../../../network/model/address.ts'
import { hasEnded, type Pod } from '../pod.ts'
import { selects } from '../selector.ts'
import { at, count, list, text } from '../values.ts'
import type { AddressType, SlicedService, TargetPort } from './service.ts'

/** A port as a slice holds it. */
export interface SlicePort {
  readonly name: string
  readonly protocol: string
  readonly port: number
  readonly appProtocol?: string
}

/** A pod's entry, and the ports that its slice must have. */
export interface Endpoint {
  readonly uid: string
  readonly type: AddressType
  readonly ports: readonly SlicePort[]
  /** As the slice holds it. */
  readonly entry: Readonly<Record<string, unknown>>
}

/** The endpoints of a Service, of all its families: a function of the Service and of the pods of its namespace. */
export function endpointsOf(service: SlicedService, pods: readonly Pod[]): readonly Endpoint[] {
  const selected = pods.filter((pod) => selects(service.selector, pod.labels) && !hasEnded(pod))
  return selected.flatMap((pod) => service.families.flatMap((type) => endpointOf(service, pod, type)))
}

/** Ports that do not depend on a pod: what a Service without pods has. */
export function fixedPorts({ ports }: SlicedService): readonly SlicePort[] {
  return ports.flatMap((port) => (typeof port.target === 'number' ? [slicePort(port, port.target)] : []))
}

function endpointOf(service: SlicedService, pod: Pod, type: AddressType): readonly Endpoint[] {
  const address = addressOf(pod, type)
  if (address === undefined) return []
  const { namespace, name, uid, node } = pod
  const hostname = hostnameIn(service, pod)
  const serving = pod.readySince !== undefined
  const ready = service.publishNotReady || (serving && !pod.terminating)
  const entry = {
    addresses: [address],
    conditions: { ready, serving, terminating: pod.terminating },
    ...(hostname === undefined ? {} : { hostname }),
    ...(node === undefined ? {} : { nodeName: node }),
    targetRef: { kind: 'Pod', namespace, name, uid },
  }
  return [{ uid, type, ports: service.ports.flatMap((port) => resolved(port, pod)), entry }]
}

function addressOf({ object }: Pod, type: AddressType): string | undefined {
  const addresses = [at(object, 'status', 'podIP'), ...list(at(object, 'status', 'podIPs')).map((one) => at(one, 'ip'))]
  for (const each of addresses) {
    const address = typeof each === 'string' ? parseIp(each) : undefined
    if (address?.includes(':') === (type === 'IPv6')) return address
  }
  return undefined
}

/** A pod has a name of its own in the Service that its subdomain names. */
function hostnameIn(service: SlicedService, { object }: Pod): string | undefined {
  return at(object, 'spec', 'subdomain') === service.name ? text(at(object, 'spec', 'hostname')) : undefined
}

/** A name that a pod does not know leaves the port out for that pod. */
function resolved(port: TargetPort, pod: Pod): readonly SlicePort[] {
  if (typeof port.target === 'number') return [slicePort(port, port.target)]
  const spec = pod.object['spec']
  const containers = [...list(at(spec, 'containers')), ...list(at(spec, 'initContainers')).filter(isSidecar)]
  for (const each of containers.flatMap((container) => list(at(container, 'ports')))) {
    const number = count(at(each, 'containerPort'))
    const protocol = text(at(each, 'protocol')) ?? 'TCP'
    if (number !== undefined && at(each, 'name') === port.target && protocol === port.protocol) {
      return [slicePort(port, number)]
    }
  }
  return []
}

function isSidecar(container: unknown): boolean {
  return at(container, 'restartPolicy') === 'Always'
}

function slicePort({ name, protocol, appProtocol }: TargetPort, port: number): SlicePort {
  return { name, protocol, port, ...(appProtocol === undefined ? {} : { appProtocol }) }
}
