/**
 * The command itself, on a node with one card and a router: what it refuses, tells and makes.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROUTER4, ROUTER6, type Site, startSite, V4, V6 } from './testing/site.ts'

let site: Site
let before: string

beforeAll(async () => {
  site = await startSite()
  await site.onNode('ip', 'link', 'add', 'eth1', 'type', 'veth', 'peer', 'name', 'eth1-far')
  await site.onNode('ip', 'link', 'add', 'lan0', 'type', 'bridge')
  await site.onNode('ip', 'link', 'set', 'eth1-far', 'master', 'lan0')
  await site.onNode('ip', 'link', 'add', 'lower', 'type', 'veth', 'peer', 'name', 'lower-far')
  await site.onNode('ip', 'link', 'add', 'link', 'lower', 'name', 'mv0', 'type', 'macvlan')
  await site.ovs.vsctl('add-br', 'theirs', '--', 'set', 'bridge', 'theirs', 'datapath_type=netdev')
  await site.ovs.vsctl('add-port', 'theirs', 'eth1')
  before = await site.picture()
})

afterAll(async () => {
  await site?.[Symbol.asyncDispose]()
})

test.each([
  ['a card that is not there', 'br1', 'eth9', 'BRIDGE_NO_UPLINK'],
  ['the bridge of pods', 'br-weft', 'eth0', 'BRIDGE_NAME'],
  ['a name that is too long', 'a-bridge-of-mine', 'eth0', 'BRIDGE_NAME'],
  ['a name that is a path', '../x', 'eth0', 'BRIDGE_NAME'],
  ['a bridge of others', 'theirs', 'eth0', 'BRIDGE_NOT_OURS'],
  ['a name that a link has', 'lan0', 'eth0', 'BRIDGE_NOT_OURS'],
  ['a card that is a port', 'br1', 'eth1', 'BRIDGE_UPLINK_TAKEN'],
  ['a member of a bridge', 'br1', 'eth1-far', 'BRIDGE_UPLINK_TAKEN'],
  ['a card below a macvlan', 'br1', 'lower', 'BRIDGE_UPLINK_TAKEN'],
  ['the loopback', 'br1', 'lo', 'BRIDGE_UPLINK_UNFIT'],
])('%s is refused, and nothing is changed', async (_, bridge, uplink, code) => {
  const { code: exit, stdout } = await site.weft('create', bridge, '--uplink', uplink, '--json')
  expect(JSON.parse(stdout).error).toMatchObject({ code })
  expect(exit).toBe(1)
  expect(await site.picture()).toBe(before)
  expect(existsSync(site.folder) ? readdirSync(site.folder).filter((name) => name.endsWith('.json')) : []).toEqual([])
})

test.each([
  ['addresses that would be lost', ['--no-move'], 'BRIDGE_UPLINK_HAS_ADDRESSES'],
  ['an MTU above the uplink’s', ['--mtu', '9000'], 'BRIDGE_MTU'],
])('%s are refused', async (_, flags, code) => {
  const { stdout } = await site.weft('create', 'br1', '--uplink', 'eth0', '--json', ...flags)
  expect(JSON.parse(stdout).error).toMatchObject({ code })
})

test('a dry run tells every change and makes none', async () => {
  const { code, stdout } = await site.weft(
    'create',
    'br1',
    '--uplink',
    'eth0',
    '--datapath-type',
    'netdev',
    '--dry-run',
  )
  expect(code).toBe(0)
  for (const line of [
    /^\d+\. make the bridge br1 with the address/m,
    /^ {3}ovs-vsctl add-port br1 eth0$/m,
    /^ {3}ip route append 0\.0\.0\.0\/0 via 172\.18\.0\.1 metric 100 dev br1$/m,
    /^ {3}ip address del 172\.18\.10\.10\/16 dev eth0$/m,
    /^Then there has to be an answer of 172\.18\.0\.1 and 2001:db8:18::1 on br1 within 10 s/m,
  ]) {
    expect(stdout).toMatch(line)
  }
  expect(await site.picture()).toBe(before)
})

test('create, status, a second create, remove', async () => {
  const given = [
    'create',
    'br1',
    '--uplink',
    'eth0',
    '--datapath-type',
    'netdev',
    '--mtu',
    '1400',
    '--trunks',
    '100,200-202',
  ]
  const made = await site.weft(...given, '--persist', 'networkd')
  expect(made.stderr).toContain('eth0 is the only link with addresses')
  expect(made.stdout).toContain(`br1 has eth0 as its uplink; ${ROUTER4} and ${ROUTER6} answer; networkd makes it again`)
  expect(made.code).toBe(0)
  expect(await site.ovs.vsctl('get', 'Port', 'eth0', 'trunks')).toBe('[0, 100, 200, 201, 202]')
  expect(await site.onNode('ip', 'link', 'show', 'br1')).toContain('mtu 1400')
  await site.ovs.vsctl('add-port', 'br1', 'pod1', 'tag=300', '--', 'set', 'Interface', 'pod1', 'type=internal')
  await site.ovs.vsctl('set', 'Port', 'pod1', 'external_ids:owner=ovs-cni.network.kubevirt.io')
  const [view] = JSON.parse((await site.weft('status', 'br1', '--json')).stdout)
  expect(view).toMatchObject({
    bridge: 'br1',
    maker: 'weft',
    state: 'moved',
    uplinks: ['eth0'],
    vlans: [300],
    pods: 1,
    persist: ['networkd'],
    problems: [],
    last: { what: 'create', outcome: 'confirmed' },
  })
  expect(view.addresses).toContain(`${V4}/16`)
  expect(view.addresses).toContain(`${V6}/64`)
  expect(view.gateways).toEqual([ROUTER4, ROUTER6].map((address) => ({ address, answers: true })))
  expect((await site.weft('status')).stdout).toMatch(/theirs +│? *eth1/)
  const again = await site.weft(...given)
  expect([again.code, again.stdout]).toEqual([0, 'br1 has eth0 as its uplink already: nothing is to do\n'])
  const other = await site.weft('create', 'br1', '--uplink', 'lan0', '--json')
  expect(JSON.parse(other.stdout).error.code).toBe('BRIDGE_NOT_OURS')
  const refused = await site.weft('remove', 'br1', '--json')
  expect(JSON.parse(refused.stdout).error).toMatchObject({ code: 'BRIDGE_HAS_PORTS' })
  const removed = await site.weft('remove', 'br1', '--force')
  expect(removed.stdout).toBe('br1 is removed; eth0 has its addresses back\n')
  expect(await site.picture()).toBe(before)
  expect(readdirSync(join(site.root, 'etc/systemd/network'))).toEqual([])
  const theirs = await site.weft('remove', 'theirs', '--json')
  expect(JSON.parse(theirs.stdout).error.code).toBe('BRIDGE_NOT_OURS')
}, 120_000)

test('a card that netplan knows: its file is changed and comes back, also when the change is taken back', async () => {
  const folder = join(site.root, 'etc/netplan')
  const path = join(folder, '50-site.yaml')
  const text = `network:\n  ethernets:\n    eth0:\n      addresses: [${V4}/16] # of the site\n      optional: true\n`
  mkdirSync(folder, { recursive: true })
  writeFileSync(path, text, { mode: 0o600 })
  const wish = ['--uplink', 'eth0', '--datapath-type', 'netdev'] as const
  const told = await site.weft('create', 'br1', ...wish, '--dry-run')
  expect(told.stdout).toContain(`write ${path} (the former one is kept as ${path}.before-weft-br1)`)
  expect(readdirSync(folder)).toEqual(['50-site.yaml'])
  // A change that fails in the middle: the name of the bridge's link is taken at the last moment.
  const script = 'ip link add br1 type veth peer name br1-far'
  const failed = await site.call('create', { persist: 'auto', shell: { at: 2, script } })
  expect(failed?.error?.code).toBe('BRIDGE_ROLLED_BACK')
  await site.onNode('ip', 'link', 'del', 'br1-far').catch(() => undefined)
  expect([readdirSync(folder), readFileSync(path, 'utf8')]).toEqual([['50-site.yaml'], text])
  expect(await site.picture()).toBe(before)
  const made = await site.weft('create', 'br1', ...wish)
  expect(made.stdout).toContain('netplan makes it again at start')
  expect(readdirSync(folder).sort()).toEqual(['50-site.yaml', '50-site.yaml.before-weft-br1', '90-weft-br1.yaml'])
  const [view] = JSON.parse((await site.weft('status', 'br1', '--json')).stdout)
  expect(view.persist).toEqual(['netplan'])
  await site.weft('remove', 'br1')
  expect([readdirSync(folder), readFileSync(path, 'utf8')]).toEqual([['50-site.yaml'], text])
  expect(await site.picture()).toBe(before)
}, 120_000)
