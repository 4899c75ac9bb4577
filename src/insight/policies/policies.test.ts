import { describe, expect, test } from 'bun:test'
import { cidr, ip } from '../../network/model/address.ts'
import type { NetworkSet } from '../../network/model/network-set.ts'
import type { Policy } from '../../network/model/policy.ts'
import { cookieOf } from '../../network/pipeline/cookie.ts'
import { lookFor } from '../../text/look.ts'
import { sampleView } from '../testing/sample-facts.ts'
import type { ClusterView } from '../view.ts'
import { lookAtPolicies } from './policies.ts'
import { printPolicies } from './print.ts'

const everywhere: Policy['subject'] = { namespaces: { labels: [] }, pods: [] }
const inShop = (name: string, parts: Partial<Policy>): Policy => ({
  kind: 'NetworkPolicy',
  namespace: 'shop',
  name,
  tier: 'namespace',
  priority: 0,
  subject: { namespaces: { name: 'shop' }, pods: [] },
  ...parts,
})
const DENY = inShop('deny-all', { ingress: [] })
const tcp = (port: number) => [{ type: 'numbers', protocol: 'TCP', from: port, to: port }] as const
const ALLOW = inShop('allow', {
  ingress: [{ action: 'allow' }],
  egress: [
    { action: 'allow', ports: tcp(443) },
    { action: 'allow', ports: tcp(80) },
  ],
})
const ADMIN: Policy = {
  kind: 'AdminNetworkPolicy',
  name: 'tenants',
  tier: 'admin',
  priority: 5,
  subject: everywhere,
  ingress: [{ action: 'pass', name: 'theirs', peers: [{ type: 'pods', ...everywhere }] }],
}
const FIREWALL = inShop('default', {
  kind: 'EgressNetworkPolicy',
  tier: 'firewall',
  egress: [{ action: 'deny', peers: [{ type: 'range', range: cidr('0.0.0.0/0'), except: [] }] }],
})

function one(view: ClusterView, name: string) {
  return lookAtPolicies(view).policies.find((policy) => policy.name === name)
}

test('those that count first are in front, with whom they select', () => {
  const looks = lookAtPolicies(sampleView([FIREWALL, DENY, ALLOW, ADMIN])).policies
  expect(looks.map(({ name, tier, pods, state }) => [name, tier, pods, state])).toEqual([
    ['tenants', 'admin', 6, 'applied'],
    ['allow', 'namespace', 3, 'applied'],
    ['deny-all', 'namespace', 3, 'applied'],
    ['default', 'firewall', 3, 'applied'],
  ])
})

test('a policy without rules that no node has is not taken for one whose name begins alike', () => {
  const view = sampleView([inShop('deny-all-2', { ingress: [] })])
  const registry = view.registry && { ...view.registry, policies: [...view.registry.policies, DENY] }
  expect(one({ ...view, registry }, 'deny-all')?.state).toBe('pending')
  expect(one({ ...view, registry }, 'deny-all-2')?.state).toBe('applied')
})

test('every rule has the packets that its flows counted, on all nodes', () => {
  const view = sampleView([ALLOW, ADMIN])
  const counting = (key: string) => cookieOf(`rule/${key}`)
  const nodes = view.nodes.map((facts) => ({
    ...facts,
    installed: facts.installed.map((flow) => {
      const isSecond = flow.flow.cookie === counting('NetworkPolicy/shop/allow/egress/1')
      return isSecond ? { ...flow, packets: 7n } : flow
    }),
  }))
  const flows = nodes.flatMap(({ installed }) => installed.filter(({ packets }) => packets === 7n))
  expect(flows.length).toBeGreaterThan(1)
  expect(one({ ...view, nodes }, 'allow')?.rules).toEqual([
    { direction: 'ingress', index: 0, action: 'allow', packets: 0n },
    { direction: 'egress', index: 0, action: 'allow', packets: 0n },
    { direction: 'egress', index: 1, action: 'allow', packets: 7n * BigInt(flows.length) },
  ])
  expect(one(view, 'tenants')?.rules).toMatchObject([{ name: 'theirs', action: 'pass' }])
})

describe('states', () => {
  test('nobody is selected', () => {
    const other = {
      ...DENY,
      subject: { namespaces: { name: 'shop' }, pods: [{ key: 'app', operator: 'In', values: ['x'] }] },
    } as const
    expect(one(sampleView([other]), 'deny-all')).toMatchObject({ state: 'unused', pods: 0 })
  })
  test.each([
    ['rules', ALLOW],
    ['no rule', DENY],
    ['a firewall', FIREWALL],
  ])('a node does not have it yet: %s', (_, policy) => {
    const view = sampleView([policy])
    const nodes = [...view.nodes.slice(0, 1), ...sampleView().nodes.slice(1)]
    expect(one({ ...view, nodes }, policy.name)).toMatchObject({ state: 'pending', missing: ['node2'] })
  })
  test('what is not understood', () => {
    const problems = [{ field: 'spec.ingress[0].from[0]', reason: 'says nothing of any peer' }]
    const view = sampleView([inShop('broken', { ingress: [{ action: 'allow', peers: [] }], problems })])
    expect(one(view, 'broken')).toMatchObject({ state: 'problems', problems })
    const text = printPolicies(lookAtPolicies(view), lookFor({ columns: 100 }, false)).join('\n')
    expect(text).toContain('! NetworkPolicy shop/broken: spec.ingress[0].from[0]: says nothing of any peer')
  })
  test('two egress firewalls of a namespace', () => {
    const view = sampleView([FIREWALL, { ...FIREWALL, name: 'other' }])
    expect(one(view, 'other')).toMatchObject({ state: 'problems', problems: [{ field: 'metadata.namespace' }] })
  })
  test('a DNS name without an address', () => {
    const egress = [{ action: 'deny', peers: [{ type: 'name', name: 'www.example.org' }] }] as const
    const named = { ...FIREWALL, egress }
    expect(one(sampleView([named]), 'default')).toMatchObject({
      state: 'problems',
      problems: [{ field: 'spec.egress[0].to.dnsName', reason: 'www.example.org has no address on node1, node2' }],
    })
    expect(one(sampleView([named], { 'www.example.org': [ip('198.51.100.7')] }), 'default')?.state).toBe('applied')
  })
  test('an object that cannot be read at all', () => {
    const { registry, ...rest } = sampleView()
    const unreadable = ['Service x/y: no', 'NetworkPolicy shop/x: no']
    const view = { ...rest, registry: registry && { ...registry, unreadable } }
    expect(lookAtPolicies(view).unreadable).toEqual(['NetworkPolicy shop/x: no'])
  })
})

test('what is printed fits a page, and tells rules with their packets', () => {
  const looks = lookAtPolicies(sampleView([FIREWALL, DENY, ALLOW, ADMIN]))
  for (const columns of [100, 80]) {
    expect(printPolicies(looks, lookFor({ columns }, false)).filter((line) => line.length > columns)).toEqual([])
  }
  const text = printPolicies(looks, lookFor({ columns: 100 }, false)).join('\n')
  expect(text).toContain('ingress[0] “theirs” passes on: 0')
  expect(text).toContain('ingress: nobody')
  expect(text).toContain('admin 5')
  expect(printPolicies({ policies: [], unreadable: [] }, lookFor({}, false))).toEqual([
    'There is no policy: whatever tenants allow is allowed.',
  ])
})

test('a network set of which something cannot be read is told of at the rules that select it', () => {
  const where = { type: 'has', of: 'own', key: 'feed' } as const
  const policy = inShop('blocked', {
    kind: 'CalicoNetworkPolicy',
    ingress: [{ action: 'deny', peers: [{ type: 'sets', where }] }],
  })
  const set = { kind: 'GlobalNetworkSet', name: 'feed', labels: { feed: 'x' }, nets: [] } as const
  const view = sampleView([policy])
  const withSet = (one: NetworkSet): ClusterView =>
    view.registry === undefined ? view : { ...view, registry: { ...view.registry, sets: [one] } }
  expect(one(withSet(set), 'blocked')?.problems).toEqual([])
  const broken = { ...set, problems: [{ field: 'spec.nets[0]', reason: '"x" is none' }] }
  expect(one(withSet(broken), 'blocked')).toMatchObject({
    state: 'problems',
    problems: [
      {
        field: 'spec.ingress[0].source',
        reason:
          'GlobalNetworkSet/feed: spec.nets[0]: "x" is none; where an agent does not know what the set last held, it denies everybody',
      },
    ],
  })
  expect(one(withSet({ ...broken, labels: {} }), 'blocked')?.problems).toEqual([])
})
