/**
 * SpiderMultusConfigs for tests.
 * @module
 */
import type { KubeObject, ObjectMeta } from '../../../../kube/object.ts'

/** The seed's, or one with another spec and metadata. */
export function multusConfig(spec: unknown = SEED, metadata: Partial<ObjectMeta> = {}): KubeObject {
  const head = { name: 'ovs-conf', namespace: 'kube-system', uid: 'u1', creationTimestamp: '2026-01-01T00:00:00Z' }
  return {
    apiVersion: 'spiderpool.spidernet.io/v2beta1',
    kind: 'SpiderMultusConfig',
    metadata: { ...head, ...metadata },
    spec,
  }
}

const SEED = { cniType: 'ovs', ovs: { bridge: 'br1' } }
