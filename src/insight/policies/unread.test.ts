import { describe, expect, test } from 'bun:test'
import type { Policy } from '../../network/model/policy.ts'
import { PLAIN } from '../../text/look.ts'
import { explainRequest } from '../explain/explain.ts'
import { sampleView } from '../testing/sample-facts.ts'
import type { ClusterView } from '../view.ts'
import { lookAtPolicies } from './policies.ts'
import { printPolicies } from './print.ts'

const BASE = {
  kind: 'CalicoNetworkPolicy',
  namespace: 'shop',
  name: 'default.p',
  tier: 'namespace',
  priority: 0,
} as const
const SHOP = { namespaces: { name: 'shop' }, pods: [] } as const
/** As it was, and as the registry has it now that its selector cannot be read. */
const BEFORE: Policy = { ...BASE, subject: SHOP, ingress: [{ action: 'allow' }] }
const NOW: Policy = {
  ...BASE,
  subject: SHOP,
  order: -Number.MAX_VALUE,
  ingress: [{ action: 'deny' }],
  isUnread: true,
  problems: [{ field: 'spec.selector', reason: 'at character 5: it ends where a text in quotes is expected' }],
}

/** Nodes of `keepers` go on with what it said before; the others never read it. */
function view(...keepers: readonly string[]): ClusterView {
  const [kept, closed] = [sampleView([BEFORE]), sampleView([NOW])]
  const nodes = closed.nodes.map((facts, i) => {
    const own = kept.nodes[i]
    if (own === undefined || !keepers.includes(facts.status.node)) return { ...facts, keptPolicies: [] }
    return { ...own, keptPolicies: [BEFORE] }
  })
  return { ...closed, nodes }
}

const page = (one: ClusterView): string =>
  printPolicies(lookAtPolicies(one), { ...PLAIN, width: 400 })
    .join(' ')
    .replace(/\s+/g, ' ')
const explain = (one: ClusterView, from: string, to: string) => {
  const explanation = explainRequest(one, { from, to, protocol: 'tcp', family: 4 })
  const [way] = explanation.ways
  return {
    reachable: explanation.reachable,
    agrees: way?.flows.agrees,
    says: way?.steps.find(({ name }) => name === 'ingress policies')?.says,
  }
}

describe('a policy with a selector that cannot be read', () => {
  test('and never could be is closed: list, state and explanation say so', () => {
    const text = page(view())
    expect(text).toContain('1 problem, closed there')
    expect(text).toContain(
      '! CalicoNetworkPolicy shop/default.p: spec.selector: at character 5: it ends where a text in quotes is expected; node1 and node2 never read it, and closed it',
    )
    expect(text).not.toContain('go on with')
    const { reachable, agrees, says } = explain(view(), 'shop/web', 'shop/cart')
    expect([reachable, agrees]).toEqual([false, true])
    expect(says).toContain('is not understood (at character 5')
  })

  test('and was read before stays as it was: list, state and explanation say so', () => {
    const text = page(view('node1', 'node2'))
    expect(text).toContain('1 problem, stays as it was')
    expect(text).toContain('ingress[0] allows: 0')
    expect(text).toContain('; node1 and node2 go on with what it said before')
    expect(text).not.toContain('closed')
    const { reachable, agrees, says } = explain(view('node1', 'node2'), 'shop/web', 'shop/cart')
    expect([reachable, agrees]).toEqual([true, true])
    expect(says).toEndWith('cannot be read now, and node2 goes on with what was said before')
  })

  test('and was read on one node is judged by the receiver’s node', () => {
    const text = page(view('node2'))
    expect(text).toContain('; node2 goes on with what it said before; node1 never read it, and closed it')
    expect(explain(view('node2'), 'shop/web', 'shop/cart')).toMatchObject({ reachable: true, agrees: true })
    expect(explain(view('node2'), 'shop/web', 'shop/api')).toMatchObject({ reachable: false, agrees: true })
  })
})
