/**
 * The controller's notices as events of the Kubernetes API, about the objects that people look at.
 * @module
 */
import type { KubeApi } from '../kube/api.ts'
import type { KubeBindings } from '../kube/binding.ts'
import type { EventRecorder } from '../kube/events.ts'
import type { Kind } from '../registry/registry.ts'
import { type ControllerEvents, lineOf } from './events.ts'

/**
 * Which object a notice about a kind is told of, the first that is there: people look at the Node, not at what is derived
 * from it. An external host is none.
 */
const SUBJECTS: { readonly [K in Kind]?: readonly Kind[] } = {
  NodeNetwork: ['Node', 'NodeNetwork'],
  // Tenants may be kept elsewhere.
  Tenant: ['Tenant', 'Namespace'],
}

/** Tells notices as events. One whose object is gone, or cannot be read, is lost. */
export function kubeEvents(api: KubeApi, bindings: KubeBindings, recorder: EventRecorder): ControllerEvents {
  return {
    warn: ({ kind, name }, notice) => {
      const tell = async (): Promise<void> => {
        for (const subject of SUBJECTS[kind] ?? [kind]) {
          const { resource, place } = bindings[subject]
          const object = await api.get(resource, place(name))
          if (object === undefined) continue
          return recorder.record(object, { type: 'Warning', reason: notice.code, message: lineOf(notice) })
        }
      }
      tell().catch(() => undefined)
    },
  }
}
