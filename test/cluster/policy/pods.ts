/**
 * The pods that policies are tried on, as objects of the Kubernetes API: namespaces x, y and z, in each of them pods a, b
 * and c that serve ports 80 and 81 by TCP and UDP, and a service in front of each.
 * @module
 */
import type { Namespace, Pod } from '../../../src/network/model/pod.ts'
import { SERVED, SERVED_PORTS } from '../../tables/policy/objects.ts'
import { pod, service } from '../objects.ts'
import { NET_IMAGE } from './image.ts'

/** A service's port in front of a pod's: they differ, so that a policy that sees the wrong one is found out. */
export const SERVICE_PORTS = { 80: 8080, 81: 8081 } as const

/** What the pod says to whoever asks. */
export function saidBy({ namespace, name }: Pick<Pod, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`
}

/** A pod as the model has it; its address is whichever it gets. */
export function podObject({ namespace, name, node, labels = {} }: Pick<Pod, 'namespace' | 'name' | 'node' | 'labels'>) {
  const ports = SERVED.map((one) => ({ name: one.name, protocol: one.protocol, containerPort: one.port }))
  const command = ['net', 'serve', `${namespace}/${name}`, ...SERVED_PORTS.map(String)]
  return pod({ name, namespace, node, labels, command, container: { image: NET_IMAGE, ports } })
}

/** The service of the same name, of both families. */
export function serviceObject({ namespace, name }: Pick<Pod, 'namespace' | 'name'>): object {
  const ports = SERVED_PORTS.flatMap((port) =>
    ['TCP', 'UDP'].map((protocol) => ({
      name: `${protocol.toLowerCase()}-${port}`,
      protocol,
      port: SERVICE_PORTS[port],
      targetPort: port,
    })),
  )
  const more = { selector: { pod: name }, ports, ipFamilyPolicy: 'RequireDualStack' }
  return service({ name, namespace }, more)
}

/** A namespace with the labels of the model. */
export function namespaceObject({ name, labels = {} }: Namespace): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }
}
