import { expect, test } from 'bun:test'
import { SAMPLE_CLUSTER, samplePod as sampleEndpoint, sampleNode } from '../../../test/tables/sample-node.ts'
import { cidr, ip } from '../../network/model/address.ts'
import type { Pod } from '../../network/model/pod.ts'
import type { Policy } from '../../network/model/policy.ts'
import { ClusterView, VIEWED_KINDS } from './view.ts'

const web: Pod = pod('web', 'node1', '10.128.0.2', { app: 'web' })
const client: Pod = pod('client', 'node2', '10.129.0.2', { app: 'client' })
const stranger: Pod = pod('stranger', 'node2', '10.129.0.3', { app: 'stranger' })

function pod(name: string, node: string, address: string, labels: Readonly<Record<string, string>>): Pod {
  return { namespace: 'shop', name, uid: `uid-${name}`, node, addresses: [ip(address)], labels }
}

/** Web may be reached by clients. */
const policy: Policy = {
  kind: 'NetworkPolicy',
  namespace: 'shop',
  name: 'web',
  tier: 'namespace',
  priority: 0,
  subject: { namespaces: { name: 'shop' }, pods: [{ key: 'app', operator: 'In', values: ['web'] }] },
  ingress: [
    {
      action: 'allow',
      peers: [
        {
          type: 'pods',
          namespaces: { name: 'shop' },
          pods: [{ key: 'app', operator: 'In', values: ['client'] }],
        },
      ],
    },
  ],
}

/** A view, and how often its node's plan was said to be another. */
function scene() {
  const seen = { fragments: 0 }
  const listener = {
    context: () => undefined,
    fragments: () => {
      seen.fragments += 1
      view.planner?.take()
    },
  }
  const view: ClusterView = new ClusterView('node1', () => 1500, listener)
  view.putCluster(SAMPLE_CLUSTER)
  for (const n of [1, 2]) view.putNetwork(sampleNode(n))
  view.putTenant({ namespace: 'shop', vni: 42 })
  const start = (): void => {
    for (const kind of VIEWED_KINDS) view.synced(kind)
    view.planner?.putEndpoint(sampleEndpoint(2, 'shop', 'web'))
    view.planner?.take()
    seen.fragments = 0
  }
  return {
    ...{ view, seen, start, ...view.policies },
    policies: view.policies.policiesOf('NetworkPolicy'),
    calico: view.policies.policiesOf('CalicoNetworkPolicy'),
    sets: view.policies.setsOf('GlobalNetworkSet'),
  }
}

test('what was told before there is a plan is in it, as what is told then', () => {
  const [early, late] = [scene(), scene()]
  early.policies.put(policy)
  early.pods.put(client)
  early.pods.put(web)
  early.namespaces.put({ name: 'shop', uid: 'u', labels: { team: 'a' } })
  early.start()
  late.start()
  late.namespaces.put({ name: 'shop', uid: 'u', labels: { team: 'a' } })
  late.pods.put(web)
  late.pods.put(client)
  late.policies.put(policy)
  expect(sorted(early.view).join()).toContain('10.129.0.2')
  expect(sorted(late.view)).toEqual(sorted(early.view))
})

test('what went before there was a plan is not in it', () => {
  const one = scene()
  one.policies.put(policy)
  one.pods.put(web)
  one.pods.put(client)
  one.pods.remove('shop/client')
  one.start()
  expect(sorted(one.view).join()).not.toContain('10.129.0.2')
  one.policies.remove('shop/web')
  expect([...(one.view.planner?.policies() ?? [])]).toEqual([])
})

test('a pod of another node is news only when policies of pods here speak of it', () => {
  const one = scene()
  one.policies.put(policy)
  one.pods.put(web)
  one.start()
  one.pods.put(stranger)
  one.pods.put({ ...stranger, labels: { app: 'other' } }, stranger)
  one.pods.remove('shop/stranger')
  expect(one.seen.fragments).toBe(0)
  one.pods.put(client)
  expect(one.seen.fragments).toBe(1)
  one.pods.put({ ...client, labels: { app: 'client', version: '2' } }, client)
  one.pods.put({ ...client, bandwidth: { toPod: { rate: 1_000 } } }, client)
  expect(one.seen.fragments).toBe(1)
  one.pods.put({ ...client, labels: { app: 'other' } }, client)
  expect(one.seen.fragments).toBe(2)
})

test('a pod of this node that only becomes ready is no news', () => {
  const one = scene()
  one.policies.put(policy)
  one.pods.put(web)
  one.start()
  one.pods.put({ ...web }, web)
  one.namespaces.put({ name: 'shop', uid: 'u', problem: 'x' }, { name: 'shop', uid: 'u' })
  one.policies.put({ ...policy }, policy)
  expect(one.seen.fragments).toBe(0)
})

function sorted(view: ClusterView): readonly string[] {
  return (view.planner?.flows() ?? []).map((flow) => JSON.stringify(flow, asText)).sort()
}

function asText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

test('a policy with a selector that cannot be read goes on as it last was, and is closed where nobody knows that', () => {
  const unread: Policy = { ...policy, ingress: [], isUnread: true }
  const [known, unknown] = [scene(), scene()]
  for (const one of [known, unknown]) {
    one.policies.put(one === known ? policy : unread)
    one.pods.put(web)
    one.pods.put(client)
    one.start()
  }
  const before = sorted(known.view)
  known.policies.put(unread, policy)
  known.policies.put({ ...unread, log: true }, unread)
  expect(sorted(known.view)).toEqual(before)
  expect(sorted(unknown.view)).not.toEqual(before)
  expect(known.view.policies.kept()).toEqual([policy])
  expect(unknown.view.policies.kept()).toEqual([])
  expect(sorted(unknown.view).join()).not.toContain('10.129.0.2')
  // What can be read again counts, even if it says what it said before.
  known.policies.put({ ...policy, ingress: [] }, unread)
  expect(known.view.policies.kept()).toEqual([])
  expect(sorted(known.view)).toEqual(sorted(unknown.view))
  known.policies.put(policy, { ...policy, ingress: [] })
  expect(sorted(known.view)).toEqual(before)
  known.policies.remove('shop/web')
  known.policies.put(unread)
  expect(sorted(known.view)).toEqual(sorted(unknown.view))
})

test('what cannot be read does not go on as another object of its name was', () => {
  const unread: Policy = { ...policy, uid: 'second', ingress: [], isUnread: true }
  const [anew, unknown] = [scene(), scene()]
  for (const one of [anew, unknown]) {
    one.policies.put(one === anew ? { ...policy, uid: 'first' } : unread)
    one.pods.put(web)
    one.pods.put(client)
    one.start()
  }
  // Deleted and made anew while the watch was cut off: a listing tells it as one change.
  anew.policies.put(unread, { ...policy, uid: 'first' })
  expect(anew.view.policies.kept()).toEqual([])
  expect(sorted(anew.view)).toEqual(sorted(unknown.view))
  const set = { kind: 'GlobalNetworkSet', name: 'all', labels: { a: 'b' }, nets: [cidr('203.0.113.0/24')] } as const
  const first = { ...set, uid: 'first' }
  const second = { ...set, uid: 'second', nets: [], problems: [{ field: 'spec.nets[0]', reason: 'is none' }] }
  const where = { type: 'has', of: 'own', key: 'a' } as const
  const denying: Policy = {
    ...policy,
    kind: 'CalicoNetworkPolicy',
    ingress: [{ action: 'deny', peers: [{ type: 'sets', where }] }, { action: 'allow' }],
  }
  for (const one of [anew, unknown]) {
    one.calico.put(denying)
    one.sets.put(one === anew ? first : second)
  }
  anew.sets.put(second, first)
  expect(sorted(anew.view)).toEqual(sorted(unknown.view))
})

test('network sets are told to the plan, before and after there is one', () => {
  const set = { kind: 'GlobalNetworkSet', name: 'all', labels: { a: 'b' }, nets: [cidr('203.0.113.0/24')] } as const
  const where = { type: 'has', of: 'own', key: 'a' } as const
  const allowing: Policy = {
    ...policy,
    kind: 'CalicoNetworkPolicy',
    ingress: [{ action: 'allow', peers: [{ type: 'sets', where }] }],
  }
  const [early, late] = [scene(), scene()]
  early.sets.put(set)
  for (const one of [early, late]) {
    one.calico.put(allowing)
    one.pods.put(web)
    one.start()
  }
  late.sets.put(set)
  expect(sorted(early.view).join()).toContain('203.0.113.0/24')
  expect(sorted(late.view)).toEqual(sorted(early.view))
  late.sets.put({ ...set, labels: {} }, set)
  expect(sorted(late.view).join()).not.toContain('203.0.113.0/24')
  early.sets.remove('all')
  expect(sorted(early.view)).toEqual(sorted(late.view))
})

test('a network set of which something cannot be read goes on as it last was; where nobody knows that, rules that deny close', () => {
  const set = { kind: 'GlobalNetworkSet', name: 'all', labels: { a: 'b' }, nets: [cidr('203.0.113.0/24')] } as const
  const unread = { ...set, nets: [], problems: [{ field: 'spec.nets[0]', reason: 'is none' }] }
  const where = { type: 'has', of: 'own', key: 'a' } as const
  const denying: Policy = {
    ...policy,
    kind: 'CalicoNetworkPolicy',
    ingress: [{ action: 'deny', peers: [{ type: 'sets', where }] }, { action: 'allow' }],
  }
  const [known, unknown, whole] = [scene(), scene(), scene()]
  for (const one of [known, unknown, whole]) {
    one.sets.put(one === unknown ? unread : set)
    one.calico.put(denying)
    one.pods.put(web)
    one.start()
  }
  known.sets.put(unread, set)
  expect(sorted(known.view)).toEqual(sorted(whole.view))
  expect(sorted(unknown.view)).not.toEqual(sorted(whole.view))
  const rules = [...(unknown.view.planner?.policies() ?? [])].map(({ ingress = [] }) => ingress[0]?.peers)
  expect(rules).toEqual([
    [
      { type: 'range', range: cidr('0.0.0.0/0'), except: [] },
      { type: 'range', range: cidr('::/0'), except: [] },
    ],
  ])
  // What can be read again counts, even if it says what it said before.
  for (const one of [known, unknown]) one.sets.put(set, unread)
  expect(sorted(known.view)).toEqual(sorted(whole.view))
  expect(sorted(unknown.view)).toEqual(sorted(whole.view))
})

test('whose an address is, is known of pods everywhere', () => {
  const one = scene()
  one.start()
  for (const put of [web, client]) one.pods.put(put)
  const at = (address: string) => one.view.planner?.podAt(ip(address))
  expect([at('10.128.0.2'), at('10.129.0.2'), at('10.129.0.3')]).toEqual(['shop/web', 'shop/client', undefined])
  one.pods.remove('shop/client')
  expect(at('10.129.0.2')).toBeUndefined()
})
