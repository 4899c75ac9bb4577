import { afterEach, expect, test } from 'bun:test'
import { type OvsSandbox, startOvsSandbox } from '../testing/ovs-sandbox.ts'
import { addFlows, connectOpenFlow, type OpenFlowClient } from './index.ts'

let ovs: OvsSandbox | undefined
let client: OpenFlowClient | undefined

afterEach(async () => {
  client?.close()
  await ovs?.stop()
})

test('ovs-vswitchd killed and started again: reconnected, fragment mode and flows restored by the hook', async () => {
  const switchd = await startOvsSandbox({ dummy: true })
  ovs = switchd
  await switchd.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'fail_mode=secure')
  const flow = { table: 0, priority: 1, cookie: 5n, match: {}, actions: [] }
  const found: number[] = []
  let ended = Promise.withResolvers<void>()
  let restored = Promise.withResolvers<void>()
  client = await connectOpenFlow({
    path: switchd.mgmtSocket('br0'),
    fragments: 'nx-match',
    onDisconnect: () => ended.resolve(),
    async onConnect(open) {
      found.push((await open.dumpFlows()).length)
      await open.bundle({ flows: addFlows([flow]) })
      restored.resolve()
    },
  })
  await restored.promise
  expect(await client.getFragments()).toBe('nx-match')
  for (let round = 0; round < 2; round++) {
    ended = Promise.withResolvers()
    restored = Promise.withResolvers()
    const inFlight = client.dumpFlows().catch((cause) => cause.code)
    await switchd.killVswitchd()
    await ended.promise
    expect(client.connected).toBe(false)
    expect(['OPENFLOW_DISCONNECTED', 1]).toContain(await inFlight.then((result) => (result.length === 1 ? 1 : result)))
    await switchd.startVswitchd()
    await restored.promise
    expect(await client.getFragments()).toBe('nx-match')
    expect(await client.dumpFlows()).toHaveLength(1)
  }
  // The switch had forgotten the flows each time.
  expect(found).toEqual([0, 0, 0])
}, 20_000)

test('a client may wait for a bridge that is not there yet, and be called off', async () => {
  const switchd = await startOvsSandbox({ dummy: true })
  ovs = switchd
  const path = switchd.mgmtSocket('late')
  const waiting = connectOpenFlow({ path, waitForSwitch: true })
  await switchd.vsctl('add-br', 'late')
  client = await waiting
  expect(client.connected).toBe(true)
  const abort = new AbortController()
  const never = connectOpenFlow({ path: switchd.mgmtSocket('never'), waitForSwitch: true, signal: abort.signal })
  abort.abort()
  expect(await never.catch((cause) => cause.code)).toBe('OPENFLOW_ABORTED')
}, 20_000)
