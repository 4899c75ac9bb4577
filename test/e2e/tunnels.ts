/**
 * Whether tunnels carry, as agents find out by asking through them: what a wire that loses packets, a link that is too narrow,
 * a dead agent and forged frames make of it.
 * @module
 */
import { equal, match, ok } from 'node:assert/strict'
import type { AgentStatus } from '../../src/agent/control/facts.ts'
import { linkGet, openPacketSocket, openRtnl } from '../../src/linux/index.ts'
import { PROBE, PROBE_ETHERTYPE } from '../../src/network/pipeline/stages.ts'
import { outsideAddress } from '../../src/playground/layout.ts'
import { capture, isVxlan } from '../lab/capture.ts'
import { ethernet, ipv4, udp, vxlan } from '../lab/frames.ts'
import { eventually, type Lab } from '../lab/lab.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

/** Both sides tell within so many seconds that packets are lost, or that large ones are: docs/fabric.md. */
const TOLD_MS = 10_000
const SIZE_TOLD_MS = 25_000
/** What a machine under tests adds. */
const SLACK_MS = 10_000

export const tunnels: Scenario = {
  name: 'tunnels',
  lab: { nodes: 3 },
  steps: [
    { title: 'every node is answered by every other, with packets as large as pods may send', run: carries },
    { title: 'a wire that loses the tunnel’s packets is told on both sides, and its end', run: lossy },
    { title: 'a link between that is too narrow is told with the MTU that does not pass, and its end', run: narrow },
    { title: 'a node whose agent is dead answers', run: dead },
    { title: 'a node whose switch is away is down, and up when it is back', run: switchAway },
    { title: 'questions of nobody known are not answered', run: strangers },
    { title: 'forged answers change nothing', run: forged },
    { title: 'no pod sends or sees such frames', run: pods },
    { title: 'nothing is left over', run: async ({ lab, say }) => say(await lab.expectCleanAudit()) },
  ],
}

async function carries({ lab, say }: StepContext): Promise<void> {
  await eventually('every tunnel carries', async () => (await all(lab)).every(carriesAll))
  const [first] = (await status(lab, 1)).peers
  say(`node1 to ${first?.node}: ${first?.tunnel?.roundTripMs?.toFixed(1)} ms, MTU ${first?.tunnel?.full?.bytes} passes`)
  const { code, stdout } = await lab.weft('fabric', 'show', '--run-dir', lab.layout.runDir)
  say(stdout.trimEnd())
  equal(code, 0)
}

async function lossy({ lab, say }: StepContext): Promise<void> {
  const [one, three] = [lab.node(1).addresses[0], lab.node(3).addresses[0]]
  const drop = (from: unknown, to: unknown) => `ip saddr ${from} ip daddr ${to} udp dport 4789 drop`
  const rules = `type filter hook forward priority 0; ${drop(one, three)}; ${drop(three, one)};`
  await onWire(lab, 'nft', `add table bridge cut; add chain bridge cut f { ${rules} }`)
  const told = await until(lab, TOLD_MS, 'both sides tell it', async () => {
    return /node3 .*any more/.test(await problemsOf(lab, 1)) && /node1 .*any more/.test(await problemsOf(lab, 3))
  })
  const { code, stdout } = await lab.weft('status', '--run-dir', lab.layout.runDir)
  equal(code, 1)
  match(stdout.replaceAll('\n', ' '), /! node1: no answer through the tunnel from node3 \(/)
  equal(await problemsOf(lab, 2), '')
  say(`told after ${told} ms: ${await problemsOf(lab, 1)}`)
  await onWire(lab, 'nft', 'delete table bridge cut')
  say(`gone ${await until(lab, TOLD_MS, 'the end is told', async () => (await all(lab)).every(hasNoProblem))} ms after`)
}

async function narrow({ lab, say }: StepContext): Promise<void> {
  await onWire(lab, 'ip', 'link', 'set', 'node3', 'mtu', '1400')
  const says = (node: string, problems: string) => problems.includes(`MTU 1450 does not pass to ${node} (`)
  const told = await until(lab, SIZE_TOLD_MS, 'both sides tell it', async () => {
    const [one, three] = [await problemsOf(lab, 1), await problemsOf(lab, 3)]
    return says('node3', one) && says('node1', three) && says('node2', three)
  })
  say(`told after ${told} ms: ${await problemsOf(lab, 1)}`)
  ok(!says('node2', await problemsOf(lab, 1)))
  ok((await all(lab)).every(({ peers }) => peers.every(({ tunnel }) => tunnel?.state === 'up')))
  await onWire(lab, 'ip', 'link', 'set', 'node3', 'mtu', '1500')
  say(
    `gone ${await until(lab, SIZE_TOLD_MS, 'the end is told', async () => (await all(lab)).every(carriesAll))} ms after`,
  )
}

async function dead({ lab }: StepContext): Promise<void> {
  const command = lab.commandOf('node2-agent')
  lab.kill('node2-agent')
  const before = (await status(lab, 1)).peers.find(({ node }) => node === 'node2')?.tunnel
  await Bun.sleep(TOLD_MS)
  const after = (await status(lab, 1)).peers.find(({ node }) => node === 'node2')?.tunnel
  equal(after?.state, 'up')
  equal(after?.since, before?.since)
  lab.start('node2-agent', command)
  await eventually('it is back', async () => (await status(lab, 2).catch(() => undefined))?.ready === true)
}

async function switchAway({ lab, say }: StepContext): Promise<void> {
  lab.kill('node2-ovs-vswitchd')
  const told = await until(lab, TOLD_MS, 'the others tell it', async () => {
    return /node2 .*any more/.test(await problemsOf(lab, 1)) && /node2 .*any more/.test(await problemsOf(lab, 3))
  })
  say(`told after ${told} ms`)
  await lab.restartForwarding(2)
  await until(lab, TOLD_MS, 'it is back', async () => (await all(lab)).every(carriesAll))
}

async function strangers({ lab, say }: StepContext): Promise<void> {
  const seen = capture(lab.fd(lab.layout.outsideNetns))
  try {
    const before = (await lab.drops(1)).get('probe') ?? 0n
    await sendToNode1(lab, String(outsideAddress(4)), PROBE.question, 200)
    await eventually('they are dropped', async () => ((await lab.drops(1)).get('probe') ?? 0n) >= before + 200n)
    const answers = seen.frames.filter(isVxlan).length
    say(`200 questions, ${answers} answers`)
    equal(answers, 0)
  } finally {
    seen.close()
  }
}

async function forged({ lab }: StepContext): Promise<void> {
  const before = (await status(lab, 1)).peers.map(({ tunnel }) => [tunnel?.state, tunnel?.since])
  await sendToNode1(lab, String(lab.node(2).addresses[0]), PROBE.answer, 500)
  await sendToNode1(lab, String(lab.node(2).addresses[0]), PROBE.question, 500)
  await Bun.sleep(3_000)
  const after = await status(lab, 1)
  equal(JSON.stringify(after.peers.map(({ tunnel }) => [tunnel?.state, tunnel?.since])), JSON.stringify(before))
  ok(after.ready)
}

async function pods({ lab, say }: StepContext): Promise<void> {
  const netns = lab.fd(lab.netns('shop/web'))
  const seen = capture(netns)
  try {
    using rtnl = openRtnl({ nsFd: netns })
    const { index: link, mac = '' } = linkGet(rtnl, 'eth0')
    const before = (await lab.drops(1)).get('ethertype') ?? 0n
    const socket = openPacketSocket({ link, nsFd: netns, protocol: 0 })
    for (const to of [PROBE.question, PROBE.answer, 'ff:ff:ff:ff:ff:ff'])
      socket.send(ethernet(mac, to, PROBE_ETHERTYPE, new Uint8Array(46)))
    socket.close()
    await eventually('they are dropped', async () => ((await lab.drops(1)).get('ethertype') ?? 0n) >= before + 3n)
    // Meanwhile every node asks the others.
    await Bun.sleep(5_000)
    const probes = seen.frames.filter(
      (frame) => frame[12] === PROBE_ETHERTYPE >> 8 && frame[13] === (PROBE_ETHERTYPE & 255),
    )
    say(`${seen.frames.length} frames came to the pod, ${probes.length} of them probes`)
    equal(probes.length, 0)
  } finally {
    seen.close()
  }
}

/** Frames in a tunnel, from the host outside, with any source. */
async function sendToNode1(lab: Lab, source: string, to: string, count: number): Promise<void> {
  const node = lab.node(1)
  using own = openRtnl({ nsFd: lab.fd(lab.layout.outsideNetns) })
  using there = openRtnl({ nsFd: lab.fd(node.netns) })
  const { index: link, mac = '' } = linkGet(own, 'eth0')
  const addresses = { from: source, to: String(node.addresses[0]) }
  const inner = ethernet(PROBE.sender, to, PROBE_ETHERTYPE, new Uint8Array(46).fill(7))
  const outer = ipv4(addresses, 17, udp(addresses, { from: 49_152, to: 4789 }, vxlan(0, inner)))
  const frame = ethernet(mac, linkGet(there, 'br-phy').mac ?? '', 0x0800, outer)
  const socket = openPacketSocket({ link, nsFd: lab.fd(lab.layout.outsideNetns), protocol: 0 })
  for (let i = 0; i < count; i += 1) {
    socket.send(frame)
    if (i % 20 === 0) await Bun.sleep(5)
  }
  socket.close()
}

function status(lab: Lab, node: number): Promise<AgentStatus> {
  return lab.agent(node).status()
}

function all(lab: Lab): Promise<readonly AgentStatus[]> {
  return Promise.all(lab.nodes().map((node) => status(lab, node)))
}

async function problemsOf(lab: Lab, node: number): Promise<string> {
  return (await status(lab, node)).problems.join('; ')
}

function hasNoProblem({ problems }: AgentStatus): boolean {
  return problems.length === 0
}

function carriesAll({ peers, problems }: AgentStatus): boolean {
  return problems.length === 0 && peers.every(({ tunnel }) => tunnel?.state === 'up' && tunnel.full?.passes === true)
}

/** How many milliseconds it took. */
async function until(lab: Lab, ms: number, what: string, holds: () => Promise<boolean>): Promise<number> {
  const start = performance.now()
  await eventually(`${what} in ${lab.layout.runDir}`, holds, ms + SLACK_MS)
  return Math.round(performance.now() - start)
}

async function onWire(lab: Lab, ...argv: readonly string[]): Promise<void> {
  const { code, stderr } = await lab.inside(`${lab.layout.prefix}-underlay`, ...argv)
  equal(code, 0, stderr)
}

if (import.meta.main) await runScenario(tunnels)
