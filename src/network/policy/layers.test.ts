/** Which rules of the namespaces' tier lie above which. */
import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { comparePolicies, type Policy, type PolicyAction, policyKey } from '../model/policy.ts'
import { layersOf } from './layers.ts'

function policy(name: string, order: number | undefined, namespace: string | undefined, actions: string): Policy {
  const rules = [...actions].map((sign) => ({ action: ACTIONS[sign] ?? 'allow' }))
  const kind = namespace === undefined ? 'GlobalNetworkPolicy' : 'CalicoNetworkPolicy'
  const head = { kind, name, tier: 'namespace', priority: 0 } as const
  return {
    ...head,
    ...(namespace === undefined ? {} : { namespace }),
    ...(order === undefined ? {} : { order }),
    subject: { namespaces: namespace === undefined ? { labels: [] } : { name: namespace }, pods: [] },
    ingress: rules,
  }
}

const ACTIONS: Readonly<Record<string, PolicyAction>> = { a: 'allow', d: 'deny', p: 'pass' }

function layersIn(...policies: readonly Policy[]) {
  const layers = layersOf(policies)
  return policies.map((one) => layers.get(`ingress ${policyKey(one)}`))
}

test('what only allows lies where NetworkPolicies do, before and behind them', () => {
  expect(layersIn(policy('a', 1, 'x', 'aa'), policy('b', undefined, undefined, 'a'))).toEqual([[0, 0], [0]])
})

test('what denies lies above what comes behind it, and below what comes before', () => {
  const layers = layersIn(policy('a', 1, 'x', 'add'), policy('b', 2, 'x', 'ad'), policy('c', 3000, 'x', 'dap'))
  expect(layers).toEqual([
    [4, 3, 3],
    [2, 1],
    [-1, -2, -3],
  ])
})

test('namespaces do not count for each other, what is everybody’s counts for all', () => {
  expect(
    layersIn(
      policy('a', 1, 'x', 'd'),
      policy('b', 1, 'y', 'd'),
      policy('c', 2, undefined, 'ad'),
      policy('d', 3, 'y', 'da'),
    ),
  ).toEqual([[3], [3], [2, 1], [1, 0]])
})

const policies = fc
  .array(
    fc.record({
      order: fc.option(fc.constantFrom(1, 2, 500, 1000, 2000), { nil: undefined }),
      namespace: fc.option(fc.constantFrom('x', 'y'), { nil: undefined }),
      actions: fc.array(fc.constantFrom('a', 'd', 'p'), { maxLength: 4 }).map((all) => all.join('')),
    }),
    { maxLength: 8 },
  )
  .map((all) => all.map(({ order, namespace, actions }, i) => policy(`default.p${i}`, order, namespace, actions)))

test('of two rules that may meet and do different things, the one that counts first lies higher', () => {
  let compared = 0
  fc.assert(
    fc.property(policies, (all) => {
      const layers = layersOf(all)
      const rules = [...all].sort(comparePolicies).flatMap((one) =>
        (one.ingress ?? []).map(({ action }, i) => ({
          action,
          namespace: one.namespace,
          layer: layers.get(`ingress ${policyKey(one)}`)?.[i] ?? Number.NaN,
        })),
      )
      for (const [i, a] of rules.entries()) {
        for (const b of rules.slice(i + 1)) {
          const mayMeet = a.namespace === undefined || b.namespace === undefined || a.namespace === b.namespace
          if (!mayMeet || a.action === b.action) continue
          expect(a.layer).toBeGreaterThan(b.layer)
          compared += 1
        }
      }
    }),
    { seed: 2, numRuns: 500 },
  )
  expect(compared).toBeGreaterThan(1000)
})
