/**
 * The registry's conformance suite on k8s-ovs's registry in real etcds. The kinds that k8s-ovs takes from Kubernetes are
 * in memory.
 */
import { afterAll, test } from 'bun:test'
import { layoutOf } from '../../src/compat/k8s-ovs/layout.ts'
import { K8sOvsRegistry } from '../../src/compat/k8s-ovs/registry.ts'
import type { KeySpace } from '../../src/etcd/key-space.ts'
import { EtcdV2 } from '../../src/etcd/v2.ts'
import { EtcdV3 } from '../../src/etcd/v3.ts'
import { type RegistryUnderTest, registryConformance } from '../../src/registry/conformance.ts'
import { LayeredRegistry, layersOf } from '../../src/registry/layered.ts'
import { MemoryRegistry } from '../../src/registry/memory.ts'
import { ETCDS, EtcdServer, SKIPPED } from './etcd-server.ts'
import { clearHistory } from './history.ts'

if (ETCDS.length === 0) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
}

for (const program of ETCDS) {
  const starting = EtcdServer.start({ program })
  afterAll(async () => (await starting).stop())

  for (const api of ['v2', 'v3'] as const) {
    const make = async (): Promise<RegistryUnderTest> => {
      const server = await starting
      const space: KeySpace = api === 'v2' ? new EtcdV2(server.config()) : new EtcdV3(server.config())
      // Each test has a registry of its own in the same etcd.
      const layout = layoutOf({ prefix: `/${crypto.randomUUID()}/network` })
      if (layout === undefined) throw new Error('no layout')
      const ovs = new K8sOvsRegistry(space, layout)
      const kinds = ['Cluster', 'NodeNetwork', 'Tenant'] as const
      return {
        registry: new LayeredRegistry(layersOf(ovs, kinds, new MemoryRegistry())),
        close: async () => space.close(),
        forgetPast: () => clearHistory(server, api),
      }
    }
    registryConformance(`k8s-ovs's registry by ${api} of ${program}`, make, 60_000)
  }
}
