/**
 * A loop on an API in memory.
 * @module
 */
import { EventRecorder } from '../../../kube/events.ts'
import type { KubeObject, Resource } from '../../../kube/object.ts'
import { EVENTS, NAMESPACES } from '../../../kube/resources.ts'
import { MemoryApi } from '../../../kube/testing/memory-api.ts'
import { MemoryRegistry } from '../../../registry/memory.ts'
import { reflect } from '../../../registry/reflector.ts'
import type { AttachmentPlace, SpiderpoolOptions } from '../options.ts'

/** A loop that runs. */
export class Bench {
  readonly api: MemoryApi
  readonly registry = new MemoryRegistry()
  readonly lines: string[] = []
  #stop: (() => Promise<void>) | undefined

  constructor(api = new MemoryApi()) {
    this.api = api
  }

  /** Runs a loop until {@link stop}. */
  start(
    run: (options: SpiderpoolOptions) => Promise<void>,
    attachments: AttachmentPlace = { namespace: 'kube-system' },
  ): void {
    // No server is at revision 0: something is always there.
    const kubeSystem = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system' } }
    void this.api.create(NAMESPACES, kubeSystem).catch(() => undefined)
    const ending = new AbortController()
    const say = (_: object, text: string): void => void this.lines.push(text)
    const events = new EventRecorder(this.api, { component: 'weft-controller' })
    const log = { info: () => undefined, warn: say, error: say }
    const { api } = this
    const { signal } = ending
    const cluster = reflect(this.registry, 'Cluster', { signal })
    const running = run({ api, cluster, signal, log, events, attachments })
    this.#stop = async () => {
      ending.abort()
      await running
      await events.settled()
    }
  }

  async stop(): Promise<void> {
    await this.#stop?.()
    this.#stop = undefined
  }

  one(resource: Resource, name: string): KubeObject | undefined {
    return this.api.all(resource).find(({ metadata }) => metadata.name === name)
  }

  /** `<reason> <kind> <name>: <message>` of every event. */
  get events(): readonly string[] {
    return this.api.all(EVENTS).map(({ involvedObject, reason, message }) => {
      const { kind, name } = involvedObject as Record<string, string>
      return `${reason} ${kind} ${name}: ${message}`
    })
  }
}

/** Waits until nothing more can come of what happened. */
export async function quiet(): Promise<void> {
  await Bun.sleep(60)
}
