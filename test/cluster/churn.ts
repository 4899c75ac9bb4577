/**
 * Pods that come and go without an API server. Kubelets make a sandbox anew that has died, and of themselves the pods
 * whose manifests lie in a folder of the node.
 * @module
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Cidr, contains, ip } from '../../src/network/model/address.ts'
import { until } from '../../src/playground/processes.ts'
import type { Cluster } from './cluster.ts'
import { STATIC_PODS } from './kubelet.ts'
import { hostPath } from './node-host.ts'
import { pod } from './objects.ts'
import type { NodePlace } from './places.ts'
import type { Report } from './report.ts'
import { addressInPod, inPod, type PodPlace, sandboxPid } from './sandboxes.ts'

const PATIENCE = 30_000

/** What churn needs to know. */
export interface ChurnOptions {
  /** Pods whose sandboxes are killed again and again. */
  readonly restless: readonly PodPlace[]
  /** Who pings each new address. */
  readonly from: PodPlace
  /** Each node's range of addresses. */
  readonly ranges: ReadonlyMap<string, Cidr>
  /** Whether pods are made from manifests too: a kubelet waits with those while its API server hangs. */
  readonly fresh: boolean
}

/** Churn on every node until it is stopped. */
export interface Churn {
  stop(report: Report): Promise<void>
}

interface Tally {
  readonly what: string
  readonly node: NodePlace
  readonly addresses: string[]
  readonly problems: string[]
}

/** Begins it. */
export function startChurn(rig: Cluster, options: ChurnOptions): Churn {
  const state = { stopped: false }
  const again = async (
    what: string,
    node: NodePlace,
    once: (tally: Tally, round: number) => Promise<void>,
  ): Promise<Tally> => {
    const tally: Tally = { what, node, addresses: [], problems: [] }
    for (let round = 1; !state.stopped; round += 1) await once(tally, round)
    return tally
  }
  const { restless, fresh } = options
  const works = [
    ...restless.map((place) => again('sandboxes made anew', place.node, (tally) => remake(rig, place, options, tally))),
    ...(fresh ? rig.places.nodes : []).map((node) =>
      again('new pods', node, (tally, round) => live(rig, round, options, tally)),
    ),
  ]
  return {
    stop: async (report) => {
      state.stopped = true
      for (const { what, node, addresses, problems } of await Promise.all(works)) {
        const unique = new Set(addresses).size === addresses.length
        const shown = `${addresses[0]} … ${addresses.at(-1)}, in the node’s range, each of them reached`
        report.check(
          unique && problems.length === 0 && addresses.length > 0,
          `${node.name}: ${addresses.length} ${what}: ${shown}`,
        )
        for (const problem of problems) report.note(problem)
      }
    },
  }
}

/** Kills a pod's sandbox and waits for the next one. */
async function remake(rig: Cluster, place: PodPlace, options: ChurnOptions, tally: Tally): Promise<void> {
  const before = await sandboxPid(rig.places, place)
  if (before !== undefined) process.kill(before, 'SIGKILL')
  await reached(rig, place, options, tally, before)
}

/** A pod of the node's own, from its manifest to its end. Names are not used twice: kubelets wait for the end of the first. */
async function live(rig: Cluster, round: number, options: ChurnOptions, tally: Tally): Promise<void> {
  const { node } = tally
  const { namespace } = options.from
  const name = `fresh-${round}`
  // The kubelet adds the node's name to that of a pod that has no other origin.
  const place = { node, namespace, name: `${name}-${node.name}` }
  const file = hostPath(node, join(STATIC_PODS, `${name}.json`))
  writeFileSync(file, JSON.stringify(pod({ name, namespace })))
  try {
    await reached(rig, place, options, tally)
  } finally {
    rmSync(file, { force: true })
    const gone = await until(async () => (await sandboxPid(rig.places, place)) === undefined, PATIENCE)
    if (!gone) tally.problems.push(`${place.name} was still there after ${PATIENCE / 1000} s`)
  }
}

/** Waits for a pod's (next) sandbox and pings it. */
async function reached(
  rig: Cluster,
  place: PodPlace,
  { from, ranges }: ChurnOptions,
  { addresses, problems }: Tally,
  before?: number,
): Promise<void> {
  const { places } = rig
  let address: string | undefined
  await until(async () => {
    const pid = await sandboxPid(places, place)
    if (pid === undefined || pid === before) return false
    address = await addressInPod(places, place).catch(() => undefined)
    return address !== undefined
  }, PATIENCE)
  if (address === undefined) {
    problems.push(`${place.name} had no address after ${PATIENCE / 1000} s`)
    return
  }
  addresses.push(address)
  const range = ranges.get(place.node.name)
  if (range === undefined || !contains(range, ip(address)))
    problems.push(`${address} is not in the range ${range} of ${place.node.name}`)
  const { code } = await inPod(places, from, ['ping', '-c', '3', '-i', '0.2', '-W', '1', '-q', address])
  if (code !== 0) problems.push(`${place.name} (${address}) was not reached from ${from.name}`)
}
