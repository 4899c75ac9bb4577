import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Condition, type Labelled, meetsCondition } from '../model/condition.ts'
import { ConditionIndex, LabelledIndex } from './condition-index.ts'

const key = fc.constantFrom('a', 'b', 'constructor')
const value = fc.constantFrom('1', '2', '')
const of = fc.constantFrom('own' as const, 'namespace' as const)
const { condition } = fc.letrec<{ condition: Condition; group: Condition }>((tie) => ({
  group: fc.record({
    type: fc.constantFrom('and' as const, 'and' as const, 'or' as const),
    conditions: fc.array(tie('condition'), { maxLength: 3 }),
  }),
  condition: fc.oneof(
    { depthSize: 'small' },
    fc.record({
      type: fc.constant('compare' as const),
      of,
      key,
      how: fc.constantFrom('in' as const, 'in' as const, 'contains' as const),
      values: fc.array(value, { maxLength: 3 }),
    }),
    fc.constantFrom<Condition>({ type: 'all' }, { type: 'namespaced' }, { type: 'not', condition: { type: 'all' } }),
    fc.record({ type: fc.constant('has' as const), of, key }),
    tie('condition').map((one): Condition => ({ type: 'not', condition: one })),
    tie('group'),
  ),
}))
const labels = fc.dictionary(key, value, { noNullPrototype: true })
const labelled: fc.Arbitrary<Labelled> = fc.record({ own: labels, namespace: labels }, { requiredKeys: ['own'] })

test('both ways round a look by labels finds what a look at everything finds, each once', () => {
  const seen = { met: 0, unmet: 0 }
  fc.assert(
    fc.property(
      fc.array(condition, { maxLength: 8 }),
      fc.array(labelled, { maxLength: 8 }),
      fc.array(fc.nat(7)),
      (conditions, all, gone) => {
        const [byCondition, byLabels] = [new ConditionIndex<number>(), new LabelledIndex()]
        for (const [i, one] of conditions.entries()) byCondition.add(i, one)
        for (const [i, one] of all.entries()) byLabels.put(String(i), one)
        for (const i of gone) {
          byCondition.delete(i)
          byLabels.delete(String(i))
        }
        const left = <T>(list: readonly T[]) => [...list.entries()].filter(([i]) => !gone.includes(i))
        for (const [, one] of left(all)) {
          const expected = left(conditions).flatMap(([i, each]) => (meetsCondition(each, one) ? [i] : []))
          expect([...byCondition.metBy(one)].sort()).toEqual(expected)
          seen.met += expected.length
          seen.unmet += left(conditions).length - expected.length
        }
        for (const [, each] of left(conditions)) {
          const expected = left(all).flatMap(([i, one]) => (meetsCondition(each, one) ? [String(i)] : []))
          expect([...byLabels.meeting(each)].sort()).toEqual(expected)
        }
      },
    ),
    { numRuns: 400, seed: 5 },
  )
  expect(Math.min(seen.met, seen.unmet)).toBeGreaterThan(500)
})
