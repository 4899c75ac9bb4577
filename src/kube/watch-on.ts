/**
 * A watch that goes on beyond the end of one request.
 * @module
 */
import type { KubeApi, KubeEvent, Selection } from './api.ts'
import type { Resource } from './object.ts'

/**
 * Every event after a revision until `signal` aborts: a request that its server ends is followed by the next one, from
 * the last event on. Throws what a request fails with.
 */
export async function* watchOn(
  api: KubeApi,
  resource: Resource,
  selection: Selection,
  after: string,
  signal: AbortSignal,
): AsyncGenerator<KubeEvent, void> {
  let seen = after
  while (!signal.aborted) {
    for await (const event of api.watch(resource, selection, seen, signal)) {
      seen = event.type === 'BOOKMARK' ? event.resourceVersion : (event.object.metadata.resourceVersion ?? seen)
      yield event
    }
  }
}
