/**
 * What the agent has to say to the owners of pods.
 * @module
 */
import type { KubeApi } from '../kube/api.ts'
import type { EventRecorder } from '../kube/events.ts'
import { PODS } from '../kube/resources.ts'
import type { Endpoint } from '../network/model/endpoint.ts'

/** Where notices are told besides the log. */
export interface PodNotices {
  /** A warning about a pod. Must not throw; it is not waited for. */
  warn(pod: Pick<Endpoint, 'namespace' | 'pod'>, reason: string, message: string): void
}

/** Where there is nobody to tell. */
export const NO_NOTICES: PodNotices = { warn: () => undefined }

/** Tells notices as events of the Kubernetes API. One whose pod is gone, or cannot be read, is lost. */
export function podEvents(api: KubeApi, recorder: EventRecorder): PodNotices {
  return {
    warn: ({ namespace, pod: name }, reason, message) => {
      const tell = async (): Promise<void> => {
        const object = await api.get(PODS, { namespace, name })
        if (object !== undefined) recorder.record(object, { type: 'Warning', reason, message })
      }
      tell().catch(() => undefined)
    },
  }
}
