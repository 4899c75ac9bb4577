/** A port as its NIC's new owner is to have it. */
import { afterEach, describe, expect, test } from 'bun:test'
import { FakeCloud, portJson } from '../../openstack/testing/fake-cloud.ts'
import { askPortFacts, type PortName, portFacts } from './port-facts.ts'

const clouds: FakeCloud[] = []
afterEach(async () => {
  for (const cloud of clouds.splice(0)) await cloud.stop()
})

const PORT = '2233c32a-4092-4d8b-b44d-1c54f666c507'
const SUBNET4 = '5b0e2d3c-9a4f-4d25-8e6b-0f9e1a2b3c4d'
const SUBNET6 = '6c0e2d3c-9a4f-4d25-8e6b-0f9e1a2b3c4d'
const NETWORK = '782ec9ac-44f9-4318-8c67-a2fed2ccca4f'
const MAC = 'fa:16:3e:00:00:05'

function cloudWith(routes: readonly object[], ports: readonly object[] = [portJson(BOTH)]): FakeCloud {
  const subnets: Readonly<Record<string, object>> = {
    [SUBNET4]: subnet(SUBNET4, '203.0.113.0/24', { gateway_ip: '203.0.113.1', host_routes: routes }),
    [SUBNET6]: subnet(SUBNET6, '2001:db8::/64', { ip_version: 6, gateway_ip: null, dns_nameservers: [] }),
  }
  const cloud = new FakeCloud({
    neutron: ({ url }) => {
      const { pathname } = new URL(url)
      const [, kind, id = ''] = /^\/v2\.0\/(\w+)(?:\/(.*))?$/.exec(pathname) ?? []
      if (kind === 'subnets') return Response.json({ subnet: subnets[id] })
      if (kind === 'networks') return Response.json({ network: { ...NET, mtu: 1442 } })
      return Response.json(id === '' ? { ports } : { port: ports[0] })
    },
  })
  clouds.push(cloud)
  return cloud
}

const NET = {
  ...{ id: NETWORK, name: 'pods', subnets: [SUBNET4, SUBNET6], status: 'ACTIVE', admin_state_up: true, shared: false },
  ...{ 'router:external': false, tags: [] },
}
const BOTH = {
  fixed_ips: [
    { subnet_id: SUBNET4, ip_address: '203.0.113.2' },
    { subnet_id: SUBNET6, ip_address: '2001:db8::2' },
  ],
}
const subnet = (id: string, cidr: string, change: object): object => ({
  ...{ id, name: '', network_id: NETWORK, cidr, ip_version: 4, enable_dhcp: false, tags: [], host_routes: [] },
  ...{ dns_nameservers: ['203.0.113.3'], allocation_pools: [] },
  ...change,
})
const ask = (cloud: FakeCloud, name: PortName = { id: PORT }) => portFacts(cloud.client(), name)

describe('what Neutron knows of a port', () => {
  test('is what its NIC has: addresses, MTU, routes, name servers', async () => {
    const cloud = cloudWith([{ destination: '10.0.0.0/8', nexthop: '203.0.113.254' }])
    const expected = {
      mac: MAC,
      mtu: 1442,
      answer: {
        interfaces: [],
        ips: [{ address: '203.0.113.2/24', gateway: '203.0.113.1' }, { address: '2001:db8::2/64' }],
        routes: [
          { dst: '10.0.0.0/8', gw: '203.0.113.254' },
          { dst: '0.0.0.0/0', gw: '203.0.113.1' },
        ],
        dns: { nameservers: ['203.0.113.3'], search: [], options: [] },
      },
    }
    expect<unknown>(await ask(cloud)).toEqual(expected)
    expect<unknown>(await ask(cloud, { mac: MAC })).toEqual(expected)
  })

  test('a default among a subnet’s routes stands in place of its gateway', async () => {
    const { answer } = await ask(cloudWith([{ destination: '0.0.0.0/0', nexthop: '203.0.113.254' }]))
    expect(answer.routes).toEqual([{ dst: '0.0.0.0/0', gw: '203.0.113.254' }])
  })

  test.each([
    ['none', [], 'OPENSTACK_NOT_FOUND', `Neutron has no port with MAC address ${MAC}`],
    [
      'two',
      [portJson(), portJson({ id: SUBNET6 })],
      'OPENSTACK_CONFLICT',
      `Neutron has 2 ports with MAC address ${MAC}`,
    ],
  ])('%s of a MAC address is an error', async (_, ports, code, words) => {
    await expect(ask(cloudWith([], ports), { mac: MAC })).rejects.toEqual(
      expect.objectContaining({ code, message: expect.stringContaining(words) }),
    )
  })

  test('is asked in the name of a configuration', async () => {
    const cloud = cloudWith([])
    const conf = { authUrl: `${cloud.url}/v3`, username: 'cni', password: 'plain', project: 'k8s', domain: 'default' }
    expect((await askPortFacts(conf, { id: PORT })).mac).toBe(MAC)
    await expect(askPortFacts({ username: 'cni' }, { id: PORT })).rejects.toMatchObject({ code: 'OPENSTACK_CONFIG' })
  })
})
