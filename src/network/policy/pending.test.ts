/** A pod of which not everything is known yet: nothing that some policy could forbid gets through. */
import { expect, test } from 'bun:test'
import { SAMPLE_PODS, samplePlanner } from '../../../test/tables/sample-node.ts'
import type { Policy, Selector } from '../model/policy.ts'
import { parseCookie } from '../pipeline/cookie.ts'
import { type DropName, dropByCode } from '../pipeline/drops.ts'
import type { NodePlanner } from '../planner.ts'
import { compileSwitch, packetOf, simulate } from '../simulate/simulate.ts'

const { web, api } = SAMPLE_PODS

test('a namespace that nobody told of yet may have any labels', () => {
  const planner = planned({ isNamespaceTold: false, isApiKnown: true })
  planner.putPolicy(admin('production', 1, 'deny', label('env', 'production')))
  expect(callApi(planner)).toBe('policy-pending')
  planner.putNamespace({ name: 'shop', uid: 'n', labels: { env: 'production' } })
  expect(callApi(planner)).toBe('ingress-denied')
  planner.removeNamespace('shop')
  expect(callApi(planner)).toBe('policy-pending')
  planner.putNamespace({ name: 'shop', uid: 'n' })
  expect(callApi(planner)).toBe('arrived')
})

test('a policy that comes before its namespace is told of is waited for', () => {
  const planner = planned({ isNamespaceTold: false, isApiKnown: true })
  expect(callApi(planner)).toBe('arrived')
  planner.putPolicy(admin('production', 1, 'deny', label('env', 'production')))
  expect(callApi(planner)).toBe('policy-pending')
})

test('what a namespace is called is known whether somebody told of it or not', () => {
  const planner = planned({ isNamespaceTold: false, isApiKnown: true })
  const bank = label('kubernetes.io/metadata.name', 'bank')
  planner.putPolicy(admin('bank', 1, 'deny', [...bank, ...label('env', 'production')]))
  expect(callApi(planner)).toBe('arrived')
  planner.putPolicy(admin('shop', 2, 'deny', label('kubernetes.io/metadata.name', 'shop')))
  expect(callApi(planner)).toBe('ingress-denied')
})

test('a rule that allows does not count before one that might deny earlier is known', () => {
  const planner = planned({ isNamespaceTold: true, isApiKnown: false })
  planner.putPolicy(admin('first', 1, 'deny', [], label('app', 'api')))
  planner.putPolicy(admin('second', 2, 'allow', []))
  expect(callApi(planner)).toBe('policy-pending')
  tellApi(planner)
  expect(callApi(planner)).toBe('ingress-denied')
})

test.each(['admin', 'baseline'] as const)(
  'a policy (%s) that is deleted and made anew at once counts as it is now',
  (tier) => {
    const planner = planned({ isNamespaceTold: true, isApiKnown: true })
    const policy = (action: 'allow' | 'deny'): Policy => ({ ...admin('default', 1, action, []), tier })
    planner.putPolicy(policy('deny'))
    expect(callApi(planner)).toBe('ingress-denied')
    planner.removePolicy('AdminNetworkPolicy/default')
    planner.putPolicy(policy('allow'))
    expect(callApi(planner)).toBe('arrived')
  },
)

function planned(known: { readonly isNamespaceTold: boolean; readonly isApiKnown: boolean }): NodePlanner {
  const planner = samplePlanner()
  if (known.isNamespaceTold) planner.putNamespace({ name: 'shop', uid: 'n' })
  if (known.isApiKnown) tellApi(planner)
  return planner
}

function tellApi(planner: NodePlanner): void {
  const { addresses } = api
  planner.putPod({ namespace: 'shop', name: 'api', uid: 'p', node: 'node1', addresses, labels: { app: 'api' } })
}

function admin(
  name: string,
  priority: number,
  action: 'allow' | 'deny',
  labels: Selector,
  pods: Selector = [],
): Policy {
  const subject = { namespaces: { labels }, pods }
  return { kind: 'AdminNetworkPolicy', name, tier: 'admin', priority, subject, ingress: [{ action }] }
}

function label(key: string, value: string): Selector {
  return [{ key, operator: 'In', values: [value] }]
}

function callApi(planner: NodePlanner): DropName | 'arrived' | undefined {
  const packet = packetOf({
    ...{ in_port: web.ofport, eth_src: web.mac, eth_dst: planner.context.routerMac, eth_type: 0x0800 },
    ...{ ipv4_src: '10.128.0.2', ipv4_dst: '10.128.0.3', ip_proto: 6, tcp_src: 40_000, tcp_dst: 80 },
  })
  const { steps, outputs } = simulate(compileSwitch(planner.flows(), planner.groups()), packet)
  if (outputs.some(({ port }) => port === api.ofport)) return 'arrived'
  return dropByCode(parseCookie(steps.at(-1)?.flow?.cookie ?? 0n)?.dropCode ?? 0)
}
