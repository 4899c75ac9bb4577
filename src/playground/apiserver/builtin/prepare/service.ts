/**
 * Services: their defaults, and what goes with another type. Addresses and node ports are given elsewhere.
 * @module
 */
import type { KubeObject } from '../../../../kube/object.ts'
import { arrayAt, type Fields, fieldsAt, numberAt, textAt, valueAt } from '../../objects/shape.ts'
import { changedItems, filled, filledZeros, without } from './fill.ts'
import type { Preparation } from './preparation.ts'
import { serviceProblems } from './service-problems.ts'

/** Services. */
export const SERVICE: Preparation = {
  complete: (service, before) => ({
    ...service,
    spec: completedSpec(fieldsAt(service, 'spec'), before),
    status: { loadBalancer: {}, ...fieldsAt(service, 'status') },
  }),
  problems: ({ spec }) => serviceProblems(fieldsAt(spec)),
}

const AFFINITY_SECONDS = 10_800

function completedSpec(given: Fields, before: KubeObject | undefined): Fields {
  const typed = filled(withoutLeftovers(given, before), { type: 'ClusterIP', sessionAffinity: 'None' })
  const { type } = typed
  const kept = withAffinity(type === 'ExternalName' ? without(typed, ['internalTrafficPolicy']) : typed)
  const withPorts = changedItems(kept, 'ports', (port) =>
    filledZeros(filled(port, { protocol: 'TCP' }), { targetPort: port['port'] ?? 0 }),
  )
  return filled(withPorts, {
    ...(type === 'ExternalName' ? {} : { internalTrafficPolicy: 'Cluster' }),
    ...(isReachedFromOutside(kept) ? { externalTrafficPolicy: 'Cluster' } : {}),
    ...(type === 'LoadBalancer' ? { allocateLoadBalancerNodePorts: true } : {}),
  })
}

/** Whether clients outside the cluster reach it. */
export function isReachedFromOutside(spec: Fields): boolean {
  const type = spec['type']
  if (type === 'NodePort' || type === 'LoadBalancer') return true
  return type === 'ClusterIP' && arrayAt(spec, 'externalIPs').length > 0
}

function withAffinity(spec: Fields): Fields {
  if (spec['sessionAffinity'] === 'None') return without(spec, ['sessionAffinityConfig'])
  if (spec['sessionAffinity'] !== 'ClientIP') return spec
  if (numberAt(spec, 'sessionAffinityConfig', 'clientIP', 'timeoutSeconds') !== undefined) return spec
  return { ...spec, sessionAffinityConfig: { clientIP: { timeoutSeconds: AFFINITY_SECONDS } } }
}

/** What only another type has goes when the type changes, unless it changes too. */
function withoutLeftovers(spec: Fields, before: KubeObject | undefined): Fields {
  if (before === undefined) return spec
  const old = fieldsAt(before, 'spec')
  const isSame = (...path: string[]) => Bun.deepEquals(valueAt(spec, ...path), valueAt(old, ...path))
  const type = textAt(spec, 'type') || 'ClusterIP'
  const leftovers = [
    ...(isReachedFromOutside({ ...spec, type }) ? [] : ['externalTrafficPolicy']),
    ...(type === 'LoadBalancer' ? [] : ['allocateLoadBalancerNodePorts', 'loadBalancerClass', 'healthCheckNodePort']),
    ...(type === 'ExternalName' ? ADDRESS_FIELDS : []),
  ]
  const rest = without(
    spec,
    leftovers.filter((name) => isSame(name)),
  )
  if (type === 'NodePort' || type === 'LoadBalancer' || type === old['type']) return rest
  const ports = new Set(arrayAt(old, 'ports').map((port) => numberAt(port, 'nodePort')))
  return changedItems(rest, 'ports', (port) =>
    ports.has(numberAt(port, 'nodePort')) ? without(port, ['nodePort']) : port,
  )
}

const ADDRESS_FIELDS = ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']
