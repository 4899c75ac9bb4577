import { afterEach, expect, test } from 'bun:test'
import { FELIX_CONFIGURATIONS, HOST_ENDPOINTS, TIERS } from '../compat/calico/refused/kinds.ts'
import { refusedInKubernetes } from '../compat/calico/refused/source.ts'
import { CALICO_IP_POOLS } from '../compat/spiderpool/coordinator-sources.ts'
import { KubeError } from '../kube/errors.ts'
import { EventRecorder } from '../kube/events.ts'
import { apiVersionOf, type KubeObject, type Resource } from '../kube/object.ts'
import { EVENTS, NODES } from '../kube/resources.ts'
import { MemoryApi } from '../kube/testing/memory-api.ts'
import { runRefusedStatus } from './refused-status.ts'

let stop: () => Promise<void> = async () => undefined
afterEach(() => stop())

function start(api: MemoryApi) {
  const ending = new AbortController()
  const lines: string[] = []
  const warn = (_: object, text: string): void => void lines.push(text)
  const log = { info: () => undefined, error: () => undefined, warn }
  const events = new EventRecorder(api, { component: 'weft-controller' })
  const told = { pools: false }
  const running = runRefusedStatus({
    ...{ sources: [refusedInKubernetes(api)], events, signal: ending.signal, log },
    isToldElsewhere: ({ kind }) => told.pools && kind === 'IPPool',
  })
  stop = async () => {
    ending.abort()
    await running
    await events.settled()
    stop = async () => undefined
  }
  return { lines, told, events }
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

async function eventually(check: () => void): Promise<void> {
  for (let turn = 0; ; turn += 1) {
    try {
      return check()
    } catch (error) {
      if (turn > 4_000) throw error
      await Bun.sleep(5)
    }
  }
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

test('of pools that others tell of nothing is told', async () => {
  const api = new MemoryApi()
  await api.create(TIERS, object(TIERS, 'default', {}))
  const { told } = start(api)
  told.pools = true
  await api.create(CALICO_IP_POOLS, object(CALICO_IP_POOLS, 'pods', { ipipMode: 'Always' }))
  await api.create(TIERS, object(TIERS, 'security', {}))
  await eventually(() => expect(eventsOf(api)).toHaveLength(1))
  expect(eventsOf(api)[0]).toContain('Tier security')
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
