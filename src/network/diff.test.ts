import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { samplePlanner } from '../../test/tables/sample-node.ts'
import { flowContent, flowKey } from '../flow/compare.ts'
import type { Flow, Group } from '../flow/flow.ts'
import { formatGroup } from '../flow/groups.ts'
import { bundles, CHUNK, diffFlows, diffGroups, diffSwitch, type FlowDiff, WHOLE } from './diff.ts'
import { STAGES } from './pipeline/stages.ts'

const plan = samplePlanner().flows()
const subset = fc.subarray(plan)
/** Rows of the plan, some of which have been tampered with. */
const damaged = fc
  .tuple(subset, fc.array(fc.integer({ min: 0, max: plan.length - 1 })))
  .map(([flows, hits]) => flows.map((flow, i) => (hits.includes(i) ? { ...flow, actions: [], cookie: 1n } : flow)))

function applied(actual: readonly Flow[], { write, remove }: FlowDiff): Map<string, string> {
  const table = new Map(actual.map((flow) => [flowKey(flow), flowContent(flow)]))
  for (const flow of remove) table.delete(flowKey(flow))
  for (const flow of write) table.set(flowKey(flow), flowContent(flow))
  return table
}

test('applying a difference gives what is desired, whatever was there', () => {
  fc.assert(
    fc.property(damaged, subset, (actual, desired) => {
      expect(applied(actual, diffFlows(actual, desired))).toEqual(
        new Map(desired.map((flow) => [flowKey(flow), flowContent(flow)])),
      )
    }),
  )
})

test('no two flows of a plan are the same row', () => {
  expect(new Set(plan.map(flowKey)).size).toBe(plan.length)
})

test('what is right is left alone', () => {
  expect(diffFlows(plan, plan)).toEqual({ write: [], remove: [] })
})

test('a large difference makes before it breaks, in chunks', () => {
  const [one] = plan
  if (one === undefined) throw new Error('the plan has flows')
  const many = (priority: number) =>
    Array.from({ length: 3000 }, (_, i) => ({ ...one, table: i % 5, priority, match: { reg0: i } }))
  const parts = bundles(diffSwitch({ flows: many(1), groups: [] }, { flows: many(2), groups: [] }))
  expect(parts.every(({ write, remove }) => write.length + remove.length <= CHUNK)).toBe(true)
  expect(parts.map(({ write, remove }) => [write.length, remove.length])).toEqual([
    [2000, 0],
    [1000, 0],
    [0, 2000],
    [0, 1000],
  ])
  expect(parts[0]?.write[0]?.table).toBe(4)
  expect(parts[2]?.remove[0]?.table).toBe(0)
})

test('a large change of policies is atomic: half of it may allow what is forbidden before and after', () => {
  const rows = (count: number, cookie: bigint): Flow[] =>
    Array.from({ length: count }, (_, i) => ({
      table: i % 2 === 0 ? STAGES.ingress.table : STAGES.route.table,
      priority: 1,
      cookie,
      match: { reg0: i, reg1: Number(cookie) },
      actions: [],
    }))
  const change = (count: number) =>
    bundles(diffSwitch({ flows: rows(count, 1n), groups: [] }, { flows: rows(count, 2n), groups: [] }))
  expect(change(WHOLE / 2)).toHaveLength(1)
  const [first, second, third] = change(WHOLE)
  // What would not go as a whole closes before anything opens.
  expect(first?.write.every(({ table }) => table === STAGES.ingress.table)).toBe(true)
  expect(first?.write).toHaveLength(WHOLE / 2)
  expect(second?.remove).toHaveLength(WHOLE / 2)
  expect(third?.write[0]?.table).toBe(STAGES.route.table)
})

const group = fc
  .record({ id: fc.integer({ min: 1, max: 5 }), ports: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 }) })
  .map(
    ({ id, ports }): Group => ({
      id,
      type: 'select',
      buckets: ports.map((port, i) => ({ id: i, actions: [{ op: 'output', port }] })),
    }),
  )
const groups = fc.uniqueArray(group, { selector: ({ id }) => id })

test('applying a difference of groups gives what is desired, and only known groups are modified', () => {
  const texts = (all: Iterable<Group>) => [...all].map(formatGroup).sort()
  fc.assert(
    fc.property(groups, groups, (actual, desired) => {
      const { add, modify, remove } = diffGroups(actual, desired)
      const table = new Map(actual.map((each) => [each.id, each]))
      for (const each of modify) expect(table.has(each.id)).toBe(true)
      for (const each of add) expect(table.has(each.id)).toBe(false)
      for (const each of [...add, ...modify]) table.set(each.id, each)
      for (const id of remove) table.delete(id)
      expect(texts(table.values())).toEqual(texts(desired))
    }),
  )
})
