/** What the kernel of a namespace of its own says of a node that BGP leads to. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { closeSync, openSync } from 'node:fs'
import { SAMPLE_CLUSTER, sampleNode, samplePlanner } from '../../../test/tables/sample-node.ts'
import { linkGet, neighList, openRtnl, type RtnlSocket } from '../../linux/index.ts'
import { LEAVE_TABLE } from '../../network/fabric/direct.ts'
import { hostPlan } from '../../network/host.ts'
import type { NodePlanner } from '../../network/planner.ts'
import { Ways } from './ways.ts'

const NETNS = `wefttest-ways-${process.pid}`
/** The other node, and the router. */
const OTHERS = `${NETNS}-others`
const [PEER = '', PEER6 = ''] = sampleNode(2).addresses
const [RANGE = '', RANGE6 = ''] = sampleNode(2).ranges
const ROUTER = '192.0.2.254'
const HAVE = [`${PEER}/24`, `${PEER6}/64`, `${ROUTER}/24`]
let rtnl: RtnlSocket
let nsFd = -1
let planner: NodePlanner
let ways: Ways
let told = 0

function command(...words: readonly string[]): void {
  commandIn(NETNS, ...words)
}

function commandIn(netns: string, ...words: readonly string[]): void {
  const argv = ['ip', '-n', netns, ...words]
  const { exitCode, stderr } = Bun.spawnSync(argv)
  if (exitCode !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`)
}

beforeEach(() => {
  for (const netns of [NETNS, OTHERS]) Bun.spawnSync(['ip', 'netns', 'add', netns])
  command('link', 'add', 'eth0', 'up', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', OTHERS)
  commandIn(OTHERS, 'link', 'set', 'eth0', 'up')
  for (const address of HAVE) other('add', address)
  const soon = [4, 6].map((family) => `net.ipv${family}.neigh.eth0.retrans_time_ms=100`)
  Bun.spawnSync(['ip', 'netns', 'exec', NETNS, 'sysctl', '-qw', ...soon])
  command('address', 'add', '192.0.2.11/24', 'dev', 'eth0')
  command('address', 'add', '2001:db8::11/64', 'dev', 'eth0', 'nodad')
  nsFd = openSync(`/run/netns/${NETNS}`, 'r')
  rtnl = openRtnl({ nsFd })
  planner = samplePlanner({ ...SAMPLE_CLUSTER, fabric: { way: 'bgp', otherwise: 'tunnel' } })
  told = 0
  ways = new Ways({ rtnl, planner: () => planner, changed: () => (told += 1), nsFd, askEvery: 200 })
})

afterEach(() => {
  ways[Symbol.dispose]()
  rtnl.close()
  closeSync(nsFd)
  for (const netns of [NETNS, OTHERS]) Bun.spawnSync(['ip', 'netns', 'del', netns])
})

/** The other machines have an address, or have it no more. */
function other(verb: 'add' | 'del', address: string): void {
  commandIn(
    OTHERS,
    'address',
    verb,
    address,
    'dev',
    'eth0',
    ...(address.includes(':') && verb === 'add' ? ['nodad'] : []),
  )
}

/** As BIRD writes them. */
function learn(via: string, via6: string): void {
  const table = ['table', `${LEAVE_TABLE}`, 'proto', 'bird', 'dev', 'eth0']
  command('route', 'replace', RANGE, 'via', via, ...table)
  command('-6', 'route', 'replace', RANGE6, 'via', via6, ...table)
}

/** The ways to the second node, IPv4 first: `open`, or why there is none. */
function reaches(): readonly string[] {
  planner.led(hostPlan(planner.context, planner.publication()).direct)
  const [known] = planner.known()
  return [known?.reach[4], known?.reach[6]].map((one) => (typeof one === 'string' ? one : (one?.why ?? '?')))
}

async function become(v4: string, v6: string): Promise<void> {
  for (let i = 0; i < 200 && String(reaches()) !== String([v4, v6]); i += 1) await Bun.sleep(100)
  expect(reaches()).toEqual([v4, v6])
}

test('what BGP told is followed while the node that it leads to is on the segment', async () => {
  learn(PEER, PEER6)
  await become('open', 'open')
  command('route', 'add', PEER, 'via', ROUTER)
  await become(`node2 (${PEER}) is on another segment, behind ${ROUTER}`, 'open')
  // So BIRD takes back what it learned.
  command('route', 'del', RANGE, 'table', `${LEAVE_TABLE}`)
  const untold = `no BGP neighbour told this node a route to ${RANGE} of node2`
  await become(`${untold}; node2 (${PEER}) is on another segment, behind ${ROUTER}`, 'open')
  command('route', 'del', PEER)
  await become(untold, 'open')
  learn(PEER, PEER6)
  await become('open', 'open')
  expect(told).toBeGreaterThan(2)
})

test('and while it answers', async () => {
  learn(PEER, PEER6)
  await become('open', 'open')
  other('del', `${PEER6}/64`)
  command('neigh', 'replace', PEER6, 'dev', 'eth0', 'nud', 'failed')
  await become('open', `node2 (${PEER6}) does not answer on eth0`)
  other('add', `${PEER6}/64`)
  await become('open', 'open')
})

test('a router that it leads by is asked for, and missed', async () => {
  other('del', `${ROUTER}/24`)
  learn(ROUTER, PEER6)
  await become('open', 'open')
  await become(`${ROUTER}, by which BGP leads to node2, does not answer on eth0`, 'open')
})

test('nobody is asked for who is known for good, nor by a route without a next hop', async () => {
  command('neigh', 'add', PEER6, 'dev', 'eth0', 'lladdr', '02:00:00:00:00:01', 'nud', 'permanent')
  const table = ['table', `${LEAVE_TABLE}`, 'proto', 'bird', 'dev', 'eth0']
  command('route', 'replace', RANGE, ...table)
  command('-6', 'route', 'replace', RANGE6, 'via', PEER6, ...table)
  await become('open', 'open')
  await Bun.sleep(1_000)
  expect(reaches()).toEqual(['open', 'open'])
  const known = neighList(rtnl, { link: linkGet(rtnl, 'eth0').index }).filter(({ state }) => state !== 'noarp')
  expect(known.map(({ address, state }) => `${address} ${state}`)).toEqual([`${PEER6} permanent`])
})
