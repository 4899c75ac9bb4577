/**
 * Weft is taken off a cluster, and what is left of it.
 * @module
 */
import { join } from 'node:path'
import type { Cluster } from './cluster.ts'
import { traces } from './inventory.ts'
import { waitFor } from './programs.ts'
import type { Report } from './report.ts'
import type { Manifest } from './weft.ts'

const REMOVE = join(import.meta.dir, '../../deploy/weft-remove.yaml')

const KINDS =
  'clusterrole,clusterrolebinding,role,rolebinding,validatingadmissionpolicy,validatingadmissionpolicybinding,namespace'

/** Removes pods, then Weft from the nodes, then its objects. */
export async function showUninstall(rig: Cluster, manifest: Manifest, report: Report): Promise<void> {
  const { namespace, daemonSet, path } = manifest
  report.section('Everything is removed')
  await rig.ask('delete', 'namespace', 'shop', 'bank', '--wait=true')
  report.note(`kubectl apply -f ${REMOVE}`)
  await rig.ask('apply', '-f', REMOVE)
  const rollout = ['-n', namespace, 'rollout', 'status', `daemonset/${daemonSet}`, '--timeout=120s']
  report.succeeded(await rig.kubectl(rollout, { timeout: 130_000 }), 'every node is clean, the removing pods say')
  report.note(`kubectl delete -f ${path}`)
  report.succeeded(
    await rig.kubectl(['delete', '-f', path, '--wait=true', '--timeout=120s'], { timeout: 130_000 }),
    'its objects are deleted',
  )
  for (const node of rig.places.nodes) {
    const left = await traces(rig, node)
    report.check(left.length === 0, `${node.name}: ${left.length} traces of Weft`)
    if (left.length > 0) report.note(left.join('\n'))
  }
  const crds = await rig.ask('get', 'crd', '-o', 'name')
  report.check(crds === '', `definitions that are left: ${crds === '' ? 'none' : crds.replaceAll('\n', ', ')}`)
  const objects = await rig.ask('get', KINDS, '-A', '-l', 'app.kubernetes.io/part-of=weft', '-o', 'name')
  report.check(objects === '', `objects that are left: ${objects === '' ? 'none' : objects.replaceAll('\n', ', ')}`)
  const leases = await rig.ask('-n', 'kube-system', 'get', 'leases', '-o', 'name')
  report.check(!leases.includes('weft'), 'no Lease of the controllers is left')
  await waitFor('no node is ready', async () => (await rig.readyNodes()).length === 0)
  report.check(true, 'nodes are NotReady again')
}
