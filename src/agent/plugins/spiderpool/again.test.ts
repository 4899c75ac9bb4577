/** Pods that have had an address before. */
import { describe, expect, test } from 'bun:test'
import { ip } from '../../../network/model/address.ts'
import { parseIpRange } from '../../../network/model/ip-range.ts'
import { cluster, failure, SEED, told, WISH } from './testing/cluster.ts'
import { FaultyStore } from './testing/faults.ts'
import { claim, from, pod, pool, STATEFUL } from './testing/objects.ts'
import { Agent, claimsIn } from './testing/rig.ts'

describe('the same pod again', () => {
  test('the same sandbox: the same address, and nothing is written', async () => {
    const registry = await cluster(SEED)
    const store = new FaultyStore(registry)
    const agent = await Agent.start(registry, { store })
    await agent.add(pod('a', WISH), 'c1')
    store.calls.length = 0
    expect([await agent.addresses(pod('a', WISH), 'c1'), store.calls]).toEqual(['172.18.30.131', []])
    await told()
    expect([await agent.addresses(pod('a', WISH), 'c1'), store.calls]).toEqual(['172.18.30.131', []])
  })

  test.each([
    ['at once', 0],
    ['when it was told', 5],
  ])('a new sandbox takes it over, %s, and the old one’s end comes too late', async (_, ms) => {
    const registry = await cluster(SEED)
    const store = new FaultyStore(registry)
    const agent = await Agent.start(registry, { store })
    await agent.add(pod('a', WISH), 'c1')
    await Bun.sleep(ms)
    expect(await agent.addresses(pod('a', WISH), 'c2')).toBe('172.18.30.131')
    expect(store.calls).toEqual(['create underlay.172.18.30.131', 'update underlay.172.18.30.131'])
    await agent.del(pod('a'), 'c1')
    expect(await claimsIn(registry)).toEqual(['172.18.30.131 a c2'])
    await agent.del(pod('a'), 'c2')
    expect(await claimsIn(registry)).toEqual([])
  })

  test('an agent that was started again finds it', async () => {
    const registry = await cluster(SEED)
    const first = await Agent.start(registry)
    await first.add(pod('a', WISH), 'c1')
    first.kill()
    const second = await Agent.start(registry)
    expect(await second.addresses(pod('a', WISH), 'c2')).toBe('172.18.30.131')
    await second.del(pod('a'), 'c2')
    expect(await claimsIn(registry)).toEqual([])
  })

  test('one that no watch has told of is found where it is', async () => {
    const registry = await cluster(SEED)
    const deaf = await Agent.start(registry, { isDeaf: true })
    const other = await Agent.start(registry)
    await other.add(pod('a', WISH), 'c1')
    expect(await deaf.addresses(pod('a', WISH), 'c2')).toBe('172.18.30.131')
    expect(await claimsIn(registry)).toEqual(['172.18.30.131 a c2'])
  })

  test('keeps what it has, whatever its pool says by now; the pool’s gateway is followed', async () => {
    const registry = await cluster(SEED)
    const agent = await Agent.start(registry)
    await agent.add(pod('a', WISH), 'c1')
    const { revision } = (await registry.get('AddressPool', 'p')) ?? { revision: 0 }
    await registry.update('AddressPool', 'p', { ...SEED, isDisabled: true, gateway: ip('172.18.0.2') }, revision)
    await told()
    const { ips } = await agent.add(pod('a', WISH), 'c2')
    expect(ips).toEqual([{ address: '172.18.30.131/16', gateway: '172.18.0.2' }])
    await registry.delete('AddressPool', 'p')
    await told()
    expect((await agent.add(pod('a', WISH), 'c3')).ips).toEqual(ips)
    expect(await agent.addresses(pod('a', { 'ipam.spidernet.io/ippool': '{' }), 'c4')).toBe('172.18.30.131')
    expect((await failure(agent.add(pod('b', WISH)))).id).toBe('pool-filtered')
  })

  test('a sandbox made anew gets the address that it gave back, rather than the first', async () => {
    const agent = await Agent.start(await cluster(SEED))
    await agent.add(pod('a', WISH), 'c0')
    await agent.add(pod('b', WISH), 'c1')
    await agent.del(pod('b'), 'c1')
    await told()
    expect(await agent.addresses(pod('c', WISH))).toBe('172.18.30.133')
    expect(await agent.addresses(pod('b', WISH), 'c2')).toBe('172.18.30.132')
  })

  test('a pod of the same name is another one', async () => {
    const registry = await cluster(SEED)
    const agent = await Agent.start(registry)
    await agent.add(pod('a', WISH), 'c1')
    expect(await agent.addresses(pod('a', WISH, { uid: 'uid-new' }), 'c2')).toBe('172.18.30.132')
  })
})

describe('StatefulSets', () => {
  const db = (uid: string, node = 'node1', wish = WISH) => pod('db-0', wish, { uid, node, controller: STATEFUL })

  test('the next pod of a name has the address, on whichever node; the end of a sandbox does not free it', async () => {
    const registry = await cluster(SEED)
    const one = await Agent.start(registry)
    await one.add(pod('x', WISH))
    expect(await one.addresses(db('u1'), 'c1')).toBe('172.18.30.132')
    await one.del(db('u1'), 'c1')
    const two = await Agent.start(registry, { node: 'node2' })
    expect(await two.addresses(db('u2', 'node2'), 'c2')).toBe('172.18.30.132')
    const { value } = (await registry.get('AddressClaim', 'underlay.172.18.30.132')) ?? {}
    expect([value?.podUid, value?.node, value?.containerId, value?.isSticky]).toEqual(['u2', 'node2', 'c2', true])
    await told()
    expect(await one.addresses(db('u3'), 'c3')).toBe('172.18.30.132')
  })

  test('a pool that it may take from no more: another address, and the old one is given back by its own node', async () => {
    const registry = await cluster(SEED, pool('q', '172.18.40.1-172.18.40.9'))
    const one = await Agent.start(registry)
    await one.add(db('u1'), 'c1')
    expect(await one.addresses(db('u2', 'node1', from(['q'])), 'c2')).toBe('172.18.40.1')
    expect(await claimsIn(registry)).toEqual(['172.18.40.1 db-0 c2'])
    const two = await Agent.start(registry, { node: 'node2' })
    expect(await two.addresses(db('u3', 'node2', WISH), 'c3')).toBe('172.18.30.131')
    // That is another node's claim: the controller's to remove.
    expect(await claimsIn(registry)).toEqual(['172.18.30.131 db-0 c3', '172.18.40.1 db-0 c2'])
  })

  test('an address that its pool no longer has is not given again', async () => {
    const registry = await cluster(SEED)
    const agent = await Agent.start(registry)
    await agent.add(db('u1'), 'c1')
    await registry.create('ReservedAddresses', 'r', {
      name: 'r',
      ranges: [parseIpRange('172.18.30.131')].flatMap((one) => one ?? []),
    })
    await told()
    expect(await agent.addresses(db('u2'), 'c2')).toBe('172.18.30.132')
  })

  test('whoever has the name without being of the set gets another', async () => {
    const registry = await cluster(SEED)
    const agent = await Agent.start(registry)
    await agent.add(db('u1'), 'c1')
    expect(await agent.addresses(pod('db-0', WISH, { uid: 'u2' }), 'c2')).toBe('172.18.30.132')
    const other = { ...STATEFUL, name: 'other' }
    expect(await agent.addresses(pod('db-0', WISH, { uid: 'u3', controller: other }), 'c3')).toBe('172.18.30.133')
  })

  test('somebody changed the claim in between: it is taken over all the same', async () => {
    const registry = await cluster(SEED)
    const agent = await Agent.start(registry, { isDeaf: true })
    await agent.add(db('u1'), 'c1')
    const name = 'underlay.172.18.30.131'
    const { value, revision } = (await registry.get('AddressClaim', name)) ?? { value: claim('0.0.0.0'), revision: 0 }
    await registry.update('AddressClaim', name, { ...value, node: 'node7' }, revision)
    expect(await agent.addresses(db('u2'), 'c2')).toBe('172.18.30.131')
    await registry.delete('AddressClaim', name)
    expect(await agent.addresses(db('u3'), 'c3')).toBe('172.18.30.131')
    expect(await claimsIn(registry)).toEqual(['172.18.30.131 db-0 c3'])
  })
})
