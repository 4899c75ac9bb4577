import { describe, expect, test } from 'bun:test'
import { NAMESPACE_NAME_LABEL } from '../model/pod.ts'
import type { Labels, Namespaces, Requirement } from '../model/policy.ts'
import { matchesSelector } from '../model/selector.ts'
import { matchesNamespaces, matchesPodSet } from './selector.ts'

const tier = (operator: Requirement['operator'], ...values: string[]): Requirement => ({
  key: 'tier',
  operator,
  values,
})

describe('a demand', () => {
  const WEB: Labels = { tier: 'web' }
  const BARE: Labels = {}
  test.each([
    ['In, its value', tier('In', 'db', 'web'), WEB, true],
    ['In, another value', tier('In', 'db'), WEB, false],
    ['In, without the label', tier('In', 'web'), BARE, false],
    ['NotIn, its value', tier('NotIn', 'db', 'web'), WEB, false],
    ['NotIn, another value', tier('NotIn', 'db'), WEB, true],
    ['NotIn, without the label', tier('NotIn', 'web'), BARE, true],
    ['Exists', tier('Exists'), WEB, true],
    ['Exists, without the label', tier('Exists'), BARE, false],
    ['DoesNotExist', tier('DoesNotExist'), WEB, false],
    ['DoesNotExist, without the label', tier('DoesNotExist'), BARE, true],
    ['In, an empty value', tier('In', ''), { tier: '' }, true],
    ['Exists, a name that every object has', { key: 'constructor', operator: 'Exists', values: [] }, BARE, false],
  ] as const)('%s', (_, requirement, labels, expected) => {
    expect(matchesSelector([requirement], labels)).toBe(expected)
  })
})

test('all demands must be met, and none is met by everything', () => {
  const both = [tier('Exists'), tier('NotIn', 'db')]
  expect([{ tier: 'web' }, { tier: 'db' }, {}].map((labels) => matchesSelector(both, labels))).toEqual([
    true,
    false,
    false,
  ])
  expect(matchesSelector([], undefined)).toBe(true)
})

test('a namespace goes by its name, whatever its labels say and even where it is not known', () => {
  const byLabel = (name: string): Namespaces => ({
    labels: [{ key: NAMESPACE_NAME_LABEL, operator: 'In', values: [name] }],
  })
  expect(matchesNamespaces(byLabel('x'), 'x')).toBe(true)
  expect(matchesNamespaces(byLabel('x'), 'y', { [NAMESPACE_NAME_LABEL]: 'x' })).toBe(false)
  expect(matchesNamespaces({ name: 'x' }, 'x')).toBe(true)
  expect(matchesNamespaces({ name: 'x' }, 'y')).toBe(false)
})

test('a set of pods means pods by their own labels and those of their namespace', () => {
  const set = { namespaces: { labels: [tier('In', 'prod')] }, pods: [tier('In', 'web')] }
  expect(matchesPodSet(set, { namespace: 'x', labels: { tier: 'web' } }, { tier: 'prod' })).toBe(true)
  expect(matchesPodSet(set, { namespace: 'x', labels: { tier: 'db' } }, { tier: 'prod' })).toBe(false)
  expect(matchesPodSet(set, { namespace: 'x', labels: { tier: 'web' } })).toBe(false)
})
