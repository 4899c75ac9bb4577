/**
 * A machine with one card and a router, its Open vSwitch real: `br-int` and `breth1` made and taken away, also when the command
 * is killed on the way.
 */
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import { join } from 'node:path'
import { ROUTER4, ROUTER6, type Site, startSite, V4 } from '../../bridge/testing/site.ts'
import type { NodeCall } from '../testing/node-program.ts'

setDefaultTimeout(120_000)

const PROGRAM = join(import.meta.dir, '../testing/node-program.ts')
const wish = { uplink: 'eth0', bridge: 'br-int', hostBridge: 'breth0', datapathType: 'netdev' } as const
let site: Site
let before: string

beforeEach(async () => {
  site = await startSite()
  before = await site.picture()
})
afterEach(() => site?.[Symbol.asyncDispose]())

async function call(verb: 'wire' | 'unwire', more: Partial<NodeCall> = {}) {
  const text = JSON.stringify({ wish, ovsdb: site.ovs.dbSocket, folder: site.folder, ...more })
  const stdout = await site
    .onNode('setsid', '--wait', process.execPath, PROGRAM, verb, text)
    .catch((error: Error) => (/exit 137|exit 0/.test(error.message) ? '' : Promise.reject(error)))
  await site.quiet()
  return stdout === '' ? undefined : (JSON.parse(stdout) as { changes: number; isThere: boolean; error?: string })
}

const pings = async (address: string): Promise<void> => {
  await site.onNode('ping', '-c', '1', '-W', '5', address)
}

test('the machine’s addresses, routes and rules move to breth0, and back', async () => {
  expect(await call('wire')).toEqual(expect.objectContaining({ isThere: false }))
  expect(await site.ovs.vsctl('list-ports', 'br-int')).toBe('br-int-veth')
  const links = JSON.parse(await site.onNode('ip', '-d', '-j', 'link')) as {
    ifname: string
    master?: string
    address: string
    linkinfo?: { info_data?: { ageing_time?: number } }
  }[]
  const named = (name: string) => links.find(({ ifname }) => ifname === name)
  expect(named('eth0')?.master).toBe('breth0')
  expect(named('breth0-veth')?.master).toBe('breth0')
  // OVN knows the machine by one MAC: the bridge must not have the lowest one of its members.
  expect(named('breth0')?.address).toBe(named('eth0')?.address ?? '')
  expect(named('breth0')?.linkinfo?.info_data?.ageing_time).toBe(0)
  expect(await site.onNode('ip', '-4', 'addr', 'show', 'dev', 'breth0')).toContain(`${V4}/16`)
  expect(await site.onNode('ip', '-4', 'addr', 'show', 'dev', 'eth0')).not.toContain('inet ')
  await pings(ROUTER4)
  await pings(ROUTER6)
  expect(await call('wire')).toEqual({ changes: 0, isThere: true })
  expect(await call('unwire')).toEqual(expect.objectContaining({ isThere: false }))
  expect(await site.picture()).toBe(before)
  expect(await call('unwire')).toEqual({ changes: 0, isThere: true })
  await pings(ROUTER4)
})

test('what was wired by hand, as the document says, is left as it is', async () => {
  await site.ovs.vsctl('add-br', 'br-int', '--', 'set', 'bridge', 'br-int', 'datapath_type=netdev')
  await site.onNode(
    'sh',
    '-ec',
    `ip link add breth0 type bridge ageing_time 0; ip link set eth0 master breth0
     ip link add br-int-veth type veth peer name breth0-veth
     ip link set br-int-veth up; ip link set breth0-veth up; ip link set breth0-veth master breth0`,
  )
  await site.ovs.vsctl('add-port', 'br-int', 'br-int-veth')
  expect(await call('wire')).toEqual({ changes: 0, isThere: true })
  expect((await call('unwire'))?.error).toBe('breth0 was not made by node-setup')
})

test('a kill at any change leaves the machine as it was, or wired', async () => {
  const full = (await call('wire'))?.changes ?? 0
  expect(full).toBeGreaterThan(20)
  await call('unwire')
  // Every sixth one: all of them would be minutes.
  for (let killAt = 1; killAt < full; killAt += 6) {
    expect(await call('wire', { killAt })).toBeUndefined()
    expect([killAt, await site.picture()]).toEqual([killAt, before])
  }
  expect(await call('wire', { killAt: Math.floor(full / 2), killsGuard: true })).toBeUndefined()
  expect(await call('wire')).toEqual(expect.objectContaining({ isThere: false }))
  await pings(ROUTER4)
  expect(await call('unwire', { killAt: 5 })).toBeUndefined()
  await pings(ROUTER4)
  expect(await call('unwire')).toEqual(expect.objectContaining({ isThere: false }))
  expect(await site.picture()).toBe(before)
})

test('a gateway that is silent afterwards has everything put back', async () => {
  const { error } = (await call('wire', { gatewayMs: 0 })) ?? {}
  expect(error).toContain('everything is as it was before')
  expect(await site.picture()).toBe(before)
})
