/**
 * The objects that stand for the cluster's DNS.
 * @module
 */
import type { KubeObject } from '../../kube/object.ts'
import { type Cidr, familyOf, firstIp, formatIp, ipValue } from '../../network/model/address.ts'

/** Where those pods are; a pod elsewhere is nobody's name server by its label alone. */
export const DNS_NAMESPACE = 'kube-system'
/** The label of the pods in whose network namespaces names are served. */
export const DNS_LABEL = { 'k8s-app': 'kube-dns' } as const

/** Which networks services have addresses from, and what the pods run that hold the place of the server. */
export interface DnsObjectOptions {
  readonly serviceNetworks: readonly Cidr[]
  /** `weft-dns` when absent. */
  readonly image?: string
  /** Something that does nothing for as long as it may, and leaves port 53 alone; `sleep infinity` when absent. */
  readonly command?: readonly string[]
  readonly replicas?: number
}

/** The address of the DNS service in a service network: its tenth, as is the custom. */
export function dnsAddress(network: Cidr): string {
  return formatIp(familyOf(network), ipValue(firstIp(network)) + 10n)
}

/**
 * The Service `kube-dns` and the Deployment `weft-dns` in `kube-system`. The pods only hold a network namespace: names
 * are served in it from outside, since the API listens on the loopback, which no pod reaches.
 */
export function dnsObjects(options: DnsObjectOptions): readonly KubeObject[] {
  const { serviceNetworks, image = 'weft-dns', command = ['sleep', 'infinity'], replicas = 1 } = options
  const clusterIPs = serviceNetworks.map(dnsAddress)
  const families = serviceNetworks.map((network) => (familyOf(network) === 4 ? 'IPv4' : 'IPv6'))
  const service: KubeObject = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'kube-dns',
      namespace: DNS_NAMESPACE,
      labels: DNS_LABEL,
    },
    spec: {
      type: 'ClusterIP',
      clusterIP: clusterIPs[0],
      clusterIPs,
      ipFamilies: families,
      ipFamilyPolicy: families.length > 1 ? 'PreferDualStack' : 'SingleStack',
      selector: DNS_LABEL,
      ports: [
        { name: 'dns', protocol: 'UDP', port: 53, targetPort: 53 },
        { name: 'dns-tcp', protocol: 'TCP', port: 53, targetPort: 53 },
      ],
    },
  }
  const container = {
    name: 'dns',
    image,
    command,
    ports: [
      { name: 'dns', containerPort: 53, protocol: 'UDP' },
      { name: 'dns-tcp', containerPort: 53, protocol: 'TCP' },
    ],
    readinessProbe: { tcpSocket: { port: 53 }, periodSeconds: 2 },
  }
  const deployment: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'weft-dns', namespace: DNS_NAMESPACE, labels: DNS_LABEL },
    spec: {
      replicas,
      selector: { matchLabels: DNS_LABEL },
      // Two at most for a moment, never none.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: {
        metadata: { labels: DNS_LABEL },
        spec: { dnsPolicy: 'Default', terminationGracePeriodSeconds: 1, containers: [container] },
      },
    },
  }
  return [service, deployment]
}
