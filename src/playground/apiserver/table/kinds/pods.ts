/**
 * The table of pods.
 * @module
 */
import type { KubeObject } from '../../../../kube/object.ts'
import type { ServedResource } from '../../contract.ts'
import { arrayAt, fieldsAt, textAt, valueAt } from '../../objects/shape.ts'
import { ageOf } from '../age.ts'
import { AGE, NAME, NONE, text, wide } from '../columns.ts'
import { podState } from './pod-state.ts'

export const PODS: NonNullable<ServedResource['table']> = {
  columns: [
    NAME,
    text('Ready', 'How many of its containers are ready.'),
    text('Status', 'What it does, or why it does not.'),
    text('Restarts', 'How often its containers were started again.'),
    AGE,
    wide('IP', 'Its address.'),
    wide('Node', 'Its node.'),
    wide('Nominated Node', 'The node on which room is being made for it.'),
    wide('Readiness Gates', 'How many of its readiness gates are open.'),
  ],
  cells: (pod, now) => {
    const { ready, total, reason, restarts, restartedAt } = podState(pod)
    const status = fieldsAt(pod, 'status')
    return [
      pod.metadata.name,
      `${ready}/${total}`,
      reason,
      restarts > 0 && restartedAt !== undefined ? `${restarts} (${ageOf(restartedAt, now)} ago)` : `${restarts}`,
      ageOf(pod.metadata.creationTimestamp, now),
      textAt(arrayAt(status, 'podIPs')[0], 'ip') ?? textAt(status, 'podIP') ?? NONE,
      textAt(pod, 'spec', 'nodeName') ?? NONE,
      textAt(status, 'nominatedNodeName') ?? NONE,
      gates(pod),
    ]
  },
}

function gates(pod: KubeObject): string {
  const wanted = arrayAt(pod, 'spec', 'readinessGates').map((gate) => textAt(gate, 'conditionType'))
  if (wanted.length === 0) return NONE
  const open = wanted.filter((type) =>
    arrayAt(pod, 'status', 'conditions').some(
      (condition) => valueAt(condition, 'type') === type && valueAt(condition, 'status') === 'True',
    ),
  )
  return `${open.length}/${wanted.length}`
}
