/**
 * Keeps one container of a pod: knows how it is, starts it, probes it, ends it.
 * @module
 */
import { join } from 'node:path'
import { type Context, podFolder } from '../context.ts'
import type { Involved } from '../events.ts'
import { type Blocked, type ContainerFacts, NO_PROBES, type RunState } from '../pod/facts.ts'
import type { Container, Pod } from '../pod/pod.ts'
import type { ProbeKind, ProbeState } from '../pod/probe.ts'
import { type Prober, startProber } from '../probe/prober.ts'
import { observeRuns, signalRun } from './runs.ts'
import { prepareRun, type Surroundings } from './start.ts'
import { beforeStop } from './stop.ts'

/** Milliseconds before a container whose configuration is incomplete is tried again. */
const CONFIG_RETRY = 5000

/** A container. `container` is unknown for one whose pod is known by its remains only. */
export class ContainerKeeper {
  readonly name: string
  readonly folder: string
  readonly #context: Context
  readonly #about: Involved
  readonly #wake: () => void
  #told: string | undefined
  #prober: (Prober & { readonly id: string }) | undefined
  #stopping: { readonly id: string; deadline: number } | undefined
  #starting = false
  #blocked: Blocked | undefined
  #givenUp = false
  #backedOff: string | undefined

  constructor(context: Context, uid: string, name: string, about: Involved, wake: () => void) {
    this.name = name
    this.folder = join(podFolder(context.node, uid), name)
    this.#context = context
    this.#about = { ...about, fieldPath: `spec.containers{${name}}` }
    this.#wake = wake
  }

  /** How it is. Begins and ends its probes, and tells what happened since the last look. */
  observe(container: Container | undefined, surroundings: Surroundings, known: KnownStatus): ContainerFacts {
    const { run, before } = observeRuns(this.folder, this.#context.now())
    this.#tell(run, known)
    this.#probe(container, run, surroundings, known)
    const probes = this.#prober?.states ?? NO_PROBES
    // While a run is being prepared nothing else is to be decided.
    const blocked = this.#starting ? { ...PREPARING, until: Number.POSITIVE_INFINITY } : this.#blocked
    return { run, before, probes: { ...probes }, blocked }
  }

  start(pod: Pod, container: Container, surroundings: Surroundings, attempt: number, streak: number): void {
    if (this.#starting) return
    this.#starting = true
    const { record, now } = this.#context
    prepareRun(this.#context, pod, container, surroundings)
      .then((begin) => {
        if (this.#givenUp) return
        begin(this.folder, attempt, streak)
        this.#blocked = undefined
        record(this.#about, 'Normal', 'Created', `Created container ${this.name}`)
      })
      .catch((error: unknown) => {
        const message = error instanceof Error ? error.message : String(error)
        this.#blocked = { reason: 'CreateContainerConfigError', message, until: now() + CONFIG_RETRY }
        record(this.#about, 'Warning', 'Failed', message)
      })
      .finally(() => {
        this.#starting = false
        this.#wake()
      })
  }

  /** Asks what runs to end, once, and ends it from the deadline on. */
  stop(run: RunState, deadline: number, why: string, pod: Pod | undefined, surroundings: Surroundings): void {
    if (run.kind !== 'running' && run.kind !== 'starting') return
    const { now, record } = this.#context
    const kill = (signal: 'SIGTERM' | 'SIGKILL'): void => signalRun(this.folder, run, signal, now())
    if (this.#stopping?.id !== run.id) {
      this.#stopping = { id: run.id, deadline }
      record(this.#about, 'Normal', 'Killing', `Stopping container ${this.name}: ${why}`)
      const container = pod?.containers.find(({ name }) => name === this.name)
      if (run.kind === 'starting') kill('SIGKILL')
      else {
        const asked = { container, folder: this.folder, run, podIps: surroundings.podIps, netns: this.#context.netnsFd }
        void beforeStop(asked, Math.max(0, deadline - now())).then(() => kill('SIGTERM'))
      }
    }
    this.#stopping.deadline = Math.min(this.#stopping.deadline, deadline)
    if (now() >= this.#stopping.deadline) kill('SIGKILL')
  }

  /** When what is being stopped must have ended. */
  get deadline(): number | undefined {
    return this.#stopping?.deadline
  }

  /** Says once that it waits before it is started again. */
  tellBackOff(run: RunState): void {
    if (run.kind !== 'exited' || this.#backedOff === run.id) return
    this.#backedOff = run.id
    this.#context.record(this.#about, 'Warning', 'BackOff', `Back-off restarting failed container ${this.name}`)
  }

  /** Its pod is to go: what is being prepared is not started any more. */
  giveUp(): void {
    this.#givenUp = true
  }

  release(): void {
    this.#prober?.stop()
    this.#prober = undefined
  }

  #tell(run: RunState, known: KnownStatus): void {
    const state = run.kind === 'none' ? '' : `${run.id} ${run.kind}`
    const isFirst = this.#told === undefined
    if (this.#told === state) return
    this.#told = state
    if (run.kind !== 'running' && this.#stopping !== undefined) this.#stopping = undefined
    // A kubelet that takes over tells nothing that the one before has told.
    if (isFirst && run.kind !== 'none' && known.id === run.id) return
    const { record } = this.#context
    if (run.kind === 'running') record(this.#about, 'Normal', 'Started', `Started container ${this.name}`)
    if (run.kind === 'exited' && run.end.reason === 'StartError') {
      record(this.#about, 'Warning', 'Failed', run.end.message ?? 'the program could not be started')
    }
  }

  #probe(container: Container | undefined, run: RunState, { podIps }: Surroundings, known: KnownStatus): void {
    const id = run.kind === 'running' && this.#stopping === undefined ? run.id : undefined
    if (this.#prober !== undefined && this.#prober.id !== id) this.release()
    if (this.#prober !== undefined || run.kind !== 'running' || id === undefined || container === undefined) return
    const { now, record, netnsFd } = this.#context
    const prober = startProber({
      asked: { container, folder: this.folder, run, podIps, netns: netnsFd },
      now,
      onVerdict: this.#wake,
      onFailure: (kind, message) =>
        record(this.#about, 'Warning', 'Unhealthy', `${title(kind)} probe failed: ${message}`),
      known: known.id === id ? knownVerdicts(known) : {},
    })
    this.#prober = { ...prober, id }
  }
}

/** What the API says about the container: what an earlier kubelet found out. */
export interface KnownStatus {
  readonly id: string | undefined
  readonly ready: boolean
  readonly started: boolean
}

const PREPARING = { reason: 'ContainerCreating', message: 'its configuration is being read' }

function knownVerdicts({ ready, started }: KnownStatus): Partial<Record<ProbeKind, ProbeState>> {
  const passed: ProbeState = { verdict: 'passed', last: true, row: 1 }
  return { ...(started ? { startup: passed } : {}), ...(ready ? { readiness: passed } : {}) }
}

function title(kind: ProbeKind): string {
  return `${kind[0]?.toUpperCase()}${kind.slice(1)}`
}
