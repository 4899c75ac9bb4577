/**
 * How daemons end.
 * @module
 */
import { EXIT } from './exit-codes.ts'

/** Aborts at the first SIGTERM or SIGINT; a second one ends the program at once. */
export function endSignal(): AbortSignal {
  const ending = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (ending.signal.aborted) process.exit(name === 'SIGINT' ? EXIT.interrupted : EXIT.terminated)
      ending.abort()
    })
  }
  return ending.signal
}
