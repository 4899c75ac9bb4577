/**
 * What a Deployment says about itself, in the words that `kubectl rollout status` waits for.
 * @module
 */
import { same } from '../canonical.ts'
import { type Condition, conditionOf, withConditions } from '../conditions.ts'
import { at, count, fields, instant, timestamp } from '../values.ts'
import type { OwnedSet } from './sets.ts'
import type { Deployment } from './spec.ts'

/** The status that is right now, or undefined when it is already there. */
export function deploymentStatus(
  deployment: Deployment,
  current: OwnedSet | undefined,
  old: readonly OwnedSet[],
  now: number,
): Readonly<Record<string, unknown>> | undefined {
  const before = { ...NOTHING, ...fields(at(deployment.object, 'status')) }
  const counts = countsOf(current, old)
  const conditions = withConditions(before.conditions, [availability(deployment, counts)], now, { updates: true })
  const observedGeneration = count(deployment.object.metadata.generation) ?? 0
  const progressed = progress(deployment, current, counts, conditions, now)
  const status = { ...before, ...counts, observedGeneration, conditions: progressed }
  return same(before, status) ? undefined : status
}

/** Every pod is of the present template and available, and no other is left. */
export function isComplete({ replicas }: Deployment, current: OwnedSet | undefined, old: readonly OwnedSet[]): boolean {
  const counts = countsOf(current, old)
  return [counts.replicas, counts.updatedReplicas, counts.availableReplicas].every((one) => one === replicas)
}

/** Milliseconds after which a rollout that makes no progress has failed. */
export function untilDeadline(deployment: Deployment, status: unknown, now: number): number | undefined {
  const condition = conditionOf(at(status, 'conditions'), 'Progressing')
  const since = instant(condition?.['lastUpdateTime'])
  if (deployment.deadline === undefined || deployment.paused || since === undefined) return undefined
  if (!UNDER_WAY.includes(String(condition?.['reason']))) return undefined
  return Math.max(1000, since + deployment.deadline - now + 1000)
}

interface Counts {
  readonly replicas: number
  readonly updatedReplicas: number
  readonly readyReplicas: number
  readonly availableReplicas: number
  readonly unavailableReplicas: number
}

const NOTHING = {
  replicas: 0,
  updatedReplicas: 0,
  readyReplicas: 0,
  availableReplicas: 0,
  unavailableReplicas: 0,
  observedGeneration: 0,
  conditions: [] as unknown,
}

const UNDER_WAY: readonly string[] = ['ReplicaSetUpdated', 'NewReplicaSetCreated', 'DeploymentResumed']

function countsOf(current: OwnedSet | undefined, old: readonly OwnedSet[]): Counts {
  const all = current === undefined ? old : [...old, current]
  const total = (of: (set: OwnedSet) => number): number => all.reduce((sum, set) => sum + of(set), 0)
  const availableReplicas = total((set) => set.available)
  return {
    replicas: total((set) => set.active),
    updatedReplicas: current?.active ?? 0,
    readyReplicas: total((set) => set.ready),
    availableReplicas,
    unavailableReplicas: Math.max(0, total((set) => set.replicas) - availableReplicas),
  }
}

function availability({ replicas, unavailable, recreate }: Deployment, counts: Counts): Condition {
  const enough = counts.availableReplicas >= (recreate ? replicas : replicas - unavailable)
  return {
    type: 'Available',
    status: enough ? 'True' : 'False',
    reason: enough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
    message: `Deployment ${enough ? 'has' : 'does not have'} minimum availability.`,
  }
}

function progress(
  deployment: Deployment,
  current: OwnedSet | undefined,
  counts: Counts,
  conditions: readonly unknown[],
  now: number,
): readonly unknown[] {
  const before = conditionOf(conditions, 'Progressing')
  const next = nextProgress(deployment, current, counts, before, now)
  if (next === undefined) return conditions
  const updated = withConditions(conditions, [next.condition], now, { updates: true })
  if (!next.renew) return updated
  const lastUpdateTime = timestamp(now)
  return updated.map((one) => (at(one, 'type') === 'Progressing' ? { ...fields(one), lastUpdateTime } : one))
}

interface NextProgress {
  readonly condition: Condition
  /** The deadline starts again. */
  readonly renew: boolean
}

function nextProgress(
  deployment: Deployment,
  current: OwnedSet | undefined,
  counts: Counts,
  before: Readonly<Record<string, unknown>> | undefined,
  now: number,
): NextProgress | undefined {
  const say = (status: Condition['status'], reason: string, message: string, renew = false): NextProgress => ({
    condition: { type: 'Progressing', status, reason, message },
    renew,
  })
  const reason = before?.['reason']
  if (deployment.paused) return say('Unknown', 'DeploymentPaused', 'Deployment is paused')
  if (reason === 'DeploymentPaused') return say('Unknown', 'DeploymentResumed', 'Deployment is resumed', true)
  if (current === undefined) return undefined
  const about = `ReplicaSet "${current.name}"`
  const { replicas } = deployment
  if ([counts.replicas, counts.updatedReplicas, counts.availableReplicas].every((one) => one === replicas)) {
    return say('True', 'NewReplicaSetAvailable', `${about} has successfully progressed.`)
  }
  const ofAnother = typeof before?.['message'] === 'string' && !before['message'].includes(about)
  if (before === undefined || hasProgressed(deployment, counts) || (ofAnother && reason !== 'DeploymentResumed')) {
    return say('True', 'ReplicaSetUpdated', `${about} is progressing.`, true)
  }
  const since = instant(before['lastUpdateTime']) ?? now
  const late = deployment.deadline !== undefined && since + deployment.deadline < now
  if (!late || !UNDER_WAY.includes(String(reason))) return undefined
  return say('False', 'ProgressDeadlineExceeded', `${about} has timed out progressing.`)
}

function hasProgressed({ object }: Deployment, now: Counts): boolean {
  const was = (name: string): number => count(at(object, 'status', name)) ?? 0
  const old = was('replicas') - was('updatedReplicas')
  return (
    now.updatedReplicas > was('updatedReplicas') ||
    now.readyReplicas > was('readyReplicas') ||
    now.availableReplicas > was('availableReplicas') ||
    now.replicas - now.updatedReplicas < old
  )
}
