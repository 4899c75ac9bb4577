/**
 * One at a time: runs work in the one process of several that leads.
 * @module
 */
import { Elector, type HeldTerm } from './elector.ts'
import type { LeadOptions } from './options.ts'
import type { Term } from './term.ts'

/**
 * Runs work whenever we lead, until `signal` aborts or the work ends by itself. A lost lease ends the term, and the work
 * must end with `term.signal`; only then is the lease asked for again. On the way out the lease is given back. What the
 * work throws is thrown, except for its complaint that the lease is lost. Throws `KUBE_CONFIG` for times that do not fit.
 */
export async function lead(
  options: LeadOptions,
  work: (term: Term) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const elector = new Elector(options)
  try {
    for (;;) {
      const term = await elector.acquire(signal)
      if (term === undefined) return
      const isLost = await serve(elector, term, work, signal)
      if (!isLost) return
    }
  } finally {
    await elector.release()
  }
}

/** Whether the term ended before its work did. */
async function serve(
  elector: Elector,
  term: HeldTerm,
  work: (term: Term) => Promise<void>,
  signal: AbortSignal,
): Promise<boolean> {
  const stop = (): void => term.end()
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  const keeping = elector.keep(term)
  try {
    await work(term)
    return !term.isHeld()
  } catch (error) {
    if (term.isHeld() || !isLoss(error)) throw error
    return true
  } finally {
    signal.removeEventListener('abort', stop)
    // What is on its way must be over before the lease is given back.
    stop()
    await keeping
  }
}

const LOSSES: ReadonlySet<unknown> = new Set(['KUBE_LEASE_LOST', 'REGISTRY_FENCED'])

function isLoss(error: unknown): boolean {
  return error instanceof Error && 'code' in error && LOSSES.has(error.code)
}
