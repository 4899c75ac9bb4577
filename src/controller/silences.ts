/**
 * External hosts that fall silent. Kubernetes knows when a node of its own dies; of a host outside nobody would. Its agent
 * counts while it lives, and what counts here is how long nothing changed by this machine's own clock: nobody's clocks
 * have to agree.
 * @module
 */
import { BEAT_MS, type NodeNetwork } from '../network/model/node.ts'
import { sleep } from '../registry/backoff.ts'

/** After this long without a change a host is silent, in milliseconds. */
export const SILENT_AFTER_MS = 4 * BEAT_MS

interface Heard {
  readonly beat: number
  /** Of a clock that only goes forward. */
  readonly at: number
  /** For people. */
  readonly date: Date
}

/** Since when each host that ever counted is silent, in words; undefined when it is not. */
export type Verdicts = ReadonlyMap<string, string | undefined>

/** Judges every so often, by default twice a beat, until `signal` aborts. `machines` answers undefined while the registry is away. */
export async function listenForSilences(
  machines: () => Iterable<NodeNetwork> | undefined,
  judged: (verdicts: Verdicts) => void,
  signal: AbortSignal,
  everyMs: number = BEAT_MS / 2,
): Promise<void> {
  const silences = new Silences()
  while (!signal.aborted) {
    const known = machines()
    if (known === undefined) silences.forgive()
    else judged(silences.judge(known, performance.now(), new Date()))
    await sleep(everyMs, signal)
  }
}

/** What was heard of external hosts. */
export class Silences {
  readonly #heard = new Map<string, Heard>()

  /**
   * Judges what the machines say now. Returns for each host that ever counted since when it is silent, in words, or
   * undefined when it is not.
   * @param now milliseconds of a clock that only goes forward
   */
  judge(machines: Iterable<NodeNetwork>, now: number, date: Date): Verdicts {
    const verdicts = new Map<string, string | undefined>()
    for (const { node, machine, status } of machines) {
      if (machine.kind !== 'external' || status?.beat === undefined) continue
      const before = this.#heard.get(node)
      const heard = before?.beat === status.beat ? before : { beat: status.beat, at: now, date }
      this.#heard.set(node, heard)
      verdicts.set(node, now - heard.at < SILENT_AFTER_MS ? undefined : wordsOf(heard.date))
    }
    for (const name of this.#heard.keys()) if (!verdicts.has(name)) this.#heard.delete(name)
    return verdicts
  }

  /** The registry was away: nobody could be heard, and everybody has their time again. */
  forgive(): void {
    this.#heard.clear()
  }
}

function wordsOf(since: Date): string {
  return `nothing was heard of its agent since ${since.toISOString().slice(0, 19)}Z → look at weft agent on that host, or remove it`
}
