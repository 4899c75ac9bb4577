/**
 * A node as the scheduler sees it.
 * @module
 */
import type { KubeObject } from '../../kube/object.ts'
import type { Labels } from '../workloads/selector.ts'
import { at, fields, list, text, texts } from '../workloads/values.ts'

/** What decides about a node. */
export interface SchedulerNode {
  readonly name: string
  readonly labels: Labels
  /** Cordoned. */
  readonly unschedulable: boolean
  readonly ready: boolean
  /** Those that keep pods away. */
  readonly taints: readonly Taint[]
  /** Names of extended resources that it has any of, such as its bridges. */
  readonly resources: ReadonlySet<string>
}

/** A mark that only pods which tolerate it ignore. */
export interface Taint {
  readonly key: string
  readonly value: string
  readonly effect: string
}

/** Decodes any object of the resource. */
export function schedulerNode(object: KubeObject): SchedulerNode {
  const conditions = list(at(object, 'status', 'conditions'))
  return {
    name: object.metadata.name,
    labels: texts(object.metadata.labels),
    unschedulable: at(object, 'spec', 'unschedulable') === true,
    ready: conditions.some((one) => at(one, 'type') === 'Ready' && at(one, 'status') === 'True'),
    taints: list(at(object, 'spec', 'taints')).flatMap(taintOf),
    // The kubelets of a cluster copy what others count into `allocatable`; here it is read where it is counted.
    resources: new Set(
      Object.entries(fields(at(object, 'status', 'capacity'))).flatMap(([name, amount]) =>
        isExtended(name) && amount !== '0' ? [name] : [],
      ),
    ),
  }
}

/** Whether a resource is one that somebody else than Kubernetes counts. */
export function isExtended(name: string): boolean {
  return name.includes('/') && !name.startsWith('kubernetes.io/') && !name.startsWith('requests.')
}

/** Cordoning and readiness are read where they are said first, not from the taints that repeat them. */
function taintOf(value: unknown): readonly Taint[] {
  const key = text(at(value, 'key')) ?? ''
  const effect = text(at(value, 'effect')) ?? ''
  if (REPEATED.includes(key) || (effect !== 'NoSchedule' && effect !== 'NoExecute')) return []
  return [{ key, value: text(at(value, 'value')) ?? '', effect }]
}

const REPEATED = ['node.kubernetes.io/unschedulable', 'node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']
