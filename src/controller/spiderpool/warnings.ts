/**
 * What is wrong with objects, told where their authors look: once, until something else is.
 * @module
 */
import type { EventRecorder } from '../../kube/events.ts'
import type { KubeObject, ObjectMeta } from '../../kube/object.ts'
import { keyOf } from '../../kube/reflector.ts'
import type { ControllerLog } from '../controller.ts'

/** Who is spoken of. */
export interface Subject extends KubeObject {
  readonly metadata: Pick<ObjectMeta, 'name' | 'namespace' | 'uid'>
}

/** Objects that are remembered; with more all are forgotten, and told of once more: anybody makes objects. */
const MOST = 10_000

/** Warnings as events and lines of the log. */
export class Warnings {
  readonly #events: EventRecorder | undefined
  readonly #log: Pick<ControllerLog, 'warn'>
  readonly #told = new Map<string, string>()

  constructor(events: EventRecorder | undefined, log: Pick<ControllerLog, 'warn'>) {
    this.#events = events
    this.#log = log
  }

  /** Says what is wrong with an object, by a reason in CamelCase; nothing is, where the text is empty. */
  say(about: Subject, reason: string, text: string): void {
    const { kind, metadata } = about
    const key = `${reason} ${metadata.uid ?? `${kind}/${keyOf(about)}`}`
    if (text === '') this.#told.delete(key)
    if (text === '' || this.#told.get(key) === text) return
    if (this.#told.size >= MOST) this.#told.clear()
    this.#told.set(key, text)
    this.#log.warn({ kind, name: keyOf(about), reason }, text)
    this.#events?.record(about, { type: 'Warning', reason, message: text })
  }
}
