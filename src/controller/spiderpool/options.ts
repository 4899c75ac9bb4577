/**
 * What the loops about Spiderpool's objects run with.
 * @module
 */
import type { KubeApi } from '../../kube/api.ts'
import type { EventRecorder } from '../../kube/events.ts'
import { type Picked, type Picking, reflectPicked } from '../../kube/reflector.ts'
import type { MapChange, SourceReflection } from '../../registry/reflect.ts'
import type { Reflection } from '../../registry/reflector.ts'
import type { Complaints } from '../complaints.ts'
import type { ControllerLog } from '../controller.ts'

/** Where networks by name are, and which of them is everybody's. */
export interface AttachmentPlace {
  /** Where those are that are named without a namespace. */
  readonly namespace: string
  /** `<namespace>/<name>` or `<name>`; absent: Weft's overlay. */
  readonly clusterNetwork?: string
}

/** What a loop runs with. */
export interface SpiderpoolOptions {
  readonly api: KubeApi
  /** The cluster's configuration, where there is one. */
  readonly cluster: Reflection<'Cluster'>
  readonly signal: AbortSignal
  readonly log: ControllerLog
  readonly events: EventRecorder
  readonly attachments: AttachmentPlace
}

/** Follows a kind that a server may be without. */
export function follow<T>(
  { api, signal }: Pick<SpiderpoolOptions, 'api' | 'signal'>,
  picking: Omit<Picking<T>, 'keep' | 'isOptional'> & Partial<Pick<Picking<T>, 'keep'>>,
  complaints: Complaints,
  onChange: (change: MapChange<Picked<T>>) => void,
): SourceReflection<Picked<T>> {
  const onError = (error: unknown): void => complaints.say(`cannot watch ${picking.resource.kind}`, error)
  const whole = { keep: () => true, ...picking, isOptional: true }
  return reflectPicked(api, whole, { signal, onChange, onError })
}
