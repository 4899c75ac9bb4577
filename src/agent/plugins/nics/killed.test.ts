/** `kill -9` at any moment of an agent that does nothing but move a NIC. */
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { linkSet } from '../../../linux/index.ts'
import { namesIn } from '../links/testing/bench.ts'
import { NicNotes } from './notes.ts'
import { NicBench } from './testing/nic-bench.ts'

const ROUNDS = 12

test('a NIC comes home from wherever its agent was killed', async () => {
  using bench = new NicBench()
  const { node, pod } = bench.links
  linkSet(node.rtnl, 'up0', { alias: 'second wire' })
  const adder = join(import.meta.dir, 'testing/adder.ts')
  const { netns: _, ...gone } = bench.links.call({ type: 'host-device', device: 'up0' })
  const found = new Set<string>()
  for (let round = 0; round < ROUNDS; round += 1) {
    const words = [process.pid, node.nsFd, pod.nsFd, bench.stateDir].map(String)
    const child = Bun.spawn([process.execPath, adder, ...words], { stdout: 'pipe', stderr: 'inherit' })
    await child.stdout.getReader().read()
    await Bun.sleep(round * 7 + Math.random() * 40)
    child.kill('SIGKILL')
    await child.exited
    found.add(namesIn(node).includes('up0') ? 'at home' : 'away')
    await bench.plugin.del(gone)
    expect(bench.nic).toEqual(expect.objectContaining({ name: 'up0', up: true, mtu: 1500, alias: 'second wire' }))
    expect(namesIn(pod)).toEqual(['lo'])
    expect(new NicNotes(bench.stateDir).values()).toEqual([])
  }
  expect([...found]).toContain('away')
}, 60_000)
