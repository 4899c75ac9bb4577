/**
 * Work of the server's own controllers: one thing at a time, while everybody else gets a turn.
 * @module
 */
import { WorkQueue } from '../../../kube/queue.ts'
import type { Context } from '../context.ts'

/** Told of what failed; it is tried again. */
export type Log = (message: string, error: unknown) => void

/** Milliseconds of work before everybody else gets a turn. */
const TURN = 5

/** A queue that works until the server stops. */
export function oneByOne({ stopping }: Context, log: Log, work: (key: string) => Promise<void>): WorkQueue {
  let since = performance.now()
  return new WorkQueue({
    signal: stopping,
    concurrency: 1,
    backoff: { first: 1000, most: 1000 },
    onError: (_key, error) => log('a controller failed', error),
    work: async (key) => {
      // What is added within a call that writes is done after it.
      await Promise.resolve()
      if (performance.now() - since > TURN) {
        await new Promise((resolve) => setImmediate(resolve))
        since = performance.now()
      }
      await work(key)
      return undefined
    },
  })
}
