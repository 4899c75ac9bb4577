/**
 * Services of a playground, made as its users make them: through the API.
 * @module
 */
import { CLUSTER_NETWORKS } from '../../src/compat/openshift/resources.ts'
import type { KubeApi } from '../../src/kube/api.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { ENDPOINT_SLICES, PODS, SERVICES } from '../../src/kube/resources.ts'
import { type Ip, ip } from '../../src/network/model/address.ts'
import { eventually, type Lab } from './lab.ts'

/** Sets labels of `namespace/pod`; null removes one. */
export async function label(lab: Lab, pod: string, labels: Readonly<Record<string, string | null>>): Promise<void> {
  await lab.api().patch(PODS, place(pod), 'merge', { metadata: { labels } })
}

/** Makes a service of both families. */
export async function addService(lab: Lab, name: string, spec: Readonly<Record<string, unknown>>): Promise<void> {
  const object = { apiVersion: 'v1', kind: 'Service', metadata: place(name) }
  await lab.api().create(SERVICES, { ...object, spec: { ipFamilyPolicy: 'RequireDualStack', ...spec } })
}

/** Writes a slice with one endpoint by hand, for a service without selector. */
export async function addSlice(lab: Lab, service: string, address: Ip, port: number): Promise<void> {
  const { namespace, name } = place(service)
  await lab.api().create(ENDPOINT_SLICES, {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace, name: `${name}-by-hand`, labels: { 'kubernetes.io/service-name': name } },
    addressType: address.includes(':') ? 'IPv6' : 'IPv4',
    ports: [{ name: 'http', protocol: 'TCP', port }],
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
  })
}

/** The addresses of a service. */
export async function clusterIps(lab: Lab, name: string): Promise<readonly Ip[]> {
  const service = await lab.api().get(SERVICES, place(name))
  const { clusterIPs = [] } = (service?.['spec'] ?? {}) as { readonly clusterIPs?: readonly string[] }
  if (clusterIPs.length === 0) throw new Error(`${name} has no addresses`)
  return clusterIPs.map(ip)
}

/** Waits until a service has so many ready endpoints in every slice, and every node's switch leads to them. */
export async function ready(lab: Lab, name: string, count: number): Promise<void> {
  const { namespace, name: service } = place(name)
  await eventually(`${name} has ${count} endpoints`, async () => {
    const slices = await slicesOf(lab.api(), namespace, service)
    return slices.length >= 2 && slices.every((endpoints) => endpoints.length === count)
  })
  await eventually(`every node leads to ${count} endpoints of ${name}`, async () => {
    const facts = await Promise.all(lab.nodes().map((index) => lab.agent(index).facts()))
    return facts.every(({ fragments, groups, services }) => {
      const known = services.find((one) => one.service.namespace === namespace && one.service.name === service)
      const planned = fragments.find(({ key }) => key === `service/${name}`)
      const installed = new Set(groups.map(({ id }) => id))
      const slices = known?.slices ?? []
      const heard = slices.every(({ endpoints }) => endpoints.filter((each) => each.ready).length === count)
      return slices.length >= 2 && heard && planned?.groups.every(({ id }) => installed.has(id)) === true
    })
  })
}

/** Chooses who translates services, and waits until every node does so. */
export async function translateBy(lab: Lab, services: 'weft' | 'kube-proxy'): Promise<void> {
  await lab.api().patch(CLUSTER_NETWORKS, { name: 'default' }, 'merge', { weft: { services } })
  await eventually(`every node has services translated by ${services}`, async () => {
    const facts = await Promise.all(lab.nodes().map((index) => lab.agent(index).facts()))
    return facts.every(({ cluster, groups, status }) => {
      return status.ready && cluster.services === services && groups.length > 0 === (services === 'weft')
    })
  })
}

async function slicesOf(api: KubeApi, namespace: string, service: string): Promise<readonly (readonly unknown[])[]> {
  const labelSelector = `kubernetes.io/service-name=${service}`
  const { items } = await api.list(ENDPOINT_SLICES, { namespace, labelSelector })
  return items.map(readyEndpoints)
}

function readyEndpoints(slice: KubeObject): readonly unknown[] {
  const endpoints = (slice['endpoints'] ?? []) as readonly { readonly conditions?: { readonly ready?: boolean } }[]
  return endpoints.filter(({ conditions }) => conditions?.ready !== false)
}

function place(name: string): { readonly namespace: string; readonly name: string } {
  const [namespace = '', plain = ''] = name.split('/')
  return { namespace, name: plain }
}
