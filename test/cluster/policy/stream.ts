/**
 * Standing streams, and a policy that forbids them.
 * @module
 */

import { closeFd } from '../../../src/linux/socket.ts'
import type { Pod } from '../../../src/network/model/pod.ts'
import type { Policy } from '../../../src/network/model/policy.ts'
import { until } from '../../../src/playground/processes.ts'
import { openStream } from '../../lab/stream.ts'
import { labelled, networkPolicy } from '../../tables/policy/objects.ts'
import type { Cluster } from '../cluster.ts'
import { nodeNamed } from '../places.ts'
import type { Report } from '../report.ts'
import { podNetns } from '../sandboxes.ts'
import { readWorld, resourceName } from './api-world.ts'
import { policyObject } from './steering.ts'

const PORT = 9191
/** A stream that is silent for so long is cut. */
const SILENCE = 3000
const LATEST = 1000

/** Shows that both ends' policies cut a stream within a second, and that it goes on when they are gone. */
export async function showStreams(rig: Cluster, report: Report): Promise<void> {
  report.section('A standing TCP stream')
  const { pods } = await readWorld(rig)
  const find = (namespace: string, name: string): Pod => {
    const pod = pods.find((one) => one.namespace === namespace && one.name === name)
    if (pod === undefined) throw new Error(`there is no ${namespace}/${name}`)
    return pod
  }
  const from = find('x', 'a')
  for (const to of [find('y', 'a'), find('y', 'b')]) {
    const out = networkPolicy('x', 'cut-out', labelled({ pod: from.name }), { egress: [] })
    const into = networkPolicy('y', 'cut-in', labelled({ pod: to.name }), { ingress: [] })
    for (const policy of [into, out]) await showCut(rig, report, { from, to, policy })
  }
}

interface Cut {
  readonly from: Pod
  readonly to: Pod
  readonly policy: Policy
}

async function showCut(rig: Cluster, report: Report, { from, to, policy }: Cut): Promise<void> {
  const where = from.node === to.node ? `both on ${to.node}` : `${from.node} → ${to.node}`
  const [source, target] = await Promise.all([netnsOf(rig, from), netnsOf(rig, to)])
  const [address] = to.addresses
  if (address === undefined) throw new Error(`${to.name} has no address`)
  const stream = await openStream('tcp', { fd: source }, { fd: target, address, port: PORT })
  try {
    await rig.apply(policyObject(policy))
    const applied = performance.now()
    await until(() => performance.now() - Math.max(stream.lastArrival(), applied) > SILENCE, 4 * SILENCE)
    const after = stream.lastArrival() - applied
    const isCut = performance.now() - stream.lastArrival() > SILENCE
    const line = `${policy.namespace}/${policy.name} (${where}): the last byte ${after.toFixed(0)} ms after kubectl’s end`
    report.check(isCut && after < LATEST, line)
    const bytes = stream.bytes()
    await rig.ask('delete', resourceName(policy.kind), policy.name, '-n', policy.namespace ?? '')
    const deleted = performance.now()
    const goesOn = await until(() => stream.bytes() > bytes, 30_000)
    const seconds = ((performance.now() - deleted) / 1000).toFixed(1)
    report.check(goesOn, `without it the stream goes on, ${seconds} s later (TCP waits longer and longer)`)
  } finally {
    stream.close()
    for (const fd of [source, target]) closeFd(fd)
  }
}

function netnsOf(rig: Cluster, { namespace, name, node }: Pod): Promise<number> {
  return podNetns(rig.places, { node: nodeNamed(rig.places, node), namespace, name })
}
