/**
 * A node and two routers outside that know the same network: packets go by both, and by one when the other is dead, which is
 * known in seconds with BFD.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { BirdKeeper } from '../../src/bird/keeper.ts'
import { bfdSessions } from '../../src/bird/protocols.ts'
import { WAY_METRIC } from '../../src/network/fabric/bgp/announce.ts'
import type { BgpCluster, BgpFilter, BgpPeer } from '../../src/network/fabric/bgp/model.ts'
import { OUTSIDE_TABLE } from '../../src/network/fabric/direct.ts'
import { cidr, ip } from '../../src/network/model/address.ts'
import { output, run } from '../lab/command.ts'
import { clusterOf, filesOf, type Host, type Hosts, makeHosts } from './hosts.ts'

const PATIENCE = 90_000
const BEHIND = { 4: '203.0.113.0/24', 6: '2001:db8:113::/64' } as const
/** A peer that nobody is, behind the first router. */
const FAR = '10.98.0.9'
let lab: Hosts
const keepers: BirdKeeper[] = []

beforeAll(async () => {
  lab = await makeHosts(3)
  for (const host of lab.hosts) keepers.push(new BirdKeeper({ ...host.keeper, every: 100 }))
}, PATIENCE)

afterAll(async () => {
  for (const keeper of keepers) await keeper.stop()
  await lab?.remove()
}, PATIENCE)

test(
  'what both tell is led to both of them, in a table of its own, and a default route to none',
  async () => {
    await speak(false)
    await until(async () => (await outsideRoutes()).filter((line) => line.includes('nexthop')).length === 4)
    const routes = await outsideRoutes()
    expect(routes.filter((line) => line.includes('nexthop')).map((line) => line.split(' ')[2])).toEqual(
      expect.arrayContaining(['10.99.0.2', '10.99.0.3', 'fd99::2', 'fd99::3']),
    )
    expect(routes.filter((line) => !line.includes('nexthop')).map((line) => line.split(' ')[0])).toEqual([
      BEHIND[4],
      BEHIND[6],
    ])
    const main = await output(['ip', '-n', node().netns, 'route', 'show', 'proto', 'bird'])
    expect(main.trim()).toBe(`${FAR} via 10.99.0.2 dev eth0 metric ${WAY_METRIC}`)
  },
  PATIENCE,
)

test(
  'a router that falls silent is left when BFD misses it, and not before the hold time without',
  async () => {
    await silence(true)
    // Longer than BFD takes, by far less than the hold time.
    await Bun.sleep(3000)
    expect((await outsideRoutes()).filter((line) => line.includes('nexthop'))).toHaveLength(4)
    await silence(false)
    await speak(true)
    await until(async () => (await bfdSessions(keeper(0).control)).filter(({ isUp }) => isUp).length === 4)
    await until(async () => (await outsideRoutes()).filter((line) => line.includes('nexthop')).length === 4)
    const start = performance.now()
    await silence(true)
    await until(async () => (await outsideRoutes()).every((line) => !/10\.99\.0\.3|fd99::3/.test(line)))
    if (process.env['WEFT_TEST_SAY'] !== undefined)
      console.log(`its routes went after ${Math.round(performance.now() - start)} ms`)
    expect((await outsideRoutes()).map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      `${BEHIND[4]} via 10.99.0.2`,
      `${BEHIND[6]} via fd99::2`,
    ])
  },
  PATIENCE,
)

function node(): Host {
  const [first] = lab.hosts
  if (first === undefined) throw new Error('there is no host')
  return first
}

function keeper(index: number): BirdKeeper {
  const found = keepers[index]
  if (found === undefined) throw new Error(`no keeper ${index}`)
  return found
}

/** The node’s part is what an agent writes; routers are anybody's. */
async function speak(bfd: boolean): Promise<void> {
  for (const [index, { number }] of lab.hosts.slice(1).entries()) {
    await keeper(index + 1).apply([{ name: 'bird.conf', content: routerText(number, bfd), isSecret: false }])
  }
  await keeper(0).apply(filesOf(cluster(bfd), node()))
}

function cluster(bfd: boolean): BgpCluster {
  const peers = lab.hosts.slice(1).flatMap(({ number }) =>
    [`10.99.0.${number}`, `fd99::${number}`].map(
      (address): BgpPeer => ({
        name: `router ${address}`,
        on: { kind: 'all' },
        to: { kind: 'address', address: ip(address), asNumber: 65_001 },
        nextHop: 'auto',
        bfd,
        source: 'node',
        filters: ['all'],
      }),
    ),
  )
  const everything = [{ action: 'accept', changes: [] }] as const
  const defaults = (network: string) =>
    ({ action: 'accept', prefix: { operator: 'equal', cidr: cidr(network) }, changes: [] }) as const
  const all: BgpFilter = {
    name: 'all',
    imports: { 4: [defaults('0.0.0.0/0'), ...everything], 6: [defaults('::/0'), ...everything] },
    exports: { 4: [], 6: [] },
  }
  const [first] = peers
  if (first === undefined) throw new Error('there is no router')
  const far: BgpPeer = {
    ...first,
    name: 'far',
    bfd: false,
    to: { kind: 'address', address: ip(FAR), asNumber: 65_002 },
    reachableBy: ip('10.99.0.2'),
  }
  return { ...clusterOf([node()]), peers: [...peers, far], filters: [all], bfd: { interval: 100, multiplier: 3 } }
}

function routerText(number: number, bfd: boolean): string {
  const session = (family: 4 | 6, own: string, other: string): string => `
protocol static behind${family} { ipv${family}; route ${BEHIND[family]} blackhole; route ${family === 4 ? '0.0.0.0/0' : '::/0'} blackhole; }
protocol bgp node${family} {
  local ${own} as 65001;
  neighbor ${other} as 64512;
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  ${bfd ? 'bfd on;' : ''}
  ipv${family} { import all; export all; };
}
`
  return `router id 10.99.0.${number};
protocol device { }
${bfd ? 'protocol bfd { interface "*" { interval 100 ms; multiplier 3; }; }' : ''}
${session(4, `10.99.0.${number}`, '10.99.0.1')}${session(6, `fd99::${number}`, 'fd99::1')}`
}

/** Whether nothing of the last host comes out. */
async function silence(isSilent: boolean): Promise<void> {
  const rule = ['table', 'inet', 'silence']
  const netns = lab.hosts.at(-1)?.netns ?? ''
  const nft = (...args: readonly string[]): Promise<unknown> => run(['ip', 'netns', 'exec', netns, 'nft', ...args])
  if (!isSilent) return void (await nft('delete', ...rule))
  await nft('add', ...rule)
  await nft('add', 'chain', 'inet', 'silence', 'out', '{ type filter hook output priority 0; policy drop; }')
  await nft('add', 'chain', 'inet', 'silence', 'in', '{ type filter hook input priority 0; policy drop; }')
}

/** One line for a route with one next hop, and for each next hop of one with several. */
async function outsideRoutes(): Promise<readonly string[]> {
  const show = async (family: string): Promise<string> =>
    (await run(['ip', '-n', node().netns, family, 'route', 'show', 'table', `${OUTSIDE_TABLE}`])).stdout
  return [await show('-4'), await show('-6')]
    .flatMap((text) => text.split('\n'))
    .map((line) => line.trim().replaceAll(/\s+/g, ' '))
    .filter((line) => line !== '')
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400; i += 1) {
    if (await what()) return
    await Bun.sleep(100)
  }
  throw new Error(`${what} did not become true`)
}
