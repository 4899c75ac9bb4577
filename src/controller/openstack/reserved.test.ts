import { afterEach, expect, test } from 'bun:test'
import { FakeCloud, neutronError } from '../../openstack/testing/fake-cloud.ts'
import { FakeNeutron } from '../../openstack/testing/fake-neutron.ts'
import { Cloud } from './cloud.ts'
import type { PoolWork } from './mode.ts'
import { makeReserved } from './reserved.ts'

const clouds: FakeCloud[] = []
afterEach(async () => {
  for (const cloud of clouds.splice(0)) await cloud.stop()
})

test('a first port that Neutron refuses for another reason does not have every later one tagged by a call of its own', async () => {
  const neutron = new FakeNeutron()
  neutron.addNetwork('net', '10.1.0')
  let isRefusing = true
  const fake = new FakeCloud({
    neutron: (request) =>
      isRefusing && request.method === 'POST' ? neutronError(400, 'InvalidInput') : neutron.answer(request),
  })
  clouds.push(fake)
  const work = {
    cloud: new Cloud({ open: () => fake.client(), now: () => 0 }),
    owner: { cluster: 'cluster-uid', node: 'node-1', network: 'pods' },
    place: { pool: { networkId: 'net' }, subnets: { 4: [], 6: [] }, isNarrowed: false },
    signal: new AbortController().signal,
  } as unknown as PoolWork
  await expect(makeReserved(work, 2, ['no-uuid'])).rejects.toThrow('InvalidInput')
  isRefusing = false
  expect((await makeReserved(work, 2, ['group-default'])).made).toHaveLength(2)
  expect(neutron.calls).toEqual(['POST /ports'])
})
