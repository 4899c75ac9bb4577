/**
 * A pod's state in one word, from the states of its containers.
 * @module
 */
import type { KubeObject } from '../../../../kube/object.ts'
import { arrayAt, fieldsAt, numberAt, textAt, valueAt } from '../../objects/shape.ts'

/** What the table of pods shows of it. */
export interface PodState {
  readonly ready: number
  readonly total: number
  readonly reason: string
  readonly restarts: number
  /** When a container last ended. */
  readonly restartedAt: string | undefined
}

/** The order of the questions is kubectl's: what keeps the pod from running is told before its phase. */
export function podState(pod: KubeObject): PodState {
  const sidecars = new Set(
    arrayAt(pod, 'spec', 'initContainers')
      .filter((container) => textAt(container, 'restartPolicy') === 'Always')
      .map((container) => textAt(container, 'name')),
  )
  const inits = arrayAt(pod, 'status', 'initContainerStatuses')
  const mains = arrayAt(pod, 'status', 'containerStatuses')
  const beside = inits.filter((status) => sidecars.has(textAt(status, 'name')))
  const initializing = initReason(pod, inits, sidecars)
  // Until they are done the init containers' restarts are told, then those of what keeps running.
  const counted = initializing === undefined ? [...beside, ...mains] : inits
  const reason = initializing ?? mainReason(pod, mains) ?? phaseOf(pod)
  return {
    ready: [...beside, ...mains].filter((status) => valueAt(status, 'ready') === true).length,
    total: arrayAt(pod, 'spec', 'containers').length + sidecars.size,
    reason: leaving(pod) ?? reason,
    restarts: counted.reduce<number>((sum, status) => sum + (numberAt(status, 'restartCount') ?? 0), 0),
    restartedAt: latest(counted.map((status) => textAt(status, 'lastState', 'terminated', 'finishedAt'))),
  }
}

function phaseOf(pod: KubeObject): string {
  const gated = arrayAt(pod, 'status', 'conditions').some(
    (condition) => textAt(condition, 'type') === 'PodScheduled' && textAt(condition, 'reason') === 'SchedulingGated',
  )
  if (gated) return 'SchedulingGated'
  return textAt(pod, 'status', 'reason') ?? textAt(pod, 'status', 'phase') ?? ''
}

function leaving(pod: KubeObject): string | undefined {
  if (pod.metadata.deletionTimestamp === undefined) return undefined
  if (textAt(pod, 'status', 'reason') === 'NodeLost') return 'Unknown'
  return ENDED.has(textAt(pod, 'status', 'phase') ?? '') ? undefined : 'Terminating'
}

const ENDED: ReadonlySet<string> = new Set(['Succeeded', 'Failed'])

function initReason(
  pod: KubeObject,
  statuses: readonly unknown[],
  sidecars: ReadonlySet<string | undefined>,
): string | undefined {
  for (const [index, status] of statuses.entries()) {
    const isSidecar = sidecars.has(textAt(status, 'name'))
    if (isSidecar && valueAt(status, 'started') === true) continue
    if (numberAt(status, 'state', 'terminated', 'exitCode') === 0) continue
    const ended = endReason(status)
    if (ended !== undefined) return `Init:${ended}`
    const waiting = textAt(status, 'state', 'waiting', 'reason') ?? ''
    if (waiting !== '' && waiting !== 'PodInitializing') return `Init:${waiting}`
    return `Init:${index}/${arrayAt(pod, 'spec', 'initContainers').length}`
  }
  return undefined
}

/** The first container that does not run says why. */
function mainReason(pod: KubeObject, statuses: readonly unknown[]): string | undefined {
  const reasons = statuses.map((status) => textAt(status, 'state', 'waiting', 'reason') || endReason(status))
  const found = reasons.find((reason) => reason !== undefined)
  const isAnyRunning = statuses.some(
    (status) => valueAt(status, 'ready') === true && 'running' in fieldsAt(status, 'state'),
  )
  // One that ended well beside one that runs is no news.
  if (found !== 'Completed' || !isAnyRunning) return found
  const isReady = arrayAt(pod, 'status', 'conditions').some(
    (condition) => textAt(condition, 'type') === 'Ready' && textAt(condition, 'status') === 'True',
  )
  return isReady ? 'Running' : 'NotReady'
}

function endReason(status: unknown): string | undefined {
  const ended = valueAt(status, 'state', 'terminated')
  if (ended === undefined) return undefined
  const reason = textAt(ended, 'reason') ?? ''
  if (reason !== '') return reason
  const signal = numberAt(ended, 'signal') ?? 0
  return signal === 0 ? `ExitCode:${numberAt(ended, 'exitCode') ?? 0}` : `Signal:${signal}`
}

function latest(times: readonly (string | undefined)[]): string | undefined {
  return times
    .filter((time) => time !== undefined)
    .sort()
    .at(-1)
}
