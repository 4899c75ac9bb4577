/**
 * The registry's conformance suite against a real kube-apiserver and etcd.
 */
import { afterAll, test } from 'bun:test'
import { weftBindings } from '../../src/compat/bindings.ts'
import { KubeClient } from '../../src/kube/client.ts'
import { KubeRegistry } from '../../src/kube/registry.ts'
import { NETWORK_SET_KINDS } from '../../src/network/model/network-set.ts'
import { POLICY_KINDS } from '../../src/network/model/policy.ts'
import { type RegistryUnderTest, registryConformance } from '../../src/registry/conformance.ts'
import { installCrds, isForeign, removeAll } from './cluster-objects.ts'
import { ASSETS, ControlPlane, SKIPPED } from './control-plane.ts'

if (ASSETS === undefined) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
} else {
  const starting = startCluster(ASSETS)
  afterAll(async () => {
    const { client, plane } = await starting
    client.close()
    await plane.stop()
  })
  const make = async (): Promise<RegistryUnderTest> => {
    const { client, plane } = await starting
    await removeAll(client)
    return {
      registry: new KubeRegistry(client, weftBindings),
      forgetPast: () => plane.forgetPast(),
      isForeign,
      givesUids: ['Node', 'Namespace', 'Pod', 'AddressPool', ...POLICY_KINDS, ...NETWORK_SET_KINDS],
      bookmarkRounds: 3,
    }
  }
  registryConformance('KubeRegistry on a real kube-apiserver', make, 120_000)
}

async function startCluster(assets: string) {
  const plane = await ControlPlane.start(assets)
  // Short watches: the API server sends a bookmark two seconds before it ends one, and once a minute else.
  const client = new KubeClient(plane.config(), { watchSeconds: { least: 3, most: 4 } })
  await installCrds(client)
  console.log(`kube-apiserver ${await plane.version()}`)
  return { plane, client }
}
