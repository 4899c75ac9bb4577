/**
 * What one event costs the planner, whatever the size of the cluster: a pod that comes, and a tenant that joins another.
 * @module
 */
import { diffFragments } from '../../src/network/diff.ts'
import { median, type Result } from '../result.ts'
import { sampleEndpoint, samplePlan } from '../rig/plan.ts'

const ROUNDS = 400

/** Flows recomputed and microseconds of one pod event with few and many pods, and of one join. */
export function measurePlanCost(quick: boolean): readonly Result[] {
  const sizes = quick ? [10, 1000] : [10, 100, 1000, 10_000]
  const events = sizes.map((pods) => ({ pods, ...podEvent(pods) }))
  const [least] = events
  const results: Result[] = events.map(({ pods, flows, us }) => ({
    what: `one pod event, ${pods.toLocaleString('en')} pods: plan`,
    unit: 'µs',
    ours: us,
    ...(least === undefined || pods === least.pods
      ? {}
      : { peer: least.us, peerName: `with ${least.pods} pods`, target: { of: 'ratio', atMost: 2 } as const }),
    note: `${flows} flows recomputed`,
  }))
  const joins = [1, 10, 100].map((pods): Result => {
    const { flows, us } = join(pods)
    return { what: `a tenant of ${pods} local pods joins another: plan`, unit: 'µs', ours: us, note: `${flows} flows` }
  })
  return [...results, ...joins]
}

function podEvent(pods: number): { readonly flows: number; readonly us: number } {
  const planner = samplePlan(pods)
  let flows = 0
  const samples = Array.from({ length: ROUNDS }, (_, round) => {
    const endpoint = sampleEndpoint(pods + round, 'tenant-0')
    const started = performance.now()
    planner.putEndpoint(endpoint)
    flows = diffFragments(planner.take()).write.length
    const us = (performance.now() - started) * 1000
    planner.removeEndpoint(endpoint.id)
    planner.take()
    return us
  })
  return { flows, us: median(samples.slice(ROUNDS / 2)) }
}

function join(pods: number): { readonly flows: number; readonly us: number } {
  const planner = samplePlan(1000)
  planner.putTenant('joining', 5000)
  for (let n = 0; n < pods; n += 1) planner.putEndpoint(sampleEndpoint(2000 + n, 'joining'))
  planner.take()
  let flows = 0
  const samples = Array.from({ length: ROUNDS / 4 }, (_, round) => {
    const started = performance.now()
    planner.putTenant('joining', round % 2 === 0 ? 10 : 5000)
    const { write, remove } = diffFragments(planner.take())
    flows = write.length + remove.length
    return (performance.now() - started) * 1000
  })
  return { flows, us: median(samples) }
}
