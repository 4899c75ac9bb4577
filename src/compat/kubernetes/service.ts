/**
 * Service as the Kubernetes API has it.
 * @module
 */
import type { KubeBinding } from '../../kube/binding.ts'
import type { KubeObject } from '../../kube/object.ts'
import { SERVICES } from '../../kube/resources.ts'
import { familyOf } from '../../network/model/address.ts'
import type { Service } from '../../network/model/service.ts'
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

function portIn(port: unknown): unknown {
  const nodePort = at(port, 'nodePort')
  return {
    name: at(port, 'name') ?? '',
    protocol: at(port, 'protocol') ?? 'TCP',
    port: at(port, 'port'),
    ...optionalField('nodePort', nodePort === 0 ? undefined : nodePort),
  }
}

function patch({ clusterIps, ports, affinitySeconds, internalPolicy, externalPolicy }: Service): MergePatch {
  const isPublished = ports.some(({ nodePort }) => nodePort !== undefined)
  const isHeadless = clusterIps.length === 0
  return {
    spec: {
      type: isPublished ? 'NodePort' : 'ClusterIP',
      clusterIP: clusterIps[0] ?? 'None',
      clusterIPs: isHeadless ? ['None'] : clusterIps,
      ipFamilies: isHeadless ? null : clusterIps.map((address) => `IPv${familyOf(address)}`),
      ipFamilyPolicy: isHeadless ? null : clusterIps.length > 1 ? 'RequireDualStack' : 'SingleStack',
      ports: ports.map(({ name, ...port }) => ({ ...(name === '' ? {} : { name }), ...port })),
      sessionAffinity: affinitySeconds === undefined ? 'None' : 'ClientIP',
      sessionAffinityConfig: affinitySeconds === undefined ? null : { clientIP: { timeoutSeconds: affinitySeconds } },
      internalTrafficPolicy: internalPolicy,
      // Only what is published has a policy for those outside.
      externalTrafficPolicy: isPublished ? externalPolicy : null,
    },
  }
}
