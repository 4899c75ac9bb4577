/** The operations against a real ovsdb-server with OVN's schema, followed by a real ovn-northd. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { cidr, ip } from '../../network/model/address.ts'
import { connectNorthbound, type Northbound } from '../connect.ts'
import { isOvnError } from '../errors.ts'
import { podPortName, setName } from '../names.ts'
import { type Central, SKIPPED, startCentral } from '../testing/central.ts'
import { ensureAddresses, ensureGroup, removeAddresses, removeGroup } from './groups.ts'
import { ownedRows } from './owned.ts'
import { ensurePool } from './pool.ts'
import { ensurePort, listPorts, portReady, removePort } from './ports.ts'
import { ensureJoin, ensureRoute, ensureRouter, removeRoute, removeRouter } from './routers.ts'
import { ensureSwitch, removeSwitch } from './switches.ts'

let central: Central
let nbd: Northbound

async function codeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call
    return 'ok'
  } catch (error) {
    return isOvnError(error) ? error.code : error
  }
}

if (SKIPPED !== undefined) console.log(SKIPPED)

describe.skipIf(SKIPPED !== undefined)('rows of the northbound database', () => {
  beforeAll(async () => {
    central = await startCentral()
    nbd = await connectNorthbound({ remotes: central.remotes, cluster: 'blue' })
  }, 60_000)

  afterAll(async () => {
    nbd?.close()
    await central?.stop()
  })

  test('a switch is made once, changes with what is asked, and is marked', async () => {
    const first = await ensureSwitch(nbd, { name: 'ls-a', subnets: [cidr('10.1.0.0/24')], ids: { 'weft-node': 'a' } })
    expect(await ensureSwitch(nbd, { name: 'ls-a', subnets: [cidr('10.1.0.0/24')] })).toEqual(first)
    await central.nbctl('set', 'Logical_Switch', 'ls-a', 'other_config:mcast_snoop=true')
    const subnets = [cidr('10.2.0.0/24'), cidr('fd00:2::/64')]
    await ensureSwitch(nbd, { name: 'ls-a', subnets, excluded: [ip('10.2.0.2')] })
    expect(await central.nbctl('get', 'Logical_Switch', 'ls-a', 'other_config')).toBe(
      '{exclude_ips="10.2.0.2", ipv6_prefix="fd00:2::", mcast_snoop="true", subnet="10.2.0.0/24"}',
    )
    expect(await central.nbctl('get', 'Logical_Switch', 'ls-a', 'external_ids')).toBe(
      '{weft-cluster=blue, weft-for=switch, weft-node=a}',
    )
    await removeSwitch(nbd, 'ls-a')
    await removeSwitch(nbd, 'ls-a')
    expect(await central.nbctl('ls-list')).not.toContain('ls-a')
  })

  test('of many that make one switch at once all have the same one', async () => {
    const made = await Promise.all(Array.from({ length: 12 }, () => ensureSwitch(nbd, { name: 'ls-race' })))
    expect(new Set(made.map(({ uuid }) => uuid)).size).toBe(1)
    expect((await central.nbctl('ls-list')).match(/ls-race/g)).toHaveLength(1)
    await removeSwitch(nbd, 'ls-race')
  })

  test('what is of others is refused by its name, and left as it was', async () => {
    await central.nbctl('ls-add', 'theirs', '--', 'lr-add', 'their-router')
    await central.nbctl(
      'lsp-add',
      'theirs',
      'their-port',
      '--',
      'set',
      'Logical_Switch',
      'theirs',
      'external_ids:weft-cluster=red',
    )
    await central.nbctl('pg-add', 'their_group', '--', 'create', 'Address_Set', 'name=their_set')
    const before = await central.nbctl('show')
    expect(await codeOf(ensureSwitch(nbd, { name: 'theirs' }))).toBe('OVN_NAME_TAKEN')
    expect(await codeOf(removeSwitch(nbd, 'theirs'))).toBe('OVN_NAME_TAKEN')
    expect(await codeOf(ensureRouter(nbd, 'their-router'))).toBe('OVN_NAME_TAKEN')
    expect(await codeOf(removeRouter(nbd, 'their-router'))).toBe('OVN_NAME_TAKEN')
    expect(await codeOf(ensurePort(nbd, { switch: 'theirs', name: 'their-port', addresses: [] }))).toBe(
      'OVN_NAME_TAKEN',
    )
    expect(await codeOf(removePort(nbd, 'their-port'))).toBe('OVN_NAME_TAKEN')
    expect(await codeOf(ensureGroup(nbd, { name: 'their_group', ports: [], rules: [] }))).toBe('OVN_NAME_TAKEN')
    expect(await codeOf(removeGroup(nbd, 'their_group'))).toBe('OVN_NAME_TAKEN')
    expect(await codeOf(ensureAddresses(nbd, 'their_set', []))).toBe('OVN_NAME_TAKEN')
    expect(await codeOf(removeAddresses(nbd, 'their_set'))).toBe('OVN_NAME_TAKEN')
    expect(await central.nbctl('show')).toBe(before)
  })

  test('our own row is no longer ours once Neutron has marked it', async () => {
    await ensureSwitch(nbd, { name: 'ls-taken-over' })
    await central.nbctl('set', 'Logical_Switch', 'ls-taken-over', 'external_ids:neutron\\:network_name=x')
    expect(await codeOf(removeSwitch(nbd, 'ls-taken-over'))).toBe('OVN_NAME_TAKEN')
    await central.nbctl('ls-del', 'ls-taken-over')
  })

  test('a key of Neutron or of nobody is never written', async () => {
    const ids = { 'neutron:port_name': 'x' }
    const calls = [
      () => ensureSwitch(nbd, { name: 'ls-n', ids }),
      () => ensurePort(nbd, { switch: 'theirs', name: 'n', addresses: [], ids }),
      () => ensureSwitch(nbd, { name: 'ls-n', ids: { 'weft-cluster': 'red' } }),
    ]
    for (const call of calls) expect(await codeOf(call())).toBe('OVN_BAD_REQUEST')
  })

  test('a switch is joined to a router once, with its gateways, and leaves it when it goes', async () => {
    await ensureRouter(nbd, 'lr')
    await ensureSwitch(nbd, { name: 'ls-j' })
    const wish = { router: 'lr', switch: 'ls-j', gateways: ['10.3.0.1/24', 'fd00:3::1/64'] }
    await ensureJoin(nbd, wish)
    await ensureJoin(nbd, wish)
    expect(await central.nbctl('lrp-list', 'lr')).toMatch(/^\S+ \(lr-to-ls-j\)$/)
    expect(await central.nbctl('get', 'Logical_Router_Port', 'lr-to-ls-j', 'mac', 'networks')).toBe(
      '"0a:58:0a:03:00:01"\n["10.3.0.1/24", "fd00:3::1/64"]',
    )
    await ensureJoin(nbd, { ...wish, gateways: ['10.3.0.1/24'] })
    expect(await central.nbctl('get', 'Logical_Router_Port', 'lr-to-ls-j', 'networks')).toBe('["10.3.0.1/24"]')
    await removeSwitch(nbd, 'ls-j')
    expect(await central.nbctl('lrp-list', 'lr')).toBe('')
    await ensureSwitch(nbd, { name: 'ls-j' })
    await ensureJoin(nbd, wish)
    await removeRouter(nbd, 'lr')
    expect(await central.nbctl('lsp-list', 'ls-j')).toBe('')
    await removeSwitch(nbd, 'ls-j')
  })

  test('a join without its ends, or to Neutron’s router, is refused with what to do', async () => {
    await central.nbctl(
      'lr-add',
      'neutron-r',
      '--',
      'set',
      'Logical_Router',
      'neutron-r',
      'external_ids:neutron\\:router_name=r',
    )
    await ensureSwitch(nbd, { name: 'ls-k' })
    const join = (router: string, lswitch: string) =>
      codeOf(ensureJoin(nbd, { router, switch: lswitch, gateways: ['10.3.0.1/24'] }))
    expect(await join('neutron-r', 'ls-k')).toBe('OVN_NEUTRONS_ROUTER')
    expect(await join('absent', 'ls-k')).toBe('OVN_NO_ROUTER')
    expect(await join('their-router', 'absent')).toBe('OVN_NO_SWITCH')
    const route = { router: 'neutron-r', prefix: cidr('0.0.0.0/0'), nexthop: ip('10.0.0.1') }
    expect(await codeOf(ensureRoute(nbd, route))).toBe('OVN_NEUTRONS_ROUTER')
    await removeSwitch(nbd, 'ls-k')
    await central.nbctl('lr-del', 'neutron-r')
  })

  test('a route is one per prefix, changes, and goes; those of others stay', async () => {
    await ensureRouter(nbd, 'lr2')
    await central.nbctl('lr-route-add', 'lr2', '192.0.2.0/24', '10.9.0.9')
    const prefix = cidr('0.0.0.0/0')
    await ensureRoute(nbd, { router: 'lr2', prefix, nexthop: ip('10.9.0.1') })
    await ensureRoute(nbd, { router: 'lr2', prefix, nexthop: ip('10.9.0.2') })
    await ensureRoute(nbd, { router: 'lr2', prefix, nexthop: ip('10.9.0.2') })
    const routes = () => central.nbctl('--bare', '--columns=ip_prefix,nexthop', 'list', 'Logical_Router_Static_Route')
    expect(
      (await routes())
        .split('\n')
        .filter((line) => line !== '')
        .toSorted(),
    ).toEqual(['0.0.0.0/0', '10.9.0.2', '10.9.0.9', '192.0.2.0/24'].toSorted())
    await removeRoute(nbd, { router: 'lr2', prefix })
    await removeRoute(nbd, { router: 'lr2', prefix: cidr('192.0.2.0/24') })
    expect((await routes()).split('\n')).toEqual(['192.0.2.0/24', '10.9.0.9'])
    await removeRouter(nbd, 'lr2')
  })

  test('nested ports get VLANs of their own from ovn-northd, beside those Neutron set', async () => {
    await central.nbctl('ls-add', 'neutron-net', '--', 'lsp-add', 'neutron-net', 'vm')
    await central.nbctl('lsp-add', 'neutron-net', 'trunk-subport', 'vm', '1')
    await ensureSwitch(nbd, { name: 'ls-pods' })
    const names = [1, 2, 3].map((n) => podPortName('blue', { sandbox: `s${n}`, interface: 'eth0' }))
    const nested = { parent: 'vm', tag: 'any' } as const
    const addresses = ['0a:58:0a:04:00:02 10.4.0.2']
    for (const name of names) await ensurePort(nbd, { switch: 'ls-pods', name, addresses, nested })
    const ports = await Promise.all(names.map((name) => portReady(nbd, name, { tag: true })))
    expect(ports.map(({ tag }) => tag).toSorted()).toEqual([2, 3, 4])
    const [first = ''] = names
    const again = await ensurePort(nbd, { switch: 'ls-pods', name: first, addresses, nested })
    expect(again).toEqual(expect.objectContaining({ tag: ports[0]?.tag, parent: 'vm', isUp: false }))
    const fixed = (name: string, tag: number) =>
      ensurePort(nbd, { switch: 'ls-pods', name, addresses: ['dynamic'], nested: { parent: 'vm', tag } })
    expect(await codeOf(fixed('blue-5', 1))).toBe('OVN_TAG_TAKEN')
    expect(await codeOf(fixed('blue-5', 3))).toBe('OVN_TAG_TAKEN')
    expect(await codeOf(fixed('blue-5', 4095))).toBe('OVN_BAD_REQUEST')
    await fixed('blue-5', 77)
    expect((await portReady(nbd, 'blue-5', { tag: true })).tag).toBe(77)
    expect(await codeOf(fixed('blue-5', 78))).toBe('OVN_ELSEWHERE')
    const orphan = { switch: 'ls-pods', name: 'orphan', addresses, nested: { parent: 'nobody', tag: 'any' } } as const
    expect(await codeOf(ensurePort(nbd, orphan))).toBe('OVN_NO_PARENT')
    expect(await codeOf(ensurePort(nbd, { ...orphan, nested: { parent: 'blue-5', tag: 'any' } }))).toBe('OVN_NO_PARENT')
    expect((await listPorts(nbd)).map(({ name }) => name).toSorted()).toEqual([...names, 'blue-5'].toSorted())
    for (const name of [...names, 'blue-5']) await removePort(nbd, name)
    expect(await central.nbctl('lsp-list', 'ls-pods')).toBe('')
    expect(await central.nbctl('lsp-list', 'neutron-net')).toContain('trunk-subport')
    await removeSwitch(nbd, 'ls-pods')
    await central.nbctl('ls-del', 'neutron-net')
  })

  test('a port of ours in a switch of others is ours alone there, and its switch is not removed under it', async () => {
    await ensurePort(nbd, { switch: 'theirs', name: 'guest', addresses: ['0a:58:0a:04:00:09 10.4.0.9'] })
    expect(await central.nbctl('get', 'Logical_Switch_Port', 'guest', 'port_security')).toBe(
      '["0a:58:0a:04:00:09 10.4.0.9"]',
    )
    await removePort(nbd, 'guest')
    expect(await central.nbctl('lsp-list', 'theirs')).toMatch(/^\S+ \(their-port\)$/)
    await ensureSwitch(nbd, { name: 'ls-shared' })
    await central.nbctl('lsp-add', 'ls-shared', 'their-guest')
    expect(await codeOf(removeSwitch(nbd, 'ls-shared'))).toBe('OVN_IN_USE')
    await central.nbctl('lsp-del', 'their-guest')
    await removeSwitch(nbd, 'ls-shared')
  })

  test('a port that asks OVN for an address has it; one that nobody takes is told with its iface-id', async () => {
    await ensureSwitch(nbd, { name: 'ls-dyn', subnets: [cidr('10.5.0.0/29')] })
    await ensurePort(nbd, { switch: 'ls-dyn', name: 'dyn', addresses: ['dynamic'] })
    expect((await portReady(nbd, 'dyn', { dynamic: true })).dynamic).toMatch(/^\S+ 10\.5\.0\.2$/)
    const failure = await portReady(nbd, 'dyn', { up: true, timeoutMs: 50 }).catch((error: unknown) => error)
    expect(isOvnError(failure, 'OVN_NOT_UP') && failure.remedy).toContain('iface-id=dyn')
    const gone = codeOf(portReady(nbd, 'dyn', { up: true }))
    await removePort(nbd, 'dyn')
    expect(await gone).toBe('OVN_ELSEWHERE')
    await removeSwitch(nbd, 'ls-dyn')
  })

  test('a group has its ports and rules, and comes back whole after somebody removed it', async () => {
    await ensureSwitch(nbd, { name: 'ls-g' })
    for (const name of ['g1', 'g2']) await ensurePort(nbd, { switch: 'ls-g', name, addresses: ['unknown'] })
    const name = setName('blue', 'my-shop')
    await ensureAddresses(nbd, `${name}.peers`, ['10.0.0.0/8'])
    const drop = { direction: 'to-lport', priority: 1000, match: `outport == @${name}`, action: 'drop' } as const
    const allow = {
      direction: 'to-lport',
      priority: 1001,
      match: `outport == @${name} && ip4.src == $${name}.peers`,
      action: 'allow-related',
    } as const
    const wish = { name, ports: ['g1', 'g2', 'absent'], rules: [drop, allow] }
    expect(await ensureGroup(nbd, wish)).toEqual({ missing: ['absent'] })
    await ensureGroup(nbd, wish)
    const rules = () => central.nbctl('acl-list', name)
    const text = await rules()
    expect(text.split('\n')).toHaveLength(2)
    // As Neutron's synchronisation does.
    await central.nbctl('pg-del', name)
    await ensureGroup(nbd, wish)
    expect(await rules()).toBe(text)
    await central.nbctl('acl-del', name)
    await ensureGroup(nbd, { ...wish, ports: ['g2'], rules: [drop] })
    expect((await rules()).split('\n')).toHaveLength(1)
    expect((await central.nbctl('get', 'Port_Group', name, 'ports')).match(/[0-9a-f-]{36}/g)).toHaveLength(1)
    expect(await codeOf(ensureGroup(nbd, { ...wish, name: 'no-name' }))).toBe('OVN_BAD_REQUEST')
    await removeGroup(nbd, name)
    await removeAddresses(nbd, `${name}.peers`)
    await removeSwitch(nbd, 'ls-g')
  })

  test('ports made in advance behind another machine are told so, and stay there', async () => {
    await central.nbctl('ls-add', 'vms', '--', 'lsp-add', 'vms', 'vm-a', '--', 'lsp-add', 'vms', 'vm-b')
    const wish = { switch: 'ls-pool', subnet: cidr('10.6.0.0/29'), parent: 'vm-a' }
    const made = await ensurePool(nbd, wish)
    expect(await codeOf(ensurePool(nbd, { ...wish, parent: 'vm-b' }))).toBe('OVN_ELSEWHERE')
    expect(await ensurePool(nbd, wish)).toEqual(made)
    await removeSwitch(nbd, 'ls-pool')
    await central.nbctl('ls-del', 'vms')
  }, 60_000)

  test('a subnet by mistake moves no gateway under ports that were made in advance', async () => {
    await central.nbctl('ls-add', 'vms', '--', 'lsp-add', 'vms', 'vm-a')
    const wish = { switch: 'ls-pool', subnet: cidr('10.6.0.0/29'), parent: 'vm-a', router: 'lr-pool' }
    const made = await ensurePool(nbd, wish)
    const before = await ownedRows(nbd)
    expect(await codeOf(ensurePool(nbd, { ...wish, subnet: cidr('10.6.0.0/30') }))).toBe('OVN_ELSEWHERE')
    expect(await central.nbctl('get', 'Logical_Router_Port', 'lr-pool-to-ls-pool', 'networks')).toContain('/29')
    expect(await ownedRows(nbd)).toEqual(before)
    expect(await ensurePool(nbd, wish)).toEqual(made)
    await removeSwitch(nbd, 'ls-pool')
    await removeRouter(nbd, 'lr-pool')
    await central.nbctl('ls-del', 'vms')
  }, 60_000)

  test('ports for a machine that is not there leave no router behind', async () => {
    const wish = { switch: 'ls-pool', subnet: cidr('10.6.0.0/29'), parent: 'nobody', router: 'lr-pool' }
    expect(await codeOf(ensurePool(nbd, wish))).toBe('OVN_NO_PARENT')
    expect(await ownedRows(nbd)).toEqual([])
  })

  test('at the end nothing of ours is left', async () => {
    expect(await ownedRows(nbd)).toEqual([])
    expect(await central.nbctl('--bare', '--columns=_uuid', 'list', 'ACL')).toBe('')
  })
})
