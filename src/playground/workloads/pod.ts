/**
 * A pod as controllers see it.
 * @module
 */
import type { KubeObject } from '../../kube/object.ts'
import { controllerOf } from './owner.ts'
import type { Labels } from './selector.ts'
import { at, fields, instant, list, text, texts } from './values.ts'

/** What decisions about pods need to know. Instants are milliseconds since 1970. */
export interface Pod {
  readonly object: KubeObject
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly labels: Labels
  readonly phase: string
  /** Since when it is ready, if it is. */
  readonly readySince: number | undefined
  readonly created: number
  /** Its deletion was asked for. */
  readonly terminating: boolean
  readonly node: string | undefined
  /** The UID of the controller that it belongs to. */
  readonly controller: string | undefined
}

/** Decodes any object of the resource; what is missing is absent. */
export function podOf(object: KubeObject): Pod {
  const { metadata } = object
  return {
    object,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    uid: metadata.uid ?? '',
    labels: texts(metadata.labels),
    phase: text(at(object, 'status', 'phase')) ?? 'Pending',
    readySince: readySince(object),
    created: instant(metadata.creationTimestamp) ?? 0,
    terminating: metadata.deletionTimestamp !== undefined,
    node: text(at(object, 'spec', 'nodeName')),
    controller: controllerOf(object)?.uid,
  }
}

/** Runs or will run: neither ended nor about to end. */
export function isActive(pod: Pod): boolean {
  return !pod.terminating && !hasEnded(pod)
}

/** Its containers have ended for good. */
export function hasEnded({ phase }: Pod): boolean {
  return phase === 'Succeeded' || phase === 'Failed'
}

/** Active, and ready for at least `minReadySeconds`. */
export function isAvailable(pod: Pod, minReadySeconds: number, now: number): boolean {
  return isActive(pod) && pod.readySince !== undefined && pod.readySince + minReadySeconds * 1000 <= now
}

/** When the first of these pods becomes available by waiting alone, in milliseconds from now. */
export function untilAvailable(pods: readonly Pod[], minReadySeconds: number, now: number): number | undefined {
  const waits = pods.flatMap((pod) => {
    if (!isActive(pod) || pod.readySince === undefined) return []
    const wait = pod.readySince + minReadySeconds * 1000 - now
    return wait > 0 ? [wait] : []
  })
  return waits.length === 0 ? undefined : Math.min(...waits)
}

function readySince(object: KubeObject): number | undefined {
  const condition = list(at(object, 'status', 'conditions'))
    .map(fields)
    .find(({ type }) => type === 'Ready')
  if (condition?.['status'] !== 'True') return undefined
  return instant(condition['lastTransitionTime']) ?? 0
}
