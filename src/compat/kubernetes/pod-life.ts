/**
 * What the API server tells of a pod's life, and of who makes pods anew.
 * @module
 */
import type { KubeObject } from '../../kube/object.ts'
import { type Ip, parseIp } from '../../network/model/address.ts'
import type { PodLife, PodSetLife } from '../../network/model/pod-life.ts'
import { at, listAt, nameOf, optionalField, textAt } from '../fields.ts'
import { controllerIn } from './owner.ts'
import { ENDED, MIRROR } from './pod.ts'

/** A Pod's life. What is missing or means nothing is as if the pod had just been made. */
export function podLifeIn(object: KubeObject): PodLife {
  const { name, namespace = '', uid = '' } = object.metadata
  const phase = at(object, 'status', 'phase')
  return {
    namespace,
    name,
    uid,
    runtimeUid: textAt(object, 'metadata', 'annotations', MIRROR) ?? uid,
    node: textAt(object, 'spec', 'nodeName') ?? '',
    phase: ENDED.includes(phase) ? 'Ended' : phase === 'Running' ? 'Running' : 'Pending',
    addresses: addressesIn(object),
    ...optionalField('isOnHost', at(object, 'spec', 'hostNetwork') === true || undefined),
    ...optionalField('deadline', timeAt(object, 'metadata', 'deletionTimestamp')),
    ...optionalField('endedAt', endIn(object)),
    ...optionalField('controller', controllerIn(object)),
    ...optionalField('templateHash', textAt(object, 'metadata', 'labels', 'pod-template-hash')),
  }
}

/** A StatefulSet, as far as it says which pods it is going to have. */
export function podSetIn(object: KubeObject): PodSetLife {
  const { namespace = '', uid = '' } = object.metadata
  return {
    namespace,
    name: nameOf(object) ?? '',
    uid,
    start: wholeAt(object, 'spec', 'ordinals', 'start') ?? 0,
    replicas: wholeAt(object, 'spec', 'replicas') ?? 1,
  }
}

function addressesIn(object: KubeObject): readonly Ip[] {
  const all = [at(object, 'status', 'podIP'), ...listAt(object, 'status', 'podIPs').map((one) => at(one, 'ip'))]
  const parsed = all.map((one) => (typeof one === 'string' ? parseIp(one) : undefined))
  return [...new Set(parsed.filter((one) => one !== undefined))]
}

function endIn(object: KubeObject): number | undefined {
  const statuses = ['containerStatuses', 'initContainerStatuses'].flatMap((list) => listAt(object, 'status', list))
  const ends = statuses
    .map((one) => timeAt(one, 'state', 'terminated', 'finishedAt'))
    .filter((end) => end !== undefined)
  return ends.length === 0 ? undefined : Math.max(...ends)
}

function timeAt(object: unknown, ...path: readonly string[]): number | undefined {
  const time = Date.parse(textAt(object, ...path) ?? '')
  return Number.isNaN(time) ? undefined : time
}

function wholeAt(object: unknown, ...path: readonly string[]): number | undefined {
  const value = at(object, ...path)
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}
