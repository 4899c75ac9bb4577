/**
 * A place that events are written to.
 * @module
 */
import type { KubeApi, ObjectName } from '../api.ts'
import { KubeError } from '../errors.ts'
import type { KubeObject, Resource } from '../object.ts'

/** Keeps what is created and what is patched into it. Every other call is a mistake of the test. */
export class EventStore {
  readonly events: KubeObject[] = []
  failure: KubeError | undefined

  readonly api = {
    create: async (_: Resource, object: KubeObject) => {
      if (this.failure !== undefined) throw this.failure
      this.events.push(object)
      return object
    },
    patch: async (_: Resource, at: ObjectName, type: string, patch: unknown) => {
      const index = this.events.findIndex(({ metadata }) => metadata.name === at.name)
      const found = this.events[index]
      if (found === undefined || type !== 'merge') throw new KubeError('KUBE_NOT_FOUND', 'no event', 'none')
      const patched = { ...found, ...(patch as object) }
      this.events[index] = patched
      return patched
    },
  } as unknown as KubeApi
}
