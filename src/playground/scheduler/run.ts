/**
 * The scheduler: binds pods that wait to nodes.
 * @module
 */
import { NODES, PODS } from '../../kube/resources.ts'
import { Backoff, sleep } from '../../registry/backoff.ts'
import { Copies } from '../workloads/copies.ts'
import { type ControllerOptions, codeOf, report, teller } from '../workloads/run.ts'
import { scheduleRound } from './round.ts'

/**
 * Works until `signal` aborts; never rejects. An API that does not answer is asked again, ever less often. One such
 * process at a time: two would not know of each other's pods.
 */
export async function runScheduler({ api, signal, log, now = Date.now }: ControllerOptions): Promise<void> {
  const tell = teller(api, 'default-scheduler', now)
  let changed = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => changed.resolve(), { once: true })
  const copies = new Copies({
    api,
    resources: [NODES, PODS],
    signal,
    onChange: () => changed.resolve(),
    onError: (error, { plural }, retryIn) => log.warn({ code: codeOf(error), retryIn }, `${plural} cannot be read`),
  })
  await copies.synced()
  const backoff = new Backoff(Math.random)
  while (!signal.aborted) {
    changed = Promise.withResolvers()
    try {
      await scheduleRound(
        { api, tell, now, signal },
        { nodes: copies.everywhere(NODES), pods: copies.everywhere(PODS) },
      )
      backoff.reset()
      if (!signal.aborted) await changed.promise
    } catch (error) {
      const pause = backoff.next()
      if (!signal.aborted) report(log, error, 'a round of scheduling', pause)
      await sleep(pause, signal)
    }
  }
  await copies.done()
}
