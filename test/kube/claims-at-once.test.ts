/**
 * As many pods as there are addresses, by four nodes' agents at once, against a real kube-apiserver and etcd: the lock is
 * theirs. Agents are killed at random in the second round.
 */
import { expect, test } from 'bun:test'
import { Crowd } from '../../src/agent/plugins/spiderpool/testing/crowd.ts'
import { weftBindings } from '../../src/compat/bindings.ts'
import { KubeClient } from '../../src/kube/client.ts'
import { KubeRegistry } from '../../src/kube/registry.ts'
import { installCrds } from './cluster-objects.ts'
import { ASSETS, ControlPlane, SKIPPED } from './control-plane.ts'

const PODS = 1000

if (ASSETS === undefined) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
} else {
  const assets = ASSETS
  test('1,000 pods on 1,000 addresses in ten pools, twice: none doubled, none left behind', async () => {
    const plane = await ControlPlane.start(assets)
    const clients: KubeClient[] = []
    const connect = (): KubeRegistry => {
      const client = new KubeClient(plane.config())
      clients.push(client)
      return new KubeRegistry(client, weftBindings)
    }
    let crowd: Crowd | undefined
    try {
      const registry = connect()
      for (const client of clients) await installCrds(client)
      crowd = await Crowd.start({ pods: PODS, pools: 10, nodes: 4, atOnce: 16, connect, registry })
      await round(crowd, 'calm')
      expect(await crowd.claims()).toBe(0)
      const killing = new AbortController()
      const [kills] = await Promise.all([
        killAtRandom(crowd, killing.signal),
        round(crowd, 'killed').finally(() => killing.abort()),
      ])
      await crowd.collect()
      expect([kills > 0, await crowd.claims()]).toEqual([true, 0])
      console.log(`agents killed ${kills} times; ${crowd.collected} claims were left to the collector`)
    } finally {
      crowd?.stop()
      for (const client of clients) client.close()
      await plane.stop()
    }
  }, 300_000)
}

async function round(crowd: Crowd, what: string): Promise<void> {
  const started = performance.now()
  await crowd.addAll()
  const added = performance.now()
  expect([crowd.served, crowd.doubled(), await crowd.unclaimed()]).toEqual([PODS, [], []])
  const checked = performance.now()
  await crowd.delAll()
  const [add, del] = [added - started, performance.now() - checked].map((ms) => (ms / 1000).toFixed(1))
  console.log(`${what}: ${PODS} addresses taken in ${add} s, given back in ${del} s`)
}

/** How often. What a dead agent left in a pod's way is collected, as the controller would. */
async function killAtRandom(crowd: Crowd, over: AbortSignal): Promise<number> {
  let kills = 0
  while (!over.aborted) {
    await Bun.sleep(200 + Math.random() * 500)
    if (over.aborted) break
    await crowd.kill(Math.floor(Math.random() * 4))
    await crowd.collect()
    kills += 1
  }
  return kills
}
