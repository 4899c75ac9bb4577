/**
 * A container's status, as the API shows it. Pure.
 * @module
 */
import { timestamp } from '../read.ts'
import { type ContainerFacts, type ExitedState, type Facts, factsOf } from './facts.ts'
import { initialized } from './plan.ts'
import type { Container, Pod } from './pod.ts'
import { type RestartTiming, restartOf, restarts } from './restart.ts'

/** An entry of `containerStatuses` or `initContainerStatuses`. */
export function containerStatus(
  pod: Pod,
  container: Container,
  facts: Facts,
  now: number,
  timing: RestartTiming,
): Readonly<Record<string, unknown>> {
  const own = factsOf(facts, container.name)
  const { run, before } = own
  const isInit = pod.initContainers.includes(container)
  const waits = waitingFor(pod, container, isInit, facts, now, timing)
  const last = run.kind === 'exited' && waits !== undefined ? run : before
  return {
    name: container.name,
    state: waits === undefined ? stateOf(own) : { waiting: waits },
    lastState: last === undefined ? {} : { terminated: terminated(last) },
    ready: isInit ? run.kind === 'exited' && run.end.exitCode === 0 : isReady(container, own),
    started: isStarted(container, own),
    restartCount: run.kind === 'none' ? 0 : run.attempt,
    // Shown as it was asked for: there are no images here.
    image: container.image,
    imageID: '',
    ...(run.kind === 'none' ? {} : { containerID: containerId(run.id) }),
  }
}

/** Whether a container takes part in its pod's services. */
export function isReady(container: Container, facts: ContainerFacts): boolean {
  const answers = container.readiness === undefined || facts.probes.readiness.verdict === 'passed'
  return isStarted(container, facts) && answers
}

/** Whether a container is past its startup probe. */
function isStarted(container: Container, { run, probes }: ContainerFacts): boolean {
  return run.kind === 'running' && (container.startup === undefined || probes.startup.verdict === 'passed')
}

/** Container ids begin with their runtime's name. */
export function containerId(id: string): string {
  return `weft://${id}`
}

interface Waiting {
  readonly reason: string
  readonly message?: string
}

function waitingFor(
  pod: Pod,
  container: Container,
  isInit: boolean,
  facts: Facts,
  now: number,
  timing: RestartTiming,
): Waiting | undefined {
  const { run, blocked } = factsOf(facts, container.name)
  if (run.kind === 'running') return undefined
  if (run.kind === 'exited') {
    if (pod.deadline !== undefined || !restarts(pod.restartPolicy, run) || (isInit && run.end.exitCode === 0))
      return undefined
    const { at, delay } = restartOf(run, timing)
    if (at <= now) return undefined
    const message = `waits ${delay / 1000} s before it is started again: it keeps ending`
    return { reason: 'CrashLoopBackOff', message }
  }
  if (blocked !== undefined) return { reason: blocked.reason, message: blocked.message }
  const pending = isInit || initialized(pod, facts) || facts.sandbox === 'none'
  return { reason: pending ? 'ContainerCreating' : 'PodInitializing' }
}

function stateOf({ run }: ContainerFacts): Readonly<Record<string, unknown>> {
  if (run.kind === 'running') return { running: { startedAt: timestamp(run.startedAt) } }
  return run.kind === 'exited' ? { terminated: terminated(run) } : { waiting: { reason: 'ContainerCreating' } }
}

function terminated({ id, end }: ExitedState): Readonly<Record<string, unknown>> {
  const { exitCode, signal, reason, message, startedAt, finishedAt } = end
  return {
    exitCode,
    ...(signal === undefined ? {} : { signal }),
    reason,
    ...(message === undefined ? {} : { message }),
    startedAt: timestamp(startedAt ?? finishedAt),
    finishedAt: timestamp(finishedAt),
    containerID: containerId(id),
  }
}
