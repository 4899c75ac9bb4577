/**
 * Keeps one pod's network: makes and removes it, one thing at a time, again after a while when it fails.
 * @module
 */
import type { Sandbox } from '../../state.ts'
import type { Context } from '../context.ts'
import type { Involved } from '../events.ts'
import type { Blocked, SandboxState } from '../pod/facts.ts'
import { CniError, TRY_AGAIN } from './plugin.ts'
import { addPodNetwork, isAttached, type PodName, removePodNetwork, sandboxOf } from './sandbox.ts'

/** A plugin that asks to be tried again is not complained about for so many milliseconds. */
const QUIET = 10_000
const FIRST_TRY_AGAIN = 100

/** A pod's network. */
export class NetworkKeeper {
  readonly #context: Context
  readonly #pod: PodName
  readonly #about: Involved
  readonly #wake: () => void
  #job: { readonly kind: 'add' | 'remove'; readonly abort: AbortController } | undefined
  #failures = 0
  #askedSince: number | undefined
  #blocked: Blocked | undefined
  #record: Sandbox | undefined

  constructor(context: Context, pod: PodName, about: Involved, wake: () => void) {
    this.#context = context
    this.#pod = pod
    this.#about = about
    this.#wake = wake
    this.#record = sandboxOf(context.layout, pod)
  }

  /** Set while the network is being made or removed: nothing else is to be decided about it then. */
  get busy(): boolean {
    return this.#job !== undefined
  }

  get blocked(): Blocked | undefined {
    return this.#blocked
  }

  get record(): Sandbox | undefined {
    return this.#record
  }

  /** What there is; a network that was left half made counts as lost. */
  get state(): Exclude<SandboxState, 'host'> {
    if (this.#record === undefined) return 'none'
    return isAttached(this.#record) ? 'ready' : 'lost'
  }

  /** The pod is to go: what is being made for it is given up, and its removal tried at once. */
  giveUp(): void {
    if (this.#job?.kind === 'add') this.#job.abort.abort()
    if (this.#job === undefined && this.#blocked?.reason === 'add') this.#blocked = undefined
  }

  add(): void {
    const { layout, runtime } = this.#context
    this.#start('add', (signal) => addPodNetwork(layout, runtime, this.#pod, signal))
  }

  remove(): void {
    const { layout, runtime } = this.#context
    this.#start('remove', async () => {
      if (this.#record !== undefined) await removePodNetwork(layout, runtime, this.#record)
    })
  }

  #start(kind: 'add' | 'remove', work: (signal: AbortSignal) => Promise<void>): void {
    if (this.#job !== undefined) return
    const abort = new AbortController()
    this.#job = { kind, abort }
    work(abort.signal)
      .then(
        () => this.#succeeded(kind),
        (error: unknown) => this.#failed(kind, error, abort.signal.aborted),
      )
      .finally(() => {
        this.#job = undefined
        this.#record = sandboxOf(this.#context.layout, this.#pod)
        this.#wake()
      })
  }

  #succeeded(kind: 'add' | 'remove'): void {
    // What a failed attempt left had to be removed first: the failure still counts.
    if (kind === 'remove' && this.#blocked?.reason === 'add') return
    this.#blocked = undefined
    this.#failures = 0
    this.#askedSince = undefined
  }

  #failed(kind: 'add' | 'remove', error: unknown, givenUp: boolean): void {
    if (givenUp) return
    const { timing, now, record, log } = this.#context
    const message = error instanceof Error ? error.message : String(error)
    const again = error instanceof CniError && error.code === TRY_AGAIN
    if (again) this.#askedSince ??= now()
    const first = again ? Math.min(FIRST_TRY_AGAIN, timing.sandboxBackoff) : timing.sandboxBackoff
    const delay = Math.min(timing.mostSandboxBackoff, first * 2 ** Math.min(this.#failures, 20))
    this.#failures += 1
    this.#blocked = { reason: kind, message, until: now() + delay }
    log.warn({ pod: `${this.#pod.namespace}/${this.#pod.name}`, retryIn: delay }, message)
    if (again && now() - (this.#askedSince ?? 0) < QUIET) return
    const reason = kind === 'add' ? 'FailedCreatePodSandBox' : 'FailedKillPod'
    record(
      this.#about,
      'Warning',
      reason,
      `the pod's network could not be ${kind === 'add' ? 'made' : 'removed'}: ${message}`,
    )
  }
}
