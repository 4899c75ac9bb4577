/**
 * What the agent has to say to the owners of pods.
 * @module
 */
import type { KubeApi } from '../kube/api.ts'
import { KubeError } from '../kube/errors.ts'
import type { EventRecorder } from '../kube/events.ts'
import { PODS } from '../kube/resources.ts'
import type { Endpoint } from '../network/model/endpoint.ts'
import type { AnnotatePod } from './networks/status-writer.ts'

/** Where notices are told besides the log. */
export interface PodNotices {
  /** A warning about a pod. Must not throw; it is not waited for. */
  warn(pod: Pick<Endpoint, 'namespace' | 'pod'>, reason: string, message: string): void
  /** The same of something that is as it should be. */
  tell(pod: Pick<Endpoint, 'namespace' | 'pod'>, reason: string, message: string): void
}

/** Where there is nobody to tell. */
export const NO_NOTICES: PodNotices = { warn: () => undefined, tell: () => undefined }

/** Tells notices as events of the Kubernetes API. One whose pod is gone, or cannot be read, is lost. */
export function podEvents(api: KubeApi, recorder: EventRecorder): PodNotices {
  const tellOf =
    (type: 'Normal' | 'Warning'): PodNotices['warn'] =>
    ({ namespace, pod: name }, reason, message) => {
      const tell = async (): Promise<void> => {
        const object = await api.get(PODS, { namespace, name })
        if (object !== undefined) recorder.record(object, { type, reason, message })
      }
      tell().catch(() => undefined)
    }
  return { warn: tellOf('Warning'), tell: tellOf('Normal') }
}

/** Sets annotations of pods by way of their status, as whoever may write no more than that does. */
export function podAnnotator(api: KubeApi): AnnotatePod {
  return async ({ namespace, name, uid }, annotations) => {
    const metadata = { annotations, ...(uid === undefined ? {} : { uid }) }
    try {
      await api.patch(PODS, { namespace, name }, 'merge', { metadata }, 'status')
      return true
    } catch (error) {
      // Gone, or another pod of the name: a patch with another uid is a conflict.
      if (error instanceof KubeError && (error.code === 'KUBE_NOT_FOUND' || error.code === 'KUBE_CONFLICT'))
        return false
      throw error
    }
  }
}
