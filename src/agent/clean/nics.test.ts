/** That `node clean` does not lose NICs that are in pods. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { closeFd, netnsAdd, netnsDel } from '../../linux/index.ts'
import { never } from '../plugins/links/testing/bench.ts'
import { NicBench } from '../plugins/nics/testing/nic-bench.ts'
import { nicTraces } from './nics.ts'

const NAME = `wefttest-clean-nics-${process.pid}`

let bench: NicBench
beforeEach(() => {
  bench = new NicBench()
})
afterEach(() => bench[Symbol.dispose]())

test('a NIC in a pod comes home, and is told of', async () => {
  const fd = netnsAdd(NAME)
  try {
    const before = bench.nic
    const netns = { fd, path: `/run/netns/${NAME}` }
    await bench.plugin.add(bench.links.call({ type: 'host-device', device: 'up0' }, { netns }), never)
    const traces = nicTraces(bench, bench.home)
    expect(traces.map(({ what }) => what)).toEqual(['NIC up0 in the pod of container c1, as its net1'])
    await traces[0]?.remove()
    expect(bench.nic).toEqual(expect.objectContaining({ name: before.name, mac: before.mac, mtu: before.mtu }))
    expect(nicTraces(bench, bench.home)).toEqual([])
  } finally {
    closeFd(fd)
    netnsDel(NAME)
  }
})

test('a note that cannot be read is told of, and stays', async () => {
  await bench.plugin.add(bench.links.call({ type: 'host-device', device: 'up0', ipam: { type: 'test' } }), never)
  writeFileSync(join(bench.stateDir, 'nics', 'x.json'), 'no note')
  const [, unreadable] = nicTraces(bench, bench.home)
  expect(unreadable?.what).toEndWith('x.json of a NIC in a pod')
  expect(() => unreadable?.remove()).toThrow('cannot be read')
  expect(nicTraces(bench, bench.home)).toHaveLength(2)
})
