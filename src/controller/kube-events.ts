/**
 * The controller's notices as events of the Kubernetes API, about the objects that people look at.
 * @module
 */
import type { KubeApi } from '../kube/api.ts'
import type { KubeBindings } from '../kube/binding.ts'
import type { EventRecorder } from '../kube/events.ts'
import { type ControllerEvents, lineOf } from './events.ts'

/** Which object a notice about a kind is told of: people look at the Node, not at what is derived from it. */
const SUBJECTS = { NodeNetwork: 'Node', Tenant: 'Tenant', Namespace: 'Namespace' } as const

/** Tells notices as events. One whose object is gone, or cannot be read, is lost. */
export function kubeEvents(api: KubeApi, bindings: KubeBindings, recorder: EventRecorder): ControllerEvents {
  return {
    warn: ({ kind, name }, notice) => {
      const { resource, place } = bindings[SUBJECTS[kind]]
      const tell = async (): Promise<void> => {
        const object = await api.get(resource, place(name))
        if (object !== undefined) {
          recorder.record(object, { type: 'Warning', reason: notice.code, message: lineOf(notice) })
        }
      }
      tell().catch(() => undefined)
    },
  }
}
