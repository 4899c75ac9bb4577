export type BackoffOptions = {
  readonly firstMs: number
  readonly maxMs: number
  /** A number in [0, 1). */
  readonly random: () => number
}

/** Delay before the n-th repeated attempt (n from 0): doubling, capped, and jittered to between half and all of it. */
export function backoffDelay(attempt: number, options: BackoffOptions): number {
  const full = Math.min(options.maxMs, options.firstMs * 2 ** Math.min(attempt, 30))
  return full * (0.5 + options.random() / 2)
}

/** Sleeps; an abort ends it early without an error. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
  })
}
