/**
 * kill -9 of every process, while pods come and go and packets flow. `WEFT_E2E_PODS` says how many pods (default 40).
 * @module
 */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { PODS as POD_RESOURCE } from '../../src/kube/resources.ts'
import type { Ip } from '../../src/network/model/address.ts'
import { podObject } from '../../src/playground/objects.ts'
import { addressesOf } from '../../src/playground/state.ts'
import { capture } from '../lab/capture.ts'
import { eventually, type Lab } from '../lab/lab.ts'
import { describeTally, startPinger } from '../lab/pinger.ts'
import { type Answer, Container } from '../lab/plugin.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

const PODS = Number(process.env['WEFT_E2E_PODS'] ?? 40)
/** Pods that come and go at the same time. */
const WORKERS = 6
/** One pod of so many stays to the end. */
const STAYS = 10
/**
 * From a start of the agent to its next end: milliseconds, some before it serves, some in the middle of its work; or until it
 * serves and a little more, however slow the machine is.
 */
const LIVES = [300, 120, 450, 'serving', 210, 700, 330, 90, 'serving', 260, 560, 40] as const
const SERVES_MS = 200
const AGENT = 'node1-agent'

export const crash: Scenario = {
  name: 'crash',
  lab: {},
  steps: [
    {
      title: `kill -9 of the agent in a loop while ${PODS} pods come and go loses no packet and leaks nothing`,
      run: agentInLoop,
    },
    { title: 'kill -9 of ovs-vswitchd: flows come back, and nothing crosses tenants meanwhile', run: vswitchd },
    { title: 'kill -9 of the controller: packets flow, a request is answered after its return', run: controller },
    {
      title: 'kill -9 of the API server: packets flow, pods and tenants are as before after its return',
      run: apiServer,
    },
    { title: 'kill -9 of ovsdb-server: packets flow, pods come and go after its return', run: database },
  ],
}

async function agentInLoop({ lab, say }: StepContext): Promise<void> {
  const [sent6, sent4] = pingAcross(lab)
  const command = lab.commandOf(AGENT)
  // The scenario calls the plugin itself: a kubelet waits longer between two calls.
  const kubelets = lab.commandOf('daemon')
  lab.kill('daemon')
  const started = performance.now()
  const churn = { done: false, kills: 0, retries: 0, kept: new Map<string, Container>() }
  const killer = (async () => {
    for (let n = 0; !churn.done; n += 1) {
      const life = LIVES[n % LIVES.length] ?? 'serving'
      // Those who wait for an agent that serves are told below, should it never do.
      if (life === 'serving') await ready(lab).catch(() => undefined)
      await Bun.sleep(life === 'serving' ? SERVES_MS : life)
      lab.kill(AGENT)
      churn.kills += 1
      lab.start(AGENT, command)
    }
  })()
  try {
    await comeAndGo(lab, churn)
  } finally {
    churn.done = true
    await killer
  }
  const seconds = (performance.now() - started) / 1000
  await ready(lab)
  for (const each of churn.kept.values()) {
    const { code, text } = await patient(churn, () => each.call('CHECK', { prevResult: each.result }))
    equal(code, 0, text)
  }
  const tallies = await Promise.all([sent4.stop(), sent6.stop()])
  say(
    `${PODS} pods came, ${PODS - churn.kept.size} went, in ${seconds.toFixed(1)} s; the agent was killed ${churn.kills} times; ${churn.retries} calls were repeated on code 11`,
  )
  for (const [index, tally] of tallies.entries()) {
    say(`ping every 10 ms across nodes, IPv${index === 0 ? 4 : 6}: ${describeTally(tally)}`)
  }
  for (const { lost } of tallies) equal(lost, 0)
  await eventually('doomed links are swept', async () => {
    const { links } = await lab.agent(1).facts()
    return links.every(({ doomed }) => !doomed)
  })
  const { leases, ports, links } = await lab.inventory(1)
  say(`leases ${leases}, ports ${ports}, links ${links}, pods ${PLAYGROUND_PODS + churn.kept.size}`)
  deepEqual([leases, ports, links], new Array(3).fill(PLAYGROUND_PODS + churn.kept.size))
  say(await lab.expectCleanAudit())
  for (const [name, container] of churn.kept) {
    await container.del()
    container.remove()
    await forgetPod(lab, name)
  }
  lab.start('daemon', kubelets)
}

/** Pods that the playground runs on node1. */
const PLAYGROUND_PODS = 3

interface Churn {
  retries: number
  readonly kept: Map<string, Container>
}

/** Workers share the pods; each pod is attached, looked at, and all but a few are detached again. */
async function comeAndGo(lab: Lab, churn: Churn): Promise<void> {
  let next = 0
  const work = async (): Promise<void> => {
    for (let n = next++; n < PODS; n = next++) {
      const name = `pod-${n}`
      const uid = await writePod(lab, name)
      const args = `IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=${name};K8S_POD_UID=${uid}`
      const container = new Container(lab, `${name}-${randomUUID().slice(0, 8)}`, { args }).create()
      const answer = await patient(churn, (attempt) => attach(container, attempt))
      equal(answer.code, 0, answer.text)
      container.result = answer.json
      await writePodAddresses(lab, name, addressesOf({ result: answer.json }))
      if (n % STAYS === 0) {
        churn.kept.set(name, container)
        continue
      }
      const gone = await patient(churn, () => container.call('DEL', { prevResult: container.result }))
      equal(gone.code, 0, gone.text)
      container.remove()
      await forgetPod(lab, name)
    }
  }
  await Promise.all(Array.from({ length: WORKERS }, work))
}

/** A pod as the API has it before its node did anything. The scenario is its kubelet. */
async function writePod(lab: Lab, name: string): Promise<string> {
  const { metadata } = await lab.api().create(POD_RESOURCE, podObject({ namespace: 'shop', name, node: 'node1' }))
  return metadata.uid ?? ''
}

async function writePodAddresses(lab: Lab, name: string, addresses: readonly Ip[]): Promise<void> {
  const status = { podIP: addresses[0], podIPs: addresses.map((address) => ({ ip: address })) }
  await lab.api().patch(POD_RESOURCE, { namespace: 'shop', name }, 'merge', { status }, 'status')
}

async function forgetPod(lab: Lab, name: string): Promise<void> {
  await lab.api().delete(POD_RESOURCE, { namespace: 'shop', name }, { gracePeriodSeconds: 0 })
}

/** Some runtimes detach before they try again, some do not. */
async function attach(container: Container, attempt: number): Promise<Answer> {
  if (attempt > 0 && attempt % 2 === 0) await container.call('DEL')
  return container.call('ADD')
}

/** Repeats a call while the plugin says “try again later” (code 11). */
async function patient(churn: { retries: number }, call: (attempt: number) => Promise<Answer>): Promise<Answer> {
  const end = performance.now() + 120_000
  for (let attempt = 0; ; attempt += 1) {
    const answer = await call(attempt)
    const { code } = (answer.json ?? {}) as { readonly code?: number }
    if (answer.code === 0 || code !== 11 || performance.now() > end) return answer
    churn.retries += 1
    await Bun.sleep(100)
  }
}

async function vswitchd({ lab, say }: StepContext): Promise<void> {
  const [ping6, ping4] = pingAcross(lab)
  const victims = ['shop/web', 'shop/db', 'bank/ledger'].map((pod) => ({ pod, ...capture(lab.fd(lab.netns(pod))) }))
  const intruders = (
    [
      ['bank/ledger', 'shop/web'],
      ['bank/ledger', 'shop/db'],
      ['shop/web', 'bank/ledger'],
      ['bank/teller', 'shop/web'],
    ] as const
  ).flatMap(([from, to]) =>
    ([4, 6] as const).map((family) => startPinger(lab.fd(lab.netns(from)), lab.address(to, family), 5)),
  )
  await Bun.sleep(500)
  const killed = performance.now()
  lab.kill('node1-ovs-vswitchd')
  await lab.restartForwarding(1)
  const before = [ping4.answered, ping6.answered]
  await eventually(
    'pings are answered again',
    () => ping4.answered > (before[0] ?? 0) + 5 && ping6.answered > (before[1] ?? 0) + 5,
  )
  const back = performance.now() - killed
  await Bun.sleep(2000)
  const tallies = [await ping4.stop(), await ping6.stop()]
  const crossed = await Promise.all(intruders.map((one) => one.stop()))
  for (const one of victims) one.close()
  say(`pings are answered again ${(back / 1000).toFixed(2)} s after kill -9 of ovs-vswitchd`)
  for (const tally of tallies) say(describeTally(tally))
  const probes = crossed.reduce((sum, { sent }) => sum + sent, 0)
  equal(
    crossed.reduce((sum, { answered }) => sum + answered, 0),
    0,
  )
  for (const { pod, frames } of victims) {
    const foreign = frames.filter((frame) => isFrom(frame, intruding(lab, pod)))
    say(`${pod} got ${frames.length} frames, ${foreign.length} of the other tenant`)
    equal(foreign.length, 0)
  }
  say(`${probes} packets were sent to other tenants meanwhile: none was answered, none arrived`)
  ok(victims.some(({ pod, frames }) => pod === 'shop/db' && frames.length > 0))
  await lab.expectCleanAudit()
  equal((await lab.play('table')).code, 0)
}

function intruding(lab: Lab, pod: string): readonly Uint8Array[] {
  const others = pod.startsWith('shop/') ? ['bank/ledger', 'bank/teller'] : ['shop/web']
  return others
    .flatMap((other) => [lab.address(other, 4)])
    .map((address) => Uint8Array.from(address.split('.').map(Number)))
}

function isFrom(frame: Uint8Array, addresses: readonly Uint8Array[]): boolean {
  return addresses.some((address) => address.every((byte, index) => frame[26 + index] === byte))
}

async function controller({ lab, say }: StepContext): Promise<void> {
  const [ping6, ping4] = pingAcross(lab)
  const command = lab.commandOf('controller')
  lab.kill('controller')
  const asked = lab.tenant('join', 'bank', '--to', 'shop')
  await Bun.sleep(1000)
  lab.start('controller', command)
  const { code, stdout, stderr } = await asked
  equal(code, 0, stdout + stderr)
  say(`weft tenant join, asked while the controller was dead, after its return: ${stdout.trim()}`)
  equal((await lab.tenant('isolate', 'bank')).code, 0)
  for (const one of [ping4, ping6]) {
    const tally = await one.stop()
    say(describeTally(tally))
    equal(tally.lost, 0)
  }
}

async function apiServer({ lab, say }: StepContext): Promise<void> {
  const before = (await lab.tenant('list', '--json')).stdout
  const [ping6, ping4] = pingAcross(lab)
  const command = lab.commandOf('api')
  lab.kill('api')
  await Bun.sleep(500)
  const container = new Container(lab, 'orphan').create()
  const added = await container.call('ADD')
  say(`ADD without an API server → exit ${added.code}`)
  container.result = added.json
  lab.start('api', command)
  await eventually('the API server answers', async () => (await lab.tenant('list', '--json')).code === 0)
  await Bun.sleep(3000)
  const after = (await lab.tenant('list', '--json')).stdout
  await container.del()
  container.remove()
  for (const one of [ping4, ping6]) {
    const tally = await one.stop()
    say(describeTally(tally))
    equal(tally.lost, 0)
  }
  equal(after, before)
  equal((await lab.play('table')).code, 0)
  say('tenants are as before; the table is as expected')
}

async function database({ lab, say }: StepContext): Promise<void> {
  const [ping6, ping4] = pingAcross(lab)
  lab.restart('node1-ovsdb-server')
  const container = new Container(lab, 'late').create()
  const answer = await patient({ retries: 0 }, () => container.call('ADD'))
  equal(answer.code, 0, answer.text)
  container.result = answer.json
  await container.del()
  container.remove()
  for (const one of [ping4, ping6]) {
    const tally = await one.stop()
    say(describeTally(tally))
    equal(tally.lost, 0)
  }
  await lab.expectCleanAudit()
}

/** Pings in both families between standing pods of two nodes. */
function pingAcross(lab: Lab) {
  const from = lab.fd(lab.netns('shop/web'))
  return [startPinger(from, lab.address('shop/db', 6)), startPinger(from, lab.address('shop/db', 4))] as const
}

async function ready(lab: Lab): Promise<void> {
  await eventually('the agent is ready', async () =>
    lab
      .agent(1)
      .facts()
      .then(
        ({ status }) => status.ready,
        () => false,
      ),
  )
}

if (import.meta.main) await runScenario(crash)
