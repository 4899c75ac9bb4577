/**
 * Warnings at objects, each once for as long as it holds.
 * @module
 */
import type { EventRecorder } from '../../kube/events.ts'
import type { KubeObject } from '../../kube/object.ts'
import { keyOf } from '../../kube/reflector.ts'
import type { ControllerLog } from '../controller.ts'

/** Objects of which is remembered what was said; with more all are forgotten, and said again. */
const MOST = 20_000

/** Says what is new. */
export class Told {
  readonly #events: EventRecorder
  readonly #log: Pick<ControllerLog, 'warn'>
  readonly #said = new Map<string, string>()

  constructor(events: EventRecorder, log: Pick<ControllerLog, 'warn'>) {
    this.#events = events
    this.#log = log
  }

  /** What is to be said of an object now; nothing: all is well with it. */
  say(object: KubeObject, reason: string, message: string): void {
    const { namespace = '', name, uid = '' } = object.metadata
    const key = [reason, object.kind, namespace, name, uid].join('/')
    if (message === '') {
      this.#said.delete(key)
      return
    }
    if (this.#said.get(key) === message) return
    if (this.#said.size >= MOST) this.#said.clear()
    this.#said.set(key, message)
    this.#log.warn({ kind: object.kind, name: keyOf(object), reason }, message)
    this.#events.record(object, { type: 'Warning', reason, message })
  }
}
