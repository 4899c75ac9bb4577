/**
 * A NIC with a real Neutron port goes into a pod: `npm run test:openstack`. The NIC is a veth with the port's MAC address; Nova, which
 * would plug a real one in, does not run here.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { NicBench } from '../../src/agent/plugins/nics/testing/nic-bench.ts'
import { askPortFacts } from '../../src/compat/neutron-nic/port-facts.ts'
import { addrList, linkGet, linkSet, routeList } from '../../src/linux/index.ts'
import type { Neutron } from '../../src/openstack/neutron/neutron.ts'
import { Cloud, missingPrograms } from './cloud/cloud.ts'

setDefaultTimeout(300_000)

const wanted = process.env['WEFT_TEST_OPENSTACK'] !== undefined && missingPrograms().length === 0
const never = new AbortController().signal

describe.skipIf(!wanted)('a NIC of Neutron’s (npm run test:openstack)', () => {
  let cloud: Cloud | undefined
  let neutron: Neutron

  beforeAll(async () => {
    cloud = await Cloud.start(['ovs'])
    neutron = cloud.client('ovs', 'cni')
  }, 600_000)
  afterAll(() => cloud?.stop(), 60_000)

  test.each(['port', 'hwaddr'])('by %s it has the addresses, the MTU and the routes of its port', async (by) => {
    const { id: networkId, mtu } = await neutron.networks.create({ name: `nic-${by}` })
    const subnet = { networkId, hasDhcp: false, nameservers: ['10.99.0.53'] }
    await neutron.subnets.create({ ...subnet, name: 'v4', cidr: '10.99.0.0/24' })
    await neutron.subnets.create({ networkId, hasDhcp: false, name: 'v6', cidr: 'fd99::/64' })
    const port = await neutron.ports.create({ networkId, name: 'of a pod' })

    using bench = new NicBench()
    linkSet(bench.links.node.rtnl, 'up0', { mac: port.mac })
    bench.change = { portFacts: askPortFacts }
    const openstackConf = {
      ...{ authUrl: cloud?.authUrl ?? '', username: 'cni', password: 'cni', project: 'k8s', domain: 'default' },
      region: 'ovs',
    }
    const named = by === 'port' ? { port: port.id } : { hwaddr: port.mac }
    const call = bench.links.call({ type: 'host-device', ...named, openstackConf })
    const result = await bench.plugin.add(call, never)

    const { rtnl } = bench.links.pod
    const link = linkGet(rtnl, 'net1')
    expect(link).toEqual(expect.objectContaining({ mac: port.mac, mtu: mtu ?? 0, up: true }))
    const addresses = addrList(rtnl, { link: link.index }).filter(({ scope }) => scope === 'global')
    const given = port.fixedIps.map(({ address }) => `${address}/${address.includes(':') ? 64 : 24}`)
    expect(addresses.map(({ address }) => address).toSorted()).toEqual(given.toSorted())
    expect(routeList(rtnl, { link: link.index })).toContainEqual(
      expect.objectContaining({ destination: '0.0.0.0/0', gateway: '10.99.0.1' }),
    )
    expect(result.dns.nameservers).toEqual(['10.99.0.53'])
    await bench.plugin.del(call)
    expect(bench.nic).toEqual(expect.objectContaining({ name: 'up0', mtu: 1500 }))
    await neutron.ports.delete(port.id)
  })
})
