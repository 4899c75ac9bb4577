/**
 * What to do next for a pod: a function of what it should be and what there is. Pure.
 * @module
 */
import { type ContainerFacts, type ExitedState, type Facts, factsOf } from './facts.ts'
import type { Container, Pod } from './pod.ts'
import { type RestartTiming, restartOf, restarts } from './restart.ts'

/** One thing to do. All of a plan's may be done at the same time. */
export type Step =
  | { readonly do: 'create-sandbox' }
  | { readonly do: 'remove-sandbox' }
  | { readonly do: 'start'; readonly container: Container; readonly attempt: number; readonly streak: number }
  /** Ask it to end, and see to it at the deadline (milliseconds since 1970). */
  | { readonly do: 'stop'; readonly container: string; readonly deadline: number; readonly why: string }
  /** Nothing of the pod is left here: say so. */
  | { readonly do: 'finish' }

/** What to do, and when to look again without a cause. */
export interface Plan {
  readonly steps: readonly Step[]
  readonly wakeAt: number | undefined
}

/** How a pod ended. */
export type Outcome = 'Succeeded' | 'Failed' | undefined

/** A pod that nobody wants any more has this long, in milliseconds. */
const ORPHAN_GRACE = 1000

/** The plan for a pod that should be here; see {@link planRemoval} for one that should not. */
export function planPod(pod: Pod, facts: Facts, now: number, timing: RestartTiming): Plan {
  if (pod.deadline !== undefined) return planRemoval(facts, pod.deadline, now)
  if (outcomeOf(pod, facts) !== undefined) return removeSandbox(facts, now)
  if (facts.sandbox === 'lost') return planLostSandbox(facts, now)
  if (facts.sandbox === 'none') return later(facts.sandboxBlocked?.until, now, { do: 'create-sandbox' })
  const due = initialized(pod, facts) ? pod.containers : [nextInit(pod, facts)].filter((each) => each !== undefined)
  return merge(due.map((container) => planContainer(pod, container, factsOf(facts, container.name), now, timing)))
}

/** The plan for a pod that is to go: its programs end, then its network, then the rest. */
export function planRemoval(facts: Facts, deadline: number | undefined, now: number): Plan {
  const running = live(facts)
  const end = deadline ?? now + ORPHAN_GRACE
  if (running.length > 0) {
    return { steps: running.map((name) => stop(name, end, 'the pod was deleted')), wakeAt: Math.max(end, now) }
  }
  if (facts.sandbox === 'none' || facts.sandbox === 'host') return { steps: [{ do: 'finish' }], wakeAt: undefined }
  return removeSandbox(facts, now)
}

/** How a pod has ended, for good. */
export function outcomeOf(pod: Pod, facts: Facts): Outcome {
  const { phase } = pod.status
  if (phase === 'Succeeded' || phase === 'Failed') return phase
  const ended = (container: Container): ExitedState | undefined => {
    const { run } = factsOf(facts, container.name)
    return run.kind === 'exited' && !restarts(pod.restartPolicy, run) ? run : undefined
  }
  const failedInit = pod.initContainers.some((each) => (ended(each)?.end.exitCode ?? 0) !== 0)
  if (failedInit && !initialized(pod, facts)) return 'Failed'
  const ends = pod.containers.map(ended)
  if (ends.some((each) => each === undefined)) return undefined
  return ends.every((each) => each?.end.exitCode === 0) ? 'Succeeded' : 'Failed'
}

/** Whether the init containers are done with. They are not run again for containers that have run before. */
export function initialized(pod: Pod, facts: Facts): boolean {
  if (pod.containers.some(({ name }) => factsOf(facts, name).run.kind !== 'none')) return true
  return nextInit(pod, facts) === undefined
}

function nextInit(pod: Pod, facts: Facts): Container | undefined {
  return pod.initContainers.find(({ name }) => {
    const { run } = factsOf(facts, name)
    return run.kind !== 'exited' || run.end.exitCode !== 0
  })
}

function planContainer(
  pod: Pod,
  container: Container,
  facts: ContainerFacts,
  now: number,
  timing: RestartTiming,
): Plan {
  const { run, probes, blocked } = facts
  if (run.kind === 'none') return later(blocked?.until, now, { do: 'start', container, attempt: 0, streak: 0 })
  if (run.kind === 'exited') {
    // A container that succeeded in initializing the pod is done, whatever the policy.
    if (!restarts(pod.restartPolicy, run)) return NOTHING
    const { at, streak } = restartOf(run, timing)
    const start: Step = { do: 'start', container, attempt: run.attempt + 1, streak }
    return later(Math.max(at, blocked?.until ?? 0), now, start)
  }
  const failed =
    probes.startup.verdict === 'failed' ? 'startup' : probes.liveness.verdict === 'failed' ? 'liveness' : ''
  if (run.kind !== 'running' || failed === '') return NOTHING
  const deadline = now + pod.grace * 1000
  return { steps: [stop(container.name, deadline, `its ${failed} probe failed`)], wakeAt: deadline }
}

/** The network went from under the pod: everything in it is started anew in another one. */
function planLostSandbox(facts: Facts, now: number): Plan {
  const running = live(facts)
  if (running.length === 0) return removeSandbox(facts, now)
  return { steps: running.map((name) => stop(name, now, "the pod's network is gone")), wakeAt: now }
}

function removeSandbox(facts: Facts, now: number): Plan {
  if (facts.sandbox === 'none' || facts.sandbox === 'host') return NOTHING
  return later(facts.sandboxBlocked?.until, now, { do: 'remove-sandbox' })
}

function live({ containers }: Facts): readonly string[] {
  return [...containers]
    .filter(([, { run }]) => run.kind === 'running' || run.kind === 'starting')
    .map(([name]) => name)
}

function stop(container: string, deadline: number, why: string): Step {
  return { do: 'stop', container, deadline, why }
}

const NOTHING: Plan = { steps: [], wakeAt: undefined }

function later(until: number | undefined, now: number, step: Step): Plan {
  return until !== undefined && until > now ? { steps: [], wakeAt: until } : { steps: [step], wakeAt: undefined }
}

function merge(plans: readonly Plan[]): Plan {
  const times = plans.map(({ wakeAt }) => wakeAt).filter((at) => at !== undefined)
  return {
    steps: plans.flatMap(({ steps }) => steps),
    wakeAt: times.length === 0 ? undefined : Math.min(...times),
  }
}
