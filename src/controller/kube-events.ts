/**
 * The controller's notices as events of the Kubernetes API, about the objects that people look at.
 * @module
 */
import type { KubeApi } from '../kube/api.ts'
import type { KubeBindings } from '../kube/binding.ts'
import type { EventRecorder } from '../kube/events.ts'
import type { OnInvalid } from '../kube/invalid.ts'
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

/** What others keep to is theirs to know. */
const KEPT = '; until then whoever knows what it said before keeps to that'

/** What is told as events. */
export interface KubeEvents extends ControllerEvents {
  /** That an object of somebody's means nothing, at that object. */
  readonly invalid: OnInvalid
  /** When everything told so far is written or lost. */
  settled(): Promise<void>
}

/** Tells notices as events. One whose object is gone, or cannot be read, is lost. */
export function kubeEvents(api: KubeApi, bindings: KubeBindings, recorder: EventRecorder): KubeEvents {
  const tell = async (subjects: readonly Kind[], name: string, reason: string, message: string): Promise<void> => {
    for (const subject of subjects) {
      const { resource, place } = bindings[subject]
      const object = await api.get(resource, place(name))
      if (object !== undefined) return recorder.record(object, { type: 'Warning', reason, message })
    }
  }
  const under = new Set<Promise<void>>()
  const follow = (telling: Promise<void>): void => {
    const told = telling.catch(() => undefined).finally(() => under.delete(told))
    under.add(told)
  }
  return {
    warn: ({ kind, name }, notice) => follow(tell(SUBJECTS[kind] ?? [kind], name, notice.code, lineOf(notice))),
    settled: async () => {
      await Promise.all(under)
      await recorder.settled()
    },
    invalid: ({ kind, name, problem }) => {
      // The object itself; what it is about where it is kept elsewhere.
      const message = bindings[kind].keepsLast === true ? `${problem}${KEPT}` : problem
      follow(tell([kind, ...(SUBJECTS[kind] ?? [])], name, 'OBJECT_INVALID', message))
    },
  }
}
