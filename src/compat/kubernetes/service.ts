/**
 * Service as the Kubernetes API has it.
 * @module
 */
import type { KubeBinding } from '../../kube/binding.ts'
import type { KubeObject } from '../../kube/object.ts'
import { SERVICES } from '../../kube/resources.ts'
import { familyOf, type Ip, parseIp } from '../../network/model/address.ts'
import type { Service } from '../../network/model/service.ts'
import { MAX_OUTSIDE_IPS } from '../../network/model/validate-service.ts'
import { at, listAt, nameOf, optionalField, qualifiedNameOf, textAt } from '../fields.ts'
import { type MergePatch, namespacedPlace, objectOf } from '../merge.ts'

/** Three hours: what the API takes for an affinity without a time. */
const AFFINITY_SECONDS = 10_800

/** Service ↔ Service. An ExternalName is a DNS record and none of ours; a headless one has no addresses. */
export const serviceBinding: KubeBinding<'Service'> = {
  resource: SERVICES,
  place: namespacedPlace,
  nameOf: (object) => (at(object, 'spec', 'type') === 'ExternalName' ? undefined : qualifiedNameOf(object)),
  decode,
  encode: (service) => objectOf(SERVICES, { name: service.name, namespace: service.namespace }, { ...patch(service) }),
  patch,
}

function decode(object: KubeObject): unknown {
  const affinity = at(object, 'spec', 'sessionAffinity') === 'ClientIP'
  const seconds = at(object, 'spec', 'sessionAffinityConfig', 'clientIP', 'timeoutSeconds') ?? AFFINITY_SECONDS
  return {
    namespace: at(object, 'metadata', 'namespace'),
    name: nameOf(object),
    clusterIps: clusterIpsIn(object),
    ...optionalField('externalIps', outsideIps(listAt(object, 'spec', 'externalIPs'))),
    ...optionalField('loadBalancerIps', outsideIps(balancerIps(object))),
    ports: listAt(object, 'spec', 'ports').map(portIn),
    ...optionalField('affinitySeconds', affinity ? seconds : undefined),
    internalPolicy: at(object, 'spec', 'internalTrafficPolicy') ?? 'Cluster',
    externalPolicy: at(object, 'spec', 'externalTrafficPolicy') ?? 'Cluster',
  }
}

function clusterIpsIn(object: KubeObject): readonly unknown[] {
  const all = listAt(object, 'spec', 'clusterIPs')
  const only = textAt(object, 'spec', 'clusterIP')
  return (all.length > 0 || only === undefined ? all : [only]).filter((one) => one !== 'None' && one !== '')
}

function balancerIps(object: KubeObject): readonly unknown[] {
  return listAt(object, 'status', 'loadBalancer', 'ingress').map((one) => at(one, 'ip'))
}

/** What is no address, such as a host's name, is left out; so is what is beyond any use. The service is none the worse. */
function outsideIps(all: readonly unknown[]): readonly Ip[] | undefined {
  const found = all.flatMap((one) => (typeof one === 'string' && one.length <= 64 ? (parseIp(one) ?? []) : []))
  return found.length === 0 ? undefined : [...new Set(found)].slice(0, MAX_OUTSIDE_IPS)
}

function portIn(port: unknown): unknown {
  const nodePort = at(port, 'nodePort')
  return {
    name: at(port, 'name') ?? '',
    protocol: at(port, 'protocol') ?? 'TCP',
    port: at(port, 'port'),
    ...optionalField('nodePort', nodePort === 0 ? undefined : nodePort),
  }
}

/** Addresses of load balancers are their controller's to write. */
function patch({ clusterIps, externalIps, ports, ...rest }: Service): MergePatch {
  const { affinitySeconds, internalPolicy, externalPolicy } = rest
  const isPublished = ports.some(({ nodePort }) => nodePort !== undefined)
  const isHeadless = clusterIps.length === 0
  return {
    spec: {
      type: isPublished ? 'NodePort' : 'ClusterIP',
      clusterIP: clusterIps[0] ?? 'None',
      clusterIPs: isHeadless ? ['None'] : clusterIps,
      ipFamilies: isHeadless ? null : clusterIps.map((address) => `IPv${familyOf(address)}`),
      ipFamilyPolicy: isHeadless ? null : clusterIps.length > 1 ? 'RequireDualStack' : 'SingleStack',
      externalIPs: externalIps ?? null,
      ports: ports.map(({ name, ...port }) => ({ ...(name === '' ? {} : { name }), ...port })),
      sessionAffinity: affinitySeconds === undefined ? 'None' : 'ClientIP',
      sessionAffinityConfig: affinitySeconds === undefined ? null : { clientIP: { timeoutSeconds: affinitySeconds } },
      internalTrafficPolicy: internalPolicy,
      // Only what is published has a policy for those outside.
      externalTrafficPolicy: isPublished ? externalPolicy : null,
    },
  }
}
