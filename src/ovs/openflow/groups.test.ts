import { afterAll, beforeAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Action, Flow, Group, Scalar } from '../../flow/flow.ts'
import { formatGroup, normalizeGroup } from '../../flow/groups.ts'
import { arbitraryGroup } from '../../flow/testing/group-arbitraries.ts'
import { type OvsSandbox, startOvsSandbox } from '../testing/ovs-sandbox.ts'
import { addFlows, type Change, connectOpenFlow, type GroupMod, type OpenFlowClient } from './index.ts'

let ovs: OvsSandbox
let client: OpenFlowClient

beforeAll(async () => {
  ovs = await startOvsSandbox({ dummy: true })
  await ovs.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'fail_mode=secure')
  client = await connectOpenFlow({ path: ovs.mgmtSocket('br0') })
})

afterAll(async () => {
  client?.close()
  await ovs?.stop()
})

const CLEAR: Change = { flows: [{ op: 'delete', filter: {} }], groups: [{ op: 'delete' }] }
const adding = (groups: readonly Group[]): GroupMod[] => groups.map((group) => ({ op: 'add', group }))
const bucket = (id: number, port: number): Group['buckets'][number] => ({ id, actions: [{ op: 'output', port }] })
const group = (id: number, ...buckets: Group['buckets']): Group => ({ id, type: 'select', buckets })
const to = (id: number): Flow => ({
  table: 0,
  priority: id,
  cookie: 0n,
  match: {},
  actions: [{ op: 'group', group: id }],
})

/** What the switch holds: groups by id, and the priorities of its flows. */
async function held(): Promise<readonly [readonly Group[], readonly number[]]> {
  const groups = (await client.dumpGroups()).sort((a, b) => a.id - b.id)
  return [groups, (await client.dumpFlows()).map(({ flow }) => flow.priority).sort()]
}

/** Sets of one field in a row are one in our canonical form, and two in the text of the switch. */
function hasRepeatedSet(actions: readonly Action[]): boolean {
  return actions.some((action, at) => {
    const before = actions[at - 1]
    if (action.op === 'set' && isEmpty(action.mask)) return true
    const inside = action.op === 'ct' ? action.exec : action.op === 'clone' ? action.actions : undefined
    if (inside !== undefined && hasRepeatedSet(inside)) return true
    return action.op === 'set' && before?.op === 'set' && before.field === action.field
  })
}

/** Open vSwitch prints `ANY` where nothing is set; there is nothing to print. */
function isEmpty(mask: Scalar | undefined): boolean {
  return mask !== undefined && /^[0:.]+$/.test(String(mask))
}

test('property: random groups come back as they were sent, and print alike', async () => {
  const some = fc.uniqueArray(arbitraryGroup, { minLength: 5, maxLength: 15, selector: ({ id }) => id })
  const holds = fc.asyncProperty(some, async (sent) => {
    await client.bundle(CLEAR)
    const uses = sent.map(({ id }, at) => ({ ...to(id), priority: at }))
    await client.bundle({ groups: adding(sent), flows: addFlows(uses) })
    const [dumped] = await held()
    const wanted = [...sent].sort((a, b) => a.id - b.id)
    expect(dumped).toEqual(wanted.map(normalizeGroup))
    expect(dumped.map(formatGroup)).toEqual(wanted.map(formatGroup))
    const text = await ovs.ofctl('-O', 'OpenFlow15', 'dump-groups', `unix:${ovs.mgmtSocket('br0')}`)
    const lines = text.split('\n').map((line) => line.trim())
    const plain = sent.filter(({ buckets }) => buckets.every(({ actions }) => !hasRepeatedSet(actions)))
    for (const one of plain) expect(lines).toContain(formatGroup(one))
  })
  await fc.assert(holds, { numRuns: 25 })
}, 20_000)

test('groups and the flows that lead to them change in one bundle, all of it or nothing', async () => {
  await client.bundle(CLEAR)
  await client.bundle({
    groups: adding([group(1, bucket(7, 1)), group(2, bucket(7, 1))]),
    flows: addFlows([to(1), to(2)]),
  })
  const before = await held()
  const faults: readonly (readonly [GroupMod, string])[] = [
    [{ op: 'add', group: group(1) }, 'OPENFLOW_GROUP_MOD_FAILED_GROUP_EXISTS'],
    [{ op: 'modify', group: group(99) }, 'OPENFLOW_GROUP_MOD_FAILED_UNKNOWN_GROUP'],
    [{ op: 'add', group: group(5, bucket(7, 1), bucket(7, 2)) }, 'OPENFLOW_GROUP_MOD_FAILED_BAD_BUCKET'],
    [{ op: 'add', group: { ...group(5), type: 'indirect' } }, 'OPENFLOW_GROUP_MOD_FAILED_INVALID_GROUP'],
    [{ op: 'remove_bucket', group: group(1), bucket: 99 }, 'OPENFLOW_GROUP_MOD_FAILED_UNKNOWN_BUCKET'],
  ]
  for (const [fault, code] of faults) {
    const change = { groups: [...adding([group(3, bucket(1, 1))]), fault], flows: addFlows([to(3)]) }
    const cause = await client.bundle(change).then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(cause).toMatchObject({ code })
    expect(await held()).toEqual(before)
  }
  const groups: readonly GroupMod[] = [
    { op: 'delete', id: 1 },
    { op: 'modify', group: group(2, bucket(8, 2)) },
    { op: 'insert_bucket', group: group(2), bucket: bucket(9, 3) },
    ...adding([group(3, bucket(1, 1))]),
  ]
  await client.bundle({ groups, flows: [{ op: 'delete_strict', flow: to(1) }, ...addFlows([to(3)])] })
  const expected = [group(2, bucket(8, 2), bucket(9, 3)), group(3, bucket(1, 1))]
  expect(await held()).toEqual([expected.map(normalizeGroup), [2, 3]])
})
