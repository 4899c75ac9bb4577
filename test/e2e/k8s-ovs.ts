/**
 * k8s-ovs's own documents, line by line: the configuration by etcdctl, the program with its flags, tenants by `Action`, a
 * load balancer by `Assign`, bandwidth by annotations; both modes. Two nodes, a host outside, a real etcd between them.
 * @module
 */
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { NAMESPACES, NODES, PODS } from '../../src/kube/resources.ts'
import { type Ip, ip } from '../../src/network/model/address.ts'
import { switchEnvironment } from '../../src/playground/lab/switch.ts'
import { type NodeLayout, outsideAddress } from '../../src/playground/layout.ts'
import { startProcess } from '../../src/playground/processes.ts'
import { measure, startBulk } from '../lab/bulk.ts'
import { run } from '../lab/command.ts'
import { eventually, type Lab } from '../lab/lab.ts'
import { Container } from '../lab/plugin.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

const PREFIX = '/k8s.ovs.com/ovs/network'
const CONFIG = {
  Name: 'k8ssdn',
  Network: '172.11.0.0/16',
  HostSubnetLength: 10,
  ServiceNetwork: '172.30.0.0/16',
  PluginName: 'k8s-ovs-multitenant',
}
const TENANTS = ['helloworld1', 'helloworld2', 'helloworld3']
const ENDPOINT = `http://${outsideAddress(4)}:2379`
const MEGABIT = 1_000_000

interface Pod {
  readonly name: string
  readonly namespace: string
  readonly container: Container
  readonly address: Ip
}

let machines: readonly NodeLayout[] = []
let balancer: NodeLayout
const pods: Pod[] = []

export const k8sOvs: Scenario = {
  name: 'k8sovs',
  lab: { nodes: 1 },
  steps: [
    { title: 'etcd, and the configuration as the document sets it', run: configure },
    { title: 'k8s-ovs with its flags: nodes get their subnets, and the CNI configuration appears', run: startNodes },
    { title: 'namespaces get their NetIDs, and pods their addresses', run: startPods },
    { title: 'tenants are isolated from each other, across nodes', run: (context) => table(context, []) },
    { title: 'Action join, isolate and global', run: actions },
    { title: 'wrong actions and records are refused with the reason, and nothing moves', run: refusals },
    { title: 'a host outside is assigned a subnet and reaches pods', run: externalHost },
    { title: '10 Mbit/s both ways by annotations', run: bandwidth },
    { title: 'single-tenant mode: every pod reaches every pod', run: subnetMode },
    { title: 'a node that is deleted gives its subnet back', run: nodeDeleted },
  ],
}

async function configure({ lab, say }: StepContext): Promise<void> {
  // Its own network, its own controller: those of the playground would decide about the same nodes.
  lab.kill('controller')
  const data = join(lab.layout.runDir, 'etcd')
  const peer = `http://${outsideAddress(4)}:2380`
  startProcess(lab.layout, {
    role: 'etcd',
    netns: lab.layout.outsideNetns,
    argv: [
      'etcd',
      `--data-dir=${data}`,
      `--listen-client-urls=${ENDPOINT}`,
      `--advertise-client-urls=${ENDPOINT}`,
      `--listen-peer-urls=${peer}`,
      '--enable-v2',
      '--log-level=error',
    ],
  })
  await eventually('etcd answers', async () => (await etcdctl(lab, 'ls', '/')).code === 0)
  await must(lab, say, 'set', `${PREFIX}/config`, JSON.stringify(CONFIG))
}

async function startNodes(context: StepContext): Promise<void> {
  const { lab, say } = context
  machines = [await lab.addMachine('sdn-test1', 51), await lab.addMachine('sdn-test2', 52)]
  for (const machine of machines) {
    const addresses = machine.addresses.map((address) => ({ type: 'InternalIP', address }))
    await lab.api().create(NODES, { apiVersion: 'v1', kind: 'Node', metadata: { name: machine.name } })
    await lab.api().patch(NODES, { name: machine.name }, 'merge', { status: { addresses } }, 'status')
    ok(!existsSync(confOf(machine)), 'no CNI configuration before pods can be attached')
    startK8sOvs(lab, machine, { KUBECONFIG: lab.layout.socketKubeconfig })
  }
  for (const machine of machines) {
    await eventually(`${machine.name} is ready`, async () => (await statusOf(lab, machine))?.ready === true)
    await eventually('the CNI configuration is there', () => existsSync(confOf(machine)))
    say(`${machine.name}: ${readFileSync(confOf(machine), 'utf8').replace(/\s+/g, '')}`)
    await must(lab, say, 'get', `${PREFIX}/k8ssdn/subnets/${machine.addresses[0]}`)
  }
}

async function startPods({ lab, say }: StepContext): Promise<void> {
  for (const namespace of TENANTS) {
    await lab.api().create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  }
  for (const namespace of TENANTS) {
    await eventually(`${namespace} has a NetID`, async () => (await netId(lab, namespace)) !== undefined)
    await must(lab, say, 'get', `${PREFIX}/k8ssdn/netnamespaces/${namespace}`)
    for (const machine of machines) pods.push(await startPod(lab, machine, namespace))
  }
  say(pods.map(({ namespace, name, address }) => `${namespace}/${name} ${address}`).join('\n'))
  for (const { address } of pods) match(address, /^172\.11\.\d+\.\d+$/)
}

async function startPod(lab: Lab, machine: NodeLayout, namespace: string): Promise<Pod> {
  const name = `${namespace}-${machine.name}`
  const stored = await lab.api().create(PODS, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: { nodeName: machine.name, containers: [{ name: 'main', image: 'weft.dev/echo' }] },
  })
  const words = {
    IgnoreUnknown: '1',
    K8S_POD_NAMESPACE: namespace,
    K8S_POD_NAME: name,
    K8S_POD_UID: stored.metadata.uid ?? '',
  }
  const args = Object.entries(words).map((each) => each.join('='))
  const container = new Container(lab, name, { machine, args: args.join(';') }).create()
  const plugin = join(binDirOf(machine), 'k8s-ovs')
  const env = { ...container.environment('ADD'), WEFT_CNI_SOCKET: machine.cniSocket }
  const { code, stdout } = await run([plugin], { env, input: readFileSync(confOf(machine), 'utf8') })
  equal(code, 0, stdout)
  const { ip4 } = JSON.parse(stdout) as { readonly ip4: { readonly ip: string } }
  return { name, namespace, container, address: ip(ip4.ip.split('/')[0] ?? '') }
}

/** Who reaches whom by ping, judged by whether they share a tenant; `joined` are pairs that do beside their own. */
async function table(
  { lab, say }: StepContext,
  joined: readonly (readonly [string, string])[],
  all = false,
): Promise<void> {
  const reach = (a: Pod, b: Pod): boolean =>
    all ||
    a.namespace === b.namespace ||
    joined.some((pair) => pair.includes(a.namespace) && pair.includes(b.namespace) && a.namespace !== b.namespace) ||
    joined.some(([one, two]) => two === '*' && (one === a.namespace || one === b.namespace))
  const wrong: string[] = []
  const row = async (from: Pod): Promise<string> => {
    const marks = await Promise.all(
      pods.map(async (to) => {
        if (to === from) return '—'
        const reached = await pings(lab, from, to)
        if (reached !== reach(from, to)) wrong.push(`${from.name} → ${to.name}: ${reached ? 'an answer' : 'none'}`)
        return reached ? '●' : '·'
      }),
    )
    return `${from.name.padEnd(22)} ${marks.join(' ')}`
  }
  say((await Promise.all(pods.map(row))).join('\n'))
  deepEqual(wrong, [])
}

async function pings(lab: Lab, from: Pod, to: Pod): Promise<boolean> {
  const args = ['ping', '-c', '2', '-i', '0.2', '-W', '1', to.address]
  return (await lab.inside(from.container.netns, ...args)).code === 0
}

async function actions(context: StepContext): Promise<void> {
  const { lab, say } = context
  const [one, two, three] = await Promise.all(TENANTS.map((name) => netId(lab, name)))
  await act(context, 'helloworld1', { NetID: one, Action: 'join', Namespace: 'helloworld2' })
  equal(await netId(lab, 'helloworld1'), two)
  await table(context, [['helloworld1', 'helloworld2']])
  await act(context, 'helloworld1', { NetID: two, Action: 'isolate', Namespace: '' })
  const alone = await netId(lab, 'helloworld1')
  ok(alone !== two && alone !== one, `${alone} is a new one`)
  await table(context, [])
  await act(context, 'helloworld3', { NetID: three, Action: 'global', Namespace: '' })
  equal(await netId(lab, 'helloworld3'), 0)
  await table(context, [['helloworld3', '*']])
  await act(context, 'helloworld3', { NetID: 0, Action: 'isolate', Namespace: '' })
  ok((await netId(lab, 'helloworld3')) !== 0)
  say('every node follows within a second')
  await table(context, [])
}

async function act({ lab, say }: StepContext, name: string, change: object): Promise<void> {
  const key = `${PREFIX}/k8ssdn/netnamespaces/${name}`
  await must(lab, say, 'update', key, JSON.stringify({ NetName: name, ...change }))
  await eventually('it is answered', async () => (await record(lab, name))?.['Action'] === '')
  await must(lab, say, 'get', key)
  await Bun.sleep(1000)
}

async function refusals(context: StepContext): Promise<void> {
  const { lab, say } = context
  const before = await Promise.all(TENANTS.map((name) => netId(lab, name)))
  const key = `${PREFIX}/k8ssdn/netnamespaces/helloworld1`
  const wrong = [
    JSON.stringify({ NetName: 'helloworld1', NetID: before[0], Action: 'join', Namespace: 'nowhere' }),
    JSON.stringify({ NetName: 'helloworld1', NetID: before[0], Action: 'join', Namespace: 'helloworld1' }),
    JSON.stringify({ NetName: 'helloworld1', NetID: before[0], Action: 'divide', Namespace: '' }),
    JSON.stringify({ NetName: 'helloworld1', NetID: before[1], Action: '', Namespace: '' }),
    JSON.stringify({ NetName: 'helloworld1', NetID: 16_777_216, Action: '', Namespace: '' }),
    '{"NetName": "helloworld1", "NetID":',
  ]
  for (const value of wrong) {
    await must(lab, say, 'set', key, value)
    await Bun.sleep(1500)
    await table({ lab, say: () => undefined }, [])
  }
  await must(
    lab,
    say,
    'set',
    key,
    JSON.stringify({ NetName: 'helloworld1', NetID: before[0], Action: '', Namespace: '' }),
  )
  await eventually('all is as it was', async () => (await netId(lab, 'helloworld1')) === before[0])
  const log = readFileSync(join(lab.layout.logDir, 'sdn-test1-k8s-ovs.log'), 'utf8')
  const other = readFileSync(join(lab.layout.logDir, 'sdn-test2-k8s-ovs.log'), 'utf8')
  for (const reason of [/nowhere/, /divide/, /helloworld1/]) match(log + other, reason)
  await table(context, [])
}

async function externalHost({ lab, say }: StepContext): Promise<void> {
  balancer = await lab.addMachine('lb', 60)
  const address = balancer.addresses[0]
  const key = `${PREFIX}/k8ssdn/subnets/${address}`
  await must(lab, say, 'set', key, JSON.stringify({ Host: 'lb', HostIP: address, Subnet: '', Assign: true }))
  await eventually('it is assigned a subnet', async () =>
    (await etcdctl(lab, 'get', key)).stdout.includes('"Assign":false'),
  )
  await must(lab, say, 'get', key)
  // Neither KUBECONFIG nor KUBERNETES_MASTER: it needs etcd alone.
  startK8sOvs(lab, balancer, {})
  await eventually('its agent is ready', async () => (await statusOf(lab, balancer))?.ready === true)
  for (const pod of pods) {
    const { code } = await run(['ip', 'netns', 'exec', balancer.netns, 'ping', '-c', '1', '-W', '1', pod.address])
    say(`lb → ${pod.name} ${pod.address}: ${code === 0 ? 'an answer' : 'none'}`)
    equal(code, 0)
  }
}

async function bandwidth({ lab, say }: StepContext): Promise<void> {
  const [pod, , , , partner] = pods
  if (pod === undefined || partner === undefined) throw new Error('there are pods')
  await act({ lab, say: () => undefined }, 'helloworld3', { NetID: 0, Action: 'global', Namespace: '' })
  const annotations = { 'kubernetes.io/ingress-bandwidth': '10M', 'kubernetes.io/egress-bandwidth': '10M' }
  await lab.api().patch(PODS, pod, 'merge', { metadata: { annotations } })
  await Bun.sleep(1500)
  const [own, other] = [lab.fd(pod.container.netns), lab.fd(partner.container.netns)]
  for (const direction of ['received', 'sent'] as const) {
    const ends =
      direction === 'sent'
        ? ([own, { fd: other, address: partner.address }] as const)
        : ([other, { fd: own, address: pod.address }] as const)
    const bulk = await startBulk(...ends)
    await Bun.sleep(500)
    const rate = (await measure(own, 10_000))[direction]
    bulk.close()
    say(`${direction}: ${(rate / MEGABIT).toFixed(2)} Mbit/s of 10 on the interface, over 10 s`)
    // A busy machine sends slower than it may, and never faster.
    ok(rate < 10.5 * MEGABIT && rate > 2 * MEGABIT)
  }
}

async function subnetMode(context: StepContext): Promise<void> {
  const { lab, say } = context
  await must(lab, say, 'set', `${PREFIX}/config`, JSON.stringify({ ...CONFIG, PluginName: 'k8s-ovs-subnet' }))
  await eventually('every pod reaches every pod', async () => {
    const [one, , other] = pods
    return one !== undefined && other !== undefined && (await pings(lab, one, other))
  })
  await table(context, [], true)
}

async function nodeDeleted({ lab, say }: StepContext): Promise<void> {
  const key = `${PREFIX}/k8ssdn/subnets/${machines[1]?.addresses[0]}`
  await lab.api().delete(NODES, { name: 'sdn-test2' })
  await eventually('its subnet is gone', async () => (await etcdctl(lab, 'get', key)).code !== 0)
  say((await etcdctl(lab, 'ls', `${PREFIX}/k8ssdn/subnets`)).stdout.trimEnd())
  const one = machines[0]
  if (one === undefined) throw new Error('there are machines')
  await eventually('others forget it', async () => {
    const peers = (await statusOf(lab, one))?.peers ?? []
    return !peers.some(({ node }) => node === 'sdn-test2')
  })
}

/** The program under its name, as the document starts it. */
function startK8sOvs(lab: Lab, machine: NodeLayout, env: Readonly<Record<string, string>>): void {
  const config = join(machine.dir, 'weft.yaml')
  mkdirSync(machine.agentDir, { recursive: true })
  const agent = {
    datapath: 'netdev',
    ovsdb: machine.ovsdbSocket,
    ovsRunDir: machine.ovsDir,
    runDir: machine.agentDir,
    cniBinDir: binDirOf(machine),
    cniConfigDir: join(machine.dir, 'net.d'),
    cniConfigName: '80-k8s-ovs.conf',
  }
  mkdirSync(binDirOf(machine), { recursive: true })
  writeFileSync(config, JSON.stringify({ agent }))
  const flags = [
    `--etcd-endpoints=${ENDPOINT}`,
    `--etcd-prefix=${PREFIX}`,
    `--hostname=${machine.name}`,
    '--alsologtostderr',
    '--v=5',
    `--config=${config}`,
  ]
  startProcess(lab.layout, {
    role: `${machine.name}-k8s-ovs`,
    netns: machine.netns,
    env: { ...switchEnvironment(machine), ...env },
    argv: ['bash', '-c', 'exec -a k8s-ovs "$0" "$@"', ...lab.command(...flags)],
  })
}

function binDirOf({ dir }: NodeLayout): string {
  return join(dir, 'bin')
}

function confOf({ dir }: NodeLayout): string {
  return join(dir, 'net.d', '80-k8s-ovs.conf')
}

function statusOf(lab: Lab, machine: NodeLayout) {
  return lab
    .agentOf(machine)
    .status()
    .catch(() => undefined)
}

function etcdctl(lab: Lab, ...args: readonly string[]) {
  const command = ['ip', 'netns', 'exec', lab.layout.outsideNetns, 'etcdctl', '--endpoints', ENDPOINT]
  return run([...command, ...args], { env: { PATH: process.env['PATH'] ?? '', ETCDCTL_API: '2' } })
}

async function must(lab: Lab, say: StepContext['say'], ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await etcdctl(lab, ...args)
  const typed = args.map((word) => (/[{ ]/.test(word) ? `'${word}'` : word)).join(' ')
  say(`$ etcdctl ${typed}\n${(stdout + stderr).trimEnd()}`)
  equal(code, 0, stderr)
  return stdout
}

async function record(lab: Lab, name: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { code, stdout } = await etcdctl(lab, 'get', `${PREFIX}/k8ssdn/netnamespaces/${name}`)
  try {
    return code === 0 ? JSON.parse(stdout) : undefined
  } catch {
    return undefined
  }
}

async function netId(lab: Lab, name: string): Promise<number | undefined> {
  const id = (await record(lab, name))?.['NetID']
  return typeof id === 'number' ? id : undefined
}

if (import.meta.main) await runScenario(k8sOvs)
