/**
 * What must change so that a switch holds the flows and groups it should.
 * @module
 */

import { isDeepStrictEqual } from 'node:util'
import { flowContent, flowKey } from '../flow/compare.ts'
import type { Bucket, Flow, Group } from '../flow/flow.ts'
import { formatGroup } from '../flow/groups.ts'
import type { SwitchTables } from './fragments/fragment.ts'
import { POLICY_STAGES, STAGES } from './pipeline/stages.ts'
import type { FragmentChange } from './planner.ts'

/** Changes to a switch's flow tables. */
export interface FlowDiff {
  /** Rows to write: new ones, and those whose actions or cookie differ. */
  readonly write: readonly Flow[]
  /** Rows to remove, strictly. */
  readonly remove: readonly Flow[]
}

/** Changes to a switch's groups. */
export interface GroupDiff {
  readonly add: readonly Group[]
  readonly modify: readonly Group[]
  readonly remove: readonly number[]
}

/** Changes to a switch. New groups come before the flows that lead to them, and go after them. */
export interface SwitchDiff extends FlowDiff {
  readonly groups: GroupDiff
}

/** Changes of at most this many rows go in one bundle; larger ones make before they break, in chunks. */
export const CHUNK = 2_000
/**
 * The same for changes of policies. Half of one may allow what is forbidden before and after it, so it goes as a whole, though
 * a switch in user space forwards nothing meanwhile: 60,000 rows took Open vSwitch 3.1 less than half a second.
 */
export const WHOLE = 50_000

const POLICY_TABLES: ReadonlySet<number> = new Set(POLICY_STAGES.map((stage) => STAGES[stage].table))

/** What turns `actual` into `desired`. What is right is left alone, counters and all. */
export function diffSwitch(actual: SwitchTables, desired: SwitchTables): SwitchDiff {
  return { ...diffFlows(actual.flows, desired.flows), groups: diffGroups(actual.groups, desired.groups) }
}

/** What turns the flows of `actual` into those of `desired`. */
export function diffFlows(actual: Iterable<Flow>, desired: Iterable<Flow>): FlowDiff {
  const wanted = new Map<string, Flow>()
  for (const flow of desired) wanted.set(flowKey(flow), flow)
  const remove: Flow[] = []
  for (const flow of actual) {
    const key = flowKey(flow)
    const match = wanted.get(key)
    if (match === undefined) remove.push(flow)
    else if (sameContent(match, flow)) wanted.delete(key)
  }
  return { write: [...wanted.values()], remove }
}

/** What turns the groups of `actual` into those of `desired`. */
export function diffGroups(actual: Iterable<Group>, desired: Iterable<Group>): GroupDiff {
  const add = new Map<number, Group>()
  for (const group of desired) add.set(group.id, group)
  const modify: Group[] = []
  const remove: number[] = []
  for (const group of actual) {
    const wanted = add.get(group.id)
    add.delete(group.id)
    if (wanted === undefined) remove.push(group.id)
    else if (!sameGroup(wanted, group)) modify.push(wanted)
  }
  return { add: [...add.values()], modify, remove }
}

/**
 * What changed fragments mean for the switch. Fragments are compared together: a row that moves from one to another is
 * written once and never removed in between.
 */
export function diffFragments(changes: readonly FragmentChange[]): SwitchDiff {
  return diffSwitch(together(changes.map(({ before }) => before)), together(changes.map(({ after }) => after)))
}

/** A diff in bundles, each atomic. What policies close is closed before anything else opens. */
export function bundles(diff: SwitchDiff): readonly SwitchDiff[] {
  const { write, remove, groups } = diff
  const size = write.length + remove.length + groups.add.length + groups.modify.length + groups.remove.length
  if (size === 0) return []
  const policies = { write: write.filter(isOfPolicies), remove: remove.filter(isOfPolicies) }
  const isOfPolicy = policies.write.length + policies.remove.length > 0
  if (size <= (isOfPolicy ? WHOLE : CHUNK)) return [diff]
  // Later tables first when making, earlier ones first when breaking: no packet meets a table that is half done.
  const making = write.filter((flow) => !isOfPolicies(flow)).sort((a, b) => b.table - a.table)
  const breaking = remove.filter((flow) => !isOfPolicies(flow)).sort((a, b) => a.table - b.table)
  return [
    ...chunks(groups.add).map((add) => ({ ...NO_CHANGE, groups: { ...NO_GROUPS, add } })),
    ...chunks(groups.modify).map((modify) => ({ ...NO_CHANGE, groups: { ...NO_GROUPS, modify } })),
    ...chunks(policies.write, WHOLE).map((flows) => ({ ...NO_CHANGE, write: flows })),
    ...chunks(policies.remove, WHOLE).map((flows) => ({ ...NO_CHANGE, remove: flows })),
    ...chunks(making).map((flows) => ({ ...NO_CHANGE, write: flows })),
    ...chunks(breaking).map((flows) => ({ ...NO_CHANGE, remove: flows })),
    ...chunks(groups.remove).map((ids) => ({ ...NO_CHANGE, groups: { ...NO_GROUPS, remove: ids } })),
  ]
}

/** Whether a row is of a stage that policies fill. */
export function isOfPolicies({ table }: Flow): boolean {
  return POLICY_TABLES.has(table)
}

/** Most rows of a switch are as they should be, and most of those are written alike: only others are put into words. */
function sameContent(a: Flow, b: Flow): boolean {
  if (a.cookie === b.cookie && isDeepStrictEqual(a.actions, b.actions)) return true
  return flowContent(a) === flowContent(b)
}

function sameGroup(a: Group, b: Group): boolean {
  const isAlike =
    a.type === b.type &&
    a.buckets.length === b.buckets.length &&
    isDeepStrictEqual(a.selection, b.selection) &&
    a.buckets.every((bucket, i) => sameBucket(bucket, b.buckets[i]))
  return isAlike || formatGroup(a) === formatGroup(b)
}

function sameBucket(a: Bucket, b: Bucket | undefined): boolean {
  return (
    a.id === b?.id &&
    (a.weight ?? 1) === (b.weight ?? 1) &&
    a.watchPort === b.watchPort &&
    isDeepStrictEqual(a.actions, b.actions)
  )
}

const NO_GROUPS: GroupDiff = { add: [], modify: [], remove: [] }
const NO_CHANGE: SwitchDiff = { write: [], remove: [], groups: NO_GROUPS }

/** Several tables as one. */
export function together(parts: readonly SwitchTables[]): SwitchTables {
  return { flows: parts.flatMap(({ flows }) => flows), groups: parts.flatMap(({ groups }) => groups) }
}

function chunks<T>(items: readonly T[], size = CHUNK): readonly T[][] {
  const count = Math.ceil(items.length / size)
  return Array.from({ length: count }, (_, i) => items.slice(i * size, (i + 1) * size))
}
