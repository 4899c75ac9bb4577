/** A real ovsdb-server. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { connectOvsdb, type OvsdbClient } from '../../ovs/ovsdb/index.ts'
import { type OvsSandbox, startOvsSandbox } from '../../ovs/testing/ovs-sandbox.ts'
import { HandsOff } from './hands-off.ts'
import { MONITORED, type Tables } from './tables.ts'

const LINK = 'weft0123456789a'

let ovs: OvsSandbox
let client: OvsdbClient
let tables: Tables
let handsOff: HandsOff

beforeEach(async () => {
  ovs = await startOvsSandbox({ vswitchd: false })
  await ovs.vsctl('--no-wait', 'add-br', 'br-weft', '--', 'add-port', 'br-weft', LINK)
  client = await connectOvsdb({ path: ovs.dbSocket })
  tables = await client.monitor(MONITORED)
  handsOff = new HandsOff(client, tables)
})

afterEach(async () => {
  client.close()
  await ovs.stop()
})

const get = (table: string, column: string) => ovs.vsctl('--no-wait', 'get', table, LINK, column)
const rows = async () =>
  (await ovs.vsctl('--no-wait', '--bare', '--columns=_uuid', 'list', 'QoS')).split('\n').filter(Boolean)

test('limits are recorded with the row that keeps Open vSwitch’s hands off, which stays with the port', async () => {
  expect(handsOff.has(LINK)).toBe(false)
  await handsOff.setLimits(LINK, { toPod: 10_000_000, fromPod: 5_000 })
  expect(await get('Interface', 'external_ids:weft-limits')).toBe('"to-pod=10000000 from-pod=5000"')
  expect([await get('Port', 'qos')]).toEqual(await rows())
  expect(handsOff.has(LINK)).toBe(true)
  await handsOff.setLimits(LINK, { toPod: 1_000 })
  expect(await get('Interface', 'external_ids:weft-limits')).toBe('"to-pod=1000"')
  await handsOff.setLimits(LINK, {})
  expect(await get('Interface', 'external_ids')).toBe('{}')
  expect(handsOff.has(LINK)).toBe(true)
  expect(await rows()).toHaveLength(1)
})

test('one row serves all; another’s is not ours, and spare ones of ours go', async () => {
  const alien = await ovs.vsctl('--no-wait', 'create', 'QoS', 'type=linux-noop')
  const first = await handsOff.row()
  expect(first).not.toBe(alien)
  expect(await handsOff.row()).toBe(first)
  for (let i = 0; i < 2; i += 1) {
    await ovs.vsctl('--no-wait', 'create', 'QoS', 'type=linux-noop', 'external_ids:weft-owner=weft-agent')
  }
  await tables.waitFor(() => (tables.rows('QoS').size === 4 ? true : undefined))
  await handsOff.sweep()
  const left = await rows()
  expect(left).toContain(alien)
  expect(left).toHaveLength(2)
})

test('a port that is gone is no error', async () => {
  await handsOff.setLimits('weftffffffffff1', { toPod: 1_000 })
  expect(handsOff.has('weftffffffffff1')).toBe(false)
})
