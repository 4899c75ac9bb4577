/**
 * The playground's kubelet: runs the pods that the API gives to a node. All nodes' kubelets may live in one process; what
 * they run outlives it.
 * @module
 */

import type { KubeObject } from '../../kube/object.ts'
import { netnsOpen } from '../../linux/netns.ts'
import { closeFd } from '../../linux/socket.ts'
import { netnsPath } from '../layout.ts'
import { listSandboxes } from '../state.ts'
import { names } from './container/runs.ts'
import { type Context, podFolder, type Timing } from './context.ts'
import { eventRecorder } from './events.ts'
import { keepNode } from './node.ts'
import { decodePod } from './pod/pod.ts'
import { TIMING as RESTART_TIMING } from './pod/restart.ts'
import { watchPods } from './watch.ts'
import { PodWorker, type WorkerName } from './worker.ts'

/** What a kubelet needs; `timing` overrides single times. */
export type KubeletOptions = Omit<Context, 'timing' | 'record' | 'netnsFd'> & {
  readonly timing?: Partial<Timing>
  readonly signal: AbortSignal
}

const TIMING: Timing = {
  ...RESTART_TIMING,
  relist: 200,
  sandboxBackoff: 1000,
  mostSandboxBackoff: 15_000,
  nodeStatus: 5000,
  lease: 10_000,
}

/** Runs a node's kubelet until the signal aborts. Pods go on running then. Throws LINUX_ENOENT without a node. */
export async function runKubelet({ signal, timing, ...options }: KubeletOptions): Promise<void> {
  const { api, node, log, now } = options
  const record = eventRecorder(api, node.name, now, (error) => log.warn(`event not written: ${error}`))
  const netnsFd = netnsOpen(netnsPath(node.netns))
  const context: Context = { ...options, timing: { ...TIMING, ...timing }, record, netnsFd }
  const workers = new Workers(context, signal)
  const listener = {
    put: (object: KubeObject) => workers.put(object),
    gone: (uid: string) => workers.gone(uid),
    synced: () => workers.adopt(),
    onError: (error: unknown, retryIn: number) => log.warn({ retryIn }, `pods not watched: ${error}`),
  }
  try {
    await Promise.all([keepNode(context, signal), watchPods(api, node.name, listener, signal)])
    await workers.done()
  } finally {
    closeFd(netnsFd)
  }
}

/** A worker per pod. */
class Workers {
  readonly #context: Context
  readonly #signal: AbortSignal
  readonly #workers = new Map<string, { readonly worker: PodWorker; readonly done: Promise<void> }>()

  constructor(context: Context, signal: AbortSignal) {
    this.#context = context
    this.#signal = signal
  }

  put(object: KubeObject): void {
    const { namespace = '', name, uid = '' } = object.metadata
    if (decodePod(object) === undefined) {
      this.#context.log.warn({ pod: `${namespace}/${name}` }, 'not a pod that can be run')
      return
    }
    this.#worker({ namespace, name, uid }).update(object)
  }

  gone(uid: string): void {
    this.#workers.get(uid)?.worker.update(undefined)
  }

  /** What an earlier kubelet left and the API knows nothing about is cleared away. */
  adopt(): void {
    const { layout, node } = this.#context
    for (const { node: at, namespace, name, uid } of listSandboxes(layout)) {
      if (at === node.name) this.#worker({ namespace, name, uid })
    }
    for (const uid of names(podFolder(node, ''))) this.#worker({ namespace: 'unknown', name: uid, uid })
  }

  async done(): Promise<void> {
    await Promise.all([...this.#workers.values()].map(({ done }) => done))
  }

  #worker(name: WorkerName): PodWorker {
    const known = this.#workers.get(name.uid)
    if (known !== undefined) return known.worker
    const worker = new PodWorker(this.#context, name)
    const done = Promise.resolve()
      .then(() => worker.run(this.#signal))
      .finally(() => this.#workers.delete(name.uid))
    this.#workers.set(name.uid, { worker, done })
    return worker
  }
}
