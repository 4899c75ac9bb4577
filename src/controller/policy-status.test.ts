import { afterEach, expect, test } from 'bun:test'
import {
  CALICO_NETWORK_POLICIES,
  GLOBAL_NETWORK_POLICIES,
  GLOBAL_NETWORK_SETS,
  NETWORK_SETS,
} from '../compat/calico/policy/resources.ts'
import { ADMIN_NETWORK_POLICIES, CLUSTER_NETWORK_POLICIES } from '../compat/network-policy-api/resources.ts'
import { EGRESS_NETWORK_POLICIES } from '../compat/openshift/resources.ts'
import { KubeError } from '../kube/errors.ts'
import { EventRecorder } from '../kube/events.ts'
import { apiVersionOf, type KubeObject, type Resource } from '../kube/object.ts'
import { EVENTS, NETWORK_POLICIES } from '../kube/resources.ts'
import { MemoryApi } from '../kube/testing/memory-api.ts'
import { runPolicyStatus } from './policy-status.ts'
import { eventually } from './testing/eventually.ts'

let stop: () => Promise<void> = async () => undefined
afterEach(() => stop())

function start(api: MemoryApi) {
  const ending = new AbortController()
  const lines: string[] = []
  const log = {
    info: () => undefined,
    error: () => undefined,
    warn: (_: object, text: string) => void lines.push(text),
  }
  const events = new EventRecorder(api, { component: 'weft-controller' })
  const clock = { now: 0 }
  const running = runPolicyStatus({ api, events, signal: ending.signal, log, now: () => clock.now })
  stop = async () => {
    ending.abort()
    await running
    await events.settled()
    stop = async () => undefined
  }
  return { lines, clock }
}

function policy(resource: Resource, name: string, spec: object, namespace?: string): KubeObject {
  const metadata = namespace === undefined ? { name } : { name, namespace }
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata, spec }
}

const everywhere = { namespaces: {} }
const FINE = { priority: 1, subject: everywhere, ingress: [{ action: 'Deny', from: [{ namespaces: {} }] }] }
const STRANGE = { priority: 1, subject: everywhere, ingress: [{ action: 'Deny', from: [{ moons: {} }] }] }

function conditionsOf(api: MemoryApi, resource: Resource, name: string): readonly Record<string, unknown>[] {
  const object = api.all(resource).find(({ metadata }) => metadata.name === name)
  return (object?.['status'] as { conditions?: readonly Record<string, unknown>[] } | undefined)?.conditions ?? []
}

function eventsOf(api: MemoryApi): readonly string[] {
  return api.all(EVENTS).map(({ involvedObject, reason, message, type }) => {
    const { kind, namespace, name } = involvedObject as Record<string, string>
    return `${type} ${reason} ${kind} ${namespace}/${name}: ${message}`
  })
}

test('a policy that is understood is accepted; one that is not says which field, and why; others’ conditions stay', async () => {
  const api = new MemoryApi()
  await api.create(ADMIN_NETWORK_POLICIES, policy(ADMIN_NETWORK_POLICIES, 'fine', FINE))
  const theirs = {
    type: 'Ready-In-Zone-a',
    status: 'True',
    reason: 'Set',
    message: '',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  }
  const strange = policy(ADMIN_NETWORK_POLICIES, 'strange', STRANGE)
  await api.create(ADMIN_NETWORK_POLICIES, { ...strange, status: { conditions: [theirs] } })
  start(api)
  await eventually(() => {
    expect(conditionsOf(api, ADMIN_NETWORK_POLICIES, 'fine')).toMatchObject([
      { type: 'Accepted', status: 'True', reason: 'Accepted', observedGeneration: 1 },
    ])
    expect(conditionsOf(api, ADMIN_NETWORK_POLICIES, 'strange')).toEqual([
      theirs,
      expect.objectContaining({
        type: 'Accepted',
        status: 'False',
        reason: 'PolicyNotUnderstood',
        observedGeneration: 1,
        message: expect.stringContaining('spec.ingress[0].from[0].moons: is not known here'),
      }),
    ])
  })
})

test('of policies of Calico problems are told at the object, and nothing else', async () => {
  const api = new MemoryApi()
  const strange = { selector: "app = 'web'", types: ['Ingress'] }
  await api.create(CALICO_NETWORK_POLICIES, policy(CALICO_NETWORK_POLICIES, 'default.p', strange, 'shop'))
  await api.create(CALICO_NETWORK_POLICIES, policy(CALICO_NETWORK_POLICIES, 'default.q', { selector: 'all()' }, 'shop'))
  await api.create(GLOBAL_NETWORK_POLICIES, policy(GLOBAL_NETWORK_POLICIES, 'default.r', { preDNAT: true }))
  start(api)
  await eventually(() => expect(eventsOf(api)).toHaveLength(2))
  const [calico, global] = [...eventsOf(api)].sort().toReversed()
  expect(calico).toContain('Warning PolicyNotUnderstood NetworkPolicy shop/default.p: spec.selector: at character 5')
  expect(calico).toEndWith(
    'Until that is corrected, agents go on with what the policy last said; where they do not know that, what is not understood allows nobody, and denies everybody that it could deny.',
  )
  expect(global).not.toContain('go on with')
  expect(global).toContain('GlobalNetworkPolicy')
  expect(global).toContain('default.r: spec.preDNAT: is about interfaces of hosts')
  expect(api.all(EVENTS).map(({ involvedObject }) => (involvedObject as { apiVersion: string }).apiVersion)).toEqual([
    'crd.projectcalico.org/v1',
    'crd.projectcalico.org/v1',
  ])
})

test('of network sets it is told what of them cannot be read, and what becomes of rules', async () => {
  const api = new MemoryApi()
  const nets = ['192.0.2.0/24', 'x', '192.0.2.1']
  await api.create(NETWORK_SETS, policy(NETWORK_SETS, 'partners', { nets }, 'shop'))
  await api.create(GLOBAL_NETWORK_SETS, policy(GLOBAL_NETWORK_SETS, 'fine', { nets: ['192.0.2.0/24'] }))
  start(api)
  await eventually(() => expect(eventsOf(api)).toHaveLength(1))
  expect(eventsOf(api)[0]).toBe(
    'Warning NetworkSetNotUnderstood NetworkSet shop/partners: spec.nets[1]: "x/32" is no network such as 192.0.2.0/24 or 2001:db8::/32. Until that is corrected, agents go on with what the set last held; where they do not know, rules that deny or pass it on deny everybody.',
  )
})

test('a correction is followed, and nothing is written that is there already', async () => {
  const api = new MemoryApi()
  const created = await api.create(
    CLUSTER_NETWORK_POLICIES,
    policy(CLUSTER_NETWORK_POLICIES, 'p', { ...STRANGE, tier: 'Admin' }),
  )
  start(api)
  await eventually(() => expect(conditionsOf(api, CLUSTER_NETWORK_POLICIES, 'p')[0]?.['status']).toBe('False'))
  const now = await api.get(CLUSTER_NETWORK_POLICIES, { name: 'p' })
  await api.replace(CLUSTER_NETWORK_POLICIES, { ...(now ?? created), spec: { ...FINE, tier: 'Admin' } })
  await eventually(() =>
    expect(conditionsOf(api, CLUSTER_NETWORK_POLICIES, 'p')).toMatchObject([{ status: 'True', observedGeneration: 2 }]),
  )
  const writes = api.writes.length
  await stop()
  start(api)
  await Bun.sleep(50)
  expect(api.writes.slice(writes)).toEqual([])
  expect(writes).toBe(4)
})

test('whoever undoes it is not fought with', async () => {
  const api = new MemoryApi()
  await api.create(ADMIN_NETWORK_POLICIES, policy(ADMIN_NETWORK_POLICIES, 'p', FINE))
  start(api)
  await eventually(() => expect(conditionsOf(api, ADMIN_NETWORK_POLICIES, 'p')).toHaveLength(1))
  await api.patch(ADMIN_NETWORK_POLICIES, { name: 'p' }, 'merge', { status: { conditions: [] } }, 'status')
  await Bun.sleep(50)
  expect(conditionsOf(api, ADMIN_NETWORK_POLICIES, 'p')).toEqual([])
})

test('of kinds without a status an event tells, once for each generation', async () => {
  const api = new MemoryApi()
  const spec = { podSelector: {}, ingress: [{ from: [{ podSelector: { moons: {} } }] }] }
  await api.create(NETWORK_POLICIES, policy(NETWORK_POLICIES, 'strange', spec, 'shop'))
  await api.create(NETWORK_POLICIES, policy(NETWORK_POLICIES, 'fine', { podSelector: {} }, 'shop'))
  const { lines } = start(api)
  await eventually(() => expect(eventsOf(api)).toHaveLength(1))
  expect(eventsOf(api)[0]).toStartWith(
    'Warning PolicyNotUnderstood NetworkPolicy shop/strange: spec.ingress[0].from[0].podSelector.moons: is not known here',
  )
  expect(lines).toHaveLength(1)
  const place = { name: 'strange', namespace: 'shop' }
  await api.patch(NETWORK_POLICIES, place, 'merge', { metadata: { labels: { a: '1' } } })
  await Bun.sleep(50)
  expect(api.writes.filter((write) => write.includes('events'))).toHaveLength(1)
  await api.patch(NETWORK_POLICIES, place, 'merge', { spec: { policyTypes: ['Ingress'] } })
  await eventually(() => expect(api.writes.filter((write) => write.includes('events'))).toHaveLength(2))
  expect(api.writes.filter((write) => write.includes('networkpolicies'))).toHaveLength(4)
})

test('two egress firewalls in a namespace: both are told, and the one that stays has nothing to be told any more', async () => {
  const api = new MemoryApi()
  const spec = { egress: [{ type: 'Deny', to: { cidrSelector: '0.0.0.0/0' } }] }
  for (const [name, namespace] of [
    ['a', 'shop'],
    ['b', 'shop'],
    ['a', 'bank'],
  ] as const) {
    await api.create(EGRESS_NETWORK_POLICIES, policy(EGRESS_NETWORK_POLICIES, name, spec, namespace))
  }
  start(api)
  await eventually(() => expect(eventsOf(api)).toHaveLength(2))
  for (const name of ['a', 'b']) {
    expect(eventsOf(api).join('\n')).toContain(
      `EgressNetworkPolicy shop/${name}: metadata.namespace: the namespace has 2`,
    )
  }
  await api.delete(EGRESS_NETWORK_POLICIES, { name: 'b', namespace: 'shop' })
  await Bun.sleep(50)
  expect(eventsOf(api)).toHaveLength(2)
  await api.create(EGRESS_NETWORK_POLICIES, policy(EGRESS_NETWORK_POLICIES, 'c', spec, 'shop'))
  await eventually(() => expect(eventsOf(api).filter((line) => line.includes('shop/c'))).toHaveLength(1))
})

test('a server without these kinds is no reason to complain, and the others are looked after', async () => {
  const api = new MemoryApi()
  api.before = (verb, { group }) => {
    if (verb === 'list' && group === 'policy.networking.k8s.io')
      throw new KubeError('KUBE_NOT_FOUND', 'no such kind', '')
  }
  const spec = { podSelector: { moons: {} } }
  await api.create(NETWORK_POLICIES, policy(NETWORK_POLICIES, 'strange', spec, 'shop'))
  const { lines } = start(api)
  await eventually(() => expect(eventsOf(api)).toHaveLength(1))
  expect(lines.filter((line) => line.includes('cannot watch'))).toEqual([])
})

test('what somebody changed meanwhile is decided about anew', async () => {
  const api = new MemoryApi()
  const failing = { left: 1 }
  api.before = (verb) => {
    if (verb !== 'patch' || failing.left === 0) return
    failing.left -= 1
    throw new KubeError('KUBE_UNAVAILABLE', 'not now', '')
  }
  await api.create(ADMIN_NETWORK_POLICIES, policy(ADMIN_NETWORK_POLICIES, 'p', FINE))
  const { lines } = start(api)
  await eventually(() => expect(conditionsOf(api, ADMIN_NETWORK_POLICIES, 'p')).toHaveLength(1))
  expect(lines).toEqual(['cannot say how AdminNetworkPolicy/p does: not now'])
})
