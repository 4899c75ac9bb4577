/**
 * SpiderCoordinators as the controller keeps them: the one that a cluster starts with, and the patches that bring one in
 * line.
 * @module
 */
import type { KubeObject } from '../../kube/object.ts'
import type { Cidr } from '../../network/model/address.ts'
import { at, listAt, textAt } from '../fields.ts'
import { clusterPlace, type MergePatch, objectOf } from '../merge.ts'
import { networkIn } from '../network-text.ts'
import type { LearnedRanges } from './coordinator-ranges.ts'
import type { KnownRanges } from './coordinator-sources.ts'
import { FINALIZER } from './pool-status/dress.ts'
import { SPIDER_COORDINATORS } from './resources.ts'

/** The one that counts. */
export const DEFAULT_COORDINATOR = 'default'
/** As long as the schema lets a reason be. */
const LONGEST_REASON = 1024

/** The one that Spiderpool's chart makes. */
export function defaultCoordinator(): KubeObject {
  return objectOf(SPIDER_COORDINATORS, clusterPlace(DEFAULT_COORDINATOR), {
    metadata: { finalizers: [FINALIZER] },
    spec: {
      mode: 'auto',
      podCIDRType: 'auto',
      hijackCIDR: ['169.254.0.0/16'],
      podMACPrefix: '',
      podDefaultRouteNIC: '',
      tunePodRoutes: true,
      hostRuleTable: 500,
      podRPFilter: 0,
      txQueueLen: 0,
      vethLinkAddress: '',
      vethMTU: 1500,
      detectIPConflict: false,
      detectGateway: false,
    },
  })
}

/** The finalizer that Spiderpool's objects have; one that is being deleted loses it. Undefined: it is as it should be. */
export function finalizerPatch({ metadata }: KubeObject): MergePatch | undefined {
  const { finalizers = [], deletionTimestamp, resourceVersion } = metadata
  const isEnding = deletionTimestamp !== undefined
  if (finalizers.includes(FINALIZER) !== isEnding) return undefined
  const wanted = isEnding ? finalizers.filter((one) => one !== FINALIZER) : [...finalizers, FINALIZER]
  return { metadata: { resourceVersion, finalizers: wanted } }
}

/** What a status said that was Synced; undefined for any other. */
export function lastGood(object: KubeObject): KnownRanges | undefined {
  if (at(object, 'status', 'phase') !== 'Synced') return undefined
  const ranges = (key: string): readonly Cidr[] => listAt(object, 'status', key).flatMap((one) => networkIn(one) ?? [])
  return { pods: ranges('overlayPodCIDR'), services: ranges('serviceCIDR') }
}

/** The merge patch after which the status says this; undefined when it does. */
export function statusPatch(object: KubeObject, learned: LearnedRanges): MergePatch | undefined {
  const reason = learned.reason.slice(0, LONGEST_REASON)
  const { phase, overlayPods, services } = learned
  const isSame =
    at(object, 'status', 'phase') === phase &&
    (textAt(object, 'status', 'reason') ?? '') === reason &&
    isList(at(object, 'status', 'overlayPodCIDR'), overlayPods) &&
    isList(at(object, 'status', 'serviceCIDR'), services)
  if (isSame) return undefined
  return {
    status: { phase, reason: reason === '' ? null : reason, overlayPodCIDR: overlayPods, serviceCIDR: services },
  }
}

function isList(value: unknown, wanted: readonly Cidr[]): boolean {
  return Array.isArray(value) && value.length === wanted.length && wanted.every((one, index) => value[index] === one)
}
