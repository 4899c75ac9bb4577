/**
 * Another image for agents and controllers, while pods talk and others are created.
 * @module
 */
import { ip } from '../../src/network/model/address.ts'
import type { Cluster } from './cluster.ts'
import { deployment } from './objects.ts'
import type { Report } from './report.ts'
import type { TenantPod } from './tenants.ts'
import { startTraffic } from './traffic.ts'
import { loadImage, type Manifest, replaceImage, showAudits, type Weft } from './weft.ts'

/** So many pods are created while agents are replaced. */
const MEANWHILE = 10

interface Upgrade {
  readonly weft: Weft
  readonly manifest: Manifest
  readonly pods: readonly TenantPod[]
  readonly report: Report
}

/** Replaces the image under a steady ping in both families, a stream, calls of a service, and new pods. */
export async function showUpgrade(rig: Cluster, { weft, manifest, pods, report }: Upgrade): Promise<void> {
  const { namespace, daemonSet } = manifest
  report.section('The image of agents and controllers is replaced under traffic')
  const [from, to] = rig.places.nodes.map((node) => {
    const found = pods.find((one) => one.node === node.name)
    if (found === undefined) throw new Error(`there is no pod on ${node.name}`)
    return { ...found, node, ips: found.ips.map(ip) }
  })
  if (from === undefined || to === undefined) throw new Error('this takes two nodes')
  const service = await rig.ask('get', 'service', 'web', '-n', from.namespace, '-o', 'jsonpath={.spec.clusterIP}')
  const next = `${manifest.image}-next`
  await loadImage(rig, next)
  const traffic = await startTraffic(rig.places, from, to, ip(service))
  await replaceImage(rig, manifest, next)
  await rig.apply(deployment({ name: 'meanwhile', namespace: from.namespace }, MEANWHILE))
  for (const what of [`daemonset/${daemonSet}`, `deployment/${manifest.deployment}`]) {
    report.succeeded(
      await rig.kubectl(['-n', namespace, 'rollout', 'status', what, '--timeout=120s']),
      `${what} runs ${next}`,
    )
  }
  const meanwhile = ['-n', from.namespace, 'rollout', 'status', 'deployment/meanwhile', '--timeout=120s']
  report.succeeded(await rig.kubectl(meanwhile), `${MEANWHILE} pods that were created meanwhile run`)
  await Bun.sleep(3000)
  await traffic.stop(report)
  await showAudits(rig, weft, report)
}
