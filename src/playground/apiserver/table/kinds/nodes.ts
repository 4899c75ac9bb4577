/**
 * The table of nodes.
 * @module
 */
import type { KubeObject } from '../../../../kube/object.ts'
import type { ServedResource } from '../../contract.ts'
import { arrayAt, textAt, valueAt } from '../../objects/shape.ts'
import { ageOf } from '../age.ts'
import { AGE, NAME, NONE, text, UNKNOWN, wide } from '../columns.ts'
import { listed } from '../words.ts'

export const NODES: NonNullable<ServedResource['table']> = {
  columns: [
    NAME,
    text('Status', 'Whether it is ready, and whether it takes new pods.'),
    text('Roles', 'What it is there for.'),
    AGE,
    text('Version', 'The version of its kubelet.'),
    wide('Internal-IP', 'Its address inside.'),
    wide('External-IP', 'Its address outside.'),
    wide('OS-Image', 'Its operating system.'),
    wide('Kernel-Version', 'Its kernel.'),
    wide('Container-Runtime', 'What runs its containers.'),
  ],
  cells: (node, now) => [
    node.metadata.name,
    statusOf(node),
    rolesOf(node),
    ageOf(node.metadata.creationTimestamp, now),
    textAt(node, 'status', 'nodeInfo', 'kubeletVersion') ?? '',
    addressOf(node, 'InternalIP'),
    addressOf(node, 'ExternalIP'),
    textAt(node, 'status', 'nodeInfo', 'osImage') || UNKNOWN,
    textAt(node, 'status', 'nodeInfo', 'kernelVersion') || UNKNOWN,
    textAt(node, 'status', 'nodeInfo', 'containerRuntimeVersion') || UNKNOWN,
  ],
}

function statusOf(node: KubeObject): string {
  const ready = arrayAt(node, 'status', 'conditions').find((condition) => textAt(condition, 'type') === 'Ready')
  const status = ready === undefined ? 'Unknown' : textAt(ready, 'status') === 'True' ? 'Ready' : 'NotReady'
  return valueAt(node, 'spec', 'unschedulable') === true ? `${status},SchedulingDisabled` : status
}

const ROLE = 'node-role.kubernetes.io/'

function rolesOf({ metadata }: KubeObject): string {
  const labels = Object.entries(metadata.labels ?? {})
  const named = labels.filter(([key]) => key.startsWith(ROLE)).map(([key]) => key.slice(ROLE.length))
  const plain = labels.filter(([key]) => key === 'kubernetes.io/role').map(([, value]) => value)
  return listed([...new Set([...named, ...plain])].filter((role) => role !== '').sort())
}

function addressOf(node: KubeObject, type: string): string {
  const found = arrayAt(node, 'status', 'addresses').find((address) => textAt(address, 'type') === type)
  return textAt(found, 'address') ?? NONE
}
