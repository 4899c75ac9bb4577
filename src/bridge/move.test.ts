import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { describeTally, startPinger } from '../../test/lab/pinger.ts'
import { openStream } from '../../test/lab/stream.ts'
import { ip } from '../network/model/address.ts'
import { lastEnding } from './guard/state.ts'
import { ROUTER4, ROUTER6, type Site, startSite, V4, V6 } from './testing/site.ts'

let site: Site
let before: string

beforeAll(async () => {
  site = await startSite()
  before = await site.picture()
})

afterAll(async () => {
  await site?.[Symbol.asyncDispose]()
})

test('all of a card moves to the bridge and back, and standing connections notice nothing', async () => {
  const { node, router } = site
  const pingers = [V4, V6].map((address) => startPinger(router, ip(address), 10))
  const streams = await Promise.all([
    openStream('IPv4 in', { fd: router }, { fd: node, address: ip(V4), port: 7001 }),
    openStream('IPv6 in', { fd: router }, { fd: node, address: ip(V6), port: 7002 }),
    openStream('IPv4 out', { fd: node }, { fd: router, address: ip(ROUTER4), port: 7003 }),
    openStream('IPv6 out', { fd: node }, { fd: router, address: ip(ROUTER6), port: 7004 }),
  ])
  expect(await site.call('create')).toMatchObject({ isThere: false })
  // Everything that named the card names the bridge; the card has its master and nothing else.
  const moved = await site.picture()
  expect(await site.onNode('ip', '-o', 'addr', 'show', 'dev', 'eth0')).toBe('')
  for (const table of ['main', '500']) {
    const routes = await site.onNode('sh', '-c', `ip -4 route show table ${table}; ip -6 route show table ${table}`)
    expect(routes).not.toContain('eth0')
    expect(
      routes
        .replace(/ expires \w+/g, '')
        .trim()
        .split('\n'),
    ).toHaveLength(table === 'main' ? 8 : 2)
  }
  expect(moved).toContain('from all iif br1 lookup 500')
  expect(moved).toContain('172.18.0.77 dev br1')
  expect(await site.ovs.vsctl('show')).toMatch(SEED)
  expect(await site.call('create')).toMatchObject({ isThere: true, changes: 0 })
  expect(await site.call('remove')).not.toHaveProperty('error')
  expect(await site.picture()).toBe(before)
  const bytes = streams.map((stream) => stream.bytes())
  while (streams.some((stream, i) => stream.bytes() <= (bytes[i] ?? 0))) await Bun.sleep(10)
  for (const stream of streams) stream.close()
  for (const [i, pinger] of pingers.entries()) {
    const tally = await pinger.stop()
    console.info(`IPv${i === 0 ? 4 : 6}, to the bridge and back: ${describeTally(tally)}`)
    expect(tally.answered).toBeGreaterThan(50)
    // Of two moves. What is lost is printed; that hardly anything is, is what the order of the steps is for.
    expect(tally.lost).toBeLessThan(tally.sent / 4)
  }
}, 120_000)

/** The bridge as the document shows it. */
const SEED = /Bridge br1\n(?: {8}\w.*\n)*? {8}Port (eth0|br1)\n {12}Interface \1\n/

describe('what goes wrong is taken back', () => {
  test('a gateway that does not answer on the bridge', async () => {
    const script = SILENT.map((line) => `nsenter --net=/run/netns/${site.routerName} ${line}`).join('\n')
    const told = await site.call('create', { gatewayMs: 1500, shell: { at: 30, script } })
    expect(told?.error).toMatchObject({ code: 'BRIDGE_ROLLED_BACK' })
    expect(told?.error?.message).toContain(`${ROUTER4} and ${ROUTER6} did not answer on br1`)
    await site.onRouter('sh', '-ec', SPEAKING.join('\n'))
    expect(await settled(site)).toBe(before)
    expect(lastEnding(site.folder, 'br1')).toMatchObject({ outcome: 'rolled back', problems: [] })
  }, 120_000)

  test('one that did not answer before is told before anything is changed', async () => {
    await site.onRouter('sh', '-ec', SILENT.join('\n'))
    const told = await site.call('create')
    expect(told).toMatchObject({ changes: 0, error: { code: 'BRIDGE_GATEWAY_SILENT' } })
    await site.onRouter('sh', '-ec', SPEAKING.join('\n'))
  }, 120_000)

  test('an Open vSwitch that stops in the middle', async () => {
    const { database = 0 } = site.ovs.pids()
    const script = `kill -STOP ${database}; (sleep 1; kill -CONT ${database}) >/dev/null 2>&1 &`
    const told = await site.call('create', { shell: { at: 0, script } })
    expect(told).not.toHaveProperty('error')
    expect(await site.call('remove')).not.toHaveProperty('error')
    expect(await settled(site)).toBe(before)
  }, 120_000)
})

/** A router that takes packets and answers no question for its addresses; and again does. */
const SILENT = ['sysctl -qw net.ipv4.conf.wire.arp_ignore=8', `ip addr del ${ROUTER6}/64 dev wire`]
const SPEAKING = ['sysctl -qw net.ipv4.conf.wire.arp_ignore=0', `ip addr add ${ROUTER6}/64 dev wire nodad`]

/** The picture once the kernel has carried its own changes out, such as those after a carrier came back. */
async function settled(place: Site): Promise<string> {
  for (let last = ''; ; ) {
    const found = await place.picture()
    if (found === last || found === before) return found
    last = found
    await Bun.sleep(300)
  }
}
