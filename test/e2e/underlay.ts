/**
 * The quick start of ovs-cni with Spiderpool, from top to bottom, on a playground whose nodes have a bridge `br1` on a
 * physical network: its objects are applied as they are written (seeds/ovs-cni.yaml).
 * @module
 */
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { NETWORK_ATTACHMENT_DEFINITIONS } from '../../src/compat/multus/attachment-definition.ts'
import {
  SPIDER_COORDINATORS,
  SPIDER_ENDPOINTS,
  SPIDER_IP_POOLS,
  SPIDER_MULTUS_CONFIGS,
} from '../../src/compat/spiderpool/resources.ts'
import { ADDRESS_CLAIMS } from '../../src/compat/weft/address-claim.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { DEPLOYMENTS, PODS, SERVICES } from '../../src/kube/resources.ts'
import { findKubectl } from '../../src/playground/kubectl.ts'
import { run } from '../lab/command.ts'
import { environment, eventually, type Lab } from '../lab/lab.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'
import { refusals } from './underlay-refusals.ts'

const PHYSICAL = '172.18.0.0/16'
const GATEWAY = '172.18.0.1'
const SEED = parseAllDocuments(readFileSync(join(import.meta.dir, 'seeds/ovs-cni.yaml'), 'utf8')).map(
  (document) => document.toJS() as KubeObject,
)
const kubectl = await findKubectl(process.env)
const withoutKubectl = (): string | undefined => ('refusal' in kubectl ? kubectl.refusal : undefined)

export const underlay: Scenario = {
  name: 'underlay',
  lab: { nodes: 2, physical: PHYSICAL },
  steps: [
    { title: 'the SpiderCoordinator knows the cluster’s ranges', run: coordinator },
    { title: 'the pool, the network and the Deployment are applied as they are written', run: apply },
    { title: 'two pods on two nodes have 172.18.30.131 and .132', run: addresses },
    { title: 'pool, endpoints and coordinator, as kubectl prints them', run: printed, skip: withoutKubectl },
    { title: 'Open vSwitch has the pods’ ports as ovs-cni writes them', run: ports },
    {
      title:
        'they reach one another, the gateway, their node, a service, and pods of the overlay reach them by way of it',
      run: reach,
    },
    { title: 'kubectl exec -ti … -- ping', run: execPing, skip: withoutKubectl },
    { title: 'the pods know what they were attached to', run: networkStatus },
    { title: 'deleted and made again, they stay in the pool', run: again },
    { title: 'what is refused is told on the pod within seconds, and leaves nothing', run: refusals },
    { title: 'nothing is left over', run: over },
  ],
}

async function coordinator({ lab, say }: StepContext): Promise<void> {
  let found: KubeObject | undefined
  await eventually('the SpiderCoordinator is Synced', async () => {
    found = await lab.api().get(SPIDER_COORDINATORS, { name: 'default' })
    return Object(found?.['status'])['phase'] === 'Synced'
  })
  say(JSON.stringify({ spec: found?.['spec'], status: found?.['status'] }))
  deepEqual(Object(found?.['status'])['serviceCIDR'], ['172.30.0.0/16', 'fd00:172:30::/112'])
}

async function apply({ lab }: StepContext): Promise<void> {
  const [pool, network, deployment] = SEED
  if (pool === undefined || network === undefined || deployment === undefined)
    throw new Error('the seed has three objects')
  await lab.api().create(SPIDER_IP_POOLS, pool)
  await lab.api().create(SPIDER_MULTUS_CONFIGS, network)
  await eventually('the network has a definition', async () => {
    const made = await lab.api().get(NETWORK_ATTACHMENT_DEFINITIONS, { namespace: 'kube-system', name: 'ovs-conf' })
    return /"type":"ovs"/.test(String(Object(made?.['spec'])['config']))
  })
  await lab.api().create(DEPLOYMENTS, inDefault(deployment))
}

async function addresses({ lab, say }: StepContext): Promise<void> {
  const pods = await running(lab, 2)
  for (const { name, ip, node } of pods) say(`${name} ${ip} ${node}`)
  deepEqual(pods.map(({ ip }) => ip).sort(), ['172.18.30.131', '172.18.30.132'])
  equal(new Set(pods.map(({ node }) => node)).size, 2)
}

async function printed({ lab, say }: StepContext): Promise<void> {
  let pool = ''
  await eventually('the pool counts', async () => {
    pool = await kube(lab, 'get', 'spiderippool')
    return /ippool-test +4 +172\.18\.0\.0\/16 +2 +10 +false/.test(pool)
  })
  say(await kube(lab, 'get', 'po', '-l', 'app=test-app', '-o', 'wide'))
  say(pool)
  const endpoints = await kube(lab, 'get', 'spiderendpoints')
  say(endpoints)
  match(endpoints, /^NAME +INTERFACE +IPV4POOL +IPV4 +IPV6POOL +IPV6 +NODE/)
  match(endpoints, /test-app-\S+ +eth0 +ippool-test +172\.18\.30\.131\/16 +node\d/)
  say(await kube(lab, 'get', 'sp', 'ippool-test'))
  say(await kube(lab, 'get', 'spidercoordinators.spiderpool.spidernet.io', 'default', '-o', 'yaml'))
}

async function ports({ lab, say }: StepContext): Promise<void> {
  const text = await lab.ovs(
    lab.node(1),
    'ovs-vsctl',
    '--format=json',
    '--columns=name,tag,vlan_mode,external_ids',
    'list',
    'Port',
  )
  const mine = (JSON.parse(text) as { data: readonly (readonly unknown[])[] }).data.find((row) =>
    /contPodUid/.test(JSON.stringify(row)),
  )
  say(JSON.stringify(mine))
  match(JSON.stringify(mine), /"owner","ovs-cni\.network\.kubevirt\.io"/)
  match(JSON.stringify(mine), /"contIface","eth0"/)
  deepEqual(mine?.slice(1, 3), [0, 'access'])
  say(await lab.ovs(lab.node(1), 'ovs-vsctl', 'show'))
}

async function reach({ lab, say }: StepContext): Promise<void> {
  const [one, other] = await running(lab, 2)
  if (one === undefined || other === undefined) throw new Error('there are two pods')
  const index = Number(one.node.replace('node', ''))
  const wire = `172.18.10.${9 + index}`
  for (const [what, target] of [
    ['the other pod', other.ip],
    ['the gateway', GATEWAY],
    ['its node', wire],
    ['the other node', `172.18.10.${9 + (3 - index)}`],
    ['a global pod of the overlay', lab.address('default/monitor')],
  ] as const) {
    await eventually(`${one.name} reaches ${what} (${target})`, () =>
      pings(lab, lab.netns(`default/${one.name}`), target),
    )
    say(`${one.name} → ${what} ${target}: answered`)
  }
  ok(await pings(lab, lab.node(index).netns, one.ip), 'its node reaches the pod')
  const monitor = await lab.api().get(SERVICES, { namespace: 'default', name: 'monitor' })
  const service = String(Object(monitor?.['spec'])['clusterIP'])
  const { stdout } = await lab.inside(lab.netns(`default/${one.name}`), 'curl', '-sS', '-m', '5', `http://${service}/`)
  say(`${one.name} → service ${service}: ${stdout.trim().slice(0, 80)}`)
  match(stdout, /monitor/)
}

async function execPing({ lab, say }: StepContext): Promise<void> {
  const [one, other] = await running(lab, 2)
  const said = await kube(lab, 'exec', '-ti', one?.name ?? '', '--', 'ping', other?.ip ?? '', '-c', '2')
  say(said)
  match(said, /2 packets transmitted, 2 (packets )?received, 0% packet loss/)
}

async function networkStatus({ lab, say }: StepContext): Promise<void> {
  const [one] = await running(lab, 2)
  let status = ''
  await eventually('the annotation is there', async () => {
    const pod = await lab.api().get(PODS, { namespace: 'default', name: one?.name ?? '' })
    status = pod?.metadata.annotations?.['k8s.v1.cni.cncf.io/network-status'] ?? ''
    return status !== ''
  })
  say(status)
  const [entry] = JSON.parse(status) as readonly Record<string, unknown>[]
  deepEqual(
    {
      name: entry?.['name'],
      interface: entry?.['interface'],
      ips: entry?.['ips'],
      default: entry?.['default'],
      gateway: entry?.['gateway'],
    },
    { name: 'kube-system/ovs-conf', interface: 'eth0', ips: [one?.ip], default: true, gateway: [GATEWAY] },
  )
}

async function again({ lab, say }: StepContext): Promise<void> {
  const before = await running(lab, 2)
  for (const { name } of before) await lab.api().delete(PODS, { namespace: 'default', name })
  await eventually('other pods are there', async () => {
    const now = await running(lab, 2).catch(() => [])
    return now.length === 2 && now.every(({ name }) => !before.some((one) => one.name === name))
  })
  const now = await running(lab, 2)
  for (const { name, ip, node } of now) say(`${name} ${ip} ${node}`)
  for (const { ip } of now) match(ip, /^172\.18\.30\.1(3[1-9]|40)$/)
}

async function over({ lab, say }: StepContext): Promise<void> {
  await lab.api().delete(DEPLOYMENTS, { namespace: 'default', name: 'test-app' })
  await eventually(
    'all claims are given back',
    async () => (await lab.api().list(ADDRESS_CLAIMS)).items.length === 0,
    60_000,
  )
  await eventually('all endpoints are gone', async () => (await lab.api().list(SPIDER_ENDPOINTS)).items.length === 0)
  for (const index of lab.nodes()) {
    const ports = (await lab.ovs(lab.node(index), 'ovs-vsctl', 'list-ports', 'br1')).trim().split('\n')
    deepEqual(ports, ['eth1'])
  }
  say(await lab.expectCleanAudit())
}

interface RunningPod {
  readonly name: string
  readonly ip: string
  readonly node: string
}

/** The Deployment's pods, once so many of them run. */
async function running(lab: Lab, count: number): Promise<readonly RunningPod[]> {
  let pods: readonly RunningPod[] = []
  await eventually(`${count} pods run`, async () => {
    const { items } = await lab.api().list(PODS, { namespace: 'default', labelSelector: 'app=test-app' })
    pods = items.flatMap((pod) => {
      const [status, spec] = [Object(pod['status']), Object(pod['spec'])]
      const isRunning = status.phase === 'Running' && pod.metadata.deletionTimestamp === undefined
      return isRunning ? [{ name: pod.metadata.name, ip: String(status.podIP), node: String(spec.nodeName) }] : []
    })
    return pods.length === count
  })
  return pods
}

async function pings(lab: Lab, netns: string, target: string): Promise<boolean> {
  return (await lab.inside(netns, 'ping', '-c', '1', '-W', '1', target)).code === 0
}

/** `kubectl …` on this playground. Throws when it fails. */
async function kube(lab: Lab, ...args: readonly string[]): Promise<string> {
  if ('refusal' in kubectl) throw new Error(kubectl.refusal)
  const env = { ...environment(), KUBECONFIG: lab.layout.kubeconfig, HOME: lab.layout.runDir }
  const { code, stdout, stderr } = await run([kubectl.path, ...args], { env })
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
  return stdout.trimEnd()
}

function inDefault(object: KubeObject): KubeObject {
  return { ...object, metadata: { ...object.metadata, namespace: 'default' } }
}

if (import.meta.main) await runScenario(underlay)
