/**
 * Nodes that tell each other of their pods by BGP: who reaches whom, what a change of the fabric costs, and what the end of
 * BIRD, of an agent, of a session costs.
 * @module
 */
import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gracefulRestart, shutDown } from '../../src/bird/control.ts'
import { birdProtocols } from '../../src/bird/protocols.ts'
import { BGP_CONFIGURATIONS, BGP_PEERS } from '../../src/compat/calico/bgp/resources.ts'
import { EVENTS, NETWORK_POLICIES, NODES } from '../../src/kube/resources.ts'
import { LEAVE_TABLE } from '../../src/network/fabric/direct.ts'
import { outsideAddress } from '../../src/playground/layout.ts'
import { everyWayIs, notReached, ping, pinging, type ShownFabric, setFabric, showFabric } from '../lab/fabric.ts'
import { eventually, type Lab } from '../lab/lab.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

const CLUSTER_ID = 'projectcalico.org/RouteReflectorClusterID'
/** In ms; so long an agent keeps a BIRD that the fabric does not want any more, and a little less. */
const BIRD_STAYS = 14_000
/** Three nodes, two others each, two families. */
const ALL = 12

export const bgp: Scenario = {
  name: 'bgp',
  lab: { fabric: 'bgp' },
  steps: [
    { title: 'tenants are told apart as in tunnels', run: table },
    { title: 'every way is by what BGP told, every session is up, and weft fabric show says so', run: shown },
    { title: 'join and isolate reach the other node, and a policy holds there', run: judged },
    { title: 'a node behind a router that was told nothing is reached by the tunnel, and again by BGP', run: behind },
    { title: 'a change of the fabric loses no packet, there and back', run: change },
    { title: 'a node becomes a reflector, the mesh ends and comes back: no packet is lost', run: reflected },
    { title: 'what is wrong with an object is told, and the rest holds', run: wrong },
    { title: 'a BIRD that is killed loses no packet, and comes back', run: killed },
    { title: 'one that is told to end takes its routes back: packets take the tunnel, and none is lost', run: ended },
    { title: 'an agent that is killed leaves BIRD and loses no packet', run: agentKilled },
    { title: 'what BIRD has is not lost to somebody who writes into its place', run: meddled },
    { title: 'the fabric becomes tunnel: BIRD ends, and nothing of it is left', run: left },
  ],
}

async function table({ lab, say }: StepContext): Promise<void> {
  await whole(lab)
  const { code, stdout, stderr } = await lab.play('table')
  say(stdout.trimEnd())
  equal(code, 0, stdout + stderr)
}

/** Waits until every way is by BGP and every session up. */
function whole(lab: Lab, ends = ALL): Promise<void> {
  return eventually('every way is by what BGP told', async () => {
    const { ways, sessions } = await showFabric(lab)
    const told = ways.filter(({ way }) => way === 'bgp')
    return told.length === ALL && sessions.length === ends && sessions.every(({ isUp }) => isUp)
  })
}

async function shown({ lab, say }: StepContext): Promise<void> {
  const { code, stdout } = await lab.weft('fabric', 'show', '--run-dir', lab.layout.runDir)
  say(stdout.trimEnd())
  equal(code, 0)
  match(stdout, /Established/)
  const { netns } = lab.node(1)
  const learned = (await lab.inside(netns, 'ip', 'route', 'show', 'table', `${LEAVE_TABLE}`)).stdout
  say(learned.trimEnd())
  equal(learned.match(/proto bird/g)?.length, 2)
  equal((await lab.inside(netns, 'ip', 'route', 'show', 'proto', 'bird')).stdout, '')
}

async function judged(context: StepContext): Promise<void> {
  const { lab, say } = context
  const target = lab.address('bank/teller')
  notReached(await ping(lab, 'shop/web', target))
  equal((await lab.tenant('join', 'bank', '--to', 'shop')).code, 0)
  equal((await ping(lab, 'shop/web', target)).code, 0)
  equal((await lab.tenant('isolate', 'bank')).code, 0)
  notReached(await ping(lab, 'shop/web', target))
  const metadata = { name: 'nobody', namespace: 'shop' }
  const object = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata, spec: ISOLATED }
  const before = await ping(lab, 'shop/web', lab.address('shop/db'))
  equal(before.code, 0, before.stdout)
  await lab.api().create(NETWORK_POLICIES, object)
  await eventually('the policy holds', async () => (await ping(lab, 'shop/web', lab.address('shop/db'))).code !== 0)
  await lab.api().delete(NETWORK_POLICIES, metadata)
  await eventually('it holds no more', async () => (await ping(lab, 'shop/web', lab.address('shop/db'))).code === 0)
  say('a policy of the other node was followed')
}

/** The router is the host outside, which has no route to pods. */
async function behind({ lab, say }: StepContext): Promise<void> {
  const route = async (verb: 'add' | 'del'): Promise<void> => {
    const to = [`${lab.node(2).addresses[0]}/32`, 'via', outsideAddress(4)]
    equal((await lab.inside(lab.node(1).netns, 'ip', 'route', verb, ...to)).code, 0)
  }
  await pinging(lab, say, async () => {
    await route('add')
    await eventually('node1 takes the tunnel to node2', async () =>
      (await showFabric(lab)).ways.some(
        ({ node, peer, way, why = '' }) =>
          node === 'node1' && peer === 'node2' && way === 'tunnel' && /on another segment, behind/.test(why),
      ),
    )
    const through = await ping(lab, 'shop/web', lab.address('shop/db'))
    equal(through.code, 0, through.stdout)
    await route('del')
    await whole(lab)
  })
}

const ISOLATED = { podSelector: {}, policyTypes: ['Ingress'] } as const

async function change({ lab, say }: StepContext): Promise<void> {
  const pid = birdPid(lab)
  let longest = 0
  const lost = await pinging(lab, say, async () => {
    for (const way of ['tunnel', 'bgp', 'tunnel', 'bgp'] as const) {
      const since = performance.now()
      await setFabric(lab, { way, otherwise: 'tunnel' })
      await everyWayIs(lab, way)
      await Bun.sleep(500)
      longest = Math.max(longest, performance.now() - since)
    }
  })
  deepEqual(lost, [0, 0])
  // On a busy machine a change takes longer than BIRD is kept for.
  if (longest < BIRD_STAYS) equal(birdPid(lab), pid)
  else say(`a change took ${(longest / 1000).toFixed(0)} s: BIRD ended meanwhile`)
}

const CALICO = 'crd.projectcalico.org/v1'
/** The node's own address: with another id its sessions would begin anew. */
const REFLECTS = { labels: { 'route-reflector': 'yes' }, annotations: { [CLUSTER_ID]: '198.18.77.13' } } as const
const NO_REFLECTOR = { labels: { 'route-reflector': null }, annotations: { [CLUSTER_ID]: null } } as const

/** In the order in which nothing is lost: sessions with the reflector, then no mesh; and back. */
async function reflected({ lab, say }: StepContext): Promise<void> {
  const spec = { peerSelector: 'has(route-reflector)' }
  const before = await standing(lab)
  const lost = await pinging(lab, say, async () => {
    const api = lab.api()
    await api.create(BGP_PEERS, { apiVersion: CALICO, kind: 'BGPPeer', metadata: { name: 'reflectors' }, spec })
    await api.patch(NODES, { name: 'node3' }, 'merge', { metadata: REFLECTS })
    const told = async (): Promise<number> =>
      (await sessionsOf(lab)).filter(({ remote, routes }) => remote === 'node3' && routes?.imported === 2).length
    await eventually('both others hear of everything from node3', async () => (await told()) === 4)
    await api.create(BGP_CONFIGURATIONS, {
      apiVersion: CALICO,
      kind: 'BGPConfiguration',
      metadata: { name: 'default' },
      spec: { nodeToNodeMeshEnabled: false },
    })
    await whole(lab, ALL - 4)
    await Bun.sleep(1500)
    say(`${(await sessionsOf(lab)).length} ends of sessions, all of them with node3`)
    const after = await standing(lab)
    for (const one of after) ok(before.includes(one), `${one} began anew: ${before.join(' ')}`)
    await api.delete(BGP_CONFIGURATIONS, { name: 'default' })
    await api.patch(NODES, { name: 'node3' }, 'merge', { metadata: NO_REFLECTOR })
    await api.delete(BGP_PEERS, { name: 'reflectors' })
    await whole(lab)
  })
  deepEqual(lost, [0, 0])
}

async function wrong({ lab, say }: StepContext): Promise<void> {
  const api = lab.api()
  const spec = { nodeSelector: 'rack == a', peerIP: '198.18.77.1', asNumber: 65_001 }
  await api.create(BGP_PEERS, { apiVersion: CALICO, kind: 'BGPPeer', metadata: { name: 'rack' }, spec })
  const said = async (): Promise<string> =>
    (await lab.weft('status', '--run-dir', lab.layout.runDir)).stdout.replaceAll(/\s+/g, ' ')
  await eventually('it is told', async () => /BGPPeer rack spec.nodeSelector: character 9/.test(await said()))
  say(/! node1: [^!]*/.exec(await said())?.[0] ?? '')
  await whole(lab)
  await api.patch(BGP_PEERS, { name: 'rack' }, 'merge', { spec: { nodeSelector: 'has(nothing) || all()' } })
  await eventually('a peer that nobody is', async () => (await sessionsOf(lab)).length === ALL + 3)
  const { code, stdout } = await lab.weft('fabric', 'show', '--run-dir', lab.layout.runDir)
  say(/.*198\.18\.77\.1 .*/.exec(stdout)?.[0] ?? '')
  equal(code, 1)
  await api.patch(BGP_PEERS, { name: 'rack' }, 'merge', { spec: { nodeSelector: 'rack == a' } })
  const kept = async (): Promise<boolean> =>
    /BGPPeer rack spec.nodeSelector: character 9[^!]*until then it counts as it was before/.test(await said())
  await eventually('it is told that what it was counts', kept)
  equal((await sessionsOf(lab)).length, ALL + 3)
  const { items } = await api.list(EVENTS, {})
  const told = items.filter(({ metadata, ...event }) => Object(event)['reason'] === 'OBJECT_INVALID')
  match(JSON.stringify(told), /BGPPeer.*character 9.*keeps to that/)
  lab.restart('node1-agent')
  await eventually('an agent that starts anew knows it, too', async () => {
    const shown = await sessionsOf(lab).catch(() => [])
    return shown.length === ALL + 3 && (await kept())
  })
  say(/! node1: [^!]*/.exec(await said())?.[0] ?? '')
  await api.delete(BGP_PEERS, { name: 'rack' })
  await whole(lab)
}

/** Sessions, by when they were made: as BIRD tells it. */
async function standing(lab: Lab): Promise<readonly string[]> {
  const all = await Promise.all(lab.nodes().map((node) => birdProtocols(controlOf(lab, node))))
  return all.flatMap((protocols, i) =>
    protocols.flatMap(({ name, bgp: session, since }) =>
      session === undefined ? [] : [`node${i + 1} ${name} ${since}`],
    ),
  )
}

async function sessionsOf(lab: Lab): Promise<ShownFabric['sessions']> {
  return (await showFabric(lab)).sessions
}

async function killed({ lab, say }: StepContext): Promise<void> {
  const pid = birdPid(lab)
  const lost = await pinging(lab, say, async () => {
    process.kill(pid ?? 0, 'SIGKILL')
    await eventually('BIRD is back', () => birdPid(lab) !== undefined && birdPid(lab) !== pid)
    await whole(lab)
  })
  deepEqual(lost, [0, 0])
}

async function ended({ lab, say }: StepContext): Promise<void> {
  const pid = birdPid(lab)
  const lost = await pinging(lab, say, async () => {
    await shutDown(controlOf(lab))
    await eventually('BIRD is back', () => birdPid(lab) !== undefined && birdPid(lab) !== pid)
    await whole(lab)
    await gracefulRestart(controlOf(lab))
    await Bun.sleep(1000)
    await whole(lab)
  })
  deepEqual(lost, [0, 0])
}

async function agentKilled({ lab, say }: StepContext): Promise<void> {
  const pid = birdPid(lab)
  const lost = await pinging(lab, say, async () => {
    lab.restart('node1-agent')
    await Bun.sleep(500)
    await whole(lab)
  })
  deepEqual(lost, [0, 0])
  equal(birdPid(lab), pid)
}

async function meddled({ lab, say }: StepContext): Promise<void> {
  const { netns } = lab.node(1)
  const lost = await pinging(lab, say, async () => {
    const flush = ['route', 'flush', 'table', `${LEAVE_TABLE}`]
    equal((await lab.inside(netns, 'ip', ...flush)).code, 0)
    equal((await lab.inside(netns, 'ip', '-6', ...flush)).code, 0)
    await Bun.sleep(500)
    await whole(lab)
  })
  deepEqual(lost, [0, 0])
}

async function left({ lab, say }: StepContext): Promise<void> {
  const before = agentLogs(lab)
  await setFabric(lab, { way: 'tunnel', otherwise: 'tunnel' })
  await eventually('every BIRD ended', () => lab.nodes().every((node) => birdPid(lab, node) === undefined), 40_000)
  const { netns } = lab.node(1)
  const rest = async (...args: readonly string[]): Promise<string> =>
    (await lab.inside(netns, 'ip', ...args, 'route', 'show', 'table', `${LEAVE_TABLE}`)).stdout
  await eventually('its routes are gone', async () => (await rest()) === '' && (await rest('-6')) === '')
  const { sessions } = await showFabric(lab)
  deepEqual(sessions, [])
  // It is meant: nobody is warned.
  for (const [index, log] of agentLogs(lab).entries()) {
    const said = log.slice(before[index]?.length)
    match(said, /BIRD was ended/)
    doesNotMatch(said, /"level":40.*a BGP session is down/)
  }
  equal((await ping(lab, 'shop/web', lab.address('shop/db'))).code, 0)
  const { code, stdout } = await lab.weft('status', '--run-dir', lab.layout.runDir)
  say(stdout.trimEnd().split('\n').at(-1) ?? '')
  equal(code, 0, stdout)
}

function agentLogs(lab: Lab): readonly string[] {
  return lab.nodes().map((node) => readFileSync(join(lab.layout.logDir, `node${node}-agent.log`), 'utf8'))
}

function controlOf(lab: Lab, node = 1): { readonly path: string } {
  return { path: join(lab.node(node).agentDir, 'bird/bird.ctl') }
}

function birdPid(lab: Lab, node = 1): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(join(lab.node(node).agentDir, 'bird/bird.pid'), 'utf8'), 10)
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'bird' ? pid : undefined
  } catch {
    return undefined
  }
}

if (import.meta.main) await runScenario(bgp)
