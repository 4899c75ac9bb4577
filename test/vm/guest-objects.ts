/**
 * What the guest's tests ask of a cluster: a service in front of pods, and a policy of one.
 * @module
 */
import { withNetns } from '../../src/linux/index.ts'
import { familyOf, type Ip, ip } from '../../src/network/model/address.ts'
import type { Policy } from '../../src/network/model/policy.ts'
import type { Registry } from '../../src/registry/registry.ts'
import { run } from '../lab/command.ts'
import type { Pod } from './guest-pod.ts'

/** The addresses of {@link offerService}, whose port is 80. */
export const SERVICE_ADDRESSES: readonly Ip[] = [ip('172.30.0.10'), ip('fd00:172:30::10')]

const NAMESPACE = 'shop'

/** Has pods of the namespace `shop` answer, and puts a service in front of them. Each says its name, and from which address it was asked. */
export async function offerService(registry: Registry, pods: readonly Pod[]): Promise<void> {
  for (const { fd, name } of pods) {
    const open = (socket: Bun.Socket) =>
      void socket.end(`${name} was asked by ${socket.remoteAddress.replace('::ffff:', '')}`)
    withNetns(fd, () => Bun.listen({ hostname: '::', port: 8080, socket: { open, data: () => undefined } }))
  }
  const [service, protocol] = ['all', 'TCP'] as const
  await registry.create('Service', `${NAMESPACE}/${service}`, {
    ...{ namespace: NAMESPACE, name: service, clusterIps: SERVICE_ADDRESSES },
    ...{ internalPolicy: 'Cluster', externalPolicy: 'Cluster' },
    ports: [{ name: '', protocol, port: 80 }],
  })
  for (const family of [4, 6] as const) {
    const name = `${service}-${family}`
    await registry.create('EndpointSlice', `${NAMESPACE}/${name}`, {
      ...{ namespace: NAMESPACE, name, service, ports: [{ name: '', protocol, port: 8080 }] },
      endpoints: pods.map(({ node, address, address6 }) => ({
        ...{ address: family === 4 ? address : address6, node, ready: true, serving: true, terminating: false },
      })),
    })
  }
}

/** Asks the service at an address; what answers says, or nothing. */
export async function askService({ netns }: Pod, address: Ip): Promise<string> {
  const { stdout } = await run(['nsenter', `--net=/run/netns/${netns}`, 'busybox', 'nc', '-w', '20', address, '80'])
  return stdout
}

/** What {@link askService} is told by a pod when the client's own address arrives there. */
export function answerOf({ name }: Pod, client: Pod, address: Ip): string {
  return `${name} was asked by ${familyOf(address) === 4 ? client.address : client.address6}`
}

/** In `shop`, the pod that is labelled with the first name takes packets of the one with the second alone. */
export function onlyFrom(subject: string, client: string): Policy {
  const labelled = (value: string) => [{ key: 'name', operator: 'In', values: [value] }] as const
  const namespaces = { name: NAMESPACE }
  return {
    ...{ kind: 'NetworkPolicy', namespace: NAMESPACE, name: `only-${client}`, tier: 'namespace', priority: 0 },
    subject: { namespaces, pods: labelled(subject) },
    ingress: [{ action: 'allow', peers: [{ type: 'pods', namespaces, pods: labelled(client) }] }],
  }
}
