/**
 * Network policies and what stands: a new policy cuts the connections that it no longer allows, wherever it is judged and
 * whichever way their bytes go, and disturbs no others; a node's probes always arrive.
 */
import { equal } from 'node:assert/strict'
import { NETWORK_POLICIES } from '../../src/kube/resources.ts'
import type { Lab } from '../lab/lab.ts'
import { eventually } from '../lab/lab.ts'
import { describeTally, type Pinger, startPinger } from '../lab/pinger.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'
import { label } from '../lab/services.ts'
import { expectCut, expectStanding, openStream, type Stream, type Way } from '../lab/stream.ts'

const WAYS: readonly Way[] = ['up', 'down']
const FAMILIES = [4, 6] as const
const CLIENT = 'shop/web'
const HERE = 'shop/cart'
const THERE = 'shop/db'

/** A policy, and the two of whom it cuts the connection. */
interface Cut {
  readonly title: string
  readonly server: string
  readonly spec: Readonly<Record<string, unknown>>
}

const CUTS: readonly Cut[] = [
  { title: 'of the server, on the same node', server: HERE, spec: isolates(HERE, 'Ingress') },
  { title: 'of the server, on another node', server: THERE, spec: isolates(THERE, 'Ingress') },
  { title: 'of the client, whose server is on the same node', server: HERE, spec: allowsOnly(THERE) },
  { title: 'of the client, whose server is on another node', server: THERE, spec: allowsOnly(HERE) },
]

export const policy: Scenario = {
  name: 'policy',
  lab: { nodes: 2 },
  steps: [
    { title: 'pods have labels that policies know them by', run: setUp },
    ...CUTS.map((cut) => ({
      title: `a policy ${cut.title} cuts standing streams, up and down, and no others`,
      run: (context: StepContext) => cutBy(context, cut),
    })),
    { title: 'a stream goes on when it is allowed again and its caller speaks', run: allowedAgain },
    { title: 'a policy that allows what stands disturbs nothing', run: undisturbed },
    { title: 'nothing is left over', run: async ({ lab, say }) => say(await lab.expectCleanAudit()) },
  ],
}

/** Nobody reaches this pod. */
function isolates(pod: string, type: 'Ingress' | 'Egress'): Cut['spec'] {
  return { podSelector: only(pod), policyTypes: [type] }
}

/** The client reaches this pod and no other. */
function allowsOnly(pod: string): Cut['spec'] {
  return { podSelector: only(CLIENT), policyTypes: ['Egress'], egress: [{ to: [{ podSelector: only(pod) }] }] }
}

function only(pod: string) {
  return { matchLabels: { called: pod.replace('/', '-') } }
}

async function setUp({ lab }: StepContext): Promise<void> {
  for (const pod of [CLIENT, HERE, THERE]) await label(lab, pod, { called: pod.replace('/', '-') })
}

async function cutBy({ lab, say }: StepContext, { server, spec }: Cut): Promise<void> {
  const other = server === HERE ? THERE : HERE
  const doomed = await openAll(lab, CLIENT, server, 9100)
  const standing = [
    ...(await openAll(lab, CLIENT, other, 9200)),
    ...(await openAll(lab, 'bank/ledger', 'bank/vault', 9300)),
    ...(await openAll(lab, 'bank/ledger', 'bank/teller', 9400)),
  ]
  const probes = [...probesOf(lab, server), ...probesOf(lab, other), ...pings(lab, CLIENT, other)]
  try {
    await Bun.sleep(500)
    const asked = performance.now()
    await create(lab, 'cut', spec)
    await expectCut(doomed, asked, say)
    await expectStanding(standing, say)
  } finally {
    for (const each of [...doomed, ...standing]) each.close()
    await noneLost(probes, say)
    await remove(lab, 'cut')
  }
}

/** Whoever was called cannot begin anew: nothing is an answer before the caller has said something. */
async function allowedAgain({ lab, say }: StepContext): Promise<void> {
  const streams = await openAll(lab, CLIENT, THERE, 9500, ['up'])
  try {
    await create(lab, 'for-a-while', isolates(THERE, 'Ingress'))
    await eventually('the streams are cut', () => streams.every(({ lastArrival }) => silence(lastArrival) > 600))
    await remove(lab, 'for-a-while')
    await eventually('the streams go on', () => streams.every(({ lastArrival }) => silence(lastArrival) < 300))
    say(`${streams.length} streams went on`)
  } finally {
    for (const each of streams) each.close()
  }
}

async function undisturbed({ lab, say }: StepContext): Promise<void> {
  const streams = [...(await openAll(lab, CLIENT, HERE, 9600)), ...(await openAll(lab, CLIENT, THERE, 9700))]
  const probes = [...probesOf(lab, HERE), ...pings(lab, CLIENT, HERE), ...pings(lab, CLIENT, THERE)]
  try {
    const from = { from: [{ podSelector: only(CLIENT) }] }
    await create(lab, 'agrees', { podSelector: {}, policyTypes: ['Ingress'], ingress: [from] })
    await Bun.sleep(1500)
    await expectStanding(streams, say)
  } finally {
    for (const each of streams) each.close()
    await noneLost(probes, say)
    await remove(lab, 'agrees')
  }
}

function silence(lastArrival: () => number): number {
  return performance.now() - lastArrival()
}

/** A stream of each family, and each of these ways. */
async function openAll(lab: Lab, from: string, to: string, port: number, ways = WAYS): Promise<readonly Stream[]> {
  const wanted = FAMILIES.flatMap((family) => ways.map((way) => ({ family, way })))
  return Promise.all(
    wanted.map(({ family, way }, i) => {
      const target = { fd: lab.fd(lab.netns(to)), address: lab.address(to, family), port: port + i }
      return openStream(`${from} → ${to} IPv${family} ${way}`, { fd: lab.fd(lab.netns(from)) }, target, way)
    }),
  )
}

interface Probe {
  readonly name: string
  readonly pinger: Pinger
}

/** A pod's own node asks whether it is there, every 10 ms. */
function probesOf(lab: Lab, pod: string): readonly Probe[] {
  const node = lab.node(pod === THERE ? 2 : 1)
  return FAMILIES.map((family) => ({
    name: `${node.name} → ${pod} IPv${family}`,
    pinger: startPinger(lab.fd(node.netns), lab.address(pod, family)),
  }))
}

/** Pings between two pods that may go on. */
function pings(lab: Lab, from: string, to: string): readonly Probe[] {
  return FAMILIES.map((family) => ({
    name: `${from} → ${to} IPv${family}`,
    pinger: startPinger(lab.fd(lab.netns(from)), lab.address(to, family)),
  }))
}

async function noneLost(probes: readonly Probe[], say: StepContext['say']): Promise<void> {
  const tallies = await Promise.all(probes.map(({ pinger }) => pinger.stop()))
  for (const [i, { name }] of probes.entries()) {
    const tally = tallies[i]
    if (tally !== undefined) say(`ping ${name}: ${describeTally(tally)}`)
  }
  equal(
    tallies.reduce((sum, { lost }) => sum + lost, 0),
    0,
    'packets were lost that were allowed',
  )
}

async function create(lab: Lab, name: string, spec: Cut['spec']): Promise<void> {
  const metadata = { namespace: 'shop', name }
  await lab
    .api()
    .create(NETWORK_POLICIES, { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata, spec })
}

/** Removes a policy, and waits until no switch has anything of it. */
async function remove(lab: Lab, name: string): Promise<void> {
  await lab.api().delete(NETWORK_POLICIES, { namespace: 'shop', name })
  await eventually(`no node knows of ${name}`, async () => {
    const facts = await Promise.all(lab.nodes().map((index) => lab.agent(index).facts()))
    return facts.every(({ fragments }) => fragments.every(({ key }) => !key.includes(`shop/${name}`)))
  })
}

if (import.meta.main) await runScenario(policy)
