/**
 * Watches left quiet, and then a change: `WEFT_E2E_QUIET_MINUTES` says for how long (default 0.2; `npm run test:quiet`
 * takes 15). Leases and the status of nodes are renewed meanwhile; nothing is written that agents watch.
 * @module
 */
import { equal, ok } from 'node:assert/strict'
import { CHANGE_NETWORK, NET_NAMESPACES } from '../../src/compat/openshift/resources.ts'
import { KubeClient } from '../../src/kube/client.ts'
import { loadKubeconfig } from '../../src/kube/kubeconfig.ts'
import { SERVICES } from '../../src/kube/resources.ts'
import { type ApiProxy, type Passage, throughProxies } from '../lab/api-proxy.ts'
import { eventually, type Lab } from '../lab/lab.ts'
import { describeTally, startPinger } from '../lab/pinger.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'
import { addService } from '../lab/services.ts'

const MINUTES = Number(process.env['WEFT_E2E_QUIET_MINUTES'] ?? 0.2)
const AGENTS = ['node1-agent', 'node2-agent', 'node3-agent']
const CONTROLLER = 'controller'
/** What agents watch, and of what the controller watches what nobody writes by itself: nodes say that they live. */
const QUIET: Readonly<Record<string, readonly string[]>> = {
  agent: ['clusternetworks', 'nodenetworks', 'netnamespaces', 'services', 'endpointslices'],
  controller: ['clusternetworks', 'nodenetworks', 'netnamespaces', 'namespaces'],
}

/** What only a controller that leads watches. */
const LEADING = ['spiderendpoints', 'spidercoordinators']

export const quietWatch: Scenario = {
  name: 'quiet',
  lab: {},
  steps: [
    { title: 'agents and controller watch', run: watchThroughProxies },
    { title: `nothing happens for ${MINUTES} minutes, and nobody lists anything`, run: stayQuiet },
    { title: 'a namespace is joined: the watches that were open deliver it', run: joinAfterwards },
    { title: 'a service is made: the watches that were open deliver it', run: serviceAfterwards },
    { title: 'a pod is made: it is attached, and reached', run: podAfterwards },
    { title: 'nobody has listed anything to learn of it', run: nobodyListed },
  ],
}

const ended = new AbortController()
let proxies: ReadonlyMap<string, ApiProxy> = new Map()
let quietSince = 0
/** Services, watched by one request that lasts for hours. */
const patient: Passage = { at: 0, line: '', resource: 'services', verb: 'watch', events: [], closedAt: undefined }

async function watchThroughProxies({ lab, say }: StepContext): Promise<void> {
  proxies = await throughProxies(lab, [...AGENTS, CONTROLLER])
  await eventually('everybody watches', () =>
    [...proxies].every(([role, proxy]) => kindsOf(role).every((kind) => watchOf(proxy, kind) !== undefined)),
  )
  await eventually('agents are ready', async () => {
    const states = await Promise.all(lab.nodes().map((index) => lab.agent(index).status()))
    return states.every(({ ready }) => ready)
  })
  await watchPatiently(lab)
  // It was started anew, and leads once the lease of the one before is over.
  const controller = proxies.get(CONTROLLER)
  await eventually('the controller leads', () =>
    LEADING.every((kind) => controller !== undefined && watchOf(controller, kind) !== undefined),
  )
  // What a start brings about is over when nothing was delivered and nobody listed for two seconds.
  await eventually('it is quiet', () => {
    const since = performance.now() - 2000
    return eventsSince(since).length === 0 && listsSince(since).length === 0
  })
  quietSince = performance.now()
  for (const [role, proxy] of proxies) say(`${role} watches ${watched(proxy).join(', ')}`)
}

/** Agents ask anew every five to ten minutes; this watch shows that they need not. */
async function watchPatiently(lab: Lab): Promise<void> {
  const api = new KubeClient(loadKubeconfig(lab.layout.kubeconfig, {}), {
    watchSeconds: { least: 86_400, most: 86_400 },
  })
  const { resourceVersion } = await api.list(SERVICES)
  patient.at = performance.now()
  const follow = async (): Promise<void> => {
    for await (const { type } of api.watch(SERVICES, {}, resourceVersion, ended.signal)) {
      patient.events.push({ at: performance.now(), type })
    }
  }
  void follow().finally(() => {
    patient.closedAt = performance.now()
    api.close()
  })
}

async function stayQuiet({ say }: StepContext): Promise<void> {
  const end = quietSince + MINUTES * 60_000
  while (performance.now() < end) await Bun.sleep(Math.min(1000, end - performance.now()))
  for (const [role, proxy] of proxies) {
    for (const kind of kindsOf(role)) say(history(role, proxy, kind))
  }
  const events = eventsSince(quietSince).filter(({ type }) => type !== 'BOOKMARK')
  equal(events.length, 0, `${events.length} events were delivered in the quiet: ${JSON.stringify(events.slice(0, 5))}`)
  equal(listsSince(quietSince).length, 0)
  const others = [...proxies.values()].flatMap(({ passages }) =>
    passages.filter(({ at, verb }) => at > quietSince && verb === 'other').map(({ line }) => line),
  )
  for (const line of new Set(others)) say(`also asked: ${line}, ${others.filter((one) => one === line).length} times`)
  equal(patient.closedAt, undefined, 'the server ended a watch before its time')
  const bookmarks = patient.events.filter(({ type }) => type === 'BOOKMARK').length
  say(`a watch that is never renewed, of the test's own: open, ${bookmarks} bookmarks`)
}

async function joinAfterwards({ lab, say }: StepContext): Promise<void> {
  const before = open('netnamespaces')
  const changed = performance.now()
  const annotations = { [CHANGE_NETWORK]: 'join:shop' }
  await lab.api().patch(NET_NAMESPACES, { name: 'bank' }, 'merge', { metadata: { annotations } })
  const seen = await whenSeen(lab, changed, async (index) => {
    const vnis = new Map((await lab.agent(index).facts()).tenants)
    return vnis.get('bank') === vnis.get('shop')
  })
  for (const [role, watch] of before) say(delivered(role, watch, changed))
  say(`planned by every agent ${seen} ms after the request`)
  await eventually('pods of both namespaces reach each other', async () => (await reaches(lab)) > 0)
  say('shop/web and bank/ledger reach each other')
}

async function serviceAfterwards({ lab, say }: StepContext): Promise<void> {
  const before = open('services')
  const changed = performance.now()
  const ports = [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 }]
  await addService(lab, 'shop/late', { selector: { team: 'shop' }, ports })
  const seen = await whenSeen(lab, changed, async (index) => {
    const { services } = await lab.agent(index).facts()
    const late = services.find(({ service }) => service.name === 'late')
    return late?.slices.some(({ endpoints }) => endpoints.length > 0) === true
  })
  for (const [role, watch] of before) say(delivered(role, watch, changed))
  say(delivered('the test', patient, changed))
  say(`known with its endpoints to every agent ${seen} ms after the request`)
}

async function podAfterwards({ lab, say }: StepContext): Promise<void> {
  const started = performance.now()
  await lab.change('pod', 'add', 'shop/late', '--node', 'node2')
  say(`shop/late is ready after ${(performance.now() - started).toFixed(0)} ms`)
  const pinger = startPinger(lab.fd(lab.netns('shop/web')), lab.address('shop/late'))
  await Bun.sleep(1000)
  const tally = await pinger.stop()
  say(describeTally(tally))
  equal(tally.lost, 0)
  say(await lab.expectCleanAudit())
}

function nobodyListed({ say }: StepContext): void {
  const lists = listsSince(quietSince)
  say(`lists since the quiet began: ${lists.length}`)
  ended.abort()
  equal(lists.length, 0, lists.map(({ line }) => line).join('\n'))
  for (const proxy of proxies.values()) proxy.close()
}

/** Milliseconds until something holds on every node, asked often. */
async function whenSeen(lab: Lab, since: number, holds: (index: number) => Promise<boolean>): Promise<string> {
  await Promise.all(lab.nodes().map((index) => eventually(`node${index} knows`, () => holds(index))))
  return (performance.now() - since).toFixed(0)
}

async function reaches(lab: Lab): Promise<number> {
  const pinger = startPinger(lab.fd(lab.netns('shop/web')), lab.address('bank/ledger'))
  await Bun.sleep(200)
  return (await pinger.stop()).answered
}

function kindsOf(role: string): readonly string[] {
  return QUIET[role === CONTROLLER ? 'controller' : 'agent'] ?? []
}

function watched({ watches }: ApiProxy): readonly string[] {
  return [...new Set(watches.map(({ resource }) => resource))].sort()
}

/** The watch of a kind that is open: the last one. */
function watchOf({ watches }: ApiProxy, kind: string): Passage | undefined {
  return watches.findLast(({ resource }) => resource === kind)
}

/** Who has which watch of a kind open. */
function open(kind: string): readonly (readonly [string, Passage])[] {
  return [...proxies].flatMap(([role, proxy]) => {
    const watch = watchOf(proxy, kind)
    return watch === undefined ? [] : [[role, watch] as const]
  })
}

function eventsSince(
  since: number,
): readonly { readonly role: string; readonly kind: string; readonly type: string }[] {
  return [...proxies].flatMap(([role, { passages }]) =>
    passages
      .filter(({ resource }) => kindsOf(role).includes(resource))
      .flatMap(({ resource, events }) =>
        events.filter(({ at }) => at > since).map(({ type }) => ({ role, kind: resource, type })),
      ),
  )
}

function listsSince(since: number): readonly Passage[] {
  return [...proxies.values()].flatMap(({ passages }) =>
    passages.filter(({ at, verb }) => verb === 'list' && at > since),
  )
}

/** `node1-agent services: renewed 2 times, after at most 512 s; 14 bookmarks` */
function history(role: string, { passages }: ApiProxy, kind: string): string {
  const watches = passages.filter(({ resource, verb }) => resource === kind && verb === 'watch')
  const starts = watches.map(({ at }) => at).filter((at) => at > quietSince)
  const ages = watches.map(({ at }, i) => (starts[i] ?? performance.now()) - at)
  const bookmarks = watches.flatMap(({ events }) => events).filter(({ type }) => type === 'BOOKMARK').length
  return `${role} ${kind}: renewed ${starts.length} times, after at most ${seconds(Math.max(...ages))}; ${bookmarks} bookmarks`
}

/** What an open watch delivered, on the same connection. */
function delivered(role: string, { at, events, closedAt }: Passage, changed: number): string {
  const first = events.find((event) => event.at > changed && event.type !== 'BOOKMARK')
  ok(first !== undefined, `${role}: the watch that was open delivered nothing`)
  const age = `open for ${seconds(changed - at)}`
  const state = closedAt === undefined ? '' : ', closed since'
  return `${role}: the watch ${age} delivered ${first.type} ${(first.at - changed).toFixed(0)} ms after the request${state}`
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(0)} s`
}

if (import.meta.main) await runScenario(quietWatch)
