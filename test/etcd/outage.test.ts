/**
 * An etcd that hangs, goes away, comes back, and comes back empty: what runs goes on.
 */
import { expect, test } from 'bun:test'
import { ETCDS, EtcdServer, SKIPPED } from './etcd-server.ts'
import { CONFIG, OvsCluster } from './k8s-ovs-cluster.ts'

const [program] = ETCDS
if (program === undefined) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
} else {
  test.each(['v2', 'v3'] as const)(
    'by %s',
    async (api) => {
      const server = await EtcdServer.start({ program })
      const cluster = new OvsCluster(server, api)
      try {
        await cluster.set('config', CONFIG)
        cluster.startController()
        await cluster.addNode('a', '192.0.2.1')
        await cluster.addNamespace('shop')
        const stores = [cluster.agent('Cluster'), cluster.agent('NodeNetwork'), cluster.agent('Tenant')] as const
        await cluster.until(() => stores.every((store) => store.size === 1))
        const shown = () => stores.map((store) => [...store.values()].map(({ value }) => value))
        const before = shown()

        server.freeze()
        await cluster.addNode('b', '192.0.2.2')
        await cluster.until(() => cluster.said.some((line) => line.includes('did not answer in time')))
        server.thaw()
        await cluster.until(() => stores[1].has('b'))

        await cluster.stopController()
        await server.halt()
        cluster.startController()
        await cluster.addNode('c', '192.0.2.3')
        await cluster.until(() => cluster.said.some((line) => line.includes('ECONNREFUSED')))
        await server.start()
        await cluster.until(() => stores[1].has('c'))
        expect(stores[1].get('a')?.value.ranges).toEqual(['172.11.0.0/22'] as never)
        const all = shown()
        expect([all[0], all[2]]).toEqual([before[0], before[2]] as never)

        const lost = cluster.said.length
        await server.loseEverything()
        await cluster.until(() => cluster.said.slice(lost).some((line) => line.includes('has lost its history')))
        expect(shown()).toEqual(all)
        // Whoever writes the configuration anew begins anew; ranges are remembered.
        await cluster.set('config', CONFIG)
        await cluster.recordWhen('k8ssdn/subnets/192.0.2.3', ({ Subnet }) => Subnet === '172.11.8.0/22')
        await cluster.until(() => stores[1].size === 3 && stores[2].size === 1)
        expect(stores[1].get('a')?.value.ranges).toEqual(['172.11.0.0/22'] as never)
      } finally {
        await cluster.close()
        await server.stop()
      }
    },
    120_000,
  )

  test.each(['v2', 'v3'] as const)(
    'by %s a member of another cluster, such as Kubernetes’ own etcd, takes nothing down',
    async (api) => {
      const [own, foreign] = [await EtcdServer.start({ program }), await EtcdServer.start({ program })]
      const cluster = new OvsCluster(own, api, [foreign.endpoint])
      try {
        await cluster.set('config', CONFIG)
        cluster.startController()
        await cluster.addNode('a', '192.0.2.1')
        await cluster.addNamespace('shop')
        const stores = [cluster.agent('Cluster'), cluster.agent('NodeNetwork'), cluster.agent('Tenant')] as const
        await cluster.until(() => stores.every((store) => store.size === 1))
        await own.halt()
        await cluster.addNode('b', '192.0.2.2')
        await cluster.until(() => cluster.said.some((line) => line.includes('has lost its history')))
        expect(stores.map((store) => store.size)).toEqual([1, 1, 1])
        await own.start()
        await cluster.until(() => stores[1].has('b'))
        expect(stores.map((store) => store.size)).toEqual([1, 2, 1])
        const keys = await foreign.etcdctl(3, ['get', '--prefix', '--keys-only', '/'])
        expect(keys).toBe('')
      } finally {
        await cluster.close()
        await own.stop()
        await foreign.stop()
      }
    },
    120_000,
  )
}
