/**
 * The ways between nodes on a Kubernetes of two: the default's tunnels, direct routes, routes by BGP, and tunnels again. On each of
 * them tenants, services and a policy hold; each change is made with kubectl under a ping every 10 ms. Prints what it saw.
 * `--keep` leaves the rig standing.
 * @module
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Ip, ip } from '../../src/network/model/address.ts'
import { until } from '../../src/playground/processes.ts'
import { ASSETS } from '../kube/control-plane.ts'
import { run } from '../lab/command.ts'
import { Cluster } from './cluster.ts'
import { acrossNodes, makeGuest, showWhatHolds, showWire } from './fabric/checks.ts'
import { showRouter } from './fabric/router.ts'
import { patchFabric, replaceAgents, showFabric, type Wanted } from './fabric/shown.ts'
import { inControl, nodeNamed, type Places, placesOf } from './places.ts'
import { waitFor } from './programs.ts'
import { podsAreBack, rebootNode } from './reboot.ts'
import { Report } from './report.ts'
import { missing } from './requirements.ts'
import { makeTenants, type TenantPod, tenantPods } from './tenants.ts'
import { startTraffic, type Traffic } from './traffic.ts'
import { versionsOf } from './versions.ts'
import { installByManifest, showAudits, type Weft } from './weft.ts'

/** A BIRD that is not wanted any more ends a while later. */
const PATIENCE = 40_000
/** In ms: what is lost late belongs to the change, too. */
const AFTERWARDS = 3000

/** Says what a BIRD leaves behind, or has. */
const OF_BIRD = [
  ['ss', '-Htln', 'sport', '=', ':179'],
  ['ip', '-4', 'route', 'show', 'table', 'all', 'proto', 'bird'],
  ['ip', '-6', 'route', 'show', 'table', 'all', 'proto', 'bird'],
] as const

const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false } } })
const reason = missing(ASSETS)
if (ASSETS === undefined || reason !== undefined) console.log(reason)
else process.exitCode = await main(placesOf(join(tmpdir(), 'weft-cluster-fabrics'), ASSETS))

/** A rig with Weft and pods on it. */
interface Stage {
  readonly rig: Cluster
  readonly weft: Weft
  readonly pods: readonly TenantPod[]
  readonly report: Report
}

async function main(places: Places): Promise<number> {
  const report = new Report()
  for (const line of await versionsOf(places.assets)) console.log(line)
  const rig = new Cluster(places)
  await rig.down()
  try {
    await Cluster.up(places, (line) => console.log(`· ${line}`))
    const weft = await installByManifest(rig)
    const stage = { rig, weft, pods: await makeTenants(rig), report }
    await makeGuest(rig)
    report.section('As it is installed: tunnels')
    await showFabric(rig, 'tunnel', report)
    await showAll(stage, 'tunnel')
    await showChange(stage, 'direct')
    await showChange(stage, 'bgp')
    await showBird(stage, true)
    await showRouter(rig, report)
    await showReplaced(stage)
    const again = await showReboot(stage)
    await showChange(again, 'tunnel')
    await showBird(again, false)
  } finally {
    if (!values.keep) await rig.down()
  }
  return report.sumUp()
}

async function showChange(stage: Stage, wanted: Wanted): Promise<void> {
  const { rig, report } = stage
  report.section(`The fabric becomes ${wanted}, under traffic`)
  const traffic = await startAcross(stage)
  await patchFabric(rig, wanted, report)
  await showFabric(rig, wanted, report)
  await Bun.sleep(AFTERWARDS)
  await traffic.stop(report)
  await showAll(stage, wanted)
}

async function showAll({ rig, weft, pods, report }: Stage, wanted: Wanted): Promise<void> {
  await showWire(rig, pods, wanted !== 'tunnel', report)
  await showWhatHolds(rig, pods, report)
  await showAudits(rig, weft, report)
}

/** A container's end is that of all in it: BIRD ends with its agent, and the next one recovers. */
async function showReplaced(stage: Stage): Promise<void> {
  const { rig, report } = stage
  report.section('Agents’ pods are replaced, and BIRD with them, under traffic')
  const traffic = await startAcross(stage)
  await replaceAgents(rig, report)
  await showFabric(rig, 'bgp', report)
  await Bun.sleep(AFTERWARDS)
  await traffic.stop(report)
}

async function startAcross({ rig, pods }: Stage): Promise<Traffic> {
  const [from, to] = acrossNodes(rig, pods).map((pod) => ({
    ...pod,
    node: nodeNamed(rig.places, pod.node),
    ips: pod.ips.map(ip),
  }))
  if (from === undefined || to === undefined) throw new Error('there is no way across nodes')
  return startTraffic(rig.places, from, to, await serviceOf(rig, from.namespace))
}

async function serviceOf(rig: Cluster, namespace: string): Promise<Ip> {
  return ip(await rig.ask('get', 'service', 'web', '-n', namespace, '-o', 'jsonpath={.spec.clusterIP}'))
}

/** A node that comes back has nothing in its memory of what others told it. */
async function showReboot(stage: Stage): Promise<Stage> {
  const { rig, report } = stage
  const node = rig.node(2)
  report.section(`${node.name} loses its power and comes back`)
  const start = performance.now()
  await rebootNode(rig, node)
  await podsAreBack(rig, node)
  report.check(true, `its pods run again after ${((performance.now() - start) / 1000).toFixed(1)} s`)
  // Its bridge has another MAC address than before: the host outside has to notice that, in each family.
  for (const address of node.addresses) {
    const ping = [...inControl(rig.places), 'ping', '-c', '1', '-W', '1', address]
    await waitFor(`${address} is reached from outside`, async () => (await run(ping)).code === 0)
  }
  const again = { ...stage, pods: await tenantPods(rig) }
  await showFabric(rig, 'bgp', report)
  await showAll(again, 'bgp')
  return again
}

/** Every node has a BIRD that listens and routes of its, or neither. */
async function showBird({ rig, report }: Stage, isThere: boolean): Promise<void> {
  for (const node of rig.places.nodes) {
    const said = (): Promise<readonly string[]> =>
      Promise.all(OF_BIRD.map(async (argv) => (await rig.onNode(node, argv)).stdout.trim()))
    const holds = await until(async () => (await said()).every((one) => (one !== '') === isThere), PATIENCE)
    const what = isThere ? 'BIRD listens, with routes of its' : 'nobody listens on BGP’s port, and no route is BIRD’s'
    report.check(holds, `${node.name}: ${what}`)
    if (isThere || !holds) report.note((await said()).join('\n'))
  }
}
