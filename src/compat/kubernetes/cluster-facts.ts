/**
 * What a cluster's own objects tell about its networks.
 * @module
 */
import { parse } from 'yaml'
import { KubeError } from '../../kube/errors.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type Cidr, type Ip, parseCidr, parseIp } from '../../network/model/address.ts'
import { at, listAt, textAt } from '../fields.ts'
import { networksIn } from '../network-text.ts'

/** Addresses that a Service has. */
export function serviceAddresses(service: KubeObject): readonly Ip[] {
  const listed = listAt(service, 'spec', 'clusterIPs')
  const all = listed.length > 0 ? listed : [at(service, 'spec', 'clusterIP')]
  return all.flatMap((one) => (typeof one === 'string' ? (parseIp(one) ?? []) : []))
}

/** Networks in ServiceCIDRs (networking.k8s.io). */
export function serviceCidrs(objects: readonly KubeObject[]): readonly Cidr[] {
  return objects.flatMap((object) => cidrsIn(listAt(object, 'spec', 'cidrs')))
}

/**
 * A Service that no API server takes: its address is of a network that is nobody's (RFC 5737, RFC 3849). The refusal says
 * which network would do; that is how servers without ServiceCIDRs tell.
 */
export function impossibleService(address: '192.0.2.1' | '2001:db8::1', namespace: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'weft-asks-for-the-range', namespace },
    spec: {
      clusterIP: address,
      ipFamilies: [address.includes(':') ? 'IPv6' : 'IPv4'],
      ports: [{ port: 1 }],
    },
  }
}

/** The network that the refusal of an {@link impossibleService} names. */
export function networkInRefusal(error: unknown): Cidr | undefined {
  if (!(error instanceof KubeError)) return undefined
  const [, network] = /range of valid IPs is ([0-9a-fA-F.:]+\/\d{1,3})/.exec(error.message) ?? []
  return network === undefined ? undefined : parseCidr(network)
}

/** The networks that kubeadm was told, in its ConfigMap `kubeadm-config`. */
export function kubeadmNetworks(configMap: KubeObject) {
  const networking = at(parsed(textAt(configMap, 'data', 'ClusterConfiguration')), 'networking')
  const networks = (key: string): readonly Cidr[] => networksIn(at(networking, key))
  return { pods: networks('podSubnet'), services: networks('serviceSubnet') } as const
}

function cidrsIn(texts: readonly unknown[]): readonly Cidr[] {
  return texts.flatMap((text) => (typeof text === 'string' ? (parseCidr(text.trim()) ?? []) : []))
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : parse(text, { maxAliasCount: 10 })
  } catch {
    return undefined
  }
}
