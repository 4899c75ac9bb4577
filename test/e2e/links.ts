/**
 * A pod with several networks by a Multus's own configuration, on a real agent: the overlay, a macvlan on a link of the
 * node, and a program of the node that asks Weft for its address. Debian's reference plugins are the programs.
 * @module
 */
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SPIDER_IP_POOLS } from '../../src/compat/spiderpool/resources.ts'
import { ADDRESS_CLAIMS } from '../../src/compat/weft/address-claim.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { PODS } from '../../src/kube/resources.ts'
import { netnsPath } from '../../src/playground/layout.ts'
import { output, run } from '../lab/command.ts'
import { eventually, type Lab, PLUGIN } from '../lab/lab.ts'
import { type Answer, Container, errorOf } from '../lab/plugin.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

const REFERENCE = '/usr/lib/cni'
const PHYSICAL = '172.18.0.0/16'
const GATEWAY = '172.18.0.1'

const withoutPlugins = (): string | undefined =>
  existsSync(join(REFERENCE, 'bridge')) ? undefined : 'containernetworking-plugins is not installed'

export const links: Scenario = {
  name: 'links',
  lab: { nodes: 1, physical: PHYSICAL },
  steps: [
    {
      title: 'a macvlan on a link of the node has its address from a program, and reaches the wire',
      run: macvlan,
      skip: withoutPlugins,
    },
    {
      title: 'a program of the node has its address from a pool of the cluster, by way of Weft',
      run: program,
      skip: withoutPlugins,
    },
    { title: 'a program that fails undoes all networks of the pod', run: failure, skip: withoutPlugins },
    { title: 'an agent that is killed while a program runs leaves nothing', run: killed, skip: withoutPlugins },
    { title: 'nothing is left over', run: over },
  ],
}

/** A pod's networks, as a Multus is told of them: the overlay, and these. */
function networks(lab: Lab, ...others: readonly object[]): object {
  const named = others.map((one, index) => ({ cniVersion: '1.0.0', name: `other-${index}`, ...one }))
  return {
    type: 'multus',
    name: 'multus-cni-network',
    binDir: folder(lab, 'bin'),
    delegates: [{ cniVersion: '1.0.0', name: 'weft', type: 'weft', namespace: 'shop' }, ...named],
  }
}

function hostLocal(lab: Lab): object {
  return {
    type: 'host-local',
    dataDir: folder(lab, 'host-local'),
    subnet: PHYSICAL,
    rangeStart: '172.18.60.1',
    gateway: GATEWAY,
  }
}

async function macvlan({ lab, say }: StepContext): Promise<void> {
  prepare(lab)
  const container = new Container(lab, 'macvlan').create()
  try {
    const config = networks(lab, {
      plugins: [
        { type: 'macvlan', master: 'br1', ipam: hostLocal(lab) },
        { type: 'tuning', sysctl: { 'net.ipv4.conf.net1.arp_filter': '1' } },
      ],
    })
    const { json } = await good(callMultus(lab, container, 'ADD', config))
    say(`ADD → ${JSON.stringify(json)}`)
    equal(Object(json).interfaces.at(-1).name, 'eth0')
    match(
      await inside(container, 'ip', '-d', 'addr', 'show', 'dev', 'net1'),
      /macvlan mode bridge[\s\S]* 172\.18\.60\.1\/16/,
    )
    equal((await inside(container, 'sysctl', '-n', 'net.ipv4.conf.net1.arp_filter')).trim(), '1')
    await eventually(
      'the gateway answers',
      async () => (await lab.inside(container.netns, 'ping', '-c1', '-W1', '-I', 'net1', GATEWAY)).code === 0,
    )
    await good(callMultus(lab, container, 'CHECK', { ...config, cniVersion: '1.0.0', prevResult: json }))
    await good(callMultus(lab, container, 'DEL', { ...config, prevResult: json }))
    await gone(container)
    await good(callMultus(lab, container, 'DEL', config))
  } finally {
    container.remove()
  }
}

async function program({ lab, say }: StepContext): Promise<void> {
  await lab.api().create(SPIDER_IP_POOLS, {
    apiVersion: 'spiderpool.spidernet.io/v2beta1',
    kind: 'SpiderIPPool',
    metadata: { name: 'nested' },
    spec: { subnet: '10.88.0.0/24', ips: ['10.88.0.7-10.88.0.9'], gateway: '10.88.0.1', default: true },
  } as KubeObject)
  const { items } = await lab.api().list(PODS, { namespace: 'shop' })
  const [pod] = items
  const args = `IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=${pod?.metadata.name};K8S_POD_UID=${pod?.metadata.uid}`
  const container = new Container(lab, 'program', { args }).create()
  try {
    const config = networks(lab, { type: 'bridge', bridge: 'wtbr0', ipam: { type: 'spiderpool' } })
    const { json } = await eventuallyGood(() => callMultus(lab, container, 'ADD', config))
    say(`ADD → ${JSON.stringify(json)}`)
    const claims = (await lab.api().list(ADDRESS_CLAIMS)).items.map(({ metadata }) => metadata.name)
    say(`claims: ${claims.join(', ')}`)
    deepEqual(claims, ['underlay.10.88.0.7'])
    match(await inside(container, 'ip', 'addr', 'show', 'dev', 'net1'), / 10\.88\.0\.7\/24/)
    await good(callMultus(lab, container, 'DEL', { ...config, prevResult: json }))
    await gone(container)
    await eventually('the claim is given back', async () => (await lab.api().list(ADDRESS_CLAIMS)).items.length === 0)
  } finally {
    container.remove()
    await output(['nsenter', `--net=${netnsPath(lab.node(1).netns)}`, 'ip', 'link', 'del', 'wtbr0'])
  }
}

async function failure({ lab, say }: StepContext): Promise<void> {
  const container = new Container(lab, 'failure').create()
  try {
    const master = { type: 'macvlan', master: 'br1', ipam: hostLocal(lab) }
    const config = networks(lab, master, { plugins: [master, { type: 'tuning', sysctl: { 'net.none': '1' } }] })
    const { msg } = errorOf(await callMultus(lab, container, 'ADD', config))
    say(`ADD → ${msg}`)
    match(msg, /^tuning: /)
    await gone(container)
    deepEqual(await leases(lab), [])
  } finally {
    container.remove()
  }
}

async function killed({ lab, say }: StepContext): Promise<void> {
  const container = new Container(lab, 'killed').create()
  const slow = join(folder(lab, 'bin'), 'slow')
  const pidFile = join(folder(lab, 'bin'), 'slow.pid')
  writeFileSync(slow, `#!/bin/sh\n[ "$CNI_COMMAND" = ADD ] || exit 0\necho $$ > ${pidFile}\nexec sleep 1000\n`)
  chmodSync(slow, 0o755)
  try {
    const config = networks(lab, {
      plugins: [{ type: 'macvlan', master: 'br1', ipam: hostLocal(lab) }, { type: 'slow' }],
    })
    const adding = callMultus(lab, container, 'ADD', config)
    await eventually('the program runs', () => existsSync(pidFile))
    match(await linksOf(container), /net1/)
    lab.restart('node1-agent')
    equal(errorOf(await adding).code, 11)
    await eventuallyGood(() => callMultus(lab, container, 'DEL', config))
    await gone(container)
    deepEqual(await leases(lab), [])
    const pid = (await Bun.file(pidFile).text()).trim()
    const { code } = await run(['kill', '-9', pid])
    say(
      `the program that was running ${code === 0 ? 'was left to the system, and is ended now' : 'went with its agent'}`,
    )
  } finally {
    container.remove()
  }
}

async function over({ lab, say }: StepContext): Promise<void> {
  deepEqual(await leases(lab), [])
  const records = join(lab.node(1).stateDir, 'networks')
  ok(!existsSync(records) || (await output(['ls', records])).trim() === '')
  say(await lab.expectCleanAudit())
}

/** A folder of the lab's. */
function folder(lab: Lab, name: string): string {
  return join(lab.layout.runDir, `test-${name}`)
}

/** The programs that a node has: the reference plugins, and Weft by its other names. */
function prepare(lab: Lab): void {
  mkdirSync(folder(lab, 'bin'), { recursive: true })
  for (const type of ['bridge', 'tuning', 'host-local'])
    symlinkSync(join(REFERENCE, type), join(folder(lab, 'bin'), type))
  for (const name of ['multus', 'spiderpool']) symlinkSync(PLUGIN, join(folder(lab, 'bin'), name))
}

/** Calls Weft by the name of Multus. */
async function callMultus(lab: Lab, container: Container, verb: string, config: object): Promise<Answer> {
  const input = JSON.stringify({ cniVersion: '1.0.0', ...config })
  const env = { ...container.environment(verb), WEFT_CNI_SOCKET: lab.node(1).cniSocket }
  const { code, stdout } = await run([join(folder(lab, 'bin'), 'multus')], { env, input })
  return { code, text: stdout, json: stdout === '' ? undefined : JSON.parse(stdout) }
}

async function good(answering: Promise<Answer>): Promise<Answer> {
  const answer = await answering
  equal(answer.code, 0, answer.text)
  return answer
}

/** Calls that are to be repeated are. */
async function eventuallyGood(call: () => Promise<Answer>): Promise<Answer> {
  let answer = await call()
  await eventually('the call succeeds', async () => {
    if (answer.code !== 0 && Object(answer.json)['code'] === 11) answer = await call()
    return answer.code === 0 || Object(answer.json)['code'] !== 11
  })
  equal(answer.code, 0, answer.text)
  return answer
}

async function inside(container: Container, ...command: readonly string[]): Promise<string> {
  return output(['nsenter', `--net=${netnsPath(container.netns)}`, ...command])
}

/** The overlay's link goes within a second or two, with others of its kind. */
async function gone(container: Container): Promise<void> {
  await eventually('the pod has no links any more', async () => (await linksOf(container)) === 'lo')
}

async function linksOf(container: Container): Promise<string> {
  const shown = JSON.parse(await inside(container, 'ip', '-j', 'link')) as readonly { readonly ifname: string }[]
  return shown.map(({ ifname }) => ifname).join(' ')
}

/** Addresses that host-local has given. */
async function leases(lab: Lab): Promise<readonly string[]> {
  const { stdout } = await run(['sh', '-c', `ls ${folder(lab, 'host-local')}/*`])
  return stdout.split('\n').filter((name) => /^\d+\./.test(name))
}

if (import.meta.main) await runScenario(links)
