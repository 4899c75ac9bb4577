/** A real Open vSwitch without devices. */
import { expect, test } from 'bun:test'
import { startOvsSandbox } from '../../ovs/testing/ovs-sandbox.ts'
import { switchTraces } from './switch.ts'

test('pods’ ports on bridges of others go, and nobody else’s', async () => {
  await using ovs = await startOvsSandbox({ dummy: true })
  await ovs.vsctl('add-br', 'br1', '--', 'add-port', 'br1', 'theirs', '--', 'add-port', 'br1', 'ours')
  await ovs.vsctl('set', 'Port', 'ours', 'external_ids:weft-owner=weft-underlay')
  await ovs.vsctl('set', 'Port', 'theirs', 'external_ids:owner=ovs-cni.network.kubevirt.io')
  const places = { ovsdb: ovs.dbSocket, runDir: '', stateDir: '', cniBinDir: '', cniConfigDir: '' }
  const traces = await switchTraces(places)
  expect(traces.map(({ what }) => what)).toEqual(['port ours'])
  for (const { remove } of traces) await remove()
  expect(await ovs.vsctl('list-ports', 'br1')).toBe('theirs')
  expect(await switchTraces(places)).toEqual([])
})
