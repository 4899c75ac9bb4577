/**
 * Tests of k8s-ovs's registry on a real etcd, by each of its APIs; skipped where there is none.
 * @module
 */
import { afterAll, describe, test } from 'bun:test'
import { ETCDS, EtcdServer, SKIPPED } from './etcd-server.ts'
import { OvsCluster } from './k8s-ovs-cluster.ts'

const TIMEOUT = 60_000

/** Declares a test on a cluster of its own. */
export type Check = (title: string, body: (cluster: OvsCluster) => Promise<void>) => void

/** Declares tests by v2 and by v3, on one server, which ends after the file. */
export function onOvsCluster(declare: (check: Check) => void): void {
  const [program] = ETCDS
  if (program === undefined) {
    console.log(SKIPPED)
    test.skip(SKIPPED, () => undefined)
    return
  }
  const starting = EtcdServer.start({ program })
  afterAll(async () => (await starting).stop())
  describe.each(['v2', 'v3'] as const)('by %s', (api) =>
    declare((title, body) =>
      test(
        title,
        async () => {
          const cluster = new OvsCluster(await starting, api)
          try {
            await body(cluster)
          } finally {
            await cluster.close()
          }
        },
        TIMEOUT,
      ),
    ),
  )
}
