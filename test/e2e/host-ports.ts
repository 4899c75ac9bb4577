/**
 * `hostPort` of pods, by the real portmap behind our plugin: from outside, from nodes, from pods of every tenant, over both
 * families, TCP and UDP, with either iptables; and what is told where there is no portmap.
 */
import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { EVENTS, PODS } from '../../src/kube/resources.ts'
import { familyOf, type Ip, ip } from '../../src/network/model/address.ts'
import { netnsPath, outsideAddress } from '../../src/playground/layout.ts'
import { Chain } from '../lab/chain.ts'
import { output } from '../lab/command.ts'
import { environment, eventually, type Lab } from '../lab/lab.ts'
import { Container } from '../lab/plugin.ts'
import { mapping, Publisher, seen } from '../lab/publisher.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'
import { translateBy } from '../lab/services.ts'

const REAL = '/usr/lib/cni/portmap'
const LACKING = 'apt-get install containernetworking-plugins iptables'
const PORT = 8081

export const hostPorts: Scenario = {
  name: 'host-ports',
  lab: { nodes: 2 },
  steps: [
    { title: 'without portmap the pod’s owner and weft status are told', run: untold },
    { title: 'when it comes the agent has it called, and there is nothing to tell', run: found, skip: missing },
    {
      title: 'outsiders, nodes and pods of every tenant reach the pod by its node’s port',
      run: reached,
      skip: missing,
    },
    { title: 'pods reach each other no more than before', run: isolated, skip: missing },
    { title: 'an agent that is killed and started anew leaves it as it is', run: restarted, skip: missing },
    { title: 'on a host whose FORWARD drops, too', run: docker, skip: missing },
    { title: 'where a kube-proxy translates services, too', run: kubeProxy, skip: missing },
    { title: 'hostIP is honoured', run: hostIp, skip: missing },
    { title: 'with the old iptables, too', run: legacy, skip: missingLegacy },
    { title: 'every version that portmap speaks has what it needs in our result', run: versions, skip: missing },
    { title: 'DEL leaves nothing', run: deleted, skip: missing },
  ],
}

function missing(): string | undefined {
  return existsSync(REAL) && Bun.which('iptables') !== null ? undefined : LACKING
}

function missingLegacy(): string | undefined {
  return Bun.which('iptables-legacy') === null ? 'there is no iptables-legacy' : missing()
}

function places(lab: Lab) {
  const { dir } = lab.node(1)
  const config = join(dir, 'net.d')
  return { bin: join(dir, 'bin'), config, file: join(config, '10-weft.conflist') }
}

/** kill -9 of the first node's agent, and one in its place that writes the runtime's configuration. */
async function restart(lab: Lab): Promise<void> {
  const { bin, config } = places(lab)
  const command = lab.commandOf('node1-agent')
  const more = command.includes(bin) ? [] : ['--cni-bin-dir', bin, '--cni-config-dir', config, '--resync', '5']
  lab.kill('node1-agent')
  const pid = lab.start('node1-agent', [...command, ...more])
  await eventually('the agent is ready', () => status(lab).then((one) => one.ready && one.pid === pid, no))
}

const no = (): boolean => false
const status = (lab: Lab) => lab.agent(1).status()
const problems = async (lab: Lab): Promise<string> => (await status(lab)).problems.join('; ')

async function untold({ lab, say }: StepContext): Promise<void> {
  mkdirSync(places(lab).bin, { recursive: true })
  await restart(lab)
  await eventually('the configuration is there', () => existsSync(places(lab).file))
  deepEqual(plugins(lab), ['weft'])
  equal(await problems(lab), '')
  const ports = [{ containerPort: 8080, hostPort: 8099 }]
  await lab.api().create(PODS, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'shop', name: 'asks' },
    spec: { nodeName: 'node1', containers: [{ name: 'main', image: 'weft.dev/echo', ports }] },
  })
  const cause = `${places(lab).bin}/portmap is missing`
  await eventually('weft status tells', async () => (await problems(lab)).includes('the hostPort of shop/asks'))
  say(await problems(lab))
  ok((await problems(lab)).includes(cause))
  await eventually('an event tells', async () => {
    const { items } = await lab.api().list(EVENTS, { namespace: 'shop' })
    const event = items.find((one) => one['reason'] === 'HostPortNotServed')
    if (event !== undefined) say(String(event['message']))
    return String(event?.['message']).startsWith(`hostPort 8099/TCP leads nowhere: ${cause}`)
  })
}

async function found({ lab, say }: StepContext): Promise<void> {
  symlinkSync(REAL, join(places(lab).bin, 'portmap'))
  await eventually('portmap is called', () => plugins(lab).includes('portmap'))
  await eventually('nothing is to be told', async () => (await problems(lab)) === '')
  say(readFileSync(places(lab).file, 'utf8').trimEnd())
  await lab.api().delete(PODS, { namespace: 'shop', name: 'asks' })
}

function plugins(lab: Lab): readonly string[] {
  const { plugins: all } = JSON.parse(readFileSync(places(lab).file, 'utf8'))
  return all.map(({ type }: { readonly type: string }) => type)
}

function chainOf(lab: Lab, env: Readonly<Record<string, string>> = {}): Chain {
  const { bin, file } = places(lab)
  const { netns, cniSocket } = lab.node(1)
  return new Chain(netns, file, bin, { WEFT_CNI_SOCKET: cniSocket, ...env })
}

let publisher: Publisher | undefined

function published(): Publisher {
  if (publisher === undefined) throw new Error('no pod publishes a port')
  return publisher
}

/** Who calls, and whom the pod sees by IPv4 and by IPv6. */
function callers(lab: Lab): readonly (readonly [name: string, seen: readonly [Ip, Ip]])[] {
  const outside: readonly [Ip, Ip] = [outsideAddress(4), outsideAddress(6)]
  const [node1, node2] = [lab.node(1).addresses, lab.node(2).addresses]
  const of = (names: readonly string[], who: readonly [Ip, Ip]) => names.map((name) => [name, who] as const)
  const here = ['shop/cart', 'bank/ledger', 'default/monitor', 'itself']
  return [
    ...of(['outside'], outside),
    ...of(['node1'], node1),
    ...of(here, gateways),
    // Who leaves a node's pod network does so under that node's address.
    ...of(['node2', 'shop/db', 'bank/teller'], node2),
  ]
}

/** The first node's addresses in its pod ranges: answers to pods of these ranges have to come back to the node. */
let gateways: readonly [Ip, Ip]

/** The network namespace of a pod, a node, `outside`, or of the publishing pod itself. */
function place(lab: Lab, name: string): string {
  if (name === 'outside') return netnsPath(lab.layout.outsideNetns)
  if (name === 'itself') return netnsPath(published().container.netns)
  const node = /^node(\d+)$/.exec(name)?.[1]
  return netnsPath(node === undefined ? lab.netns(name) : lab.node(Number(node)).netns)
}

/** Whom the pod sees by TCP and by UDP. */
function asked(lab: Lab, from: string, address: Ip, port: number, expected?: 'none'): Promise<readonly string[]> {
  return seen(place(lab, from), address, port, expected)
}

const NOBODY = ['none', 'none']

async function everybody({ lab, say }: StepContext): Promise<void> {
  for (const [name, sources] of callers(lab)) {
    for (const address of lab.node(1).addresses) {
      const source = sources[familyOf(address) === 4 ? 0 : 1]
      deepEqual(await asked(lab, name, address, PORT), [source, source], `${name} → ${address}`)
      say(`${name} → ${address} port ${PORT}, TCP and UDP: answered, and seen as ${source}`)
    }
  }
}

async function reached(context: StepContext): Promise<void> {
  const { lab, say } = context
  const all = (await status(lab)).ranges.map(({ gateway }) => gateway)
  gateways = [gatewayOf(all, 4), gatewayOf(all, 6)]
  publisher = await new Publisher(lab, 'publishes', mapping(PORT), chainOf(lab)).start()
  say(JSON.stringify(published().container.result))
  await everybody(context)
  deepEqual(await asked(lab, 'node1', ip('127.0.0.1'), PORT), [gateways[0], gateways[0]])
  say('node1 → 127.0.0.1: answered')
}

function gatewayOf(all: readonly Ip[], family: 4 | 6): Ip {
  const address = all.find((one) => familyOf(one) === family)
  if (address === undefined) throw new Error(`the node has no range of IPv${family}`)
  return address
}

async function isolated({ lab, say }: StepContext): Promise<void> {
  for (const target of published().addresses) {
    for (const stranger of ['bank/ledger', 'bank/teller', 'outside']) {
      deepEqual(await asked(lab, stranger, target, 8080, 'none'), NOBODY, stranger)
    }
    const own = lab.address('shop/db', familyOf(target))
    deepEqual(await asked(lab, 'shop/db', target, 8080), [own, own])
    say(`bank/ledger, bank/teller, outside → ${target}: nobody answers; shop/db → ${target}: answered`)
  }
}

async function restarted(context: StepContext): Promise<void> {
  const before = await rules(context.lab)
  notEqual(before.indexOf('--dport 8081'), -1)
  await restart(context.lab)
  equal(await rules(context.lab), before)
  await everybody(context)
}

/** Rules of portmap in every table, without what counts. */
async function rules(lab: Lab): Promise<string> {
  const save = (tool: string) => output(['ip', 'netns', 'exec', lab.node(1).netns, tool, '-t', 'nat'])
  return `${await save('iptables-save')}${await save('ip6tables-save')}`
    .split('\n')
    .filter((line) => line.startsWith('-A CNI-'))
    .join('\n')
}

async function docker(context: StepContext): Promise<void> {
  const inside = (...argv: readonly string[]) => output(['ip', 'netns', 'exec', context.lab.node(1).netns, ...argv])
  const tools = ['iptables', 'ip6tables']
  for (const tool of tools) await inside(tool, '-P', 'FORWARD', 'DROP')
  try {
    for (const tool of tools) {
      await eventually('pods are accepted', async () => (await inside(tool, '-S', 'FORWARD')).includes('WEFT-FORWARD'))
    }
    await everybody(context)
  } finally {
    for (const tool of tools) await inside(tool, '-P', 'FORWARD', 'ACCEPT')
  }
}

async function kubeProxy(context: StepContext): Promise<void> {
  await translateBy(context.lab, 'kube-proxy')
  try {
    await everybody(context)
  } finally {
    await translateBy(context.lab, 'weft')
  }
}

async function hostIp({ lab, say }: StepContext): Promise<void> {
  const [own4, own6] = lab.node(1).addresses
  const one = await new Publisher(lab, 'by-address', mapping(8082, own4), chainOf(lab)).start()
  try {
    deepEqual(await asked(lab, 'outside', own4, 8082), Array(2).fill(outsideAddress(4)))
    deepEqual(await asked(lab, 'outside', own6, 8082, 'none'), NOBODY)
    deepEqual(await asked(lab, 'node1', ip('127.0.0.1'), 8082, 'none'), NOBODY)
    say(`port 8082 of ${own4} answers, that of ${own6} and of 127.0.0.1 does not`)
  } finally {
    await one.stop()
  }
}

async function legacy({ lab }: StepContext): Promise<void> {
  const folder = join(lab.node(1).dir, 'legacy')
  mkdirSync(folder)
  for (const tool of ['iptables', 'ip6tables']) symlinkSync(Bun.which(`${tool}-legacy`) ?? '', join(folder, tool))
  const old = chainOf(lab, { PATH: `${folder}:${environment()['PATH']}` })
  const one = await new Publisher(lab, 'old', mapping(8083), old).start()
  try {
    const save = await output(['ip', 'netns', 'exec', lab.node(1).netns, 'iptables-legacy-save', '-t', 'nat'])
    match(save, /CNI-DN-.* --dport 8083 -j DNAT/)
    for (const address of lab.node(1).addresses) {
      const outside = outsideAddress(familyOf(address))
      deepEqual(await asked(lab, 'outside', address, 8083), [outside, outside])
      const gateway = gateways[familyOf(address) === 4 ? 0 : 1]
      deepEqual(await asked(lab, 'bank/ledger', address, 8083), [gateway, gateway])
    }
  } finally {
    await one.stop()
  }
}

/** Also those that we do not offer: lists that people wrote. */
async function versions({ lab, say }: StepContext): Promise<void> {
  for (const version of ['0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0'] as const) {
    const args = 'IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=one;K8S_POD_INFRA_CONTAINER_ID=one'
    const container = new Container(lab, `v${version.replaceAll('.', '-')}`, { version, args }).create()
    const chain = chainOf(lab)
    try {
      await chain.add(container, mapping(8084))
      const ways = (await rules(lab)).split('\n').filter((rule) => rule.includes('--dport 8084 -j DNAT'))
      equal(ways.length, 4, `${version}: ${ways.join('; ')}`)
      equal(await chain.end('DEL', container, mapping(8084)), '')
      equal((await rules(lab)).includes('8084'), false, version)
      say(`${version}: a rule for each family and protocol; after DEL none`)
    } finally {
      container.remove()
    }
  }
}

async function deleted({ lab, say }: StepContext): Promise<void> {
  await published().stop()
  for (const address of lab.node(1).addresses) {
    deepEqual(await asked(lab, 'outside', address, PORT, 'none'), NOBODY)
  }
  equal((await rules(lab)).includes('-j DNAT'), false)
  say(await lab.expectCleanAudit())
}

if (import.meta.main) await runScenario(hostPorts)
