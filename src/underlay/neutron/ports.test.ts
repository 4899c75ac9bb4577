/** Ports of pods and their tags, on Neutrons that take them at birth and that do not, whatever their list of extensions says. */
import { afterEach, expect, test } from 'bun:test'
import { ownTags } from '../../compat/ovn-underlay/owner.ts'
import { cidr } from '../../network/model/address.ts'
import { FakeCloud, neutronError } from '../../openstack/testing/fake-cloud.ts'
import { FakeNeutron } from '../../openstack/testing/fake-neutron.ts'
import { portsFor } from './ports.ts'

const PARENT = 'vm-1'
const clouds: FakeCloud[] = []
afterEach(async () => {
  for (const cloud of clouds.splice(0)) await cloud.stop()
})

/** Makes three ports; the calls that changed something, as `POST /ports`. */
async function made(neutron: FakeNeutron, answer = neutron.answer): Promise<readonly string[]> {
  neutron.addNetwork('net', '10.1.0')
  const cloud = new FakeCloud({ neutron: answer })
  clouds.push(cloud)
  const client = cloud.client({ firstPause: 1 })
  const [network, subnets] = [await client.networks.get('net'), await client.subnets.list({ networkId: 'net' })]
  const [subnet] = subnets
  if (subnet === undefined) throw new Error('a subnet')
  const wish = {
    name: 'ls',
    subnet: cidr('10.1.0.0/24'),
    parent: PARENT,
    ports: 3,
    nesting: 'profile',
    groups: [],
  } as const
  await portsFor({ neutron: client, tell: () => undefined }, network, subnet, wish, { kind: 'profile' })
  expect([...neutron.ports.values()].map(({ tags }) => tags)).toEqual(Array(3).fill(ownTags(PARENT)))
  return neutron.calls.filter((call) => !call.startsWith('GET'))
}

test('ports of a Neutron that takes tags, and names no extension of it, cost no call each', async () => {
  const neutron = new FakeNeutron()
  neutron.extensions.clear()
  expect(await made(neutron)).toEqual(['POST /ports'])
})

test('a Neutron that refuses tags at birth is asked without, and they are put on afterwards', async () => {
  const neutron = new FakeNeutron()
  const refusing = async (request: Request): Promise<Response> => {
    const isRefused = request.method === 'POST' && (await request.clone().text()).includes('"tags"')
    return isRefused ? neutronError(400, 'HTTPBadRequest') : neutron.answer(request)
  }
  expect(await made(neutron, refusing)).toEqual([
    'POST /ports',
    ...Array(3).fill(expect.stringMatching(/^PUT .*tags$/)),
  ])
})
