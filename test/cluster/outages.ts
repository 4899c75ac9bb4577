/**
 * API server and etcd, each stopped for a minute (SIGSTOP) and each killed for a minute (SIGKILL), while pods talk and
 * other pods come and go. Prints what kept working and how the cluster caught up. `--seconds` makes the outages
 * shorter, `--by-hand` installs without the manifest, `--keep` leaves the rig standing.
 * @module
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ip } from '../../src/network/model/address.ts'
import { findProcesses } from '../../src/playground/processes.ts'
import { ASSETS } from '../kube/control-plane.ts'
import { countCalls } from './api-log.ts'
import { installByHand } from './by-hand.ts'
import { remakeSandbox, startChurn } from './churn.ts'
import { Cluster } from './cluster.ts'
import { type ControlPart, startControlPart } from './control-plane.ts'
import { pod } from './objects.ts'
import { type Places, placesOf } from './places.ts'
import { waitFor } from './programs.ts'
import { Report } from './report.ts'
import { missing } from './requirements.ts'
import type { PodPlace } from './sandboxes.ts'
import { makeTenants, type TenantPod } from './tenants.ts'
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
    for (const outage of OUTAGES) await show(rig, { weft, pods, restless, outage, report })
  } finally {
    if (!values.keep) await rig.down()
  }
  return report.sumUp()
}

interface Standing {
  readonly weft: Weft
  readonly pods: readonly TenantPod[]
  readonly restless: PodPlace
  readonly outage: Outage
  readonly report: Report
}

async function show(rig: Cluster, { weft, pods, restless, outage, report }: Standing): Promise<void> {
  const { places } = rig
  const seconds = Number(values.seconds)
  const [from, to] = [standing(rig, pods, 1), standing(rig, pods, 2)]
  const service = await rig.ask('get', 'service', 'web', '-n', TENANT, '-o', 'jsonpath={.spec.clusterIP}')
  report.section(`${outage.part} is ${outage.how} for ${seconds} s`)
  const traffic = await startTraffic(places, from, to, ip(service))
  takeAway(places, outage)
  const end = performance.now() + seconds * 1000
  const silent = (await rig.kubectl(['get', 'nodes', '--request-timeout=3s'])).code !== 0
  report.check(silent, 'kubectl gets no answer')
  const churn = startChurn(rig, TENANT, to)
  const remade = await remakeSandbox(rig, restless)
  report.check(remade !== undefined, `a sandbox that died was made anew: ${restless.name} has ${remade}`)
  await Bun.sleep(Math.max(0, end - performance.now()))
  await churn.stop(report)
  await traffic.stop(report)
  await catchUp(rig, { weft, pods, restless, outage, report })
}

/** Gives the part back, and looks how everybody comes to know of what happened meanwhile. */
async function catchUp(rig: Cluster, { weft, outage, report }: Standing): Promise<void> {
  const { places } = rig
  const start = performance.now()
  const since = new Date()
  const elapsed = (): string => `${((performance.now() - start) / 1000).toFixed(1)} s`
  await giveBack(places, outage)
  await waitFor(
    'the API answers',
    async () => (await rig.kubectl(['get', '--raw', '/readyz', '--request-timeout=2s'])).code === 0,
  )
  report.check(true, `the API answers again after ${elapsed()}`)
  const name = `after-${outage.part.replace('kube-', '')}-${outage.how}`
  await waitFor('a pod can be made', async () => {
    try {
      await rig.apply(pod({ name, namespace: TENANT }))
      return true
    } catch {
      return false
    }
  })
  await rig.ask('-n', TENANT, 'wait', `pod/${name}`, '--for=condition=Ready', '--timeout=120s')
  report.check(true, `a pod made through the API runs after ${elapsed()}`)
  await waitFor('every node is ready', async () => (await rig.readyNodes()).length === places.nodes.length)
  report.check(true, `every node is Ready after ${elapsed()}`)
  for (const node of places.nodes) {
    const audit = await weft.audit(node.name)
    report.succeeded(audit, `weft audit on ${node.name}: ${lastLine(audit.stdout)}`)
  }
  const calls = await countCalls(places, since, 10_000)
  report.note(`requests of Weft in the first ten seconds: ${calls.total}; most in one second: ${calls.peak}`)
  await rig.ask('-n', TENANT, 'delete', 'pod', name, '--wait=true')
}

/** The pod whose sandbox is killed. */
async function makeRestless(rig: Cluster): Promise<PodPlace> {
  const node = rig.node(1)
  await rig.apply(pod({ name: 'restless', namespace: TENANT, node: node.name }))
  await rig.ask('-n', TENANT, 'wait', 'pod/restless', '--for=condition=Ready', '--timeout=90s')
  return { node, namespace: TENANT, name: 'restless' }
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

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? ''
}
