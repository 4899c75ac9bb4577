/**
 * API server and etcd, each stopped for a minute (SIGSTOP) and each killed for a minute (SIGKILL), while pods talk and
 * other pods come and go. Prints what kept working and how the cluster caught up. `--seconds` makes the outages
 * shorter, `--only etcd-killed` leaves the others out, `--by-hand` installs without the manifest, `--keep` leaves the rig
 * standing.
 * @module
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Cidr, cidr, ip } from '../../src/network/model/address.ts'
import { findProcesses } from '../../src/playground/processes.ts'
import { ASSETS } from '../kube/control-plane.ts'
import { installByHand } from './by-hand.ts'
import { showCatchUp } from './catch-up.ts'
import { startChurn } from './churn.ts'
import { Cluster } from './cluster.ts'
import { type ControlPart, startControlPart } from './control-plane.ts'
import { pod } from './objects.ts'
import { type Places, placesOf } from './places.ts'
import { waitFor } from './programs.ts'
import { Report } from './report.ts'
import { missing } from './requirements.ts'
import type { PodPlace } from './sandboxes.ts'
import { makeTenants, readyEndpoints, type TenantPod } from './tenants.ts'
import { type StandingPod, startTraffic } from './traffic.ts'
import { versionsOf } from './versions.ts'
import { installByManifest, type Weft } from './weft.ts'

const TENANT = 'shop'

/** A part of the control plane, and how it is taken away and given back. */
interface Outage {
  readonly part: ControlPart
  readonly how: 'stopped' | 'killed'
}

const OUTAGES: readonly Outage[] = [
  { part: 'kube-apiserver', how: 'stopped' },
  { part: 'kube-apiserver', how: 'killed' },
  { part: 'etcd', how: 'stopped' },
  { part: 'etcd', how: 'killed' },
]

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    only: { type: 'string' },
    'by-hand': { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
})
const reason = missing(ASSETS)
if (ASSETS === undefined || reason !== undefined) console.log(reason)
else process.exitCode = await main(placesOf(join(tmpdir(), 'weft-cluster-outages'), ASSETS))

async function main(places: Places): Promise<number> {
  const report = new Report()
  for (const line of await versionsOf(places.assets)) console.log(line)
  const rig = new Cluster(places)
  await rig.down()
  try {
    await Cluster.up(places, (line) => console.log(`· ${line}`))
    const weft = await (values['by-hand'] ? installByHand : installByManifest)(rig)
    const pods = await makeTenants(rig)
    const restless = await makeRestless(rig)
    const ranges = await rangesOf(rig)
    for (const outage of OUTAGES.filter(isWanted)) await show(rig, { weft, pods, restless, ranges, outage, report })
  } finally {
    if (!values.keep) await rig.down()
  }
  return report.sumUp()
}

/** `--only etcd-killed` */
function isWanted({ part, how }: Outage): boolean {
  return values.only === undefined || values.only === `${part}-${how}`
}

interface Scene {
  readonly weft: Weft
  readonly pods: readonly TenantPod[]
  readonly restless: readonly PodPlace[]
  readonly ranges: ReadonlyMap<string, Cidr>
  readonly outage: Outage
  readonly report: Report
}

async function show(rig: Cluster, { weft, pods, restless, ranges, outage, report }: Scene): Promise<void> {
  const { places } = rig
  const seconds = Number(values.seconds)
  const [from, to] = [standing(rig, pods, 1), standing(rig, pods, 2)]
  const service = await rig.ask('get', 'service', 'web', '-n', TENANT, '-o', 'jsonpath={.spec.clusterIP}')
  // Nodes that were not heard of for a while are not Ready when the API is back, and their pods serve nobody for a moment.
  const all = places.nodes.length * to.ips.length
  await waitFor('the endpoints are ready', async () => (await readyEndpoints(rig, TENANT)) === all)
  report.section(`${outage.part} is ${outage.how} for ${seconds} s`)
  const traffic = await startTraffic(places, from, to, ip(service))
  const end = performance.now() + seconds * 1000
  takeAway(places, outage)
  const silent = (await rig.kubectl(['get', 'nodes', '--request-timeout=3s'])).code !== 0
  report.check(silent, 'kubectl gets no answer')
  const fresh = outage.part === 'kube-apiserver' && outage.how === 'killed'
  const churn = startChurn(rig, { restless, from: to, ranges, fresh })
  await Bun.sleep(Math.max(0, end - performance.now()))
  await churn.stop(report)
  await traffic.stop(report)
  const label = `${outage.part.replace('kube-', '')}-${outage.how}`
  await showCatchUp(rig, { weft, from, to, label, report }, () => giveBack(places, outage))
}

/** Pods whose sandboxes are killed, one on each node. */
async function makeRestless(rig: Cluster): Promise<readonly PodPlace[]> {
  const places = rig.places.nodes.map((node) => ({ node, namespace: TENANT, name: `restless-${node.name}` }))
  await rig.apply(...places.map(({ node, namespace, name }) => pod({ name, namespace, node: node.name })))
  for (const { name } of places)
    await rig.ask('-n', TENANT, 'wait', `pod/${name}`, '--for=condition=Ready', '--timeout=90s')
  return places
}

/** Each node's range of IPv4 addresses. */
async function rangesOf(rig: Cluster): Promise<ReadonlyMap<string, Cidr>> {
  const { items } = await rig.get<{ readonly items: readonly { readonly host: string; readonly subnet: string }[] }>(
    'hostsubnets',
  )
  return new Map(items.map(({ host, subnet }) => [host, cidr(subnet)]))
}

function standing(rig: Cluster, pods: readonly TenantPod[], index: number): StandingPod {
  const node = rig.node(index)
  const found = pods.find((one) => one.namespace === TENANT && one.node === node.name)
  if (found === undefined) throw new Error(`there is no pod of ${TENANT} on ${node.name}`)
  return { node, namespace: found.namespace, name: found.name, ips: found.ips.map(ip) }
}

function takeAway({ layout }: Places, { part, how }: Outage): void {
  const pid = findProcesses(layout.runDir).find(({ role }) => role === part)?.pid
  if (pid === undefined) throw new Error(`${part} does not run`)
  process.kill(pid, how === 'stopped' ? 'SIGSTOP' : 'SIGKILL')
}

async function giveBack(places: Places, { part, how }: Outage): Promise<void> {
  const pid = findProcesses(places.layout.runDir).find(({ role }) => role === part)?.pid
  if (how === 'stopped' && pid !== undefined) process.kill(pid, 'SIGCONT')
  else await startControlPart(places, part)
}
