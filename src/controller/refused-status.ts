/**
 * Tells whoever has objects of Calico of which something is not done: by an event at each, once for what is to be said of it,
 * and in the log once for all of a kind. Events are written one after the other, and there is an end to them. Where nobody has such objects there is nothing to follow but whether the server has
 * the kind.
 * @module
 */
import { REFUSED_KINDS, type RefusedKind } from '../compat/calico/refused/kinds.ts'
import type { Refused, RefusedSource } from '../compat/calico/refused/source.ts'
import { refusalText } from '../compat/calico/refused/words.ts'
import type { EventRecorder } from '../kube/events.ts'
import type { KubeObject } from '../kube/object.ts'
import { aborted } from '../registry/backoff.ts'
import { Complaints } from './complaints.ts'
import type { ControllerLog } from './controller.ts'
import { Telling } from './telling.ts'

/** What they are looked after with. */
export interface RefusedStatusOptions {
  readonly sources: readonly RefusedSource[]
  /** Absent: there is no Kubernetes API server to keep events in. */
  readonly events?: Pick<EventRecorder, 'record' | 'settled'>
  /** Absent: nobody else tells of anything. */
  readonly elsewhere?: ToldElsewhere
  readonly signal: AbortSignal
  readonly log: ControllerLog
}

/** Of what the owner hears in another way. */
export interface ToldElsewhere {
  /** When it can be said: nothing is told before. */
  readonly ready: Promise<void>
  /** Whether it is so now. */
  isTold(about: KubeObject): boolean
  /** Calls whenever it may be otherwise than before. */
  listen(onChange: () => void): void
}

/** The reason of the events. */
export const NOT_ENFORCED = 'NotEnforced'

/** So many objects have an event at a time: Calico's controllers make host endpoints for each node. */
const MOST = 1_000

/** Looks after them until `signal` aborts. Does not reject for anything that a source does. */
export async function runRefusedStatus({ sources, ...options }: RefusedStatusOptions): Promise<void> {
  const { elsewhere, signal } = options
  await elsewhere?.ready
  const teller = new Teller(options)
  elsewhere?.listen(() => teller.lookAgain())
  const telling = Promise.race([teller.work(signal), aborted(signal)])
  await Promise.all([telling, ...sources.map((source) => follow(source, teller, options))])
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

/** What is refused, and what of it was told, for as long as it is so. */
class Teller {
  readonly #options: Pick<RefusedStatusOptions, 'events' | 'elsewhere' | 'log'>
  readonly #telling: Telling<Refused>
  /** By key, as all that follows. */
  readonly #known = new Map<string, Refused>()
  readonly #logged = new Set<string>()
  /** As many without an event were told of in the log. */
  #untold = 0

  constructor(options: Pick<RefusedStatusOptions, 'events' | 'elsewhere' | 'log'>) {
    this.#options = options
    this.#telling = new Telling({
      tell: (refused) => this.#record(refused),
      most: MOST,
      rest: (waiting) => this.#sayUntold(waiting),
    })
  }

  tell(refused: Refused, isThere: boolean): void {
    const key = keyOf(refused.about)
    if (isThere) this.#known.set(key, refused)
    else this.#known.delete(key)
    this.#look(key, refused, isThere)
  }

  /** Others tell of something else than before. */
  lookAgain(): void {
    for (const [key, refused] of this.#known) this.#look(key, refused, true)
  }

  /** Writes events, one after the other, until `signal` aborts. */
  async work(signal: AbortSignal): Promise<void> {
    if (this.#options.events !== undefined) await this.#telling.work(signal)
  }

  async #record(refused: Refused): Promise<void> {
    const { events } = this.#options
    for (const message of textsOf(refused)) {
      events?.record(refused.about, { type: 'Warning', reason: NOT_ENFORCED, message })
    }
    await events?.settled()
  }

  #look(key: string, refused: Refused, isThere: boolean): void {
    const isMine = isThere && this.#options.elsewhere?.isTold(refused.about) !== true
    if (!isMine) this.#telling.drop(key)
    else if (this.#telling.put(key, refused, wordsOf(refused))) this.#say(refused)
  }

  #say(refused: Refused): void {
    const { kind, metadata } = refused.about
    const { namespace = '', name } = metadata
    for (const text of textsOf(refused)) {
      const line = `${kind}: ${text}`
      if (this.#logged.has(line)) continue
      this.#logged.add(line)
      this.#options.log.warn({ kind, name: namespace === '' ? name : `${namespace}/${name}` }, line)
    }
  }

  /** Again when they are twice as many: they come and go. */
  #sayUntold(waiting: number): void {
    if (waiting === 0 || waiting < 2 * this.#untold) return
    this.#untold = waiting
    const line = `${waiting} more objects have something that is not done, and no event: ${MOST} have one. weft status counts all`
    this.#options.log.warn({ reason: NOT_ENFORCED, objects: waiting }, line)
  }
}

function keyOf({ apiVersion, kind, metadata: { namespace = '', name } }: KubeObject): string {
  return `${apiVersion} ${kind}/${namespace}/${name}`
}

function textsOf({ refusals }: Refused): readonly string[] {
  return refusals.map(refusalText)
}

function wordsOf(refused: Refused): string {
  return JSON.stringify([refused.about.metadata.uid, textsOf(refused)])
}
