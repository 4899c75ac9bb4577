/**
 * The objects of a large cluster, as an API server keeps them: with what it and the kubelets add.
 * @module
 */
import type { KubeObject, ObjectMeta } from '../../src/kube/object.ts'
import { formatIp, type Ip, ip, ipValue } from '../../src/network/model/address.ts'

/** How large. */
export interface Size {
  readonly nodes: number
  readonly namespaces: number
  readonly pods: number
  readonly services: number
}

/** Endpoint slices of a service, and endpoints of a slice. */
export const SLICES = 2
export const ENDPOINTS = 10
/** Each node's part of the pod network: 1,022 pods. */
export const HOST_BITS = 10

const FIRST_NODE = ipValue(ip('198.18.80.0'))
const FIRST_POD = ipValue(ip('10.0.0.0'))
const FIRST_SERVICE = ipValue(ip('172.30.1.0'))
const MADE = '2026-01-01T00:00:00Z'

/** Name of a node other than the one with a real agent. */
export function nodeName(index: number): string {
  return `far-${String(index).padStart(5, '0')}`
}

export function namespaceName(index: number): string {
  return `team-${String(index).padStart(5, '0')}`
}

/** A node with its addresses. */
export function nodeObject(name: string, addresses: readonly Ip[]): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: metadata({
      name,
      labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' },
    }),
    spec: {},
    status: {
      addresses: [
        ...addresses.map((address) => ({ type: 'InternalIP', address })),
        { type: 'Hostname', address: name },
      ],
      capacity: { cpu: '16', memory: '65536Mi', pods: '250' },
      allocatable: { cpu: '15', memory: '61440Mi', pods: '250' },
      conditions: [condition('Ready', 'KubeletReady')],
      nodeInfo: { kubeletVersion: 'v1.32.0', osImage: 'Debian GNU/Linux 12 (bookworm)', architecture: 'amd64' },
    },
  }
}

/** A node that nobody runs. */
export function farNode(index: number): KubeObject {
  return nodeObject(nodeName(index), [formatIp(4, FIRST_NODE + BigInt(index))])
}

/** A namespace, and the service account that every namespace has. */
export function namespaceObjects(index: number): readonly KubeObject[] {
  const name = namespaceName(index)
  return [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: metadata({ name, labels: { 'kubernetes.io/metadata.name': name } }),
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadata({ name: 'default', namespace: name }) },
  ]
}

/** A running pod: spread over namespaces and nodes. */
export function podObject(index: number, { nodes, namespaces }: Size): KubeObject {
  const namespace = namespaceName(index % namespaces)
  const app = `app-${Math.floor(index / namespaces) % 3}`
  const podIP = podAddress(index, nodes)
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadata({
      name: `${app}-${index.toString(36).padStart(6, '0')}`,
      namespace,
      labels: { app, 'pod-template-hash': '5d4f8c7b9d' },
    }),
    spec: {
      nodeName: nodeName(index % nodes),
      serviceAccountName: 'default',
      restartPolicy: 'Always',
      dnsPolicy: 'ClusterFirst',
      schedulerName: 'default-scheduler',
      terminationGracePeriodSeconds: 30,
      containers: [
        {
          name: 'main',
          image: 'registry.example/team/app:1.0.0',
          imagePullPolicy: 'IfNotPresent',
          ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
          resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
          readinessProbe: { httpGet: { path: '/ready', port: 'http' }, periodSeconds: 10 },
          volumeMounts: [{ name: 'token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true }],
        },
      ],
      volumes: [{ name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }],
    },
    status: {
      phase: 'Running',
      podIP,
      podIPs: [{ ip: podIP }],
      startTime: MADE,
      conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => condition(type)),
      containerStatuses: [
        { name: 'main', ready: true, restartCount: 0, image: 'registry.example/team/app:1.0.0', started: true },
      ],
    },
  }
}

/** A service of one port with its endpoints, which are other pods of the cluster. */
export function serviceObjects(index: number, { nodes, namespaces, pods }: Size): readonly KubeObject[] {
  const namespace = namespaceName(index % namespaces)
  const name = `service-${String(index).padStart(5, '0')}`
  const first = index * SLICES * ENDPOINTS
  const slices = Array.from({ length: SLICES }, (_, slice) => {
    const numbers = Array.from({ length: ENDPOINTS }, (_unused, n) => (first + slice * ENDPOINTS + n) % pods)
    return sliceObject(
      namespace,
      name,
      slice,
      numbers.map((pod) => ({ address: podAddress(pod, nodes), node: nodeName(pod % nodes) })),
    )
  })
  return [serviceObject(namespace, name, formatIp(4, FIRST_SERVICE + BigInt(index))), ...slices]
}

function serviceObject(namespace: string, name: string, clusterIP: Ip): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata({ name, namespace, labels: { app: 'app-0' } }),
    spec: {
      type: 'ClusterIP',
      clusterIP,
      clusterIPs: [clusterIP],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      internalTrafficPolicy: 'Cluster',
      sessionAffinity: 'None',
      selector: { app: 'app-0' },
      ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 'http' }],
    },
    status: { loadBalancer: {} },
  }
}

/** A slice of a service's endpoints. */
export function sliceObject(
  namespace: string,
  service: string,
  index: number,
  endpoints: readonly { readonly address: Ip; readonly node: string }[],
): KubeObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: metadata({
      name: `${service}-${index}`,
      namespace,
      labels: {
        'kubernetes.io/service-name': service,
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      },
    }),
    addressType: 'IPv4',
    ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
    endpoints: endpoints.map(({ address, node }) => ({
      addresses: [address],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: node,
      targetRef: { kind: 'Pod', namespace, name: `pod-of-${address}`, uid: crypto.randomUUID() },
    })),
  }
}

/** Address of a pod in its node's range, if ranges are given out in order. */
function podAddress(index: number, nodes: number): Ip {
  const [node, place] = [index % nodes, Math.floor(index / nodes)]
  return formatIp(4, FIRST_POD + BigInt((node << HOST_BITS) + 10 + place))
}

function metadata(given: ObjectMeta): ObjectMeta {
  return { ...given, uid: crypto.randomUUID(), creationTimestamp: MADE }
}

function condition(type: string, reason?: string): object {
  return { type, status: 'True', lastTransitionTime: MADE, ...(reason === undefined ? {} : { reason }) }
}
