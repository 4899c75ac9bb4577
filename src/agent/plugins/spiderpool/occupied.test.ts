/** Pools that Spiderpool gave addresses of, as its status tells. */
import { expect, test } from 'bun:test'
import { ipPoolBinding } from '../../../compat/spiderpool/ip-pool.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { adoptedSandbox } from '../../../network/model/pool.ts'
import { decodeValue } from '../../../registry/codec.ts'
import { cluster, SEED, told, WISH } from './testing/cluster.ts'
import { claim, pod, STATEFUL } from './testing/objects.ts'
import { Agent, claimsIn } from './testing/rig.ts'

/** The seed's pool as Spiderpool leaves it. */
function theirs(given: Readonly<Record<string, object>>) {
  const spec = { subnet: '172.18.0.0/16', ips: ['172.18.30.131-172.18.30.140'], gateway: '172.18.0.1' }
  const metadata = { name: SEED.name, uid: SEED.uid, creationTimestamp: '2026-01-01T00:00:00Z' }
  const object = { metadata, spec, status: { allocatedIPs: JSON.stringify(given) } } as unknown as KubeObject
  return decodeValue('AddressPool', SEED.name, ipPoolBinding.decode(object))
}

const PLACE = { namespace: 'default', node: 'node1' }
const to = (name: string) => ({ interface: 'eth0', pod: `default/${name}`, podUid: `uid-of-${name}` })

test('what is not claimed yet nobody gets, and no controller is needed for that', async () => {
  const registry = await cluster(theirs({ '172.18.30.131': to('x'), '172.18.30.133': to('y') }))
  const agent = await Agent.start(registry)
  expect(await agent.addresses(pod('a', WISH))).toBe('172.18.30.132')
  expect(await agent.addresses(pod('b', WISH))).toBe('172.18.30.134')
})

test('of a pool that is all given out the error says so', async () => {
  const all = Array.from({ length: 10 }, (_, i) => [`172.18.30.${131 + i}`, to(`x${i}`)])
  const agent = await Agent.start(await cluster(theirs(Object.fromEntries(all))))
  await expect(agent.addresses(pod('a', WISH))).rejects.toThrow(/10/)
})

test('the next pod of a StatefulSet has a claim’s address while Spiderpool’s record is still there', async () => {
  const registry = await cluster(theirs({ '172.18.30.133': to('db-0') }))
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: STATEFUL.name }
  const of = {
    ...PLACE,
    pod: 'db-0',
    podUid: 'u1',
    containerId: adoptedSandbox('u1'),
    owner,
    isSticky: true,
    pool: SEED.name,
  }
  await registry.create('AddressClaim', 'underlay.172.18.30.133', { ...claim('172.18.30.133'), ...of })
  const agent = await Agent.start(registry)
  const next = pod('db-0', WISH, { uid: 'u2', controller: STATEFUL })
  expect(await agent.addresses(next, 'c2')).toBe('172.18.30.133')
  expect(await claimsIn(registry)).toEqual(['172.18.30.133 db-0 c2'])
})

test('a pod that is attached anew has its address again, which was Spiderpool’s', async () => {
  const registry = await cluster(SEED)
  const a = pod('a', WISH)
  const of = { ...PLACE, pod: a.name, podUid: a.uid, containerId: adoptedSandbox(a.uid), pool: SEED.name }
  await registry.create('AddressClaim', 'underlay.172.18.30.137', { ...claim('172.18.30.137'), ...of })
  const agent = await Agent.start(registry)
  await told()
  expect(await agent.addresses(a, 'c1')).toBe('172.18.30.137')
  await agent.del(a, 'c1')
  expect(await claimsIn(registry)).toEqual([])
})
