/**
 * Pods on the physical network on a Kubernetes of two nodes: the quick start of ovs-cni with Spiderpool, its objects as they
 * are written, with kubelets and containerd. Prints what it saw. `--keep` leaves the rig standing.
 * @module
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cidr } from '../../src/network/model/address.ts'
import { ASSETS } from '../kube/control-plane.ts'
import { output } from '../lab/command.ts'
import { Cluster } from './cluster.ts'
import { makeImage } from './image.ts'
import { type Places, placesOf } from './places.ts'
import { waitFor } from './programs.ts'
import { Report } from './report.ts'
import { missing } from './requirements.ts'
import { importImages } from './runtime.ts'
import { versionsOf } from './versions.ts'
import { installByManifest, showAudits } from './weft.ts'

const ROOT = join(import.meta.dir, '../..')
const SEED = join(ROOT, 'test/e2e/seeds/ovs-cni.yaml')
const PHYSICAL = cidr('172.18.0.0/16')

const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false } } })
const reason = missing(ASSETS)
if (ASSETS === undefined || reason !== undefined) console.log(reason)
else process.exitCode = await main(placesOf(join(tmpdir(), 'weft-cluster-underlay'), ASSETS))

interface PodObject {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> }
  readonly spec: { readonly nodeName: string }
  readonly status: { readonly phase: string; readonly podIP?: string }
}

async function main(places: Places): Promise<number> {
  const report = new Report()
  for (const line of await versionsOf(places.assets)) console.log(line)
  const rig = new Cluster(places)
  await rig.down()
  try {
    await Cluster.up(places, (line) => console.log(`· ${line}`), { physical: [PHYSICAL] })
    for (const group of ['multus', 'spiderpool']) await rig.ask('apply', '-k', join(ROOT, 'deploy/crds', group))
    await rig.ask('wait', '--for=condition=established', 'crd', '--all', '--timeout=30s')
    const weft = await installByManifest(rig, [])
    await loadNginx(rig)
    await showCoordinator(rig, report)
    await showSeed(rig, report)
    await showTraffic(rig, report)
    await showAgain(rig, report)
    await showRefusals(rig, report)
    await showGone(rig, report)
    await showAudits(rig, weft, report)
  } finally {
    if (!values.keep) await rig.down()
  }
  return report.sumUp()
}

/** An image of the name that the Deployment asks for; there is no registry to have the real one from. */
async function loadNginx({ places }: Cluster): Promise<void> {
  const archive = await makeImage(join(places.images, 'nginx.tar'), ['docker.io/library/nginx:latest'])
  for (const node of places.nodes) await importImages(places, node, archive)
}

async function showCoordinator(rig: Cluster, report: Report): Promise<void> {
  report.section('SpiderCoordinator')
  const ask = () => rig.ask('get', 'spidercoordinators.spiderpool.spidernet.io', 'default', '-o', 'yaml')
  await waitFor('the coordinator is Synced', async () => /phase: Synced/.test(await ask()))
  report.check(true, 'kubectl get spidercoordinators.spiderpool.spidernet.io default -o yaml')
  report.note(await ask())
}

async function showSeed(rig: Cluster, report: Report): Promise<void> {
  report.section('The quick start’s objects')
  report.note(await rig.ask('apply', '-f', SEED))
  const pods = await running(rig, 2)
  const addresses = pods.map(({ status }) => status.podIP).sort()
  report.check(addresses.join() === '172.18.30.131,172.18.30.132', `the pods have ${addresses.join(' and ')}`)
  report.check(new Set(pods.map(({ spec }) => spec.nodeName)).size === 2, 'on two nodes')
  report.note(await rig.ask('get', 'po', '-l', 'app=test-app', '-o', 'wide'))
  await waitFor('the pool counts', async () => / 2 +10 /.test(await rig.ask('get', 'spiderippool')))
  for (const args of [
    ['spiderippool'],
    ['sp', 'ippool-test'],
    ['spiderendpoints'],
    ['net-attach-def', '-n', 'kube-system'],
  ]) {
    report.note(`$ kubectl get ${args.join(' ')}\n${await rig.ask('get', ...args)}`)
  }
  const endpoints = await rig.ask('get', 'spiderendpoints')
  report.check(
    /eth0 +ippool-test +172\.18\.30\.131\/16/.test(endpoints),
    'spiderendpoints tell interface, pool and address',
  )
  const [pod] = await running(rig, 2)
  const status = pod?.metadata.annotations?.['k8s.v1.cni.cncf.io/network-status'] ?? ''
  report.check(/kube-system\/ovs-conf/.test(status), 'network-status is on the pod')
  report.note(status)
}

async function showTraffic(rig: Cluster, report: Report): Promise<void> {
  report.section('Traffic')
  const [one, other] = await running(rig, 2)
  if (one === undefined || other === undefined) return
  const targets = [
    ['the pod on the other node', other.status.podIP ?? ''],
    ['the gateway', '172.18.0.1'],
  ] as const
  for (const [what, target] of targets) {
    const command = ['exec', '-ti', one.metadata.name, '--', 'ping', target, '-c', '2']
    const { code, stdout } = await rig.kubectl(command)
    report.check(code === 0 && /0% packet loss/.test(stdout), `${what}: kubectl ${command.join(' ')}`)
    report.note(stdout)
  }
  const service = await rig.ask('get', 'service', 'kubernetes', '-o', 'jsonpath={.spec.clusterIP}')
  const { code, stdout, stderr } = await rig.kubectl([
    'exec',
    one.metadata.name,
    '--',
    'nc',
    '-w',
    '5',
    service,
    '443',
    '-e',
    'true',
  ])
  report.check(code === 0, `the service of the API server, ${service}:443 ${stdout}${stderr}`)
}

async function showAgain(rig: Cluster, report: Report): Promise<void> {
  report.section('Deleted and made again')
  const before = await running(rig, 2)
  await rig.ask('delete', 'pod', '-l', 'app=test-app', '--wait=true')
  const now = await running(rig, 2)
  report.check(
    now.every(({ metadata }) => !before.some((one) => one.metadata.name === metadata.name)),
    'other pods are there',
  )
  const inPool = now.every(({ status }) => /^172\.18\.30\.1(3[1-9]|40)$/.test(status.podIP ?? ''))
  report.check(inPool, `with ${now.map(({ status }) => status.podIP).join(' and ')}`)
}

async function showRefusals(rig: Cluster, report: Report): Promise<void> {
  report.section('Refused')
  const annotations = { 'v1.multus-cni.io/default-network': 'kube-system/none' }
  await rig.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'refused', namespace: 'default', annotations },
    spec: { containers: [{ name: 'c', image: 'nginx', imagePullPolicy: 'IfNotPresent' }] },
  })
  const events = () => rig.ask('get', 'events', '--field-selector', 'involvedObject.name=refused')
  await waitFor('it is told', async () => /network-attachment-definition \(none\)/.test(await events()))
  report.check(true, 'an unknown network is told on the pod')
  report.note(await events())
  await rig.ask('delete', 'pod', 'refused', '--wait=true')
}

async function showGone(rig: Cluster, report: Report): Promise<void> {
  report.section('Removed')
  await rig.ask('delete', 'deployment', 'test-app', '--wait=true')
  await waitFor('no claim is left', async () => (await rig.ask('get', 'addressclaims', '-o', 'name')) === '')
  report.check(true, 'no claim is left')
  await waitFor('no endpoint is left', async () => (await rig.ask('get', 'spiderendpoints', '-o', 'name')) === '')
  report.check(true, 'no endpoint is left')
  for (const node of rig.places.nodes) {
    const ports = await output(['ovs-vsctl', `--db=unix:${node.ovsdbSocket}`, 'list-ports', 'br1'])
    report.check(ports.trim() === 'eth1', `${node.name}: br1 has ${ports.trim()}`)
  }
}

/** The Deployment's pods, once so many of them run. */
async function running(rig: Cluster, count: number): Promise<readonly PodObject[]> {
  let pods: readonly PodObject[] = []
  await waitFor(`${count} pods run`, async () => {
    const { items } = await rig.get<{
      readonly items: readonly (PodObject & { metadata: { deletionTimestamp?: string } })[]
    }>('pods', '-l', 'app=test-app')
    pods = items.filter(
      ({ status, metadata }) => status.phase === 'Running' && metadata.deletionTimestamp === undefined,
    )
    return pods.length === count
  })
  return pods
}
