/** Calls that are refused, states that CHECK tells, and crashes, in real namespaces. */
import { describe, expect, test } from 'bun:test'
import { linkAdd, linkFind, linkSet, nftTableDel, routeDel, ruleDel, ruleList } from '../../../linux/index.ts'
import { crashesAfter } from '../../../linux/testing/crash.ts'
import type { Scratch } from '../../../linux/testing/scratch.ts'

import {
  CONTAINER,
  COORDINATOR,
  callFor,
  furtherNic,
  give,
  LINK,
  NODE_WAYS,
  POD_WAYS,
  plugin,
  type Rig,
  rig,
  state,
  waysOf,
} from './testing/rig.ts'

const signal = new AbortController().signal

describe('CHECK tells', () => {
  test.each<readonly [string, (r: Rig) => unknown]>([
    ['table 500 is gone', (r) => routeDel(r.node.rtnl, { destination: '172.18.30.131/32', table: 500 })],
    ['10.233.0.0/18 in table 254 is gone', (r) => routeDel(r.pod.rtnl, { destination: '10.233.0.0/18' })],
    ['the container for table 100 is gone', (r) => dropRules(r.pod, 100)],
    ['the node for table 500 is gone', (r) => dropRules(r.node, 500)],
    ['table weft-coordinator is not whole', (r) => nftTableDel('weft-coordinator', r.pod.nsFd)],
    ['veth0 is gone or down', (r) => linkSet(r.pod.rtnl, 'veth0', { up: false })],
  ])('%s', async (words, spoil) => {
    using r = rig()
    await plugin(r.parts).add(callFor(r.pod), signal)
    await plugin(r.parts).check(callFor(r.pod))
    spoil(r)
    expect(await failure(async () => plugin(r.parts).check(callFor(r.pod)))).toEqual(
      expect.objectContaining({
        message: expect.stringContaining(words),
      }),
    )
  })
})

test('CHECK tells a default route that was moved and then lost', async () => {
  using r = rig()
  await plugin(r.parts).add(callFor(r.pod), signal)
  furtherNic(r.pod)
  const bare = callFor(r.pod, { ifname: 'net1', ordinal: 1 })
  const { prevResult } = bare
  if (prevResult === undefined) throw new Error('there is a result')
  const ips = [{ address: '10.7.0.5/16', gateway: '10.7.0.1' }]
  const call = { ...bare, prevResult: { ...prevResult, ips, routes: [{ dst: '0.0.0.0/0', gw: '10.7.0.1' }] } }
  await plugin(r.parts).add(call, signal)
  await plugin(r.parts).check(call)
  routeDel(r.pod.rtnl, { destination: '0.0.0.0/0', table: 101 })
  expect(await failure(async () => plugin(r.parts).check(call))).toEqual(
    expect.objectContaining({
      message: expect.stringContaining('10.7.0.1 is gone from interface net1'),
    }),
  )
})

test('GC removes pairs of the network whose containers are gone, and no others', async () => {
  using r = rig()
  await plugin(r.parts).add(callFor(r.pod), signal)
  const { gc } = plugin(r.parts)
  await gc?.('another', new Set())
  await gc?.('ovs-conf', new Set([`${CONTAINER}/eth0`]))
  expect(waysOf(r.node.rtnl)).toEqual(NODE_WAYS)
  await gc?.('ovs-conf', new Set(['other/eth0']))
  expect(linkFind(r.node.rtnl, LINK)).toBeUndefined()
})

describe('an ADD is refused, and leaves nothing, where', () => {
  const untrusted = { kind: 'definition', namespace: 'shop', name: 'mine' } as const
  test.each<readonly [string, string, (r: Rig) => Parameters<typeof callFor>[1], ((r: Rig) => object)?]>([
    ['ranges are not known', 'coordinator-not-ready', () => ({}), () => ({ coordinator: () => notReady })],
    ['there is no coordinator', 'coordinator-not-ready', () => ({}), () => ({ coordinator: () => undefined })],
    [
      "a tenant chooses the node's table",
      'request-refused',
      () => ({ origin: untrusted, config: { hostRuleTable: 254 } }),
    ],
    ["an administrator chooses the node's main table", 'config-invalid', () => ({ config: { hostRuleTable: 254 } })],
    ['overlay is asked for of a first interface', 'config-invalid', () => ({ config: { mode: 'overlay' } })],
    [
      'underlay is asked for of a further one alone',
      'config-invalid',
      () => ({ ordinal: 1, config: { mode: 'underlay' } }),
    ],
    ['the interface is not there', 'link-failed', () => ({ ifname: 'net7', ordinal: 7 })],
    [
      'veth0 is somebody else’s',
      'interface-exists',
      (r) => having(() => linkAdd(r.pod.rtnl, { kind: 'bridge', name: 'veth0' })),
    ],
    ["the pod has the node's address", 'link-failed', (r) => having(() => give(r.pod, 'eth0', ['172.18.30.10/16']))],
    ["the pod has the gateway's address", 'link-failed', (r) => having(() => give(r.pod, 'eth0', ['172.18.0.1/16']))],
  ])('%s', async (_, id, given, parts = () => ({})) => {
    using r = rig()
    const call = callFor(r.pod, given(r))
    const before = state(r)
    const failed = await failure(() => plugin({ ...r.parts, ...parts(r) }).add(call, signal))
    expect(failed).toMatchObject({ id })
    expect(state(r)).toEqual(before)
  })

  const notReady = { ...COORDINATOR, status: { phase: 'NotReady', reason: 'no kube-controller-manager' } as const }

  test('DEL works whatever is known', async () => {
    using r = rig()
    const before = state(r)
    await plugin(r.parts).add(callFor(r.pod), signal)
    const call = callFor(r.pod, { config: { mode: 'no-mode', hostRuleTable: 'x' } })
    await plugin({ ...r.parts, coordinator: () => notReady }).del(call)
    expect(state(r)).toEqual(before)
  })

  test('disabled does nothing, by either word', async () => {
    using r = rig()
    const before = state(r)
    for (const mode of ['disabled', 'disable'])
      await plugin({ ...r.parts, coordinator: () => notReady }).add(callFor(r.pod, { config: { mode } }), signal)
    expect(state(r)).toEqual(before)
  })
})

test.each(['DEL', 'ADD'] as const)('after a crash at any step, %s makes it right', async (verb) => {
  let reached = 0
  for (let steps = 1; ; steps += 1) {
    using r = rig()
    const before = state(r)
    const crashing = { ...r.parts, open: crashesAfter(steps) }
    const isDone = await plugin(crashing)
      .add(callFor(r.pod), signal)
      .then(
        () => true,
        () => false,
      )
    if (verb === 'DEL') {
      await plugin(r.parts).del(callFor(r.pod))
      expect(state(r)).toEqual(before)
    } else {
      await plugin(r.parts).add(callFor(r.pod), signal)
      expect(waysOf(r.pod.rtnl)).toEqual(POD_WAYS)
      expect(waysOf(r.node.rtnl)).toEqual(NODE_WAYS)
      await plugin(r.parts).check(callFor(r.pod))
    }
    reached = steps
    if (isDone) break
  }
  expect(reached).toBeGreaterThan(15)
})

function dropRules({ rtnl }: Scratch, table: number): void {
  for (const rule of ruleList(rtnl)) if (rule.table === table) ruleDel(rtnl, rule)
}

function having(change: () => unknown): object {
  change()
  return {}
}

async function failure(action: () => Promise<unknown>): Promise<unknown> {
  try {
    await action()
    return undefined
  } catch (error) {
    return error
  }
}
