/**
 * Tells whoever has objects of Calico of which something is not done: by an event at each, once for what is to be said of it,
 * and in the log once for all of a kind. Where nobody has such objects there is nothing to follow but whether the server has
 * the kind.
 * @module
 */
import { REFUSED_KINDS, type RefusedKind } from '../compat/calico/refused/kinds.ts'
import type { Refused, RefusedSource } from '../compat/calico/refused/source.ts'
import { refusalText } from '../compat/calico/refused/words.ts'
import type { EventRecorder } from '../kube/events.ts'
import type { KubeObject } from '../kube/object.ts'
import { Complaints } from './complaints.ts'
import type { ControllerLog } from './controller.ts'

/** What they are looked after with. */
export interface RefusedStatusOptions {
  readonly sources: readonly RefusedSource[]
  /** Absent: there is no Kubernetes API server to keep events in. */
  readonly events?: Pick<EventRecorder, 'record'>
  /** Of what the owner hears in another way now. */
  isToldElsewhere?(about: KubeObject): boolean
  readonly signal: AbortSignal
  readonly log: ControllerLog
}

/** The reason of the events. */
export const NOT_ENFORCED = 'NotEnforced'

/** Looks after them until `signal` aborts. Does not reject for anything that a source does. */
export async function runRefusedStatus({ sources, ...options }: RefusedStatusOptions): Promise<void> {
  const teller = new Teller(options)
  await Promise.all(sources.map((source) => follow(source, teller, options)))
}

async function follow(
  source: RefusedSource,
  teller: Teller,
  { signal, log }: Pick<RefusedStatusOptions, 'signal' | 'log'>,
): Promise<void> {
  const complaints = new Complaints(log)
  const running: Promise<void>[] = []
  const waiting = new Set(REFUSED_KINDS.filter(({ beside }) => beside !== undefined))
  const begin = (kind: RefusedKind): void => {
    const { resource } = kind
    const onChange = (refused: Refused, isThere: boolean): void => {
      teller.tell(refused, isThere)
      for (const one of waiting) {
        if (one.beside !== resource || !isThere) continue
        waiting.delete(one)
        begin(one)
      }
    }
    const onError = (error: unknown): void => complaints.say(`cannot watch ${resource.kind}`, error)
    running.push(source.follow(kind, { signal, onChange, onError }))
  }
  for (const kind of REFUSED_KINDS) if (kind.beside === undefined) begin(kind)
  // Others join them meanwhile, and all end with the signal.
  for (let at = 0; at < running.length; at += 1) await running[at]
}

/** What was told, for as long as it is so. */
class Teller {
  readonly #options: Pick<RefusedStatusOptions, 'events' | 'isToldElsewhere' | 'log'>
  readonly #told = new Map<string, string>()
  readonly #logged = new Set<string>()

  constructor(options: Pick<RefusedStatusOptions, 'events' | 'isToldElsewhere' | 'log'>) {
    this.#options = options
  }

  tell({ about, refusals }: Refused, isThere: boolean): void {
    const { namespace = '', name, uid } = about.metadata
    const key = `${about.apiVersion} ${about.kind}/${namespace}/${name}`
    if (!isThere || this.#options.isToldElsewhere?.(about) === true) {
      this.#told.delete(key)
      return
    }
    const texts = refusals.map(refusalText)
    const words = JSON.stringify([uid, texts])
    if (this.#told.get(key) === words) return
    this.#told.set(key, words)
    for (const message of texts) {
      this.#options.events?.record(about, { type: 'Warning', reason: NOT_ENFORCED, message })
      const line = `${about.kind}: ${message}`
      if (this.#logged.has(line)) continue
      this.#logged.add(line)
      this.#options.log.warn({ kind: about.kind, name: namespace === '' ? name : `${namespace}/${name}` }, line)
    }
  }
}
