/**
 * A pod's status, as the API shows it. Pure.
 * @module
 */
import { fields, list, text, timestamp } from '../read.ts'
import { containerStatus, isReady } from './container-status.ts'
import { type Facts, factsOf } from './facts.ts'
import { initialized, outcomeOf } from './plan.ts'
import type { Pod } from './pod.ts'
import type { RestartTiming } from './restart.ts'

/** A pod's status; `before` is what it was last time, whose times of change stay where nothing changed. */
export function podStatus(
  pod: Pod,
  facts: Facts,
  before: Readonly<Record<string, unknown>>,
  now: number,
  timing: RestartTiming,
): Readonly<Record<string, unknown>> {
  const { podIps, hostIps } = facts
  const ips = podIps.length > 0 ? podIps : list(before['podIPs']).flatMap((each) => text(fields(each)['ip']) ?? [])
  return {
    phase: phaseOf(pod, facts),
    conditions: conditionsOf(pod, facts, before, now),
    startTime: text(before['startTime']) ?? timestamp(now),
    hostIP: hostIps[0],
    hostIPs: hostIps.map((ip) => ({ ip })),
    ...(ips.length === 0 ? {} : { podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) }),
    // Resources are neither asked for nor limited here.
    qosClass: 'BestEffort',
    ...(pod.initContainers.length === 0
      ? {}
      : { initContainerStatuses: pod.initContainers.map((each) => containerStatus(pod, each, facts, now, timing)) }),
    containerStatuses: pod.containers.map((each) => containerStatus(pod, each, facts, now, timing)),
  }
}

function phaseOf(pod: Pod, facts: Facts): string {
  const outcome = outcomeOf(pod, facts)
  if (outcome !== undefined) return outcome
  const started = pod.containers.every(({ name }) => {
    const { run } = factsOf(facts, name)
    return run.kind === 'running' || run.kind === 'exited' || (run.kind === 'starting' && run.attempt > 0)
  })
  return started ? 'Running' : 'Pending'
}

interface Condition {
  readonly type: string
  readonly holds: boolean
  readonly reason?: string
  readonly message?: string
}

function conditionsOf(
  pod: Pod,
  facts: Facts,
  before: Readonly<Record<string, unknown>>,
  now: number,
): readonly unknown[] {
  const stored = list(before['conditions']).map(fields)
  const own = ownConditions(pod, facts, stored)
  const foreign = stored.filter(({ type }) => !own.some((each) => each.type === type))
  const written = own.map(({ type, holds, reason, message }) => {
    const status = holds ? 'True' : 'False'
    const last = stored.find((each) => each['type'] === type)
    const since = last?.['status'] === status ? text(last['lastTransitionTime']) : undefined
    return {
      type,
      status,
      lastProbeTime: null,
      lastTransitionTime: since ?? timestamp(now),
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
    }
  })
  return [...written, ...foreign]
}

function ownConditions(
  pod: Pod,
  facts: Facts,
  stored: readonly Readonly<Record<string, unknown>>[],
): readonly Condition[] {
  const unready = pod.containers.filter((each) => !isReady(each, factsOf(facts, each.name))).map(({ name }) => name)
  const done = outcomeOf(pod, facts) === 'Succeeded'
  const why = done
    ? { reason: 'PodCompleted' }
    : { reason: 'ContainersNotReady', message: `containers that are not ready: ${unready.join(', ')}` }
  const gate = pod.readinessGates.find(
    (type) => !stored.some((each) => each['type'] === type && each['status'] === 'True'),
  )
  const isUp = unready.length === 0
  const readiness: Condition =
    gate !== undefined && isUp
      ? { type: 'Ready', holds: false, reason: 'ReadinessGatesNotReady', message: `${gate} does not hold` }
      : { type: 'Ready', holds: isUp, ...(isUp ? {} : why) }
  const init = initialized(pod, facts)
  const missing = pod.initContainers
    .filter(({ name }) => {
      const { run } = factsOf(facts, name)
      return run.kind !== 'exited' || run.end.exitCode !== 0
    })
    .map(({ name }) => name)
  return [
    { type: 'PodReadyToStartContainers', holds: facts.sandbox === 'ready' || facts.sandbox === 'host' },
    {
      type: 'Initialized',
      holds: init,
      ...(init
        ? {}
        : { reason: 'ContainersNotInitialized', message: `containers that have not completed: ${missing.join(', ')}` }),
    },
    readiness,
    { type: 'ContainersReady', holds: isUp, ...(isUp ? {} : why) },
    { type: 'PodScheduled', holds: true },
  ]
}
