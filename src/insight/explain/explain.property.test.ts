/** What the objects say is what a packet meets in the flows: two ways of thinking that share nothing. */
import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { sampleView } from '../testing/sample-facts.ts'
import { EXPLAINED_PROTOCOLS } from './conversation.ts'
import { explainRequest } from './explain.ts'
import { EXPLAIN_CASES } from './testing/explain-cases.ts'

const VIEWS = EXPLAIN_CASES.map(({ policies, names }) => sampleView(policies, names))
const SENDERS = [
  'shop/web',
  'shop/api',
  'shop/cart',
  'bank/vault',
  'bank/safe',
  'default/dns',
  'node/node1',
  'node/node2',
]
const TARGETS = {
  4: [
    '192.0.2.11',
    '192.0.2.12',
    '192.0.2.19',
    '198.51.100.7',
    '203.0.113.7',
    '10.128.1.200',
    '10.130.0.1',
    '10.131.18.7',
    '10.131.20.7',
    '172.30.0.99',
    'service/shop/web',
    'service/shop/empty',
  ],
  6: [
    '2001:db8::11',
    '2001:db8::12',
    '2001:db8:f::7',
    'fd00:10:128:8::1',
    'fd00:10:128:9::7',
    'fd00:172:30::99',
    'service/shop/web',
  ],
} as const

const question = fc.constantFrom(4 as const, 6 as const).chain((family) =>
  fc.record({
    family: fc.constant(family),
    from: fc.constantFrom(...SENDERS),
    to: fc.constantFrom(...SENDERS, ...TARGETS[family]),
    protocol: fc.constantFrom(...EXPLAINED_PROTOCOLS),
    port: fc.constantFrom(80, 8080, 443),
  }),
)

// Clusters go by their number: a counterexample is to be read.
test('whoever asks for whom, objects and flows agree', () => {
  fc.assert(
    fc.property(fc.nat(VIEWS.length - 1), question, (index, request) => {
      const view = VIEWS[index]
      if (view === undefined) return
      const { ways } = explainRequest(view, request)
      const differing = ways.filter(({ flows }) => flows.agrees === false)
      expect(differing.map(({ to, flows }) => [to.name, flows.says])).toEqual([])
      for (const { allowed, decider } of ways) expect(decider === undefined).toBe(allowed)
    }),
    { numRuns: 500 },
  )
})
