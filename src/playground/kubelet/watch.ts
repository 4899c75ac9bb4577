/**
 * A node's pods, kept in step with the API.
 * @module
 */
import type { KubeApi } from '../../kube/api.ts'
import type { KubeObject } from '../../kube/object.ts'
import { reflectResource } from '../../kube/reflector.ts'
import { PODS } from '../../kube/resources.ts'

/** What is told of a node's pods. */
export interface PodListener {
  /** A pod as it is now. */
  put(object: KubeObject): void
  /** The API has no such pod any more. */
  gone(uid: string): void
  /** The first listing has been told. */
  synced(): void
  onError(error: unknown, retryIn: number): void
}

/** Follows the pods of a node until the signal aborts. */
export async function watchPods(api: KubeApi, node: string, listener: PodListener, signal: AbortSignal): Promise<void> {
  await reflectResource(
    api,
    PODS,
    { fieldSelector: `spec.nodeName=${node}` },
    {
      signal,
      onSynced: listener.synced,
      onError: listener.onError,
      onChange: (change) => {
        const [uid, before] = [
          uidOf(change.object.value),
          change.before === undefined ? '' : uidOf(change.before.value),
        ]
        // Another pod may have come under the name of one that went while nobody looked.
        if (before !== '' && (change.type === 'delete' || before !== uid)) listener.gone(before)
        if (change.type === 'put') listener.put(change.object.value)
      },
    },
  ).done
}

function uidOf({ metadata }: KubeObject): string {
  return metadata.uid ?? ''
}
