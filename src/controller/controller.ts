/**
 * The cluster's controller: gives every node its ranges and every namespace its VNI, and answers tenants' requests.
 *
 * It decides from its own copy of the registry's state, with its own writes on top, so that one event costs the same in
 * a cluster of any size. It can be killed at any line and started again. One at a time should run: `daemon.ts` sees to
 * that where shared state is in a Kubernetes API server, by a Lease and by a registry that writes only while it is held.
 * Elsewhere (a registry of its own, `--no-election`) whoever starts it does. Two do no lasting harm to nodes, whose
 * doubled ranges are taken apart as soon as either sees them, but two namespaces that got one VNI from both look joined;
 * with 2^24 VNIs chosen by chance that is unlikely, not impossible.
 * @module
 */
import type { Unreadable } from '../kube/invalid.ts'
import { Backoff, type BackoffOptions, sleep } from '../registry/backoff.ts'
import { type Reflection, reflect } from '../registry/reflector.ts'
import { type Registry, RegistryError } from '../registry/registry.ts'
import { Bell } from './bell.ts'
import { type ControllerEvents, lineOf } from './events.ts'
import { listening } from './listening.ts'
import { whyNoCluster } from './no-cluster.ts'
import { Outage } from './outage.ts'
import { lookAgain, type Performance, perform } from './perform.ts'
import { listenForSilences, type Verdicts } from './silences.ts'
import { ControllerState, INPUTS, type Input } from './state.ts'
import { Streaks } from './streaks.ts'
import { describe, keyOf, type Write } from './write.ts'

/** Where the controller says what it does; pino's loggers are such. */
export interface ControllerLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** What the controller runs with. */
export interface ControllerOptions {
  readonly registry: Registry
  /** Ends the controller. */
  readonly signal: AbortSignal
  /** Numbers from 0 up to 1; Math.random where nobody needs to repeat a run. */
  readonly random: () => number
  readonly log: ControllerLog
  readonly events?: ControllerEvents
  /** Why objects that are there cannot be read, by `<kind>/<name>`, as far as the registry tells. */
  readonly unreadable?: Unreadable
  readonly backoff?: BackoffOptions
  /** Called once everything has been read and work begins. */
  readonly onReady?: () => void
  /** As many writes are on their way at a time. */
  readonly writesInFlight?: number
  /** How often is looked at what is told only when it lasts. */
  readonly lookEveryMs?: number
}

const WRITES_IN_FLIGHT = 32

/** A controller that runs. */
export interface RunningController {
  /** The machines' networks as the registry tells of them, for others who look at them: nobody needs a copy of their own. */
  readonly networks: Reflection<'NodeNetwork'>
  /** The cluster's configuration, in the same way. */
  readonly cluster: Reflection<'Cluster'>
  /** The cluster's nodes, in the same way. */
  readonly nodes: Reflection<'Node'>
  /** When `signal` aborted. Does not reject for anything that the registry does. */
  readonly done: Promise<void>
}

/** Runs the controller until `signal` aborts. */
export function startController(options: ControllerOptions): RunningController {
  const controller = new Controller(options)
  const shared = {
    NodeNetwork: controller.reflect('NodeNetwork'),
    Cluster: controller.reflect('Cluster'),
    Node: controller.reflect('Node'),
  }
  const others = INPUTS.filter((kind) => !Object.hasOwn(shared, kind)).map((kind) => controller.reflect(kind))
  const done = run(controller, [...Object.values(shared), ...others], options)
  return { networks: shared.NodeNetwork, cluster: shared.Cluster, nodes: shared.Node, done }
}

async function run(
  controller: Controller,
  reflections: readonly Pick<Reflection<Input>, 'synced' | 'done'>[],
  { onReady }: ControllerOptions,
): Promise<void> {
  await Promise.all(reflections.map(({ synced }) => synced))
  onReady?.()
  await Promise.race([controller.work(), controller.listen(), ...reflections.map(({ done }) => done)])
  await Promise.all(reflections.map(({ done }) => done))
}

class Controller {
  readonly #options: ControllerOptions
  readonly #state: ControllerState
  readonly #bell = new Bell()
  readonly #outage: Outage
  readonly #patience: Backoff
  /** Writes for an object that failed in a row. */
  readonly #streaks: Streaks
  /** Writes of which nobody knows whether they were made. */
  readonly #doubtful: Write[] = []
  /** Failures that were told and last. */
  readonly #complaints = new Set<string>()
  /** Failures of which it is not known whether they are everybody's. */
  readonly #suspicions = new Map<string, { readonly error: unknown; readonly message: string }>()
  readonly #underway = new Set<Promise<void>>()
  #isIdle = false
  #refusal: string | undefined
  #isWorking = false

  constructor(options: ControllerOptions) {
    this.#options = options
    this.#state = new ControllerState(options.random)
    this.#outage = new Outage(options.log)
    this.#patience = new Backoff(options.random, options.backoff)
    this.#streaks = new Streaks(options.random, options.backoff)
  }

  /** Follows a kind. */
  reflect<K extends Input>(kind: K): Reflection<K> {
    const { registry, signal, random, backoff = {} } = this.#options
    const told = listening<K>(registry, {
      listed: (listing) => {
        this.#state.listed(kind, listing)
        this.#complaints.delete(kind)
        this.#bell.ring()
      },
      heard: (change) => {
        this.#state.heard(kind, change)
        this.#complaints.delete(kind)
        this.#bell.ring()
      },
    })
    const onError = (error: unknown): void => {
      this.#failed(kind, error, `cannot watch ${kind}`)
      this.#bell.ring()
    }
    return reflect(told, kind, { signal, random, backoff, onError })
  }

  /** Writes whenever there is something to write, several at a time. */
  async work(): Promise<void> {
    const { signal, writesInFlight = WRITES_IN_FLIGHT } = this.#options
    this.#isWorking = true
    this.#bell.ring()
    while (await this.#bell.rung(signal)) {
      if ((this.#outage.isOn || this.#suspicions.size > 0) && !(await this.#answers())) {
        await sleep(this.#patience.next(), signal)
        this.#bell.ring()
        continue
      }
      await this.#explainIdleness()
      this.#tellOfRefusal()
      while (this.#underway.size < writesInFlight && !signal.aborted && this.#startNext());
    }
    await Promise.all(this.#underway)
  }

  /** Notices external hosts that fall silent, and what lasts. */
  listen(): Promise<void> {
    const machines = () => (this.#outage.isOn ? undefined : this.#state.machines())
    const judged = (verdicts: Verdicts): void => {
      this.#state.judged(verdicts)
      this.#bell.ring()
    }
    return listenForSilences(machines, judged, this.#options.signal, this.#options.lookEveryMs)
  }

  /** Whether the registry answers at all: what fails otherwise is a matter of one object or kind. */
  async #answers(): Promise<boolean> {
    try {
      await this.#options.registry.get('Cluster', 'default')
    } catch (error) {
      if (isUnavailable(error)) {
        this.#outage.met(error, 'cannot read the cluster configuration')
        this.#suspicions.clear()
        return false
      }
    }
    this.#outage.over()
    this.#patience.reset()
    for (const [what, { error, message }] of this.#suspicions) this.#complain(what, error, message)
    this.#suspicions.clear()
    return true
  }

  /** Without a cluster configuration nothing happens, which somebody will wonder about. */
  async #explainIdleness(): Promise<void> {
    const isIdle = !this.#state.hasCluster
    if (isIdle && !this.#isIdle)
      this.#options.log.warn({}, await whyNoCluster(this.#options.registry, this.#options.unreadable))
    this.#isIdle = isIdle
  }

  /** Tells once why a change of the configuration is not followed. */
  #tellOfRefusal(): void {
    const { refusal } = this.#state
    if (refusal?.message !== this.#refusal && refusal !== undefined) {
      this.#options.log.warn({ code: refusal.code }, lineOf(refusal))
      this.#options.events?.warn({ kind: 'Cluster', name: 'default' }, refusal)
    }
    this.#refusal = refusal?.message
  }

  /** Starts the next call, if there is one to make. */
  #startNext(): boolean {
    const { registry } = this.#options
    const doubtful = this.#doubtful.shift()
    if (doubtful !== undefined) {
      this.#start(doubtful, lookAgain(registry, this.#state, doubtful, 'unknown'))
      return true
    }
    const write = this.#state.next()
    if (write !== undefined) this.#start(write, perform(registry, this.#state, write))
    else this.#streaks.rest()
    return write !== undefined
  }

  #start(write: Write, call: Promise<Performance>): void {
    this.#streaks.tried(keyOf(write))
    const running = call.then((end) => this.#ended(write, end))
    this.#underway.add(running)
    void running.finally(() => {
      this.#underway.delete(running)
      this.#bell.ring()
    })
  }

  #ended(write: Write, end: Performance): void {
    const { log } = this.#options
    const object = { kind: write.kind, name: write.name }
    if (end.is === 'made') {
      this.#streaks.succeeded(keyOf(write))
      this.#complaints.delete(keyOf(write))
      log.info(object, describe(write))
      if (!end.isKept) log.error(object, 'the registry keeps less than was written: its objects are of another version')
      this.#tell(write)
      return
    }
    if (end.is === 'failed') {
      this.#failed(keyOf(write), end.error, `cannot write ${write.kind} ${write.name}`)
      this.#later(write, { atOnce: false, isHidden: false }, () => this.#doubtful.push(write))
      return
    }
    if (end.is === 'hidden') {
      this.#hidden(write)
      return
    }
    if (end.is === 'unreadable' && !this.#streaks.has(keyOf(write))) log.warn(object, end.reason)
    this.#later(write, { atOnce: end.is === 'overtaken', isHidden: false }, () => this.#state.retry(write))
  }

  /** Once it may have been deleted in between; twice it is there and cannot be read. */
  #hidden(write: Write): void {
    const { unreadable, log } = this.#options
    if (this.#streaks.wasHidden(keyOf(write))) {
      const reason = unreadable?.get(keyOf(write)) ?? 'something else has its name'
      this.#state.unreadable(write, reason)
      if (!this.#complaints.has(keyOf(write))) log.warn({ kind: write.kind, name: write.name }, reason)
      this.#complaints.add(keyOf(write))
    } else this.#state.found(write, undefined, 'refused')
    this.#later(write, { atOnce: true, isHidden: true }, () => this.#state.retry(write))
  }

  #failed(what: string, error: unknown, message: string): void {
    if (!isUnavailable(error)) this.#complain(what, error, message)
    else if (this.#isWorking) this.#suspicions.set(what, { error, message })
    else this.#outage.met(error, message)
  }

  /** Told once for as long as it lasts. */
  #complain(what: string, error: unknown, message: string): void {
    if (this.#complaints.has(what)) return
    this.#complaints.add(what)
    if (error instanceof RegistryError) this.#options.log.warn({ code: error.code }, `${message}: ${error.message}`)
    else this.#options.log.error({ err: error }, message)
  }

  /** What one object's write meets is no reason for others to wait. */
  #later(write: Write, failure: Parameters<Streaks['failed']>[1], action: () => void): void {
    const pause = this.#streaks.failed(keyOf(write), failure)
    void sleep(pause, this.#options.signal).then(() => {
      this.#streaks.waited(keyOf(write))
      action()
      this.#bell.ring()
    })
  }

  #tell(write: Write): void {
    if (write.op === 'delete' || write.notice === undefined) return
    const { kind, name, notice } = write
    this.#options.log.warn({ kind, name, code: notice.code }, lineOf(notice))
    this.#options.events?.warn({ kind, name }, notice)
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof RegistryError && error.code === 'REGISTRY_UNAVAILABLE'
}
