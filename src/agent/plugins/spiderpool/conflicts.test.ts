/** Addresses that somebody on the wire has. */
import { describe, expect, test } from 'bun:test'
import { cniError } from '../../../cni/index.ts'
import { cluster, failure, SEED, told, WISH } from './testing/cluster.ts'
import { from, pod, pool, STATEFUL } from './testing/objects.ts'
import { Agent, claimsIn } from './testing/rig.ts'

describe('the wire', () => {
  const conflictOn =
    (...taken: readonly string[]) =>
    async ({ address, ifname }: { address: string; ifname: string }) => {
      if (taken.includes(address)) throw cniError('address-conflict', { address, ifname, mac: '02:00:00:00:00:99' })
    }

  test('an address that somebody has goes to nobody for a time; the pod gets another, and its owner is told', async () => {
    const registry = await cluster(SEED)
    const agent = await Agent.start(registry, { checkWire: conflictOn('172.18.30.131', '172.18.30.132') })
    expect(await agent.addresses(pod('a', WISH))).toBe('172.18.30.133')
    expect(await claimsIn(registry)).toEqual(['172.18.30.133 a sandbox-a'])
    expect(agent.warnings.length).toBe(2)
    expect(agent.warnings[0]).toStartWith(
      'AddressConflict: address 172.18.30.131 is in use on the wire of eth0: 02:00:00:00:00:99 has it; find',
    )
    await told()
    expect(await agent.addresses(pod('b', WISH))).toBe('172.18.30.134')
  })

  test('it gives up after a few, and leaves nothing', async () => {
    const registry = await cluster(SEED)
    const checkWire = async ({ address, ifname }: { address: string; ifname: string }) => {
      throw cniError('address-conflict', { address, ifname, mac: '02:00:00:00:00:99' })
    }
    const agent = await Agent.start(registry, { checkWire })
    expect((await failure(agent.add(pod('a', WISH)))).id).toBe('address-conflict')
    expect([agent.warnings.length, await claimsIn(registry)]).toEqual([4, []])
  })

  test('pods of StatefulSets keep theirs, and fail with the MAC address that has it', async () => {
    const registry = await cluster(SEED)
    const calm = await Agent.start(registry)
    const db = (uid: string) => pod('db-0', WISH, { uid, controller: STATEFUL })
    await calm.add(db('u1'), 'c1')
    const agent = await Agent.start(registry, { checkWire: conflictOn('172.18.30.131') })
    const error = await failure(agent.add(db('u2'), 'c2'))
    expect([error.id, error.message.includes('02:00:00:00:00:99')]).toEqual(['address-conflict', true])
    expect(await claimsIn(registry)).toEqual(['172.18.30.131 db-0 c2'])
    expect(await agent.addresses(pod('db-1', WISH, { controller: STATEFUL }))).toBe('172.18.30.132')
  })

  test('a gateway that does not answer: nothing is left', async () => {
    const registry = await cluster(SEED, pool('q', 'fd00::10'))
    const seen: string[] = []
    const checkWire = async ({
      address,
      gateway = '',
      ifname,
    }: {
      address: string
      gateway?: string
      ifname: string
    }) => {
      seen.push(`${address} ${gateway}`)
      if (address.includes(':')) throw cniError('gateway-unreachable', { address, gateway, ifname })
    }
    const agent = await Agent.start(registry, { checkWire })
    expect((await failure(agent.add(pod('a', from(['p'], ['q']))))).id).toBe('gateway-unreachable')
    expect([seen, await claimsIn(registry)]).toEqual([['172.18.30.131 172.18.0.1', 'fd00::10 fd00::1'], []])
  })
})
