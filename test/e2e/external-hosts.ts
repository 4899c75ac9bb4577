/**
 * Machines outside the cluster: nobody answers those that nobody let in; one that was let in reaches the pods of its
 * tenant, or all, and is reached by them; one that is shut out leaves nothing behind.
 * @module
 */
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { ASSIGN_SUBNET, FIXED_VNI, HOST_SUBNETS } from '../../src/compat/openshift/resources.ts'
import { NODE_NETWORKS } from '../../src/compat/weft/node-network.ts'
import { EVENTS } from '../../src/kube/resources.ts'
import { familyOf, type Ip } from '../../src/network/model/address.ts'
import type { NodeLayout } from '../../src/playground/layout.ts'
import { ECHO_PORT, netnsPath } from '../../src/playground/layout.ts'
import { call } from '../lab/calls.ts'
import { eventually, type Lab } from '../lab/lab.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

const FAMILIES = [4, 6] as const
const SHOP = ['shop/web', 'shop/db'] as const
const BANK = ['bank/ledger', 'bank/vault'] as const
const BALANCER = { name: 'lb', number: 40 }

let machine: NodeLayout
/** Its own addresses in the overlay, once it was let in. */
let own: readonly Ip[] = []

export const externalHosts: Scenario = {
  name: 'hosts',
  lab: {},
  steps: [
    { title: 'a machine that nobody let in is told so, and nobody answers it', run: stranger },
    { title: 'wrong declarations are refused with the reason, and change nothing', run: refusals },
    { title: 'let in for a tenant it reaches that tenant’s pods on every node, and no others', run: ofTenant },
    { title: 'pods of the tenant reach it, others do not', run: reached },
    { title: 'changed to everybody it reaches every pod; letting it in again changes nothing', run: ofAll },
    { title: 'its agent’s end interrupts nothing', run: agentDies },
    { title: 'shut out it reaches nobody, and no node remembers it', run: shutOut },
    { title: 'a HostSubnet at a node’s address gets nothing, says why, and does the node no harm', run: misplaced },
    { title: 'OpenShift’s HostSubnet with assign-subnet lets it in, and out when it goes', run: hostSubnet },
    { title: 'nothing is left over', run: async ({ lab, say }) => say(await lab.expectCleanAudit()) },
  ],
}

async function stranger({ lab, say }: StepContext): Promise<void> {
  machine = await lab.addMachine(BALANCER.name, BALANCER.number)
  lab.startExternalAgent(machine)
  await eventually('the agent says what it waits for', async () => (await waitingFor(lab)).includes('weft host add'))
  say(`its agent waits for ${await waitingFor(lab)}`)
  await reaches({ lab, say }, [], [...SHOP, ...BANK])
}

async function waitingFor(lab: Lab): Promise<string> {
  const status = await lab
    .agentOf(machine)
    .status()
    .catch(() => undefined)
  return status?.waitingFor.join('; ') ?? ''
}

const REFUSED: readonly (readonly [args: readonly string[], reason: RegExp, code: number])[] = [
  [['add', 'lb', '--address', '198.18.77.40'], /whom it reaches is not said/, 2],
  [['add', 'lb', '--address', '198.18.77.40', '--vni', '16777216'], /from 0 to 16777215/, 2],
  [['add', 'lb', '--address', '198.18.77.300', '--vni', '0'], /an IP address is wanted/, 2],
  [['add', 'lb', '--address', '198.18.77.40', '--tenant', 'nowhere'], /there is no tenant "nowhere"/, 1],
  [['add', 'node1', '--address', '198.18.77.40', '--vni', '0'], /"node1" is a node of the cluster/, 1],
  [['add', 'lb', '--address', '198.18.77.12', '--vni', '0'], /198.18.77.12 is node2's address/, 1],
  [['add', 'lb', '--address', '10.128.0.9', '--vni', '0'], /lies inside the pod network/, 1],
  [['remove', 'node1'], /"node1" is a node of the cluster/, 1],
  [['remove', 'nobody'], /there is no host "nobody"/, 1],
]

async function refusals({ lab, say }: StepContext): Promise<void> {
  for (const [args, reason, code] of REFUSED) {
    const outcome = await host(lab, ...args)
    say(`$ weft host ${args.join(' ')}\n${outcome.stderr.trimEnd()} (exit ${outcome.code})`)
    equal(outcome.code, code)
    match(outcome.stderr, reason)
  }
  deepEqual(JSON.parse((await host(lab, 'list', '--json')).stdout), [])
}

async function ofTenant(context: StepContext): Promise<void> {
  await letIn(context, '--tenant', 'shop')
  await reaches(context, SHOP, BANK)
}

async function reached({ lab, say }: StepContext): Promise<void> {
  for (const family of FAMILIES) {
    const address = ownAddress(family)
    for (const pod of [...SHOP, 'default/monitor', ...BANK]) {
      const { code } = await lab.inside(lab.netns(pod), 'ping', '-c', '1', '-W', '1', address)
      say(`${pod} → ${address}: ${code === 0 ? 'an answer' : 'none'}`)
      equal(code === 0, !BANK.some((one) => one === pod), `${pod} → ${address}`)
    }
  }
}

async function ofAll(context: StepContext): Promise<void> {
  const { lab, say } = context
  const addresses = machine.addresses.flatMap((address) => ['--address', address])
  const again = await host(lab, 'add', 'lb', ...addresses, '--vni', '0')
  say(`$ weft host add lb ${addresses.join(' ')} --vni 0\n${again.stderr.trimEnd()} (exit ${again.code})`)
  equal(again.code, 1)
  match(again.stderr, /"lb" was let in before, .* → .*weft host change lb --vni 0 .*changes that/)
  const changed = await host(lab, 'change', 'lb', '--vni', '0')
  say(`$ weft host change lb --vni 0\n${(changed.stdout + changed.stderr).trimEnd()}`)
  match(changed.stdout, /^lb: VNI \d+ → 0 \(all\)$/m)
  await becomesReady(context)
  await reaches(context, [...SHOP, ...BANK, 'default/monitor'], [])
}

async function agentDies(context: StepContext): Promise<void> {
  context.lab.kill('lb-agent')
  await reaches(context, [...SHOP, ...BANK], [])
  context.lab.startExternalAgent(machine)
  await eventually('its agent is ready again', () => isReady(context.lab))
}

async function shutOut(context: StepContext): Promise<void> {
  const { lab, say } = context
  const names = [...own, ...machine.addresses]
  const flows = async () => {
    const nodes = await Promise.all(lab.nodes().map((index) => lab.agent(index).facts()))
    const texts = nodes.flatMap(({ installed }) => installed.map(({ flow }) => Object.values(flow.match).join(' ')))
    return texts.filter((text) => names.some((address) => text.split(' ').includes(address))).length
  }
  const before = await flows()
  ok(before > 0)
  const { stdout } = await host(lab, 'remove', 'lb')
  say(stdout.trimEnd())
  await eventually('no node has a flow of it', async () => (await flows()) === 0)
  say(`flows that name it: ${before} before, 0 now`)
  await reaches(context, [], [...SHOP, ...BANK])
}

async function misplaced({ lab, say }: StepContext): Promise<void> {
  const [hostIP] = lab.node(2).addresses
  const annotations = { [ASSIGN_SUBNET]: 'true', [FIXED_VNI]: '0' }
  const object = { apiVersion: 'network.openshift.io/v1', kind: 'HostSubnet', metadata: { name: 'lb', annotations } }
  await lab.api().create(HOST_SUBNETS, { ...object, host: 'lb', hostIP, subnet: '' })
  const reason = new RegExp(`${hostIP} is node2's address`)
  const problem = async () => {
    const status = (await lab.api().get(NODE_NETWORKS, { name: 'lb' }))?.['status']
    return String(Object(status)['problem'])
  }
  await eventually('it is told', async () => reason.test(await problem()))
  const list = await host(lab, 'list')
  say(list.stdout.trimEnd())
  match(list.stdout, reason)
  const status = (await lab.weft('status', '--run-dir', lab.layout.runDir)).stdout
  say(status.split('\n').find((line) => reason.test(line)) ?? '')
  match(status, reason)
  await eventually('an event says it', async () => {
    const { items } = await lab.api().list(EVENTS)
    return items.some((one) => one['reason'] === 'NODE_ADDRESS_SHARED' && reason.test(String(one['message'])))
  })
  for (const [from, to] of [SHOP, BANK, SHOP.toReversed()]) {
    if (from === undefined || to === undefined) throw new Error('there are two pods of each')
    for (const family of FAMILIES) {
      const { code } = await lab.inside(lab.netns(from), 'ping', '-c', '1', '-W', '2', lab.address(to, family))
      equal(code, 0, `${from} → ${to}`)
      say(`${from} → ${to} ${lab.address(to, family)}: an answer`)
    }
  }
}

async function hostSubnet(context: StepContext): Promise<void> {
  const { lab, say } = context
  const [hostIP] = machine.addresses
  await lab.api().patch(HOST_SUBNETS, { name: 'lb' }, 'merge', { hostIP })
  const answered = async () => (await lab.api().get(HOST_SUBNETS, { name: 'lb' }))?.['subnet']
  await eventually('it is answered', async () => ((await answered()) ?? '') !== '')
  say(`HostSubnet lb: hostIP ${hostIP}, subnet ${await answered()}`)
  await eventually('its agent is ready', () => isReady(lab))
  own = (await lab.agentOf(machine).status()).ranges.map(({ gateway }) => gateway)
  await reaches(context, [...SHOP, ...BANK], [])
  await lab.api().delete(HOST_SUBNETS, { name: 'lb' })
  await eventually('the host is shut out', async () => (await host(lab, 'list', '--json')).stdout.trim() === '[]')
  await eventually('nodes forget it', async () => {
    const { peers } = await lab.agent(1).status()
    return !peers.some(({ node }) => node === 'lb')
  })
  await reaches(context, [], [...SHOP, ...BANK])
}

async function letIn({ lab, say }: StepContext, ...whom: readonly string[]): Promise<void> {
  const addresses = machine.addresses.flatMap((address) => ['--address', address])
  const { code, stdout, stderr } = await host(lab, 'add', 'lb', ...addresses, ...whom)
  say(`$ weft host add lb ${addresses.join(' ')} ${whom.join(' ')}\n${(stdout + stderr).trimEnd()}`)
  equal(code, 0)
  await becomesReady({ lab, say })
}

async function becomesReady({ lab, say }: StepContext): Promise<void> {
  await eventually('its agent is ready', () => isReady(lab))
  own = (await lab.agentOf(machine).status()).ranges.map(({ gateway }) => gateway)
  say((await host(lab, 'list')).stdout.trimEnd())
}

async function isReady(lab: Lab): Promise<boolean> {
  const hosts: unknown = JSON.parse((await host(lab, 'list', '--json')).stdout)
  const isKnown = Array.isArray(hosts) && hosts.some((one) => Object(one)['state'] === 'ready')
  return (
    isKnown &&
    (
      await lab
        .agentOf(machine)
        .status()
        .catch(() => undefined)
    )?.ready === true
  )
}

/** Which pods answer the machine, of both families, and under which address they see it. */
async function reaches({ lab, say }: StepContext, yes: readonly string[], no: readonly string[]): Promise<void> {
  for (const family of FAMILIES) {
    for (const pod of yes) {
      const address = lab.address(pod, family)
      const answer = await call(netnsPath(machine.netns), address, ECHO_PORT)
      say(`lb → ${pod} ${address}: ${answer === undefined ? 'nobody answers' : `it saw ${answer.client}`}`)
      equal(answer?.server, pod)
      equal(answer?.client, ownAddress(family))
    }
    for (const pod of no) {
      const address = lab.address(pod, family)
      equal(await call(netnsPath(machine.netns), address, ECHO_PORT, 'none'), undefined, `lb reached ${pod}`)
      say(`lb → ${pod} ${address}: nobody answers`)
    }
  }
}

/** The machine's own address in the overlay. */
function ownAddress(family: 4 | 6): Ip {
  const found = own.find((address) => familyOf(address) === family)
  if (found === undefined) throw new Error(`the machine has no IPv${family} address in the overlay`)
  return found
}

function host(lab: Lab, ...args: readonly string[]) {
  return lab.weft('host', ...args, '--run-dir', lab.layout.runDir)
}

if (import.meta.main) await runScenario(externalHosts)
