/**
 * The controllers over an API in memory whose calls and watches take their time, and a kubelet that only pretends.
 * @module
 */
import type { KubeEvent, Selection } from '../../../kube/api.ts'
import { KubeError } from '../../../kube/errors.ts'
import type { KubeObject, Resource } from '../../../kube/object.ts'
import { PODS } from '../../../kube/resources.ts'
import { MemoryApi } from '../../../kube/testing/memory-api.ts'
import { podOf } from '../pod.ts'
import { runWorkloads } from '../run.ts'
import { timestamp } from '../values.ts'

/** Numbers from 0 up to 1, always the same for a seed. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0 || 1
  return () => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 2 ** 32
  }
}

/** An API whose calls and watches are late by some turns of the event loop, and fail now and then. */
export class SlowApi extends MemoryApi {
  readonly #random: () => number
  /** The share of calls that fail, half of them after they were carried out. */
  faults = 0
  /** The share of creations that fail and are carried out all the same, later. */
  ghosts = 0

  constructor(random: () => number) {
    super()
    this.#random = random
    this.before = async (verb) => {
      await this.late()
      if (verb !== 'watch' && this.#random() < this.faults / 2) throw unavailable()
    }
  }

  override async create(resource: Resource, object: KubeObject): Promise<KubeObject> {
    if (this.#random() < this.ghosts) {
      // Later than the next try.
      void Bun.sleep(300 * this.#random()).then(() => super.create(resource, object).catch(() => undefined))
      throw unavailable()
    }
    const created = await super.create(resource, object)
    await this.late()
    if (this.#random() < this.faults / 2) throw unavailable()
    return created
  }

  override async *watch(
    resource: Resource,
    selection: Selection,
    after: string,
    signal: AbortSignal,
  ): AsyncIterable<KubeEvent> {
    for await (const event of super.watch(resource, selection, after, signal)) {
      await this.late()
      yield event
    }
  }

  /** Lets a few turns go by. */
  async late(): Promise<void> {
    for (let turns = Math.floor(this.#random() * 10); turns > 0; turns--) await turn()
  }
}

/** Everything that a test of controllers needs; stopped by `stop`. */
export class Rig {
  readonly random: () => number
  readonly api: SlowApi
  /** What the controllers said of defects. */
  readonly defects: unknown[] = []
  #stop = new AbortController()
  #running: Promise<void> = Promise.resolve()

  constructor(seed: number) {
    this.random = randomOf(seed)
    this.api = new SlowApi(this.random)
  }

  start(): void {
    this.#stop = new AbortController()
    const log = {
      warn: () => undefined,
      error: (fields: object) => {
        this.defects.push(fields)
      },
    }
    this.#running = runWorkloads({ api: this.api, signal: this.#stop.signal, log })
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  /** One step of the life of one pod, chosen by chance. False when all are as they should be. */
  async kubelet(): Promise<boolean> {
    const moving = this.api.all(PODS).filter((pod) => podOf(pod).terminating || podOf(pod).readySince === undefined)
    const object = moving[Math.floor(this.random() * moving.length)]
    if (object === undefined) return false
    try {
      if (podOf(object).terminating) await remove(this.api, object)
      else await this.api.replace(PODS, { ...object, status: running(object) }, 'status')
    } catch (error) {
      if (!(error instanceof KubeError)) throw error
    }
    return true
  }

  /** Lets pods live until `isDone`, for a bounded number of turns. */
  async until(isDone: () => boolean, turns = 400_000): Promise<boolean> {
    for (let i = 0; i < turns; i++) {
      if (isDone()) return true
      if (this.random() < 0.3) await this.kubelet()
      await turn()
      // Pauses after conflicts and failures are real ones.
      if (i % 50 === 49) await Bun.sleep(1)
    }
    return isDone()
  }

  /** Every state that the pods of a namespace have been in, in order. */
  async *history(): AsyncIterable<{ readonly revision: number; readonly pods: readonly KubeObject[] }> {
    const pods = new Map<string, KubeObject>()
    const end = new AbortController()
    const last = (await this.api.list(PODS)).resourceVersion
    const marker = setTimeout(() => end.abort(), 50)
    for await (const event of MemoryApi.prototype.watch.call(this.api, PODS, {}, '0', end.signal)) {
      if (event.type === 'BOOKMARK') continue
      const { uid = '', resourceVersion } = event.object.metadata
      if (event.type === 'DELETED') pods.delete(uid)
      else pods.set(uid, event.object)
      yield { revision: Number(resourceVersion), pods: [...pods.values()] }
      if (Number(resourceVersion) >= Number(last)) break
    }
    clearTimeout(marker)
  }
}

/** A pod's status once it runs. */
export function running(pod: KubeObject): object {
  const time = timestamp(0)
  const number = Number.parseInt((pod.metadata.uid ?? '0').slice(0, 2), 16)
  return {
    phase: 'Running',
    podIP: `10.0.0.${number}`,
    podIPs: [{ ip: `10.0.0.${number}` }],
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: time }],
  }
}

async function remove(api: MemoryApi, { metadata: { name, namespace = '' } }: KubeObject): Promise<void> {
  await api.delete(PODS, { name, namespace }, { gracePeriodSeconds: 0 })
}

function unavailable(): KubeError {
  return new KubeError('KUBE_UNAVAILABLE', 'the test says so', 'wait')
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
