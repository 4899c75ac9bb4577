/**
 * Pods that come and go without an API server: kubelets make the pods whose manifests lie in a folder of the node, and
 * make a sandbox anew that has died.
 * @module
 */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../../src/playground/processes.ts'
import type { Cluster } from './cluster.ts'
import { STATIC_PODS } from './kubelet.ts'
import { hostPath } from './node-host.ts'
import { pod } from './objects.ts'
import type { NodePlace } from './places.ts'
import type { Report } from './report.ts'
import { addressInPod, inPod, type PodPlace, sandboxPid } from './sandboxes.ts'

const PATIENCE = 30_000

/** What came of the churn on one node. */
interface Tally {
  readonly made: string[]
  readonly problems: string[]
}

/** Churn on every node until it is stopped. */
export interface Churn {
  stop(report: Report): Promise<void>
}

/** Begins to make and remove pods of a namespace on every node; `from` pings each of them. */
export function startChurn(rig: Cluster, namespace: string, from: PodPlace): Churn {
  const state = { stopped: false }
  const works = rig.places.nodes.map(async (node): Promise<readonly [NodePlace, Tally]> => {
    const tally: Tally = { made: [], problems: [] }
    for (let round = 1; !state.stopped; round += 1) await oneLife(rig, { node, namespace, round, from, tally })
    return [node, tally]
  })
  return {
    stop: async (report) => {
      state.stopped = true
      for (const [node, { made, problems }] of await Promise.all(works)) {
        const ranges = made.length > 0 && problems.length === 0
        report.check(ranges, `${node.name}: ${made.length} pods made, reached and removed: ${made[0]} … ${made.at(-1)}`)
        for (const problem of problems) report.note(problem)
      }
    },
  }
}

/** Kills a standing pod's sandbox and waits until its kubelet has made it anew. Returns the new address. */
export async function remakeSandbox(rig: Cluster, place: PodPlace): Promise<string | undefined> {
  const before = await sandboxPid(rig.places, place)
  if (before !== undefined) process.kill(before, 'SIGKILL')
  let address: string | undefined
  await until(async () => {
    const pid = await sandboxPid(rig.places, place)
    if (pid === undefined || pid === before) return false
    address = await addressInPod(rig.places, place)
    return address !== undefined
  }, PATIENCE)
  return address
}

interface Life {
  readonly node: NodePlace
  readonly namespace: string
  readonly round: number
  readonly from: PodPlace
  readonly tally: Tally
}

async function oneLife(rig: Cluster, { node, namespace, round, from, tally }: Life): Promise<void> {
  const { places } = rig
  const name = `churn-${round}`
  // The kubelet adds the node's name to that of a pod that has no other origin.
  const place = { node, namespace, name: `${name}-${node.name}` }
  const file = hostPath(node, join(STATIC_PODS, `${name}.json`))
  writeFileSync(file, JSON.stringify(pod({ name, namespace })))
  try {
    let address: string | undefined
    const up = await until(async () => {
      address = await addressInPod(places, place).catch(() => undefined)
      return address !== undefined
    }, PATIENCE)
    if (!up || address === undefined) {
      tally.problems.push(`${place.name} had no address after ${PATIENCE / 1000} s`)
      return
    }
    tally.made.push(address)
    const { code } = await inPod(places, from, ['ping', '-c', '3', '-i', '0.2', '-W', '1', '-q', address])
    if (code !== 0) tally.problems.push(`${place.name} (${address}) was not reached from ${from.name}`)
  } finally {
    rmSync(file, { force: true })
    const gone = await until(async () => (await sandboxPid(places, place)) === undefined, PATIENCE)
    if (!gone) tally.problems.push(`${place.name} was still there after ${PATIENCE / 1000} s`)
  }
}
