/**
 * Looks after one pod: compares what it should be with what there is, does what the plan says, writes its status, and
 * looks again when something happened.
 * @module
 */
import { rmSync } from 'node:fs'
import { KubeError } from '../../kube/errors.ts'
import type { KubeObject } from '../../kube/object.ts'
import { PODS } from '../../kube/resources.ts'
import { sleep } from '../../registry/backoff.ts'
import { addressesOf, type Sandbox } from '../state.ts'
import { ContainerKeeper, type KnownStatus } from './container/keeper.ts'
import { names } from './container/runs.ts'
import type { Surroundings } from './container/start.ts'
import { type Context, podFolder } from './context.ts'
import type { Involved } from './events.ts'
import { NetworkKeeper } from './network/keeper.ts'
import type { Facts, RunState } from './pod/facts.ts'
import { factsOf } from './pod/facts.ts'
import { type Plan, planPod, planRemoval, type Step } from './pod/plan.ts'
import { decodePod, type Pod } from './pod/pod.ts'
import { podStatus } from './pod/status.ts'
import { fields, list, text } from './read.ts'
import { StatusWriter } from './status-writer.ts'

/** Whose pod it is; names are known from its sandbox's record where the API has none any more. */
export interface WorkerName {
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

/** Milliseconds before a call that failed is repeated. */
const RETRY = 1000

/** A pod's worker. */
export class PodWorker {
  readonly name: WorkerName
  readonly #context: Context
  readonly #network: NetworkKeeper
  readonly #status: StatusWriter
  readonly #about: Involved
  readonly #containers = new Map<string, ContainerKeeper>()
  #pod: Pod | undefined
  #woken = new AbortController()
  #finished = false
  #finishing = false

  constructor(context: Context, name: WorkerName) {
    this.#context = context
    this.name = name
    this.#about = { kind: 'Pod', ...name }
    this.#network = new NetworkKeeper(context, { ...name, node: context.node.name }, this.#about, this.wake)
    this.#status = new StatusWriter(context, this.wake)
  }

  /** Tells what the API has now; undefined when it has none. */
  update(object: KubeObject | undefined): void {
    this.#pod = object === undefined ? undefined : decodePod(object)
    this.wake()
  }

  readonly wake = (): void => this.#woken.abort()

  /** Works until nothing is left of the pod, or the signal aborts: what runs goes on then. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#finished) {
      this.#woken = new AbortController()
      const wait = this.#lookSafely()
      if (!this.#finished) await sleep(wait, AbortSignal.any([signal, this.#woken.signal]))
    }
    for (const each of this.#containers.values()) each.release()
  }

  /** What goes wrong on this machine (a full disk) must not leave a pod without anybody to look after it. */
  #lookSafely(): number {
    try {
      return this.#look()
    } catch (error) {
      this.#context.log.error({ pod: `${this.name.namespace}/${this.name.name}` }, `pod not looked after: ${error}`)
      return RETRY
    }
  }

  /** One look, with everything it leads to. The milliseconds until the next. */
  #look(): number {
    const { now, timing } = this.#context
    const pod = this.#pod
    const { record } = this.#network
    const where = this.#surroundings(record)
    const facts = this.#observe(pod, where)
    const isLeaving = pod === undefined || pod.deadline !== undefined
    if (isLeaving) {
      this.#network.giveUp()
      for (const each of this.#containers.values()) each.giveUp()
    }
    const plan: Plan = this.#network.busy
      ? { steps: [], wakeAt: undefined }
      : pod === undefined
        ? planRemoval(facts, undefined, now())
        : planPod(pod, facts, now(), timing)
    for (const step of plan.steps) this.#do(step, facts, where)
    const again = pod === undefined ? undefined : this.#tell(pod, facts)
    const kinds = new Set([...facts.containers.values()].map(({ run }) => run.kind))
    const times = [plan.wakeAt, again, ...[...this.#containers.values()].map(({ deadline }) => deadline)]
    const ahead = times.filter((at) => at !== undefined && at > now()) as readonly number[]
    const inFlux = plan.steps.length > 0 || kinds.has('starting')
    // What ends says so in its folder only: somebody must look.
    const usual = inFlux ? timing.relist : kinds.has('running') ? timing.relist * CALM : timing.lease
    return Math.max(MIN_WAIT, Math.min(usual, ...ahead.map((at) => at - now())))
  }

  #surroundings(record: Sandbox | undefined): Surroundings {
    const { addresses, node } = this.#context
    if (this.#pod?.hostNetwork === true) return { podIps: addresses, hostIps: addresses, netns: node.netns }
    return { podIps: record === undefined ? [] : addressesOf(record), hostIps: addresses, netns: record?.netns ?? '' }
  }

  #observe(pod: Pod | undefined, where: Surroundings): Facts {
    const specs = [...(pod?.initContainers ?? []), ...(pod?.containers ?? [])]
    // What the pod's description does not name (any more) may run all the same.
    const found = new Set([...specs.map(({ name }) => name), ...names(podFolder(this.#context.node, this.name.uid))])
    const facts = [...found].map((name) => {
      const spec = specs.find((each) => each.name === name)
      return [name, this.#keeper(name).observe(spec, where, knownStatus(pod, name))] as const
    })
    return {
      sandbox: pod?.hostNetwork === true ? 'host' : this.#network.state,
      sandboxBlocked: this.#network.blocked,
      podIps: where.podIps,
      hostIps: where.hostIps,
      containers: new Map(facts),
    }
  }

  #keeper(name: string): ContainerKeeper {
    const known = this.#containers.get(name)
    if (known !== undefined) return known
    const made = new ContainerKeeper(this.#context, this.name.uid, name, this.#about, this.wake)
    this.#containers.set(name, made)
    return made
  }

  #do(step: Step, facts: Facts, where: Surroundings): void {
    const pod = this.#pod
    if (step.do === 'create-sandbox') this.#network.add()
    else if (step.do === 'remove-sandbox') this.#network.remove()
    else if (step.do === 'finish') this.#finish()
    else if (step.do === 'start' && pod !== undefined) {
      this.#keeper(step.container.name).start(pod, step.container, where, step.attempt, step.streak)
    } else if (step.do === 'stop') {
      const run: RunState = factsOf(facts, step.container).run
      this.#keeper(step.container).stop(run, step.deadline, step.why, pod, where)
    }
  }

  #tell(pod: Pod, facts: Facts): number | undefined {
    const { now, timing } = this.#context
    const status = podStatus(pod, facts, this.#status.base(pod), now(), timing)
    for (const [name, { run }] of facts.containers) {
      const entry = statusOf(status, name)
      if (text(fields(fields(entry['state'])['waiting'])['reason']) === 'CrashLoopBackOff') {
        this.#keeper(name).tellBackOff(run)
      }
    }
    return this.#finished ? undefined : this.#status.write(pod, status)
  }

  /** The last thing: without its folder nothing of the pod is here, and the API may forget it. */
  #finish(): void {
    if (this.#finishing) return
    this.#finishing = true
    const { api, node, log } = this.#context
    const { namespace, name, uid } = this.name
    rmSync(podFolder(node, uid), { recursive: true, force: true })
    if (this.#pod === undefined) {
      this.#finished = true
      return
    }
    api
      .delete(PODS, { namespace, name }, { gracePeriodSeconds: 0, uid })
      .then(
        () => true,
        (error: unknown) => {
          if (error instanceof KubeError && (error.code === 'KUBE_NOT_FOUND' || error.code === 'KUBE_CONFLICT'))
            return true
          log.warn({ pod: `${namespace}/${name}` }, `not deleted: ${error}`)
          return Bun.sleep(RETRY).then(() => false)
        },
      )
      .then((done) => {
        this.#finished = done
        this.#finishing = false
        this.wake()
      })
  }
}

const MIN_WAIT = 10
/** How much less often is looked where nothing is about to change. */
const CALM = 5

/** What the API has about a container. */
function knownStatus(pod: Pod | undefined, name: string): KnownStatus {
  const entry = statusOf(pod?.status ?? {}, name)
  return {
    id: text(entry['containerID'])?.replace(/^weft:\/\//, ''),
    ready: entry['ready'] === true,
    started: entry['started'] === true,
  }
}

function statusOf(status: Readonly<Record<string, unknown>>, name: string): Readonly<Record<string, unknown>> {
  const entries = [...list(status['containerStatuses']), ...list(status['initContainerStatuses'])].map(fields)
  return entries.find((each) => each['name'] === name) ?? {}
}
