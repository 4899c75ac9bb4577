/** A registry that is away, or whose answers are lost. */
import { describe, expect, test } from 'bun:test'
import { cluster, failure, SEED, told, WISH } from './testing/cluster.ts'
import { FaultyStore } from './testing/faults.ts'
import { from, pod, pool } from './testing/objects.ts'
import { Agent, claimsIn } from './testing/rig.ts'

describe('while the registry is away', () => {
  test('ADD is to be tried again, and nothing is left', async () => {
    const registry = await cluster(SEED)
    const store = new FaultyStore(registry)
    const agent = await Agent.start(registry, { store })
    store.fault = () => 'away'
    const error = await failure(agent.add(pod('a', WISH)))
    expect([error.id, error.code]).toEqual(['claims-unreachable', 11])
    expect(await claimsIn(registry)).toEqual([])
    store.fault = () => undefined
    expect(await agent.addresses(pod('a', WISH), 'c2')).toBe('172.18.30.131')
    expect(await claimsIn(registry)).toEqual(['172.18.30.131 a c2'])
  })

  test.each([
    ['told of it', false],
    ['not told of it', true],
  ])('a creation whose answer was lost is found again, %s', async (_, isDeaf) => {
    const registry = await cluster(SEED)
    const store = new FaultyStore(registry)
    const agent = await Agent.start(registry, { store, isDeaf })
    store.fault = (call) => (call.startsWith('create') ? 'answer lost' : undefined)
    expect((await failure(agent.add(pod('a', WISH), 'c1'))).code).toBe(11)
    expect(await claimsIn(registry)).toEqual(['172.18.30.131 a c1'])
    store.fault = () => undefined
    await told()
    expect(await agent.addresses(pod('b', WISH))).toBe('172.18.30.132')
    expect(await agent.addresses(pod('a', WISH), 'c2')).toBe('172.18.30.131')
    expect(await claimsIn(registry)).toEqual(['172.18.30.131 a c2', '172.18.30.132 b sandbox-b'])
  })

  test.each([
    ['was written', 'answer lost'],
    ['was not', 'away'],
  ] as const)('DEL after a creation that %s', async (_, fault) => {
    const registry = await cluster(SEED)
    const store = new FaultyStore(registry)
    const agent = await Agent.start(registry, { store, isDeaf: true })
    store.fault = (call) => (call.startsWith('create') ? fault : undefined)
    await failure(agent.add(pod('a', WISH), 'c1'))
    store.fault = () => undefined
    await agent.del(pod('a'), 'c1')
    expect(await claimsIn(registry)).toEqual([])
    expect(await agent.addresses(pod('b', WISH))).toBe('172.18.30.132')
  })

  test.each(['away', 'answer lost'] as const)('DEL is to be tried again (%s), and then is done', async (fault) => {
    const registry = await cluster(SEED)
    const store = new FaultyStore(registry)
    const agent = await Agent.start(registry, { store })
    await agent.add(pod('a', WISH), 'c1')
    store.fault = () => fault
    const error = await failure(agent.del(pod('a'), 'c1'))
    expect([error.id, error.code]).toEqual(['claims-unreachable', 11])
    store.fault = () => undefined
    await agent.del(pod('a'), 'c1')
    await agent.del(pod('a'), 'c1')
    expect(await claimsIn(registry)).toEqual([])
  })

  test('in the middle of two families: what could not be given back goes with the sandbox', async () => {
    const registry = await cluster(SEED, pool('q', 'fd00::10'))
    const store = new FaultyStore(registry)
    const agent = await Agent.start(registry, { store })
    store.fault = (call) => (call.includes('fd00') || call.startsWith('delete') ? 'away' : undefined)
    expect((await failure(agent.add(pod('a', from(['p'], ['q'])), 'c1'))).code).toBe(11)
    expect(await claimsIn(registry)).toEqual(['172.18.30.131 a c1'])
    expect((await failure(agent.del(pod('a'), 'c1'))).code).toBe(11)
    store.fault = () => undefined
    await agent.del(pod('a'), 'c1')
    expect(await claimsIn(registry)).toEqual([])
  })

  test('an update whose answer was lost leaves a claim that either sandbox’s end frees', async () => {
    const registry = await cluster(SEED)
    const store = new FaultyStore(registry)
    const agent = await Agent.start(registry, { store, isDeaf: true })
    await agent.add(pod('a', WISH), 'c1')
    store.fault = (call) => (call.startsWith('update') ? 'answer lost' : undefined)
    expect((await failure(agent.add(pod('a', WISH), 'c2'))).code).toBe(11)
    store.fault = () => undefined
    await agent.del(pod('a'), 'c2')
    expect(await claimsIn(registry)).toEqual([])
  })
})
