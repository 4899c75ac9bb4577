import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Requirement } from '../model/policy.ts'
import { matchesSelector } from '../model/selector.ts'
import { SelectorIndex } from './selector-index.ts'

const name = fc.constantFrom('a', 'b', 'c')
const value = fc.constantFrom('1', '2', '3')
const requirement: fc.Arbitrary<Requirement> = fc.oneof(
  fc.record({
    key: name,
    operator: fc.constantFrom('In', 'NotIn'),
    values: fc.uniqueArray(value, { minLength: 1 }),
  }),
  fc.record({ key: name, operator: fc.constantFrom('Exists', 'DoesNotExist'), values: fc.constant([]) }),
)

test('the index finds what a look at every selector finds, each once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(requirement, { maxLength: 3 }), { maxLength: 12 }),
      fc.dictionary(name, value),
      fc.array(fc.nat(11)),
      (selectors, labels, gone) => {
        const index = new SelectorIndex<number>()
        for (const [i, selector] of selectors.entries()) index.add(i, selector)
        for (const i of gone) index.delete(i)
        const expected = selectors.flatMap((selector, i) =>
          !gone.includes(i) && matchesSelector(selector, labels) ? [i] : [],
        )
        expect([...index.matching(labels)].sort((a, b) => a - b)).toEqual(expected)
      },
    ),
  )
})
