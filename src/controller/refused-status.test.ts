import { afterEach, expect, test } from 'bun:test'
import { FELIX_CONFIGURATIONS, HOST_ENDPOINTS, TIERS } from '../compat/calico/refused/kinds.ts'
import { refusedInKubernetes } from '../compat/calico/refused/source.ts'
import { CALICO_IP_POOLS } from '../compat/spiderpool/coordinator-sources.ts'
import { KubeError } from '../kube/errors.ts'
import { EventRecorder } from '../kube/events.ts'
import { apiVersionOf, type KubeObject, type Resource } from '../kube/object.ts'
import { EVENTS, NODES } from '../kube/resources.ts'
import { MemoryApi } from '../kube/testing/memory-api.ts'
import type { Fabric } from '../network/model/cluster.ts'
import { MemoryRegistry } from '../registry/memory.ts'
import { reflect } from '../registry/reflector.ts'
import { poolsToldHere } from './bgp-status.ts'
import { runRefusedStatus, type ToldElsewhere } from './refused-status.ts'
import { clusterOf } from './testing/cluster.ts'
import { eventually } from './testing/eventually.ts'

let stop: () => Promise<void> = async () => undefined
afterEach(() => stop())

function start(api: MemoryApi, elsewhere?: ToldElsewhere) {
  const ending = new AbortController()
  const lines: string[] = []
  const warn = (_: object, text: string): void => void lines.push(text)
  const log = { info: () => undefined, error: () => undefined, warn }
  const events = new EventRecorder(api, { component: 'weft-controller' })
  const running = runRefusedStatus({
    ...{ sources: [refusedInKubernetes(api)], events, signal: ending.signal, log },
    ...(elsewhere === undefined ? {} : { elsewhere }),
  })
  stop = async () => {
    ending.abort()
    await running
    await events.settled()
    stop = async () => undefined
  }
  return { lines, events }
}

function object(resource: Resource, name: string, spec: object, annotations: Record<string, string> = {}): KubeObject {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata: { name, annotations }, spec }
}

function eventsOf(api: MemoryApi): readonly string[] {
  return api
    .all(EVENTS)
    .map(({ involvedObject, reason, message, type, count }) => {
      const { kind, name } = involvedObject as Record<string, string>
      return `${type} ${reason} ${kind} ${name} ×${count}: ${message}`
    })
    .toSorted()
}

test('who has something of Calico that is not done hears so once, at the object; the log once for all alike', async () => {
  const api = new MemoryApi()
  for (const name of ['a', 'b']) await api.create(HOST_ENDPOINTS, object(HOST_ENDPOINTS, name, { node: name }))
  await api.create(TIERS, object(TIERS, 'default', {}))
  const { lines } = start(api)
  await eventually(() => expect(eventsOf(api)).toHaveLength(2))
  await api.create(TIERS, object(TIERS, 'security', { order: 5 }))
  await eventually(() => expect(eventsOf(api)).toHaveLength(3))
  // Something else of it is another: that was told.
  await api.patch(HOST_ENDPOINTS, { name: 'a' }, 'merge', { spec: { interfaceName: '*' } })
  await api.create(CALICO_IP_POOLS, object(CALICO_IP_POOLS, 'pods', { ipipMode: 'Always' }))
  await eventually(() => expect(eventsOf(api)).toHaveLength(4))
  expect(eventsOf(api)).toEqual([
    expect.stringMatching(/^Warning NotEnforced HostEndpoint a ×1: no policy is enforced at interfaces of hosts/),
    expect.stringMatching(/^Warning NotEnforced HostEndpoint b ×1: /),
    expect.stringMatching(/^Warning NotEnforced IPPool pods ×1: spec.ipipMode: there are no ipip tunnels/),
    expect.stringMatching(/^Warning NotEnforced Tier security ×1: there is no tier here but default/),
  ])
  expect(lines.length).toBe(3)
})

/** Who tells of pools as the cluster's configuration has it; `open` lets that be read. */
async function bgp(way: Fabric['way']) {
  const registry = new MemoryRegistry()
  const opened = Promise.withResolvers<void>()
  const list = registry.list.bind(registry)
  registry.list = (async (kind: 'Cluster') => {
    await opened.promise
    return await list(kind)
  }) as typeof registry.list
  const ending = new AbortController()
  const cluster = reflect(registry, 'Cluster', { signal: ending.signal })
  const set = async (to: Fabric['way']): Promise<void> => {
    const revision = (await registry.get('Cluster', 'default'))?.revision
    const value = clusterOf({ fabric: { way: to, otherwise: 'tunnel' } })
    await (revision === undefined
      ? registry.create('Cluster', 'default', value)
      : registry.update('Cluster', 'default', value, revision))
  }
  await set(way)
  const end = (): void => ending.abort()
  return { elsewhere: poolsToldHere({ cluster }), open: () => opened.resolve(), set, end }
}

test('of a pool that others tell of nothing is told, also when it was there before the cluster was read', async () => {
  const api = new MemoryApi()
  await api.create(CALICO_IP_POOLS, object(CALICO_IP_POOLS, 'pods', { ipipMode: 'Always' }))
  const { elsewhere, open, end } = await bgp('bgp')
  start(api, elsewhere)
  // Time in which the pool would be told of, were the cluster not waited for.
  await Bun.sleep(50)
  open()
  await api.create(TIERS, object(TIERS, 'security', {}))
  await eventually(() => expect(eventsOf(api)).toHaveLength(1))
  expect(eventsOf(api)[0]).toContain('Tier security')
  end()
})

test('pools that stay as they are are told of when nodes speak BGP no more', async () => {
  const api = new MemoryApi()
  await api.create(CALICO_IP_POOLS, object(CALICO_IP_POOLS, 'pods', { ipipMode: 'Always' }))
  await api.create(TIERS, object(TIERS, 'security', {}))
  const { elsewhere, open, set, end } = await bgp('bgp')
  open()
  start(api, elsewhere)
  await eventually(() => expect(eventsOf(api)).toHaveLength(1))
  await set('tunnel')
  await eventually(() => expect(eventsOf(api)).toHaveLength(2))
  expect(eventsOf(api)[0]).toContain('IPPool pods ×1: spec.ipipMode')
  await set('bgp')
  await eventually(() => expect(elsewhere.isTold(object(CALICO_IP_POOLS, 'pods', {}))).toBe(true))
  await set('tunnel')
  await eventually(() => expect(eventsOf(api)[0]).toContain('IPPool pods ×2: spec.ipipMode'))
  end()
})

test('events are written one after the other, for a thousand objects and no more; the log counts the rest', async () => {
  const api = new MemoryApi()
  for (let n = 0; n < 1_010; n += 1) await api.create(HOST_ENDPOINTS, object(HOST_ENDPOINTS, `n${n}`, { node: 'n' }))
  let [underway, most] = [0, 0]
  api.before = async (_, { plural }) => {
    if (plural !== EVENTS.plural) return
    underway += 1
    most = Math.max(most, underway)
    await Bun.sleep(0)
    underway -= 1
  }
  const { lines } = start(api)
  await eventually(() => expect(lines).toHaveLength(2))
  expect(lines[1]).toStartWith('10 more objects have something that is not done, and no event: 1000 have one.')
  expect([api.all(EVENTS).length, most]).toEqual([1_000, 1])
  // What goes makes room for the next.
  await api.delete(HOST_ENDPOINTS, { name: 'n7' })
  await eventually(() => expect(api.all(EVENTS)).toHaveLength(1_001))
  expect(eventsOf(api).join('\n')).toContain('HostEndpoint n1000 ')
  expect(lines).toHaveLength(2)
})

test('without Calico it is asked which kinds there are, nothing is watched, and nodes are left alone; with Felix they are not', async () => {
  const calls: string[] = []
  const api = new MemoryApi()
  let isServed = false
  api.before = (verb, { group, plural }) => {
    if (plural !== EVENTS.plural) calls.push(`${verb} ${plural}`)
    if (!isServed && group === FELIX_CONFIGURATIONS.group) throw new KubeError('KUBE_NOT_FOUND', 'no', 'no')
  }
  start(api)
  await eventually(() => expect(calls.length).toBeGreaterThan(6))
  expect(calls.filter((call) => !call.startsWith('list '))).toEqual([])
  expect(calls).not.toContain('list nodes')
  await stop()
  isServed = true
  calls.length = 0
  const key = { 'projectcalico.org/WireguardPublicKey': 'k' }
  await api.create(NODES, object(NODES, 'n1', {}, key))
  await api.create(FELIX_CONFIGURATIONS, object(FELIX_CONFIGURATIONS, 'default', { wireguardEnabled: true }))
  start(api)
  await eventually(() => expect(eventsOf(api)).toHaveLength(2))
  expect(eventsOf(api)[1]).toMatch(/NotEnforced Node n1 ×1: projectcalico.org\/WireguardPublicKey: .*in the clear/)
  expect(calls.filter((call) => call === 'list nodes').length).toBe(1)
})
