/**
 * Bandwidth: what annotations ask for holds in both directions, of both families, on a node and across nodes, judged on
 * the interface's own counters over ten seconds; it changes while a pod stands, goes, is refused where it makes no
 * sense, and comes back whoever removes it.
 * @module
 */
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { BANDWIDTH_ANNOTATIONS, TOTAL_ANNOTATIONS } from '../../src/compat/kubernetes/bandwidth.ts'
import { NAMESPACES, PODS } from '../../src/kube/resources.ts'
import { linkGet, openRtnl, qdiscDel, qdiscList, TC_ROOT } from '../../src/linux/index.ts'
import { RATE_REMEDY } from '../../src/network/model/bandwidth.ts'
import { measure, startBulk } from '../lab/bulk.ts'
import { eventually } from '../lab/lab.ts'
import { ask, factsOf, inForce, isReady, limits, limitsOf, messages, meter, shown } from '../lab/limits.ts'
import { describeTally, startPinger } from '../lab/pinger.ts'
import { Container, errorOf } from '../lab/plugin.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'
import { MOST_ERROR, PAIRS, rates, TEN_MEGABIT } from './bandwidth-rates.ts'

const FAMILIES = [4, 6] as const

export const bandwidth: Scenario = {
  name: 'bandwidth',
  lab: { nodes: 2 },
  steps: [
    { title: 'annotations of standing pods are in force within a second', run: annotate },
    ...FAMILIES.map((family) => ({
      title: `10 Mbit/s both ways over IPv${family}, on one node and across, true to 5 % over 10 s`,
      run: (context: StepContext) => rates(context, family),
    })),
    { title: 'an edit takes effect within a second, and loses nothing', run: edited },
    {
      title: 'a rate that makes no sense is refused: the old one stays, an event and the status say why',
      run: refused,
    },
    { title: 'a total for a namespace is refused on the userspace datapath, which is said', run: totalRefused },
    { title: 'an ADD for such a pod is refused, and leaves nothing', run: refusedAdd },
    { title: 'a pod that begins with annotations begins limited', run: limitedFromTheStart },
    { title: 'a pod that takes its own shaper away meets the policer', run: policed },
    { title: 'what somebody removes on the node is back at once, and audit finds and repairs the rest', run: damaged },
    { title: 'kill -9 of the agent: limits stand, and nothing is written anew', run: killed },
    { title: 'without its API server an agent keeps and repairs what is recorded', run: withoutApi },
    { title: 'without annotations there is no limit, and nothing is left of it', run: removed },
    { title: 'nothing is left over', run: async ({ lab, say }) => say(await lab.expectCleanAudit()) },
  ],
}

async function annotate({ lab, say }: StepContext): Promise<void> {
  for (const { pod } of PAIRS) {
    const since = performance.now()
    await ask(lab, pod, { toPod: '10M', fromPod: '10M' })
    await inForce(lab, pod, { toPod: TEN_MEGABIT, fromPod: TEN_MEGABIT })
    say(`${pod}: ${Math.round(performance.now() - since)} ms from the edit to the kernel`)
  }
}

async function edited({ lab, say }: StepContext): Promise<void> {
  const [web, cart] = [lab.fd(lab.netns('shop/web')), lab.fd(lab.netns('shop/cart'))]
  const pingers = FAMILIES.map((family) => startPinger(web, lab.address('shop/cart', family)))
  for (const rate of ['20M', '3M', '1500k', '40M']) {
    const since = performance.now()
    await ask(lab, 'shop/web', { toPod: rate, fromPod: rate })
    const bits = rate === '1500k' ? 1_500_000 : Number.parseInt(rate, 10) * 1e6
    await inForce(lab, 'shop/web', { toPod: bits, fromPod: bits })
    say(`to ${rate}: ${Math.round(performance.now() - since)} ms`)
    await Bun.sleep(300)
  }
  for (const pinger of pingers) {
    const tally = await pinger.stop()
    say(describeTally(tally))
    equal(tally.lost, 0)
  }
  // The stream that runs through the edit becomes as fast as it may.
  const stream = await startBulk(web, { fd: cart, address: lab.address('shop/cart') })
  const before = await measure(web, 1_000)
  await ask(lab, 'shop/web', { toPod: '5M', fromPod: '5M' })
  await inForce(lab, 'shop/web', { toPod: 5e6, fromPod: 5e6 })
  // What waits in the queue as it was goes out at the new rate; then it is that.
  await Bun.sleep(500)
  const after = await measure(web, 3_000)
  stream.close()
  say(`a stream through the edit: ${shown(before.sent)}, then ${shown(after.sent)}`)
  ok(before.sent > 10e6 && after.sent < 5e6 * (1 + MOST_ERROR) && after.sent > 2e6)
}

async function refused({ lab, say }: StepContext): Promise<void> {
  await ask(lab, 'shop/web', { toPod: '10', fromPod: '6M' })
  await inForce(lab, 'shop/web', { toPod: 5e6, fromPod: 6e6 })
  const text = 'kubernetes.io/ingress-bandwidth "10": resource is unreasonably small (< 1kbit)'
  const status = await lab.weft('status', '--run-dir', lab.layout.runDir, '--json')
  const { limits } = JSON.parse(status.stdout) as { readonly limits: readonly string[] }
  deepEqual(limits, [`pod shop/web: ${text} (in force stays: 5Mbit/s) → ${RATE_REMEDY}`])
  equal(status.code, 0)
  say(`weft status: ${limits}`)
  await eventually('an event tells', async () => (await messages(lab, 'shop')).some((one) => one.includes(text)))
  const page = await lab.weft('bandwidth', '--run-dir', lab.layout.runDir)
  equal(page.code, 1)
  say(page.stdout.trimEnd())
  await ask(lab, 'shop/web', { toPod: '1001T', fromPod: 'fast' })
  const facts = await factsOf(lab, 'shop/web', ({ wanted }) => 'problem' in (wanted?.fromPod ?? {}))
  deepEqual(facts.limits, { toPod: 5e6, fromPod: 6e6 })
}

async function totalRefused({ lab, say }: StepContext): Promise<void> {
  const total = async (rate: string | null) => {
    const metadata = { annotations: { [TOTAL_ANNOTATIONS.fromPod]: rate } }
    await lab.api().patch(NAMESPACES, { name: 'bank' }, 'merge', { metadata })
  }
  await total('20M')
  await eventually('an event tells', async () =>
    (await messages(lab, 'bank')).some((one) => one.includes('namespace bank')),
  )
  const status = await lab.weft('status', '--run-dir', lab.layout.runDir, '--json')
  const { limits } = JSON.parse(status.stdout) as { readonly limits: readonly string[] }
  const told = limits.filter((one) => one.startsWith('namespace bank: weft.dev/egress-bandwidth: '))
  ok(told.length > 0, status.stdout)
  say(told.join('; '))
  await total(null)
  await eventually('nobody speaks of it', async () =>
    (await limitsOf(lab)).every(({ namespace }) => namespace !== 'bank'),
  )
}

async function refusedAdd({ lab, say }: StepContext): Promise<void> {
  // No kubelet looks after a pod without a scheduler's decision; the agent reads those of its node only.
  const name = 'greedy'
  await lab.api().create(PODS, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'shop', name, annotations: { [BANDWIDTH_ANNOTATIONS.fromPod]: '2P' } },
    spec: { nodeName: 'node1', containers: [{ name: 'main', image: 'none' }] },
  })
  try {
    const why = 'kubernetes.io/egress-bandwidth "2P": resource is unreasonably large (> 1Pbit)'
    await eventually('its kubelet is refused', async () =>
      (await messages(lab, 'shop')).some((one) => one.includes(why)),
    )
    const { metadata } = (await lab.api().get(PODS, { namespace: 'shop', name })) ?? { metadata: { uid: '' } }
    const args = `IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=${name};K8S_POD_UID=${metadata.uid}`
    const container = new Container(lab, 'greedy', { args }).create()
    const before = await lab.inventory(1)
    try {
      const { code, msg } = errorOf(await container.call('ADD'))
      equal(code, 114)
      match(msg, /unreasonably large/)
      say(msg)
      deepEqual(await lab.inventory(1), before)
    } finally {
      container.remove()
    }
  } finally {
    await lab.api().delete(PODS, { namespace: 'shop', name }, { gracePeriodSeconds: 0 })
  }
}

async function limitedFromTheStart({ lab, say }: StepContext): Promise<void> {
  const pod = 'shop/early'
  const annotations = { [BANDWIDTH_ANNOTATIONS.toPod]: '2M', [BANDWIDTH_ANNOTATIONS.fromPod]: '3M' }
  await lab.api().create(PODS, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'shop', name: 'early', annotations },
    spec: { nodeName: 'node1', containers: [{ name: 'main', image: 'none' }] },
  })
  await inForce(lab, pod, { toPod: 2e6, fromPod: 3e6 })
  say(
    (await lab.weft('bandwidth', '--run-dir', lab.layout.runDir)).stdout
      .split('\n')
      .filter((one) => one.includes('shop/early'))
      .join('\n'),
  )
  await lab.api().delete(PODS, { namespace: 'shop', name: 'early' }, { gracePeriodSeconds: 0 })
  await eventually('it is gone', async () => (await limits(lab, 1)).every((fact) => fact.pod !== 'early'))
}

async function policed({ lab, say }: StepContext): Promise<void> {
  await ask(lab, 'shop/web', { toPod: '10M', fromPod: '10M' })
  await inForce(lab, 'shop/web', { toPod: TEN_MEGABIT, fromPod: TEN_MEGABIT })
  const [web, cart] = [lab.fd(lab.netns('shop/web')), lab.fd(lab.netns('shop/cart'))]
  takeShaperAway(web)
  const stream = await startBulk(web, { fd: cart, address: lab.address('shop/cart') })
  // What the policer lets through is what arrives: the pod itself may send what it likes.
  const { received } = await measure(cart, 6_000)
  stream.close()
  say(`without its shaper: ${shown(received)} arrive`)
  // A second's worth at once, and a tenth more than the rate from then on.
  ok(received < TEN_MEGABIT * 1.1 * (7 / 6) * (1 + MOST_ERROR), `${shown(received)} arrive`)
}

/** A pod can do that, being root in its own namespace; it may be gone already. */
function takeShaperAway(pod: number): void {
  using rtnl = openRtnl({ nsFd: pod })
  qdiscDel(rtnl, { link: linkGet(rtnl, 'eth0').index, parent: TC_ROOT })
}

async function damaged({ lab, say }: StepContext): Promise<void> {
  await eventually('audit finds that the pod’s own shaper is gone', async () => {
    takeShaperAway(lab.fd(lab.netns('shop/web')))
    // The agent's own comparison, once a minute, may have been faster: then it is taken away once more.
    const { code, stdout } = await lab.weft('audit', '--run-dir', lab.layout.runDir)
    return code === 1 && stdout.includes('limit-differs')
  })
  await lab.weft('audit', '--repair', '--run-dir', lab.layout.runDir)
  await inForce(lab, 'shop/web', { toPod: TEN_MEGABIT, fromPod: TEN_MEGABIT })
  say('audit --repair put the pod’s own shaper back')
  const { link } = await factsOf(lab, 'shop/web')
  const node = lab.node(1)
  using rtnl = openRtnl({ nsFd: lab.fd(node.netns) })
  for (let i = 0; i < 3; i += 1) {
    equal(qdiscDel(rtnl, { link: linkGet(rtnl, link).index, parent: TC_ROOT }), true)
    const since = performance.now()
    await inForce(lab, 'shop/web', { toPod: TEN_MEGABIT, fromPod: TEN_MEGABIT })
    say(`the node’s shaper removed: back after ${Math.round(performance.now() - since)} ms`)
  }
  await lab.ovs(node, 'ovs-vsctl', '--no-wait', 'clear', 'Port', link, 'qos')
  await eventually('the port has its row again', async () => {
    const port = await lab.ovs(node, 'ovs-vsctl', '--no-wait', 'get', 'Port', link, 'qos')
    return port.trim() !== '[]'
  })
  await lab.ovs(node, 'ovs-vsctl', '--no-wait', '--', '--all', 'destroy', 'QoS', '--', 'clear', 'Port', link, 'qos')
  await eventually('row and reference are back', async () => {
    const rows = await lab.ovs(node, 'ovs-vsctl', '--no-wait', '--bare', '--columns=type', 'list', 'QoS')
    return rows.trim() === 'linux-noop'
  })
  await inForce(lab, 'shop/web', { toPod: TEN_MEGABIT, fromPod: TEN_MEGABIT })
}

async function killed({ lab, say }: StepContext): Promise<void> {
  const { link } = await factsOf(lab, 'shop/web')
  using inside = openRtnl({ nsFd: lab.fd(lab.netns('shop/web')) })
  using outside = openRtnl({ nsFd: lab.fd(lab.node(1).netns) })
  const look = () => [
    ...qdiscList(inside, { link: linkGet(inside, 'eth0').index }).map(({ counters: _, ...rest }) => rest),
    ...qdiscList(outside, { link: linkGet(outside, link).index }).map(({ counters: _, ...rest }) => rest),
  ]
  const before = look()
  equal(before.length, 4)
  lab.restart('node1-agent')
  await eventually('the agent is ready', () => isReady(lab, 1))
  await inForce(lab, 'shop/web', { toPod: TEN_MEGABIT, fromPod: TEN_MEGABIT })
  // A qdisc that was made anew would have another handle of the kernel's choice.
  deepEqual(look(), before)
  say('every queueing discipline is the one that it was')
  await meter(lab, 'node1', true)
}

async function withoutApi({ lab, say }: StepContext): Promise<void> {
  const api = lab.commandOf('api')
  lab.kill('api')
  try {
    lab.restart('node1-agent')
    using inside = openRtnl({ nsFd: lab.fd(lab.netns('shop/web')) })
    qdiscDel(inside, { link: linkGet(inside, 'eth0').index, parent: TC_ROOT })
    await inForce(lab, 'shop/web', { toPod: TEN_MEGABIT, fromPod: TEN_MEGABIT })
    say('a new agent without a registry put back what the record says')
  } finally {
    lab.start('api', api)
  }
  await eventually('the agent is ready', () => isReady(lab, 1))
  await inForce(lab, 'shop/web', { toPod: TEN_MEGABIT, fromPod: TEN_MEGABIT })
}

async function removed({ lab, say }: StepContext): Promise<void> {
  const { link } = await factsOf(lab, 'shop/web')
  const [web, cart] = [lab.fd(lab.netns('shop/web')), lab.fd(lab.netns('shop/cart'))]
  const stream = await startBulk(web, { fd: cart, address: lab.address('shop/cart') })
  await Bun.sleep(300)
  for (const { pod } of PAIRS) await ask(lab, pod, { toPod: null, fromPod: null })
  await eventually('nobody is limited', async () => (await limits(lab, 1)).length + (await limits(lab, 2)).length === 0)
  await eventually('it is as fast as it can be', async () => (await measure(web, 1_000)).sent > 2 * TEN_MEGABIT)
  say(`without limit: ${shown((await measure(web, 1_000)).sent)}`)
  stream.close()
  using inside = openRtnl({ nsFd: web })
  using outside = openRtnl({ nsFd: lab.fd(lab.node(1).netns) })
  deepEqual(qdiscList(inside, { link: linkGet(inside, 'eth0').index }), [])
  deepEqual(qdiscList(outside, { link: linkGet(outside, link).index }), [])
  const ids = await lab.ovs(lab.node(1), 'ovs-vsctl', '--no-wait', 'get', 'Interface', link, 'external_ids')
  ok(!ids.includes('weft-limits'), ids)
  await meter(lab, 'node1', false)
}

if (import.meta.main) await runScenario(bandwidth)
