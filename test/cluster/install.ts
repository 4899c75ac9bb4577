/**
 * Weft on a Kubernetes of two nodes by its manifest: from NotReady to Ready, tenants across nodes, services, a deployment
 * to sixty replicas and back, the agents' image replaced under a steady ping, a node that loses its power, and everything
 * removed. Prints what it saw. `--keep` leaves the rig standing, `--replicas` says how many, `--kube-proxy` has one on
 * every node.
 * @module
 */
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ASSETS } from '../kube/control-plane.ts'
import { Cluster } from './cluster.ts'
import { hostPath } from './node-host.ts'
import { type Places, placesOf } from './places.ts'
import { waitFor } from './programs.ts'
import { podsAreBack, rebootNode } from './reboot.ts'
import { Report } from './report.ts'
import { missing } from './requirements.ts'
import { showScaling } from './scaling.ts'
import { showServices } from './service-calls.ts'
import { drawTable, makeTenants, pingTable, type TenantPod, tenantPods } from './tenants.ts'
import { showUninstall } from './uninstall.ts'
import { showUpgrade } from './upgrade.ts'
import { versionsOf } from './versions.ts'
import { installed, loadImage, type Manifest, readManifest, showAudits, type Weft, writeManifest } from './weft.ts'

const { values } = parseArgs({
  options: {
    'kube-proxy': { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    replicas: { type: 'string', default: '60' },
  },
})
const reason = missing(ASSETS)
if (ASSETS === undefined || reason !== undefined) console.log(reason)
else process.exitCode = await main(placesOf(join(tmpdir(), 'weft-cluster-install'), ASSETS))

async function main(places: Places): Promise<number> {
  const report = new Report()
  for (const line of await versionsOf(places.assets)) console.log(line)
  const rig = new Cluster(places)
  await rig.down()
  try {
    await Cluster.up(places, (line) => console.log(`· ${line}`), { kubeProxy: values['kube-proxy'] })
    const manifest = readManifest(writeManifest(places))
    await showInstallation(rig, manifest, report)
    const weft = installed(rig)
    const pods = await makeTenants(rig)
    await showTenants(rig, pods, report)
    await showServices(rig, pods, report)
    await showScaling(rig, { weft, replicas: Number(values.replicas), report })
    await showUpgrade(rig, { weft, manifest, pods, report })
    await showReboot(rig, weft, report)
    await showUninstall(rig, manifest, report)
  } finally {
    if (!values.keep) await rig.down()
  }
  return report.sumUp()
}

async function showInstallation(rig: Cluster, manifest: Manifest, report: Report): Promise<void> {
  const { nodes } = rig.places
  report.section('From NotReady to Ready')
  report.note(await rig.ask('get', 'nodes'))
  report.check((await rig.readyNodes()).length === 0, 'no node is Ready')
  await loadImage(rig, manifest.image)
  report.note(`${manifest.image} is loaded on every node`)
  const start = performance.now()
  report.note(`kubectl apply -f ${manifest.path}`)
  await rig.ask('apply', '-f', manifest.path)
  const early = nodes.filter((node) => readdirSync(hostPath(node, '/etc/cni/net.d')).length > 0)
  report.check(early.length === 0, 'there is no CNI configuration yet')
  await waitFor('every node is ready', async () => (await rig.readyNodes()).length === nodes.length, {
    explain: () => rig.ask('get', 'pods,events', '-A'),
  })
  report.check(true, `every node is Ready after ${((performance.now() - start) / 1000).toFixed(1)} s`)
  const { namespace, daemonSet, deployment } = manifest
  for (const what of [`daemonset/${daemonSet}`, `deployment/${deployment}`]) {
    report.succeeded(
      await rig.kubectl(['-n', namespace, 'rollout', 'status', what, '--timeout=90s']),
      `${what} is available`,
    )
  }
  for (const node of nodes)
    report.note(`${node.name}: ${readdirSync(hostPath(node, '/etc/cni/net.d')).join(', ')} in /etc/cni/net.d`)
  report.note(await rig.ask('get', 'nodes,pods', '-A', '-o', 'wide'))
}

async function showReboot(rig: Cluster, weft: Weft, report: Report): Promise<void> {
  const node = rig.node(2)
  report.section(`${node.name} loses its power and comes back`)
  const start = performance.now()
  await rebootNode(rig, node)
  await podsAreBack(rig, node)
  report.check(true, `its pods run again after ${((performance.now() - start) / 1000).toFixed(1)} s`)
  await showTable(rig, await tenantPods(rig), report)
  await showAudits(rig, weft, report)
}

async function showTenants(rig: Cluster, pods: readonly TenantPod[], report: Report): Promise<void> {
  report.section('Tenants across nodes: kubectl exec … ping, both families')
  await showTable(rig, pods, report)
}

async function showTable(rig: Cluster, pods: readonly TenantPod[], report: Report): Promise<void> {
  const { lines, wrong } = drawTable(pods, await pingTable(rig, pods))
  report.note(lines.join('\n'))
  report.check(wrong === 0, `${pods.length * pods.length} pairs, ${wrong} of them not as expected`)
}
