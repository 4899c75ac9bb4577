/**
 * Nodes change their addresses, exchange them, go and come back under their name: ranges and pods' addresses stay, and
 * everybody reaches everybody soon after.
 * @module
 */
import { deepEqual, equal } from 'node:assert/strict'
import { CLUSTER_NETWORKS } from '../../src/compat/openshift/resources.ts'
import { EVENTS, NODES } from '../../src/kube/resources.ts'
import { familyOf, type Ip } from '../../src/network/model/address.ts'
import { UPLINK_BRIDGE } from '../../src/playground/lab/switch.ts'
import { UNDERLAY, underlayAddress } from '../../src/playground/layout.ts'
import { eventually, type Lab } from '../lab/lab.ts'
import { startPinger } from '../lab/pinger.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

export const nodeLife: Scenario = {
  name: 'nodelife',
  lab: {},
  steps: [
    { title: 'nobody else writes addresses', run: ({ lab }) => lab.kill('daemon') },
    { title: 'a node gets another address and keeps its range', run: renumber },
    { title: 'two nodes exchange their addresses', run: exchange },
    { title: 'a node is deleted: its range is free, and nobody has a flow of it', run: remove },
    { title: 'it comes back under its name as another machine', run: comeBack },
    { title: 'another tunnel port and MTU are applied to running pods', run: reconfigure },
    { title: 'a configuration that leaves out a node is refused with the reason, and nothing moves', run: refuse },
    { title: 'nothing is left over', run: async ({ lab, say }) => say(await lab.expectCleanAudit()) },
  ],
}

interface NodeFact {
  readonly addresses: readonly Ip[]
  readonly ranges: readonly string[]
  readonly uid: string
}

async function renumber({ lab, say }: StepContext): Promise<void> {
  const before = await network(lab, 2)
  const next = addressesAt(62)
  const seen = await whilePinging(lab, 'shop/web', 'shop/db', async () => {
    await moveTo(lab, 2, next)
    await announce(lab, 2, next)
    await known(lab, 2, next)
  })
  const after = await network(lab, 2)
  say(`node2: ${before.addresses.join(' ')} → ${after.addresses.join(' ')}, ranges ${after.ranges.join(' ')}`)
  say(`shop/web → shop/db every 10 ms meanwhile: ${seen}`)
  deepEqual(after, { ...before, addresses: next })
  await podsReachAsTheyShould(lab)
}

async function exchange({ lab, say }: StepContext): Promise<void> {
  const [one, other] = [await network(lab, 1), await network(lab, 3)]
  // Not one after the other: for a moment both have the same addresses, in their objects and on the wire.
  await dropAddresses(lab, 1)
  await moveTo(lab, 3, one.addresses)
  await announce(lab, 3, one.addresses)
  await known(lab, 3, one.addresses, [2])
  await moveTo(lab, 1, other.addresses)
  await announce(lab, 1, other.addresses)
  await known(lab, 1, other.addresses)
  await known(lab, 3, one.addresses)
  const now = [await network(lab, 1), await network(lab, 3)]
  say(`node1 ${now[0]?.addresses.join(' ')}, node3 ${now[1]?.addresses.join(' ')}`)
  deepEqual(now, [
    { ...one, addresses: other.addresses },
    { ...other, addresses: one.addresses },
  ])
  await podsReachAsTheyShould(lab)
}

async function remove({ lab, say }: StepContext): Promise<void> {
  const { ranges, addresses } = await network(lab, 2)
  await lab.api().delete(NODES, { name: 'node2' })
  const gone = [...ranges, ...addresses]
  await eventually('no other node has a flow of it', async () => (await flowsNaming(lab, [1, 3], gone)) === 0)
  equal(await lab.registry().get('NodeNetwork', 'node2'), undefined)
  say(`no flow names ${gone.join(' ')}`)
}

async function comeBack({ lab, say }: StepContext): Promise<void> {
  const addresses = addressesAt(62)
  await lab.api().create(NODES, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node2' } })
  await announce(lab, 2, addresses)
  await eventually(
    'it has ranges again',
    async () => (await network(lab, 2).catch(() => undefined))?.ranges.length === 2,
  )
  await eventually('its agent is ready', async () => (await lab.agent(2).status()).ready)
  const { ranges, uid } = await network(lab, 2)
  say(`node2: another uid ${uid.slice(0, 8)}…, ranges ${ranges.join(' ')}`)
  await known(lab, 2, addresses)
}

async function reconfigure({ lab, say }: StepContext): Promise<void> {
  const during = await whilePinging(lab, 'default/monitor', 'shop/web', async () => {
    await lab.api().patch(CLUSTER_NETWORKS, { name: 'default' }, 'merge', {
      vxlanPort: 4790,
      weft: { encapsulation: { type: 'vxlan', port: 4790 } },
      mtu: 1400,
    })
    await eventually('every node follows', async () => {
      const facts = await Promise.all([1, 3].map((index) => lab.agent(index).facts()))
      return facts.every(({ cluster, status }) => status.ready && status.mtu === 1400 && cluster.mtu === 1400)
    })
  })
  say(`default/monitor → shop/web every 10 ms while port and MTU change: ${during}`)
  const port = await lab.ovs(lab.node(1), 'ovs-vsctl', 'get', 'Interface', 'weft-tunnel', 'options:dst_port')
  equal(port.trim(), '"4790"')
}

async function refuse({ lab, say }: StepContext): Promise<void> {
  const cluster = async () => (await lab.agent(1).facts()).cluster
  const before = await cluster()
  await lab.api().patch(CLUSTER_NETWORKS, { name: 'default' }, 'merge', {
    network: '10.128.0.0/16',
    clusterNetworks: [
      { CIDR: '10.128.0.0/16', hostSubnetLength: 9 },
      { CIDR: 'fd00:10:128::/48', hostSubnetLength: 64 },
    ],
  })
  await eventually('every node says that it does not follow', async () => {
    const all = await Promise.all([1, 3].map((index) => lab.agent(index).status()))
    return all.every(({ problems }) => problems.some((text) => text.includes('not followed')))
  })
  say((await lab.agent(1).status()).problems.join('\n'))
  deepEqual(await cluster(), before)
  await eventually('there is an event', async () => (await events(lab)).includes('CLUSTER_CHANGE_REFUSED'))
  await lab.api().patch(CLUSTER_NETWORKS, { name: 'default' }, 'merge', {
    network: '10.128.0.0/14',
    clusterNetworks: [
      { CIDR: '10.128.0.0/14', hostSubnetLength: 9 },
      { CIDR: 'fd00:10:128::/48', hostSubnetLength: 64 },
    ],
  })
  await eventually('nobody complains', async () => (await lab.agent(3).status()).problems.length === 0)
}

async function events(lab: Lab): Promise<string> {
  const { items } = await lab.api().list(EVENTS, {})
  return items.map((event) => String(event['reason'])).join(' ')
}

function addressesAt(host: number): readonly Ip[] {
  return [underlayAddress(4, host), underlayAddress(6, host)]
}

async function network(lab: Lab, index: number): Promise<NodeFact> {
  const stored = await lab.registry().get('NodeNetwork', `node${index}`)
  if (stored?.value.machine.kind !== 'node') throw new Error(`node${index} has no network`)
  const { addresses, ranges, machine } = stored.value
  return { addresses, ranges, uid: machine.uid }
}

/** Gives a node's uplink these addresses instead of those that it has, and tells its switch. */
async function moveTo(lab: Lab, index: number, addresses: readonly Ip[]): Promise<void> {
  await dropAddresses(lab, index)
  const node = lab.node(index)
  for (const address of addresses) {
    const family = familyOf(address)
    const { first, length } = UNDERLAY[family]
    const nodad = family === 6 ? ['nodad'] : []
    const args = ['addr', 'add', `${address}/${length}`, 'dev', UPLINK_BRIDGE, ...nodad]
    equal((await lab.inside(node.netns, 'ip', ...args)).code, 0)
    // A userspace switch remembers the source address with the route.
    const route = [`${first}/${length}`, UPLINK_BRIDGE]
    const control = ['ovs-appctl', '-t', `${node.ovsDir}/ovs-vswitchd.ctl`]
    await lab.ovs(node, ...control, 'ovs/route/del', `${first}/${length}`).catch(() => undefined)
    await lab.ovs(node, ...control, 'ovs/route/add', ...route)
  }
  await lab.ovs(node, 'ovs-appctl', '-t', `${node.ovsDir}/ovs-vswitchd.ctl`, 'tnl/neigh/flush')
}

async function dropAddresses(lab: Lab, index: number): Promise<void> {
  await lab.inside(lab.node(index).netns, 'ip', 'addr', 'flush', 'dev', UPLINK_BRIDGE, 'scope', 'global')
}

/** The Node says where it is, as its kubelet would. */
async function announce(lab: Lab, index: number, addresses: readonly Ip[]): Promise<void> {
  const status = { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) }
  await lab.api().patch(NODES, { name: `node${index}` }, 'merge', { status }, 'status')
}

/** Others know that a node is at these addresses. */
function known(lab: Lab, index: number, addresses: readonly Ip[], by = [1, 2, 3]): Promise<void> {
  return eventually(`node${index} is known at ${addresses.join(' ')}`, async () => {
    const all = await Promise.all(by.filter((one) => one !== index).map((one) => lab.agent(one).status()))
    return all.every(({ peers }) =>
      peers.some(({ node, address }) => node === `node${index}` && addresses.some((one) => one === address)),
    )
  })
}

async function flowsNaming(lab: Lab, nodes: readonly number[], names: readonly string[]): Promise<number> {
  const facts = await Promise.all(nodes.map((index) => lab.agent(index).facts()))
  const words = facts.flatMap(({ installed }) => installed.map(({ flow }) => Object.values(flow.match).map(String)))
  return words.filter((each) => each.some((word) => names.includes(word))).length
}

/** What a ping every 10 ms saw while something happened. */
async function whilePinging(lab: Lab, from: string, to: string, happens: () => Promise<void>): Promise<string> {
  const pinger = startPinger(lab.fd(lab.netns(from)), lab.address(to))
  await Bun.sleep(300)
  await happens()
  const answered = pinger.answered
  await eventually('pings are answered', () => pinger.answered > answered)
  await Bun.sleep(300)
  const { sent, lost, gap } = await pinger.stop()
  return `${lost} of ${sent} lost, longest silence ${gap.toFixed(0)} ms`
}

/** Between pods every cell of the table is as the model says. What nodes and outsiders serve ended with the daemon. */
async function podsReachAsTheyShould(lab: Lab): Promise<void> {
  const { stdout } = await lab.play('table', '--json')
  const { cells } = JSON.parse(stdout) as { readonly cells: readonly Cell[] }
  const between = cells.filter(({ kind }) => kind === 'pod-pod')
  equal(between.length, 42)
  deepEqual(
    between.flatMap(({ problems }) => problems),
    [],
  )
}

interface Cell {
  readonly kind: string
  readonly problems: readonly string[]
}

if (import.meta.main) await runScenario(nodeLife)
