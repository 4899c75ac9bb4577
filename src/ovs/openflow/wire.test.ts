import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import fc from 'fast-check'
import { flowContent, flowKey } from '../../flow/compare.ts'
import type { Action, Flow, Scalar } from '../../flow/flow.ts'
import { formatFlow } from '../../flow/format.ts'
import { arbitraryFlow } from '../../flow/testing/arbitraries.ts'
import { type OvsSandbox, startOvsSandbox } from '../testing/ovs-sandbox.ts'
import { addFlows, connectOpenFlow, type OpenFlowClient } from './index.ts'
import { FLOWS } from './testing/flow-table.ts'

let ovs: OvsSandbox
const clients = new Map<string, OpenFlowClient>()

beforeAll(async () => {
  ovs = await startOvsSandbox({ dummy: true })
  for (const [bridge, protocols] of [
    ['br15', 'OpenFlow10,OpenFlow13,OpenFlow14,OpenFlow15'],
    ['br13', 'OpenFlow13'],
  ] as const) {
    await ovs.vsctl('add-br', bridge, '--', 'set', 'bridge', bridge, 'fail_mode=secure', `protocols=${protocols}`)
    clients.set(bridge, await connectOpenFlow({ path: ovs.mgmtSocket(bridge) }))
  }
  for (const bridge of ['br15', 'br13']) {
    await client(bridge).meters([{ op: 'add', meter: { id: 1, unit: 'kbps', rate: 100 } }])
    await client(bridge).bundle({
      groups: [
        { op: 'add', group: { id: 1, type: 'all', buckets: [{ id: 1, actions: [{ op: 'output', port: 1 }] }] } },
      ],
    })
  }
})

afterAll(async () => {
  for (const open of clients.values()) open.close()
  await ovs?.stop()
})

function client(bridge: string): OpenFlowClient {
  const open = clients.get(bridge)
  if (open === undefined) throw new Error(`no client for ${bridge}`)
  return open
}

async function dumpText(bridge: string): Promise<string[]> {
  const version = bridge === 'br13' ? 'OpenFlow13' : 'OpenFlow15'
  const text = await ovs.ofctl(
    '-O',
    version,
    '--no-stats',
    '--no-names',
    'dump-flows',
    `unix:${ovs.mgmtSocket(bridge)}`,
  )
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .sort()
}

async function replaceAll(bridge: string, flows: readonly Flow[]): Promise<void> {
  await client(bridge).bundle({ flows: [{ op: 'delete', filter: {} }, ...addFlows(flows)] })
}

const identity = (flow: Flow): string => `${flowKey(flow)} ${flowContent(flow)}`

test('what we send, ovs-ofctl prints as formatFlow does, and we decode to the same', async () => {
  await replaceAll('br15', FLOWS)
  expect(await dumpText('br15')).toEqual(FLOWS.map(formatFlow).sort())
  const dumped = await client('br15').dumpFlows()
  expect(dumped.filter((entry) => entry.opaque !== undefined)).toEqual([])
  expect(dumped.map((entry) => identity(entry.flow)).sort()).toEqual(FLOWS.map(identity).sort())
})

test('the same over OpenFlow 1.3 with its bundle extension', async () => {
  const flows = FLOWS.filter(({ actions }) => actions.every((action, at) => action.op !== 'meter' || at === 0))
  expect(client('br13').version).toBe(4)
  await replaceAll('br13', flows)
  const dumped = await client('br13').dumpFlows()
  expect(dumped.map((entry) => entry.opaque ?? identity(entry.flow)).sort()).toEqual(flows.map(identity).sort())
})

test('what ovs-ofctl installs from our text, we decode to the same', async () => {
  for (const bridge of ['br15', 'br13']) {
    await client(bridge).bundle({ flows: [{ op: 'delete', filter: {} }] })
    const file = join(ovs.dir, 'flows.txt')
    await Bun.write(file, `${FLOWS.map(formatFlow).join('\n')}\n`)
    const version = bridge === 'br13' ? 'OpenFlow13' : 'OpenFlow15'
    await ovs.ofctl('-O', version, '--bundle', 'add-flows', `unix:${ovs.mgmtSocket(bridge)}`, file)
    const dumped = await client(bridge).dumpFlows()
    expect(dumped.map((entry) => entry.opaque ?? identity(entry.flow)).sort()).toEqual(FLOWS.map(identity).sort())
  }
})

/** Sets of one field in a row are one in our canonical form, and two in the text of the switch. */
function hasRepeatedSet(actions: readonly Action[]): boolean {
  return actions.some((action, at) => {
    const before = actions[at - 1]
    if (action.op === 'set' && isEmpty(action.mask)) return true
    if (action.op === 'ct' && action.exec !== undefined && hasRepeatedSet(action.exec)) return true
    if (action.op === 'clone' && hasRepeatedSet(action.actions)) return true
    return action.op === 'set' && before?.op === 'set' && before.field === action.field
  })
}

/** Open vSwitch prints `ANY` where nothing is set; there is nothing to print. */
function isEmpty(mask: Scalar | undefined): boolean {
  return mask !== undefined && /^[0:.]+$/.test(String(mask))
}

test('property: random flows come back as they were sent, and print alike', async () => {
  const flows = fc.uniqueArray(arbitraryFlow, { minLength: 20, maxLength: 40, selector: flowKey })
  const holds = fc.asyncProperty(flows, async (sent) => {
    for (const bridge of ['br15', 'br13']) {
      await replaceAll(bridge, sent)
      const dumped = await client(bridge).dumpFlows()
      expect(dumped.map((entry) => entry.opaque ?? identity(entry.flow)).sort()).toEqual(sent.map(identity).sort())
    }
    const text = await dumpText('br15')
    for (const flow of sent) if (!hasRepeatedSet(flow.actions)) expect(text).toContain(formatFlow(flow))
  })
  await fc.assert(holds, { numRuns: 15 })
}, 20_000)

test('property: a strict delete removes exactly the flow it names', async () => {
  const flows = fc.uniqueArray(arbitraryFlow, { minLength: 2, maxLength: 20, selector: flowKey })
  const holds = fc.asyncProperty(flows, async (sent) => {
    const [first, ...rest] = sent
    if (first === undefined) return
    await replaceAll('br15', sent)
    await client('br15').bundle({ flows: [{ op: 'delete_strict', flow: first }] })
    const dumped = await client('br15').dumpFlows()
    expect(dumped.map(({ flow }) => identity(flow)).sort()).toEqual(rest.map(identity).sort())
  })
  await fc.assert(holds, { numRuns: 15 })
}, 20_000)

test('dumps and deletes by table, cookie and match', async () => {
  const flow = (table: number, cookie: bigint): Flow => ({ table, priority: 1, cookie, match: {}, actions: [] })
  await replaceAll('br15', [flow(1, 0x101n), flow(2, 0x102n), flow(3, 0x201n)])
  const tables = async (filter: Parameters<OpenFlowClient['dumpFlows']>[0]): Promise<number[]> =>
    (await client('br15').dumpFlows(filter)).map((entry) => entry.flow.table).sort()
  expect(await tables({ table: 2 })).toEqual([2])
  expect(await tables({ cookie: 0x201n })).toEqual([3])
  expect(await tables({ cookie: 0x100n, cookieMask: 0xff00n })).toEqual([1, 2])
  await client('br15').bundle({ flows: [{ op: 'delete', filter: { cookie: 0x100n, cookieMask: 0xff00n } }] })
  expect(await tables({})).toEqual([3])
})

test('flows of other software are told apart, not lost and not fatal', async () => {
  await client('br15').bundle({ flows: [{ op: 'delete', filter: {} }] })
  const socket = `unix:${ovs.mgmtSocket('br15')}`
  await ovs.ofctl('-O', 'OpenFlow15', 'add-flow', socket, 'cookie=7,table=5,priority=3,actions=set_queue:1,NORMAL')
  await ovs.ofctl('-O', 'OpenFlow15', 'add-flow', socket, 'cookie=8,table=5,mpls,mpls_label=5,actions=drop')
  const dumped = await client('br15').dumpFlows()
  expect(dumped.map(({ flow, opaque }) => [flow.cookie, flow.table, opaque !== undefined]).sort()).toEqual([
    [7n, 5, true],
    [8n, 5, true],
  ])
})
