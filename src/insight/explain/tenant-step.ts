/**
 * Whether the tenants of two ends may talk.
 * @module
 */

import { GLOBAL_VNI } from '../../network/model/tenant.ts'
import { clusterOf, registryOf } from '../view.ts'
import type { Conversation, Step } from './conversation.ts'
import type { End } from './ends.ts'
import { isOverlay } from './way-steps.ts'

/** Equal VNIs may, and VNI 0 with everybody. */
export function tenantStep({ view, from, to }: Conversation): Step {
  const name = 'tenant'
  if (clusterOf(view).tenancy === 'subnet')
    return { name, outcome: 'passes', says: 'the cluster has no tenants (Cluster spec.tenancy is subnet)' }
  const [source, target] = [from, to].map((end) => tenantOf(view, end))
  if (source === undefined || target === undefined)
    return { name, outcome: 'passes', says: 'tenants are a matter between pods' }
  const missing = [source, target].find(({ vni }) => vni === undefined)
  if (missing !== undefined) {
    const remedy = 'wait for the controller: weft status'
    return { name, outcome: 'stops', says: `${missing.words}, so its pods reach nobody`, remedy }
  }
  const both = `${source.words}${source.words === target.words ? '' : `, ${target.words}`}`
  const says = `${both}: ${relation(source.vni, target.vni)}`
  if (source.vni === target.vni || source.vni === GLOBAL_VNI || target.vni === GLOBAL_VNI)
    return { name, outcome: 'passes', says }
  const [a, b] = [from, to].map((end) => (end.kind === 'pod' ? end.pod.namespace : undefined))
  const remedy = a === undefined || b === undefined ? undefined : `To let them talk: weft tenant join ${a} --to ${b}`
  return { name, outcome: 'stops', says, ...(remedy === undefined ? {} : { remedy }), field: 'netid' }
}

interface TenantWords {
  readonly vni: number | undefined
  readonly words: string
}

/** Whose an end is; undefined for what has no tenant. */
function tenantOf(view: Conversation['view'], end: End): TenantWords | undefined {
  switch (end.kind) {
    case 'pod': {
      const { namespace } = end.pod
      const vni = registryOf(view).tenants.find((one) => one.namespace === namespace)?.vni
      const words =
        vni === undefined ? `namespace ${namespace} has no NetNamespace` : `NetNamespace ${namespace} has netid ${vni}`
      return { vni, words }
    }
    case 'host': {
      if (!isOverlay(end)) return undefined
      const { machine, node } = end.network
      const vni = machine.kind === 'external' ? machine.vni : GLOBAL_VNI
      return { vni, words: `external host ${node} has VNI ${vni}` }
    }
    case 'node':
      return { vni: GLOBAL_VNI, words: `node ${end.name} has VNI ${GLOBAL_VNI}` }
    default:
      return undefined
  }
}

function relation(source: number | undefined, target: number | undefined): string {
  if (source === target) return source === GLOBAL_VNI ? 'the global one' : 'the same'
  if (source === GLOBAL_VNI || target === GLOBAL_VNI) return '0 is global, and talks with all'
  return 'different tenants, and neither is global (0)'
}
