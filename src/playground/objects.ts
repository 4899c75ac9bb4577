/**
 * The API objects that a playground begins with.
 * @module
 */
import { weftBindings } from '../compat/bindings.ts'
import { everyCrd } from '../compat/crds.ts'
import type { KubeApi } from '../kube/api.ts'
import { KubeError } from '../kube/errors.ts'
import type { KubeObject, Resource } from '../kube/object.ts'
import { CUSTOM_RESOURCE_DEFINITIONS, NAMESPACES, NODES, SERVICES } from '../kube/resources.ts'
import type { Cluster } from '../network/model/cluster.ts'
import type { PodSpec } from './demo.ts'
import { ECHO_PORT, type NodeLayout } from './layout.ts'

/** Defines Weft's objects, and writes the cluster's configuration and namespaces. */
export async function writeCluster(api: KubeApi, cluster: Cluster, namespaces: readonly string[]): Promise<void> {
  for (const crd of everyCrd()) await ensure(api, CUSTOM_RESOURCE_DEFINITIONS, asApplied(crd))
  const { resource, encode } = weftBindings.Cluster
  await ensure(api, resource, encode(cluster))
  for (const name of namespaces) await ensure(api, NAMESPACES, namespaceObject(name))
}

/** An object as `kubectl apply` makes it: the next one finds what it wrote, and does not warn. */
export function asApplied({ metadata, ...object }: KubeObject): KubeObject {
  const applied = JSON.stringify({ ...object, metadata: { ...metadata, annotations: { ...metadata.annotations } } })
  const annotations = { ...metadata.annotations, 'kubectl.kubernetes.io/last-applied-configuration': `${applied}\n` }
  return { ...object, metadata: { ...metadata, annotations } } as KubeObject
}

/**
 * Announces the nodes, in order: they get their ranges in that order too. Their kubelets keep the objects from then on.
 */
export async function announceNodes(api: KubeApi, nodes: readonly NodeLayout[]): Promise<void> {
  for (const { name, addresses } of nodes) {
    await ensure(api, NODES, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { 'kubernetes.io/hostname': name } },
      status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) },
    })
  }
}

/** Makes services, each in front of all demo pods of its namespace. */
export async function writeServices(
  api: KubeApi,
  services: readonly (readonly [namespace: string, name: string])[],
): Promise<void> {
  for (const [namespace, name] of services) await ensure(api, SERVICES, serviceObject(namespace, name))
}

/** A namespace. */
export function namespaceObject(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
}

/** A pod of the demo: it serves, and says whom it sees. */
export function podObject({ namespace, name, node }: PodSpec): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, labels: { app: name, team: namespace } },
    spec: {
      nodeName: node,
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'server',
          image: 'weft.dev/echo',
          ports: [
            { name: 'http', containerPort: ECHO_PORT, protocol: 'TCP' },
            { name: 'udp', containerPort: ECHO_PORT, protocol: 'UDP' },
          ],
        },
      ],
    },
  }
}

function serviceObject(namespace: string, name: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace, name },
    spec: {
      ipFamilyPolicy: 'RequireDualStack',
      selector: { team: namespace },
      ports: [{ name: 'http', port: 80, targetPort: ECHO_PORT, protocol: 'TCP' }],
    },
  }
}

/** Creates an object unless it is there. */
export async function ensure(api: KubeApi, resource: Resource, object: KubeObject): Promise<void> {
  try {
    await api.create(resource, object)
  } catch (error) {
    if (!(error instanceof KubeError) || error.code !== 'KUBE_EXISTS') throw error
  }
}
