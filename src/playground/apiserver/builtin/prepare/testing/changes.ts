/**
 * Changes of objects, and the words about those that are refused.
 * @module
 */
import type { KubeObject } from '../../../../../kube/object.ts'
import { object, pod, service, slice, workload } from './objects.ts'

type Given = Readonly<Record<string, unknown>>

/** An object, a merge patch of it, and the words about it; undefined where it is allowed. */
export type Change = readonly [before: KubeObject, patch: Given, words: string | undefined]

const POD_WORDS =
  'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,' +
  '`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing ' +
  'tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'
const SET_WORDS =
  "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', " +
  "'updateStrategy', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
const SELECTOR_WORDS =
  'spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{"a":"c"}, ' +
  'MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable'
const SEALED = 'Forbidden: field is immutable when `immutable` is set'

const reselected = { spec: { selector: { matchLabels: { a: 'c' } }, template: { metadata: { labels: { a: 'c' } } } } }
const containers = (given: Given) => ({ spec: { containers: [{ name: 'c', image: 'i', ...given }] } })
const sealedMap = object('ConfigMap', { data: { a: 'b' }, immutable: true })
const sealedSecret = object('Secret', { data: { a: 'eA==' }, immutable: true })

export const CHANGES: readonly Change[] = [
  [pod(), { metadata: { labels: { a: 'b' } } }, undefined],
  [pod(), containers({ image: 'j' }), undefined],
  [pod(), containers({ command: ['x'] }), POD_WORDS],
  [pod(), { spec: { nodeName: 'n' } }, POD_WORDS],
  [pod(), { spec: { hostNetwork: true } }, POD_WORDS],
  [pod(), { spec: { hostNetwork: false, nodeSelector: {} } }, undefined],
  [pod(), { spec: { activeDeadlineSeconds: 5 } }, undefined],
  [pod(), { spec: { tolerations: [{ key: 'a', operator: 'Exists' }] } }, undefined],
  [pod(), { spec: { terminationGracePeriodSeconds: 5 } }, POD_WORDS],
  [
    pod(),
    {
      spec: {
        containers: [
          { name: 'c', image: 'i' },
          { name: 'd', image: 'i' },
        ],
      },
    },
    'spec.containers: Forbidden: pod updates may not add or remove containers',
  ],
  [workload('Deployment'), { spec: { replicas: 3 } }, undefined],
  [workload('Deployment'), reselected, SELECTOR_WORDS],
  [workload('ReplicaSet'), reselected, SELECTOR_WORDS],
  [workload('StatefulSet'), reselected, SET_WORDS],
  [workload('StatefulSet'), { spec: { replicas: 3 } }, undefined],
  [workload('StatefulSet'), { spec: { serviceName: 't' } }, SET_WORDS],
  [workload('StatefulSet'), { spec: { podManagementPolicy: 'Parallel' } }, SET_WORDS],
  [sealedMap, { metadata: { labels: { a: 'b' } } }, undefined],
  [sealedMap, { data: { a: 'c' } }, `data: ${SEALED}`],
  [sealedMap, { binaryData: { z: 'eA==' } }, `binaryData: ${SEALED}`],
  [sealedMap, { immutable: null }, `immutable: ${SEALED}`],
  [sealedSecret, { stringData: { a: 'z' } }, `data: ${SEALED}`],
  [object('Secret', { data: { a: 'eA==' } }), { type: 'x' }, 'type: Invalid value: "x": field is immutable'],
  [slice(), { addressType: 'IPv6', endpoints: [] }, 'addressType: Invalid value: "IPv6": field is immutable'],
  [service({ type: 'NodePort' }), { spec: { type: 'ClusterIP' } }, undefined],
  [service({ type: 'NodePort' }), { spec: { type: 'ExternalName', externalName: 'a.b' } }, undefined],
  [service({ sessionAffinity: 'ClientIP' }), { spec: { sessionAffinity: 'None' } }, undefined],
]
