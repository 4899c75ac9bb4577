import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { JsonObject } from '../../cni/json.ts'
import { isWholeTrunk, type Membership, parseMembership, vlanColumns, vlanDifference, vlansOf } from './vlan.ts'

test.each<[string, JsonObject, Membership | undefined]>([
  ['nothing', {}, undefined],
  ['an empty trunk is none', { trunk: [] }, undefined],
  ['a VLAN', { vlan: 100 }, { mode: 'access', tag: 100 }],
  ['VLAN 0 is a VLAN', { vlan: 0 }, { mode: 'access', tag: 0 }],
  ['the last one', { vlan: 4095 }, { mode: 'access', tag: 4095 }],
  ['a VLAN and an empty trunk', { vlan: 5, trunk: [] }, { mode: 'access', tag: 5 }],
  ['a VLAN beside a trunk means nothing', { vlan: 5, trunk: [{ id: 6 }] }, { mode: 'trunk', trunks: [6] }],
  [
    'sorted, each once',
    { trunk: [{ id: 9 }, { minID: 8, maxID: 10 }, { id: 1 }] },
    { mode: 'trunk', trunks: [1, 8, 9, 10] },
  ],
  ['id 0 counts', { trunk: [{ id: 0 }] }, { mode: 'trunk', trunks: [0] }],
  ['a range from 0 does not', { trunk: [{ minID: 0, maxID: 9, id: 3 }] }, { mode: 'trunk', trunks: [3] }],
  ['half a range does not', { trunk: [{ minID: 9, id: 3 }] }, { mode: 'trunk', trunks: [3] }],
  ['a word for a trunk of everything', { vlan_mode: 'trunk' }, { mode: 'trunk', trunks: [] }],
  ['a word for what it is anyway', { vlan: 5, vlan_mode: 'access' }, { mode: 'access', tag: 5 }],
  [
    'native',
    { vlan: 5, trunk: [{ id: 6 }], vlan_mode: 'native-tagged' },
    { mode: 'native-tagged', tag: 5, trunks: [6] },
  ],
  ['a tunnel', { vlan: 5, vlan_mode: 'dot1q-tunnel' }, { mode: 'dot1q-tunnel', tag: 5, customers: [] }],
])('%s', (_, config, membership) => {
  expect(parseMembership(config)).toEqual(membership)
})

const ids = fc
  .uniqueArray(fc.integer({ min: 0, max: 4095 }), { maxLength: 20 })
  .map((list) => list.sort((a, b) => a - b))
const tag = fc.integer({ min: 0, max: 4095 })
const membership: fc.Arbitrary<Membership> = fc.oneof(
  fc.record({ mode: fc.constant('access' as const), tag }),
  fc.record({ mode: fc.constant('trunk' as const), trunks: ids }),
  fc.record({ mode: fc.constantFrom('native-tagged' as const, 'native-untagged' as const), tag, trunks: ids }),
  fc.record({ mode: fc.constant('dot1q-tunnel' as const), tag, customers: ids }),
)

test('a port with the columns of a membership does not differ from it, in whichever order they come', () => {
  fc.assert(
    fc.property(membership, (wanted) => {
      const columns = vlanColumns(wanted)
      expect(vlanDifference(columns, wanted)).toBeUndefined()
      expect(vlanDifference({ ...columns, trunks: columns.trunks?.toReversed() ?? [] }, wanted)).toBeUndefined()
    }),
  )
})

test('a port with those of another one differs', () => {
  fc.assert(
    fc.property(membership, membership, (one, other) => {
      fc.pre(!Bun.deepEquals(vlanColumns(one), vlanColumns(other)))
      expect(vlanDifference(vlanColumns(one), other)).toBeDefined()
    }),
  )
})

test('the VLANs of a port are its own and what it carries, as ranges', () => {
  fc.assert(
    fc.property(membership, (one) => {
      const ranges = vlansOf(one)
      const has = (id: number): boolean => ranges.some(({ first, last }) => first <= id && id <= last)
      const carried = new Set([...('tag' in one ? [one.tag] : []), ...('trunks' in one ? one.trunks : [])])
      for (let id = 0; id < 4096; id += 1)
        if (has(id) !== (isWholeTrunk(one) || carried.has(id))) throw new Error(`${id}`)
      for (const [i, { first }] of ranges.entries()) expect(first).toBeGreaterThan((ranges[i - 1]?.last ?? -2) + 1)
    }),
    { numRuns: 30 },
  )
})

test('a trunk is the union of what it names, however often', () => {
  const range = fc.tuple(tag, tag).map(([a, b]) => ({ minID: Math.max(1, Math.min(a, b)), maxID: Math.max(1, a, b) }))
  fc.assert(
    fc.property(fc.array(range, { minLength: 1, maxLength: 8 }), (trunk) => {
      const union = new Set(
        trunk.flatMap(({ minID, maxID }) => Array.from({ length: maxID - minID + 1 }, (_, i) => minID + i)),
      )
      expect(parseMembership({ trunk })).toEqual({ mode: 'trunk', trunks: [...union].sort((a, b) => a - b) })
    }),
    { numRuns: 50 },
  )
  const whole = Array.from({ length: 50_000 }, () => ({ minID: 1, maxID: 4095 }))
  expect(parseMembership({ trunk: whole })).toMatchObject({ trunks: { length: 4095 } })
})

test('differences are told in ranges', () => {
  const trunks = Array.from({ length: 4000 }, (_, i) => i + 1)
  expect(vlanDifference({ vlan_mode: 'trunk', trunks }, { mode: 'trunk', trunks: [7] })).toBe(
    'trunks is 1-4000 instead of 7',
  )
  expect(vlanDifference({ vlan_mode: 'trunk', tag: 5 }, { mode: 'trunk', trunks: [] })).toBe(
    'tag is 5 instead of not set',
  )
})
