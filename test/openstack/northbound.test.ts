/**
 * The northbound database shared with a real Neutron: what its synchronisation leaves of ours, and what it takes. Two minutes:
 * `npm run test:openstack`. The cloud is this test's own: the synchronisation would take from others.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { join } from 'node:path'
import { cidr, ip } from '../../src/network/model/address.ts'
import type { Neutron } from '../../src/openstack/neutron/neutron.ts'
import { connectNorthbound, type Northbound } from '../../src/ovn/connect.ts'
import { isOvnError } from '../../src/ovn/errors.ts'
import { podPortName, setName } from '../../src/ovn/names.ts'
import { OvnRegistry } from '../../src/ovn/registry/registry.ts'
import { ensureAddresses, ensureGroup } from '../../src/ovn/rows/groups.ts'
import { ownedRows } from '../../src/ovn/rows/owned.ts'
import { ensurePort, portReady } from '../../src/ovn/rows/ports.ts'
import { ensureJoin, ensureRoute, ensureRouter } from '../../src/ovn/rows/routers.ts'
import { ensureSwitch } from '../../src/ovn/rows/switches.ts'
import { Cloud, missingPrograms } from './cloud/cloud.ts'
import { must } from './cloud/programs.ts'

setDefaultTimeout(300_000)

const wanted = process.env['WEFT_TEST_OPENSTACK'] !== undefined && missingPrograms().length === 0
const GROUP = setName('blue', 'pods')

describe.skipIf(!wanted)('a northbound database that Neutron uses too (npm run test:openstack)', () => {
  let cloud: Cloud
  let neutron: Neutron
  let nbd: Northbound
  let lswitch: string
  let vm: string
  let networkId: string
  const nested = podPortName('blue', { sandbox: 's1', interface: 'eth0' })

  beforeAll(async () => {
    cloud = await Cloud.startOwn(['ovn'])
    neutron = cloud.client('ovn', 'admin')
    networkId = (await neutron.networks.create({ name: 'machines' })).id
    await neutron.subnets.create({ networkId, name: 'machines', cidr: '10.60.0.0/24', hasDhcp: true })
    vm = (await neutron.ports.create({ networkId, name: 'vm' })).id
    lswitch = `neutron-${networkId}`
    nbd = await connectNorthbound({ remotes: cloud.ovn.northbound, cluster: 'blue' })
  }, 600_000)

  afterAll(async () => {
    nbd?.close()
    await cloud?.stop()
  }, 60_000)

  const group = () =>
    ensureGroup(nbd, {
      name: GROUP,
      ports: [nested],
      rules: [
        { direction: 'to-lport', priority: 1001, match: `outport == @${GROUP} && icmp4`, action: 'allow-related' },
      ],
    })

  const owned = async () => (await ownedRows(nbd)).map(({ table, uuid, name }) => `${table} ${name} ${uuid}`).toSorted()

  async function synchronise(): Promise<void> {
    const folder = join(cloud.folder, 'neutron-ovn')
    // The program loads a plugin that wants this driver.
    const extensions = 'extension_drivers = port_security,tag_ports_during_bulk_creation,qos'
    await Bun.write(join(folder, 'sync.ini'), `[ml2]\n${extensions}\n`)
    const files = ['neutron.conf', 'ml2.ini', 'sync.ini'].flatMap((name) => ['--config-file', join(folder, name)])
    await must(['neutron-ovn-db-sync-util', ...files, '--ovn-neutron_sync_mode', 'repair'])
  }

  test('its repair leaves every row of ours but port groups, which come back whole; its own are as they were', async () => {
    await ensurePort(nbd, {
      switch: lswitch,
      name: nested,
      addresses: ['0a:58:0a:3c:00:c8 10.60.0.200'],
      nested: { parent: vm, tag: 'any' },
    })
    expect((await portReady(nbd, nested, { tag: true })).tag).toBe(1)
    await ensureRouter(nbd, 'blue-router')
    await ensureSwitch(nbd, { name: 'blue-pods', subnets: [cidr('10.244.1.0/24')] })
    await ensureJoin(nbd, { router: 'blue-router', switch: 'blue-pods', gateways: ['10.244.1.1/24'] })
    await ensureRoute(nbd, { router: 'blue-router', prefix: cidr('0.0.0.0/0'), nexthop: ip('10.244.1.254') })
    await ensureAddresses(nbd, setName('blue', 'peers'), ['10.0.0.0/8'])
    const registry = await OvnRegistry.open(nbd)
    await registry.create('Tenant', 'shop', { namespace: 'shop', vni: 11 })
    // A first time without the group, so that what changes is known to be the group's doing.
    await synchronise()
    const theirs = await cloud.ovn.nbctl('show')
    const ours = await owned()
    expect(ours).toHaveLength(8)
    await group()
    const withGroup = await owned()
    await synchronise()
    expect(await owned()).toEqual(ours)
    expect(await cloud.ovn.nbctl('show')).toBe(theirs)
    await group()
    expect((await owned()).length).toBe(withGroup.length)
    expect(await cloud.ovn.nbctl('acl-list', GROUP)).toContain('icmp4')
    expect((await registry.list('Tenant')).objects).toHaveLength(1)
    registry.close()
  })

  test('its routers are not joined', async () => {
    const router = await neutron.routers.create('r')
    const joined = await ensureJoin(nbd, {
      router: `neutron-${router.id}`,
      switch: 'blue-pods',
      gateways: ['10.244.1.1/24'],
    }).catch((error: unknown) => error)
    expect(isOvnError(joined, 'OVN_NEUTRONS_ROUTER')).toBe(true)
  })

  test('with its network our nested port goes, and is refused by the switch’s name after', async () => {
    await neutron.ports.delete(vm)
    await neutron.networks.delete(networkId)
    const again = await ensurePort(nbd, { switch: lswitch, name: nested, addresses: [] }).catch(
      (error: unknown) => error,
    )
    expect(isOvnError(again, 'OVN_NO_SWITCH')).toBe(true)
    expect((await owned()).some((row) => row.includes(nested))).toBe(false)
  })
})
