/** What must hold of the oracle whatever the policies are. */
import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { drawnFrom, textOf } from '../../../test/tables/policy/connections.ts'
import { policyCases } from '../../../test/tables/policy/generate.ts'
import { policies } from '../../../test/tables/policy/generate-policies.ts'
import { after, type World } from '../../../test/tables/policy/world.ts'
import { policyKey } from '../model/policy.ts'
import { judge } from './oracle.ts'
import type { Connection, Verdict } from './verdict.ts'

const RUNS = { seed: 5, numRuns: 150 }
const worlds = policyCases(0).map(({ start }) => start)
const networkPolicies = policies.filter(({ tier }) => tier === 'namespace')

/** Holds two worlds against each other, for connections of the first. */
function hold(one: World, other: World, claim: (a: Verdict, b: Verdict) => void): void {
  for (const connection of drawnFrom(one, 40, one.policies.length))
    claim(judge(one, connection), judge(other, connection))
}

test('one more NetworkPolicy forbids a pod nothing that another isolates already', () => {
  const seen = { allowed: 0 }
  fc.assert(
    fc.property(worlds, networkPolicies, (world, policy) => {
      const key = policyKey(policy)
      const before = after(world, { op: 'remove-policy', key })
      hold(before, after(before, { op: 'put-policy', policy }), (a, b) => {
        for (const end of ['egress', 'ingress'] as const) {
          if (!a[end].allowed || a[end].because !== 'rule') continue
          const { tier } = a[end].rule
          // Whom the baseline or a firewall alone has allowed something, nothing isolated.
          if (tier === 'baseline' || tier === 'firewall') continue
          expect(b[end].allowed).toBe(true)
          seen.allowed += 1
        }
      })
    }),
    RUNS,
  )
  expect(seen.allowed).toBeGreaterThan(200)
})

test('one NetworkPolicy less allows a pod nothing that another still isolates', () => {
  const seen = { denied: 0 }
  fc.assert(
    fc.property(worlds, networkPolicies, (world, policy) => {
      const key = policyKey(policy)
      const bare = after(world, { op: 'remove-policy', key })
      const full = after(bare, { op: 'put-policy', policy })
      hold(full, bare, (a, b) => {
        for (const end of ['egress', 'ingress'] as const) {
          const decision = a[end]
          if (decision.because !== 'isolated' || decision.by.every((one) => policyKey(one) === key)) continue
          expect(b[end].allowed).toBe(false)
          seen.denied += 1
        }
      })
    }),
    RUNS,
  )
  expect(seen.denied).toBeGreaterThan(50)
})

test('the order in which objects are told of counts for nothing', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const turned = {
        ...world,
        policies: world.policies.toReversed(),
        pods: world.pods.toReversed(),
        namespaces: world.namespaces.toReversed(),
        nodes: world.nodes.toReversed(),
      }
      hold(world, turned, (a, b) => expect(b).toEqual(a))
    }),
    RUNS,
  )
})

test('labels that come and go again leave everything as it was', () => {
  fc.assert(
    fc.property(policyCases(3), ({ start, changes }) => {
      const labels = changes.flatMap(({ steps }) => steps).filter(({ op }) => op === 'put-namespace')
      const there = labels.reduce(after, start)
      const back = start.namespaces.reduce(
        (world, namespace) => after(world, { op: 'put-namespace', namespace }),
        there,
      )
      hold(start, back, (a, b) => expect(b).toEqual(a))
    }),
    RUNS,
  )
})

test('a deny of the admin tier in front of everything denies, an allow allows', () => {
  const everybody = { namespaces: { labels: [] }, pods: [] }
  fc.assert(
    fc.property(worlds, fc.constantFrom('allow', 'deny'), (world, action) => {
      const rules = [{ action }]
      const first = { kind: 'AdminNetworkPolicy', name: '!', tier: 'admin', priority: 0, subject: everybody } as const
      const changed = after(world, { op: 'put-policy', policy: { ...first, ingress: rules, egress: rules } })
      for (const connection of drawnFrom(changed, 20, 1)) {
        const { egress, ingress } = judge(changed, connection)
        const told = [textOf(connection), egress, ingress]
        for (const decision of [egress, ingress]) {
          const isRuled = decision.because === 'rule' && decision.rule.tier === 'admin'
          if (isRuled) expect([...told, decision.allowed]).toEqual([...told, action === 'allow'])
          else expect([...told, ALWAYS.has(decision.because) || isFirewalled(connection)]).toEqual([...told, true])
        }
      }
    }),
    RUNS,
  )
})

const ALWAYS = new Set<Verdict['egress']['because']>(['not-a-pod', 'own-node'])

/** The firewall stands beside the tiers, for what leaves the cluster. */
function isFirewalled({ destination }: Connection): boolean {
  return destination.type !== 'pod'
}
