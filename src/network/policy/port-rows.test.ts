/** How many rows the ports of rules take. */
import { expect, test } from 'bun:test'
import { SAMPLE_PODS, samplePlanner } from '../../../test/tables/sample-node.ts'
import { cidr } from '../model/address.ts'
import type { Policy, PolicyRule, PortMatch } from '../model/policy.ts'

const RULES = 40
/** Thirty masks. */
const NEARLY_ALL: PortMatch = { type: 'numbers', protocol: 'TCP', from: 1, to: 65_534 }

test('rows grow with rules plus ports, not with their product', () => {
  const rows = rowsOf((n) => ({ action: 'allow', peers: [range(n)], ports: [NEARLY_ALL] }))
  // An address and a decision for each rule, and a clause for each mask of each family.
  expect(rows).toBeLessThan(2 * RULES + 2 * 30 + 20)
})

test('rules with the same peers are told apart by their ports', () => {
  const rows = rowsOf((n) => ({
    action: 'allow',
    peers: [range(0)],
    ports: [{ ...NEARLY_ALL, from: n + 1, to: n + 1 }],
  }))
  expect(rows).toBeGreaterThan(2 * 2 * RULES)
})

/** What a policy with such rules adds to the flows of a node. */
function rowsOf(rule: (n: number) => PolicyRule): number {
  const planner = samplePlanner()
  const { addresses } = SAMPLE_PODS.api
  planner.putPod({ namespace: 'shop', name: 'api', uid: 'p', node: 'node1', addresses })
  const before = planner.flows().length
  planner.putPolicy({
    ...{ kind: 'NetworkPolicy', namespace: 'shop', name: 'ports', tier: 'namespace', priority: 0 },
    subject: { namespaces: { name: 'shop' }, pods: [] },
    ingress: Array.from({ length: RULES }, (_, n) => rule(n)),
  } satisfies Policy)
  return planner.flows().length - before
}

function range(n: number): { readonly type: 'range'; readonly range: ReturnType<typeof cidr>; readonly except: [] } {
  return { type: 'range', range: cidr(`198.51.${n}.0/24`), except: [] }
}
