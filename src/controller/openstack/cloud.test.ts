import { afterEach, expect, test } from 'bun:test'
import { OpenStackError } from '../../openstack/errors.ts'
import { FakeCloud, PROJECT } from '../../openstack/testing/fake-cloud.ts'
import { FakeNeutron } from '../../openstack/testing/fake-neutron.ts'
import { Cloud } from './cloud.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

/** An administrator's: it is shown the groups of every project. */
function cloudOf(neutron: FakeNeutron): { readonly cloud: Cloud; readonly clock: { now: number } } {
  const [fake, clock] = [new FakeCloud({ neutron: neutron.answer }), { now: 0 }]
  ends.push(() => fake.stop())
  return { cloud: new Cloud({ open: () => fake.client(), now: () => clock.now, random: () => 0 }), clock }
}

const [OWN, FOREIGN, SHARED] = [1, 2, 3].map((n) => `0000000${n}-0000-4000-8000-000000000000`) as [
  string,
  string,
  string,
]

function groups(): FakeNeutron {
  const neutron = new FakeNeutron()
  neutron.extensions.add('security-groups-shared-filtering')
  neutron.groups = [
    { id: OWN, name: 'web', project_id: PROJECT, shared: false },
    { id: FOREIGN, name: 'web', project_id: 'another', shared: false },
    { id: SHARED, name: 'common', project_id: 'another', shared: true },
  ]
  return neutron
}

test('groups that pods name cost one list a minute, whatever and however often they ask', async () => {
  const neutron = groups()
  const { cloud, clock } = cloudOf(neutron)
  const lists = (): number => neutron.calls.filter((call) => call.startsWith('GET /security-groups')).length
  const ask = async (): Promise<void> => {
    for (let n = 0; n < 50; n += 1) await cloud.groups([`none-${n}`]).catch(() => undefined)
  }
  await ask()
  // The project's own, and those that others share.
  expect(lists()).toBe(2)
  clock.now += 59_000
  await ask()
  expect(lists()).toBe(2)
  clock.now += 2_000
  await ask()
  expect(lists()).toBe(4)
})

test('with an administrator’s account another project’s group is none of ours, unless it is shared with us', async () => {
  const { cloud } = cloudOf(groups())
  expect(await cloud.groups(['web'])).toEqual([OWN])
  expect(await cloud.groups([OWN, 'common'])).toEqual([OWN, SHARED])
  expect(await cloud.groups([SHARED])).toEqual([SHARED])
  expect(cloud.groups([FOREIGN])).rejects.toThrow(`there is no security group "${FOREIGN}" that this project sees`)
})

test('a cloud that cannot tell what is shared has the project’s own groups', async () => {
  const neutron = groups()
  neutron.extensions.delete('security-groups-shared-filtering')
  const { cloud } = cloudOf(neutron)
  expect(await cloud.groups(['web'])).toEqual([OWN])
  expect(cloud.groups(['common'])).rejects.toThrow('there is no security group "common"')
})

test('an account that is refused is not tried so often that Keystone would lock it', () => {
  const { cloud, clock } = cloudOf(groups())
  const refusal = new OpenStackError('OPENSTACK_UNAUTHORIZED', 'Keystone refused it', 'look at it')
  for (let nth = 0; nth < 3; nth += 1) {
    cloud.failed(refusal)
    expect(cloud.pause).toBe(30_000)
    clock.now += 30_000
    expect(cloud.pause).toBe(0)
  }
  cloud.answered()
  cloud.failed(new OpenStackError('OPENSTACK_UNAVAILABLE', 'no answer', 'look at it'))
  expect(cloud.pause).toBeLessThan(2_000)
})
