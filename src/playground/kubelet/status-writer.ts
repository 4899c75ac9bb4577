/**
 * Writes a pod's status when it is not what the API has: one call at a time, the newest state wins.
 * @module
 */
import { KubeError } from '../../kube/errors.ts'
import { PODS } from '../../kube/resources.ts'
import type { Context } from './context.ts'
import type { Pod } from './pod/pod.ts'

type Status = Readonly<Record<string, unknown>>

/** Milliseconds for which the watch may lag behind what was written, and before a failed write is repeated. */
const LAG = 2000
const RETRY = 1000

/** A pod's status on its way to the API. */
export class StatusWriter {
  readonly #context: Context
  readonly #wake: () => void
  #last: { readonly status: Status; readonly at: number } | undefined
  #busy = false
  #retryAt = 0

  constructor(context: Context, wake: () => void) {
    this.#context = context
    this.#wake = wake
  }

  /** What was written last, or else what is stored. */
  base(pod: Pod): Status {
    return this.#last?.status ?? pod.status
  }

  /** Writes a status if it is new. When to come again, if it cannot be said yet. */
  write(pod: Pod, status: Status): number | undefined {
    const { api, now, log } = this.#context
    if (this.#busy || sameIn(status, pod.status)) return undefined
    const isFresh = this.#last !== undefined && now() - this.#last.at < LAG
    if (isFresh && sameIn(status, this.#last?.status ?? {})) return (this.#last?.at ?? 0) + LAG
    if (now() < this.#retryAt) return this.#retryAt
    this.#busy = true
    const { namespace, name, uid } = pod
    const before = this.#last
    this.#last = { status, at: now() }
    api
      .patch(PODS, { namespace, name }, 'merge', { metadata: { uid }, status }, 'status')
      .catch((error: unknown) => {
        this.#last = before
        this.#retryAt = now() + RETRY
        const isGone = error instanceof KubeError && (error.code === 'KUBE_NOT_FOUND' || error.code === 'KUBE_CONFLICT')
        if (!isGone) log.warn({ pod: `${namespace}/${name}` }, `status not written: ${error}`)
      })
      .finally(() => {
        this.#busy = false
        this.#wake()
      })
    return undefined
  }
}

/** Whether every member of `wanted` is as in `stored`. */
function sameIn(wanted: Status, stored: Status): boolean {
  return Object.entries(wanted).every(([key, value]) => Bun.deepEquals(value, stored[key]))
}
