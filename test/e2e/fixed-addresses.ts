/**
 * As many pods as there are fixed addresses, in ten pools over four nodes: created at once, deleted at once, twice, while
 * agents are killed. `WEFT_E2E_FIXED` says how many pods (default 100, ten for each pool). The scenario is the pods' kubelet.
 * @module
 */
import { deepEqual, equal } from 'node:assert/strict'
import { NETWORK_ATTACHMENT_DEFINITIONS } from '../../src/compat/multus/attachment-definition.ts'
import { SPIDER_IP_POOLS } from '../../src/compat/spiderpool/resources.ts'
import { ADDRESS_CLAIMS } from '../../src/compat/weft/address-claim.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { PODS as POD_RESOURCE } from '../../src/kube/resources.ts'
import { podObject } from '../../src/playground/objects.ts'
import { lastWords } from '../../src/playground/processes.ts'
import { addressesOf } from '../../src/playground/state.ts'
import { eventually, type Lab } from '../lab/lab.ts'
import { type Answer, Container } from '../lab/plugin.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

const PODS = Number(process.env['WEFT_E2E_FIXED'] ?? 100)
const NODES = 4
const POOLS = 10
const EACH = PODS / POOLS
/** Calls under way at a time, on all nodes together. */
const WIDTH = 48
/** Milliseconds from one kill to the next. */
const GAPS = [2_500, 5_000, 1_500, 7_000, 4_000]
const PATIENCE_MS = 400_000
/** Spiderpool's own figure for as many addresses as pods, 1,000 each, on ten machines (v0.8.0). */
const PUBLISHED = '207 s'

export const fixedAddresses: Scenario = {
  name: 'fixed-addresses',
  lab: { nodes: NODES, physical: '172.18.0.0/16' },
  steps: [
    { title: `ten pools of ${EACH} addresses, and a network`, run: prepare },
    {
      title: `${PODS} pods at once, and away at once, while agents are killed`,
      run: (context) => round(context, 'first'),
    },
    { title: 'the same again: every address can be had again', run: (context) => round(context, 'second') },
    { title: 'nothing is left over', run: nothingLeft },
  ],
}

async function prepare({ lab }: StepContext): Promise<void> {
  // The scenario calls the plugin itself: nobody else is to.
  lab.kill('daemon')
  const api = lab.api()
  for (let n = 0; n < POOLS; n += 1) {
    await api.create(SPIDER_IP_POOLS, {
      apiVersion: 'spiderpool.spidernet.io/v2beta1',
      kind: 'SpiderIPPool',
      metadata: { name: `fixed-${n}` },
      spec: { subnet: '172.18.0.0/16', gateway: '172.18.0.1', ips: [`172.18.${100 + n}.1-172.18.${100 + n}.${EACH}`] },
    } as KubeObject)
  }
  const plugins = [{ type: 'ovs', bridge: 'br1', vlan: 0, ipam: { type: 'spiderpool' } }]
  await api.create(NETWORK_ATTACHMENT_DEFINITIONS, {
    apiVersion: 'k8s.cni.cncf.io/v1',
    kind: 'NetworkAttachmentDefinition',
    metadata: { name: 'fixed', namespace: 'kube-system' },
    spec: { config: JSON.stringify({ cniVersion: '1.0.0', name: 'fixed', plugins }) },
  } as KubeObject)
}

interface FixedPod {
  readonly name: string
  readonly container: Container
}

async function round({ lab, say }: StepContext, name: string): Promise<void> {
  const tally: Tally = { repeated: 0, kills: 0, ended: [], reasons: new Map() }
  const pods = await inParallel(
    Array.from({ length: PODS }, (_, n) => n),
    (n) => makePod(lab, name, n),
  )
  const killer = killAgents(lab, tally)
  const started = performance.now()
  await inParallel(pods, async ({ container }) => {
    const answer = await patient(tally, () => container.call('ADD', { namespace: undefined }))
    equal(answer.code, 0, answer.text)
    container.result = answer.json
  })
  const added = performance.now()
  const addresses = pods.map(({ container }) => addressesOf({ result: container.result })[0])
  equal(new Set(addresses).size, PODS, 'an address was given out twice')
  deepEqual(await claimed(lab), addresses.toSorted())
  const removing = performance.now()
  await inParallel(pods, async ({ name: pod, container }) => {
    await forgetPod(lab, pod)
    const answer = await patient(tally, () =>
      container.call('DEL', { namespace: undefined, prevResult: container.result }),
    )
    equal(answer.code, 0, answer.text)
    container.remove()
  })
  const removed = performance.now()
  await killer.stop()
  const seconds = (from: number, to: number): string => ((to - from) / 1000).toFixed(1)
  say(
    `${PODS} pods attached in ${seconds(started, added)} s (${(PODS / ((added - started) / 1000)).toFixed(0)} a second), detached in ${seconds(removing, removed)} s; ` +
      `agents were killed ${tally.kills} times, ${tally.repeated} calls repeated`,
  )
  if (PODS === 1_000)
    say(
      `published for Spiderpool v0.8.0 with macvlan, until 1,000 pods run on ten machines with kubelets: ${PUBLISHED}`,
    )
  for (const words of tally.ended) say(words)
  deepEqual(tally.ended, [])
  for (const [reason, count] of tally.reasons) say(`  ${count} × ${reason}`)
  await eventually('every claim is given back', async () => (await claimed(lab)).length === 0, 120_000)
}

async function nothingLeft({ lab, say }: StepContext): Promise<void> {
  for (const index of lab.nodes()) {
    const list = async (): Promise<string> => (await lab.ovs(lab.node(index), 'ovs-vsctl', 'list-ports', 'br1')).trim()
    await eventually(`no port is left on node${index}`, async () => (await list()) === 'eth1')
  }
  const { code, stdout, stderr } = await lab.weft('ipam', 'audit', '--run-dir', lab.layout.runDir)
  say(stdout.trim())
  equal(code, 0, stderr)
}

async function makePod(lab: Lab, round: string, n: number): Promise<FixedPod> {
  const [name, index] = [`${round}-${n}`, (n % NODES) + 1]
  const object = podObject({ namespace: 'default', name, node: `node${index}` })
  const annotations = {
    'v1.multus-cni.io/default-network': 'kube-system/fixed',
    'ipam.spidernet.io/ippool': JSON.stringify({ ipv4: [`fixed-${Math.floor(n / EACH)}`] }),
  }
  const made = await lab.api().create(POD_RESOURCE, { ...object, metadata: { ...object.metadata, annotations } })
  const args = `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${name};K8S_POD_UID=${made.metadata.uid}`
  return { name, container: new Container(lab, name, { node: index, args }).create() }
}

async function forgetPod(lab: Lab, name: string): Promise<void> {
  await lab.api().delete(POD_RESOURCE, { namespace: 'default', name }, { gracePeriodSeconds: 0 })
}

async function claimed(lab: Lab): Promise<readonly string[]> {
  const { items } = await lab.api().list(ADDRESS_CLAIMS)
  return items.map((one) => String(Object(one['spec'])['address'])).sort()
}

/** kill -9 of one agent after another, each started again at once. */
function killAgents(lab: Lab, tally: Tally): { stop(): Promise<void> } {
  let isOver = false
  const commands = lab.nodes().map((index) => lab.commandOf(`node${index}-agent`))
  const killing = (async () => {
    for (let n = 0; !isOver; n += 1) {
      await Bun.sleep(GAPS[n % GAPS.length] ?? 1_000)
      if (isOver) return
      const role = `node${(n % NODES) + 1}-agent`
      // One that ended by itself is a defect, and what it said last is worth reading.
      if (lab.pidOf(role) === undefined) tally.ended.push(`${role} had ended: ${lastWords(lab.layout, role)}`)
      lab.kill(role)
      lab.start(role, commands[n % NODES] ?? [])
      tally.kills += 1
    }
  })()
  return {
    stop: async () => {
      isOver = true
      await killing
    },
  }
}

interface Tally {
  repeated: number
  kills: number
  readonly ended: string[]
  readonly reasons: Map<string, number>
}

/** Repeats a call that fails, as kubelets do, whatever it failed with. */
async function patient(tally: Tally, call: () => Promise<Answer>): Promise<Answer> {
  const end = performance.now() + PATIENCE_MS
  for (let pause = 100; ; pause = Math.min(pause * 2, 2_000)) {
    const answer = await call()
    if (answer.code === 0 || performance.now() > end) return answer
    tally.repeated += 1
    const { msg = answer.text } = (answer.json ?? {}) as { readonly msg?: string }
    const reason = msg.replace(/fixed-\d+|first-\d+|second-\d+|\d+/g, '…').slice(0, 120)
    tally.reasons.set(reason, (tally.reasons.get(reason) ?? 0) + 1)
    await Bun.sleep(pause)
  }
}

/** Does `work` for each item, {@link WIDTH} at a time. */
async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const queue = items.entries()
  const run = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: WIDTH }, run))
  return results
}

if (import.meta.main) await runScenario(fixedAddresses)
