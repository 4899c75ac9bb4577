/**
 * Whether a pod still lives, as those ask who clean up behind pods. It says more than {@link Pod}: who attaches a pod need
 * not know how it ends.
 * @module
 */
import type { Ip } from './address.ts'
import type { PodOwner } from './pool.ts'

/** A pod's life as the API server tells it. Times are in milliseconds since 1970. */
export interface PodLife {
  readonly namespace: string
  readonly name: string
  /** What the API server knows it by. */
  readonly uid: string
  /** What its container runtime was told; another one than {@link uid} of a pod that a kubelet had of itself. */
  readonly runtimeUid: string
  readonly node: string
  readonly phase: 'Pending' | 'Running' | 'Ended'
  /** What its first interface has, as its kubelet says. Empty: there is no sandbox, or nobody has said. */
  readonly addresses: readonly Ip[]
  /** It is on its node's own network, and has that node's addresses. */
  readonly isOnHost?: true
  /** When it is to be gone: of one that is being deleted. Its grace is in it. */
  readonly deadline?: number
  /** When the last of its containers ended, of one that ended, where that is known. */
  readonly endedAt?: number
  /** The object that manages it. */
  readonly controller?: PodOwner
  /** Label `pod-template-hash`: what a Deployment's ReplicaSet has behind the Deployment's name. */
  readonly templateHash?: string
}

/** A StatefulSet, as far as it says which pods it is going to have. */
export interface PodSetLife {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  /** The first pod's number. */
  readonly start: number
  readonly replicas: number
}

/** Whether a pod of this name is one that a StatefulSet has, or is about to have again. */
export function hasPlaceFor({ name, start, replicas }: PodSetLife, pod: string): boolean {
  const number = pod.startsWith(`${name}-`) ? pod.slice(name.length + 1) : ''
  if (!/^(0|[1-9]\d{0,9})$/.test(number)) return false
  return Number(number) >= start && Number(number) < start + replicas
}
