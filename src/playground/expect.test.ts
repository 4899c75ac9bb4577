import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { shouldReach, type World } from './expect.ts'
import { SAMPLE } from './testing/sample.ts'

const world = (vnis: Readonly<Record<string, number>>, tenancy: 'multitenant' | 'subnet' = 'multitenant'): World => ({
  cluster: { ...SAMPLE.cluster, tenancy },
  pods: [],
  tenants: Object.entries(vnis).map(([namespace, vni]) => ({ namespace, vni })),
})

test.each([
  ['one namespace', { a: 10 }, 'a', 'a', true],
  ['two VNIs', { a: 10, b: 11 }, 'a', 'b', false],
  ['joined', { a: 10, b: 10 }, 'a', 'b', true],
  ['from global', { a: 0, b: 11 }, 'a', 'b', true],
  ['to global', { a: 10, b: 0 }, 'a', 'b', true],
  ['without a VNI', { a: 10 }, 'a', 'b', false],
  ['both without a VNI', {}, 'b', 'b', false],
])('%s', (_, vnis, from, to, expected) => {
  expect(shouldReach(world(vnis as Record<string, number>), from, to)).toBe(expected)
})

test('without tenants everybody reaches everybody', () => {
  expect(shouldReach(world({ a: 10, b: 11 }, 'subnet'), 'a', 'b')).toBe(true)
})

test('reaching goes both ways', () => {
  const vni = fc.integer({ min: 0, max: 3 })
  fc.assert(
    fc.property(vni, vni, (a, b) => {
      const both = world({ a, b })
      expect(shouldReach(both, 'a', 'b')).toBe(shouldReach(both, 'b', 'a'))
    }),
  )
})
