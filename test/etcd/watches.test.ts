/**
 * What the program `k8s-ovs`, which is agent and controller, costs a real etcd: one on every node waits to lead.
 */
import { afterAll, expect, test } from 'bun:test'
import { ELECTION_LEASE } from '../../src/compat/permissions.ts'
import { ControllerDaemon } from '../../src/controller/daemon.ts'
import { LEASES } from '../../src/kube/resources.ts'
import { MemoryApi } from '../../src/kube/testing/memory-api.ts'
import { openPlace, type RegistryPlace } from '../../src/place/place.ts'
import { reflect } from '../../src/registry/reflector.ts'
import { eventually } from '../kube/process.ts'
import { ETCDS, EtcdServer, SKIPPED } from './etcd-server.ts'
import { CONFIG } from './k8s-ovs-cluster.ts'

const PREFIX = '/k8s.ovs.com/ovs/network'
const PATIENCE = 20_000
const LEASE = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: ELECTION_LEASE }
const HELD = { ...LEASE, spec: { holderIdentity: 'another', leaseDurationSeconds: 15 } }

const [program] = ETCDS
if (program === undefined) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
} else {
  const server = await EtcdServer.start({ program })
  afterAll(() => server.stop())

  /** Watches that etcd has, by its own word. */
  const watches = async (): Promise<number> => {
    const metrics = await (await fetch(`${server.endpoint}/metrics`)).text()
    const counts = metrics.matchAll(/^etcd_debugging_(?:mvcc_watcher_total|store_watchers) (\d+)$/gm)
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
  }
  const watchesToBe = (count: number) => eventually(async () => expect(await watches()).toBe(count), PATIENCE)

  test.each(['v2', 'v3'] as const)(
    'by %s: a node’s three kinds are three watches; a controller that waits for its turn adds none',
    async (api) => {
      const etcd = { settings: { endpoints: server.endpoint }, api, prefix: PREFIX, network: '' }
      const place: RegistryPlace = { kind: 'etcd', etcd }
      await server.etcdctl(api === 'v2' ? 2 : 3, [api === 'v2' ? 'set' : 'put', `${PREFIX}/config`, CONFIG])
      const stop = new AbortController()
      const { signal } = stop
      const agent = openPlace(place)
      const own = openPlace(place, { isController: true })
      const kubernetes = new MemoryApi()
      await kubernetes.create(LEASES, HELD)
      const say = (): void => undefined
      const log = { info: say, warn: say, error: say }
      const daemon = new ControllerDaemon({ ...own, kubernetes, identity: 'we', wish: {}, log, signal })
      const running = daemon.run()
      try {
        for (const kind of ['Cluster', 'NodeNetwork', 'Tenant'] as const) reflect(agent.registry, kind, { signal })
        await watchesToBe(3)
        await eventually(async () => expect(daemon.health().ready).toBe(true), PATIENCE)
        expect(await watches()).toBe(3)

        await kubernetes.replace(LEASES, LEASE)
        await watchesToBe(6)
      } finally {
        stop.abort()
        await running
        for (const { close } of [agent, own]) close()
      }
      await watchesToBe(0)
    },
    60_000,
  )
}
