/**
 * What a check is: a question about the host, judged from facts alone.
 * @module
 */
import type { Expected, HostFacts, Read } from './facts.ts'

/** `warn`: it works, or may work; `fail`: something of the network does not; `unknown`: not judged, for want of a fact. */
export type State = 'ok' | 'unknown' | 'warn' | 'fail'

/** What a check found; with anything but `ok` the cause, and what to do. */
export type Verdict =
  | { readonly state: 'ok'; readonly found: string }
  | { readonly state: 'unknown' | 'warn' | 'fail'; readonly found: string; readonly remedy: string }

/** A question about the host. */
export interface Check {
  /** Stable: scripts know it by this. */
  readonly id: string
  readonly look: (facts: HostFacts, expected: Expected) => Verdict
}

/** One row of the report. */
export type Row = { readonly check: string } & Verdict

/** Asks every check. One that fails itself is a row, too. */
export function examine(checks: readonly Check[], facts: HostFacts, expected: Expected): readonly Row[] {
  return checks.map(({ id, look }): Row => {
    try {
      return { check: id, ...look(facts, expected) }
    } catch (error) {
      const found = `could not be judged: ${error instanceof Error ? error.message : String(error)}`
      return { check: id, ...warn(found, 'report this with the output of weft doctor --json') }
    }
  })
}

export function ok(found: string): Verdict {
  return { state: 'ok', found }
}

export function warn(found: string, remedy: string): Verdict {
  return { state: 'warn', found, remedy }
}

export function fail(found: string, remedy: string): Verdict {
  return { state: 'fail', found, remedy }
}

/** It cannot be told from here whether it is well. */
export function unknown(found: string, remedy: string): Verdict {
  return { state: 'unknown', found: `not judged: ${found}`, remedy }
}

/** Judges a fact that was read; one that was not is told with the reason. */
export function given<T>(read: Read<T>, judge: (value: T) => Verdict): Verdict {
  if (read.ok) return judge(read.value)
  return unknown(read.reason, 'run weft doctor as root, on the node itself')
}
