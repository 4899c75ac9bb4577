/**
 * Workloads for tests.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'

/** A workload of pods labelled `app`. `spec` is added to. */
export function workload(
  kind: 'Deployment' | 'StatefulSet' | 'ReplicaSet',
  name: string,
  spec: object,
  image = 'a',
): KubeObject {
  const labels = { app: name }
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { namespace: 'test', name },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { nodeName: 'here', containers: [{ name: 'main', image }] } },
      ...spec,
    },
  }
}

/** The patch that gives a workload another image. */
export function imagePatch(image: string): object {
  return { spec: { template: { spec: { containers: [{ name: 'main', image }] } } } }
}

/** The image of a pod. */
export function imageOf(pod: KubeObject): string {
  const { containers } = pod['spec'] as { readonly containers: readonly { readonly image: string }[] }
  return containers[0]?.image ?? ''
}
