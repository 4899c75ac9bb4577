/**
 * What the coordinator plugin does, as Spiderpool's SpiderCoordinator.
 * @module
 */
import type { KubeBinding } from '../../kube/binding.ts'
import type { KubeObject } from '../../kube/object.ts'
import { describeProblems, type Problem } from '../../network/model/decode.ts'
import type { Coordinator, CoordinatorStatus } from '../../network/model/definition.ts'
import { decodeCoordinator, MAX_COORDINATOR_ITEMS } from '../../network/model/validate-definition.ts'
import { at, nameOf, optionalField, textAt } from '../fields.ts'
import { clusterPlace, type MergePatch, objectOf } from '../merge.ts'
import { Notes } from '../policy/notes.ts'
import { routeOf } from './ip-pool.ts'
import { addressIn, eachIn, flagIn, networkIn, networkOrAddressIn, problemOf, routeIn } from './reading.ts'
import { SPIDER_COORDINATORS } from './resources.ts'

const MAX_REASON = 1024

/**
 * SpiderCoordinator ↔ Coordinator. One that cannot be understood is not ready, whatever its status says: no pod is
 * attached by it.
 */
export const coordinatorBinding: KubeBinding<'Coordinator'> = {
  resource: SPIDER_COORDINATORS,
  isOptional: true,
  place: clusterPlace,
  nameOf,
  decode,
  encode: (coordinator) =>
    objectOf(SPIDER_COORDINATORS, clusterPlace(coordinator.name), {
      ...patch(coordinator),
      ...statusPatch(coordinator),
    }),
  patch,
  statusPatch,
}

function decode(object: KubeObject): unknown {
  const name = nameOf(object)
  const notes = new Notes('spec')
  const spec = specIn(object, notes)
  const decoded = decodeCoordinator({ name: 'x', ...spec })
  const wrong =
    problemOf(notes, MAX_REASON) ?? (decoded.ok ? undefined : describeProblems(inItsWords(decoded.problems)))
  if (wrong !== undefined) return { name, ...specIn(undefined, notes), status: notReady(wrong) }
  return { name, ...spec, ...optionalField('status', statusIn(object)) }
}

/** The fields of the model that the object has other words for. */
const WORDS: Readonly<Record<string, string>> = {
  podCidrType: 'podCIDRType',
  macPrefix: 'podMACPrefix',
  defaultRouteNic: 'podDefaultRouteNIC',
  podRpFilter: 'podRPFilter',
  txQueueLength: 'txQueueLen',
  vethMtu: 'vethMTU',
}

function inItsWords(problems: readonly Problem[]): readonly Problem[] {
  return problems.map(({ path, ...rest }) => ({
    ...rest,
    path: `spec.${path.replace(/^\w+/, (key) => WORDS[key] ?? key)}`,
  }))
}

function specIn(object: KubeObject | undefined, notes: Notes): Readonly<Record<string, unknown>> {
  const field = (key: string): unknown => at(object, 'spec', key)
  const link = textAt(object, 'spec', 'vethLinkAddress')
  return {
    mode: field('mode') ?? 'auto',
    podCidrType: field('podCIDRType') ?? 'auto',
    hijack: eachIn(field('hijackCIDR'), MAX_COORDINATOR_ITEMS, notes.at('hijackCIDR'), networkOrAddressIn),
    policyRoutes: eachIn(field('policyRoutes'), MAX_COORDINATOR_ITEMS, notes.at('policyRoutes'), routeIn),
    macPrefix: macPrefixIn(field('podMACPrefix')),
    tunePodRoutes: flagIn(field('tunePodRoutes'), true, notes.at('tunePodRoutes')),
    defaultRouteNic: field('podDefaultRouteNIC') ?? '',
    hostRuleTable: field('hostRuleTable') ?? 500,
    podRpFilter: field('podRPFilter') ?? 0,
    txQueueLength: field('txQueueLen') ?? 0,
    ...optionalField('vethLinkAddress', link === undefined ? undefined : addressIn(link, notes.at('vethLinkAddress'))),
    vethMtu: field('vethMTU') ?? 1500,
    detectsConflicts: flagIn(field('detectIPConflict'), false, notes.at('detectIPConflict')),
    detectsGateway: flagIn(field('detectGateway'), false, notes.at('detectGateway')),
  }
}

/** The CRD takes dashes and capitals, too. */
function macPrefixIn(input: unknown): unknown {
  return typeof input === 'string' ? input.toLowerCase().replace('-', ':') : (input ?? '')
}

function statusIn(object: KubeObject): CoordinatorStatus | undefined {
  const phase = at(object, 'status', 'phase')
  if (phase !== 'Synced') {
    return phase === undefined ? undefined : notReady(textAt(object, 'status', 'reason') ?? '')
  }
  const notes = new Notes('status')
  const networks = (key: string) => eachIn(at(object, 'status', key), MAX_COORDINATOR_ITEMS, notes.at(key), networkIn)
  const [overlayPods, services] = [networks('overlayPodCIDR'), networks('serviceCIDR')]
  const problem = problemOf(notes, MAX_REASON)
  return problem === undefined ? { phase: 'Synced', overlayPods, services } : notReady(problem)
}

function notReady(reason: string): CoordinatorStatus {
  return { phase: 'NotReady', reason: reason.slice(0, MAX_REASON) }
}

function patch(coordinator: Coordinator): MergePatch {
  const { hijack, policyRoutes, vethLinkAddress } = coordinator
  return {
    spec: {
      mode: coordinator.mode,
      podCIDRType: coordinator.podCidrType,
      hijackCIDR: hijack,
      policyRoutes: policyRoutes.length === 0 ? null : policyRoutes.map(routeOf),
      podMACPrefix: coordinator.macPrefix,
      tunePodRoutes: coordinator.tunePodRoutes,
      podDefaultRouteNIC: coordinator.defaultRouteNic,
      hostRuleTable: coordinator.hostRuleTable,
      podRPFilter: coordinator.podRpFilter,
      txQueueLen: coordinator.txQueueLength,
      vethLinkAddress: vethLinkAddress ?? null,
      vethMTU: coordinator.vethMtu,
      detectIPConflict: coordinator.detectsConflicts,
      detectGateway: coordinator.detectsGateway,
    },
  }
}

function statusPatch({ status }: Coordinator): MergePatch {
  if (status === undefined) return { status: null }
  if (status.phase === 'NotReady') {
    return { status: { phase: 'NotReady', reason: status.reason, overlayPodCIDR: null, serviceCIDR: null } }
  }
  const { overlayPods, services } = status
  return { status: { phase: 'Synced', reason: null, overlayPodCIDR: overlayPods, serviceCIDR: services } }
}
