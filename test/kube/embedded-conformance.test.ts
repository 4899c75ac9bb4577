/**
 * The registry's conformance suite against the playground's own API server.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { weftBindings } from '../../src/compat/bindings.ts'
import { KubeClient } from '../../src/kube/client.ts'
import { loadKubeconfig } from '../../src/kube/kubeconfig.ts'
import { KubeRegistry } from '../../src/kube/registry.ts'
import { cidr } from '../../src/network/model/address.ts'
import { NETWORK_SET_KINDS } from '../../src/network/model/network-set.ts'
import { POLICY_KINDS } from '../../src/network/model/policy.ts'
import { formats } from '../../src/playground/apiserver/all-formats.ts'
import { type ApiServer, serveApi } from '../../src/playground/apiserver/serve.ts'
import { registryConformance } from '../../src/registry/conformance.ts'
import { collect, network, settled } from '../../src/registry/conformance-tools.ts'
import type { Registry } from '../../src/registry/registry.ts'
import { installCrds, isForeign } from './cluster-objects.ts'
import { eventually } from './process.ts'

/** The server keeps an hour of history; here the hours are ours. */
const HOUR = 3_600_000

registryConformance('KubeRegistry on the embedded API server', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'weft-embedded-'))
  const clock = { ahead: 0 }
  const server = await serveApi({
    dir,
    formats,
    tls: false,
    serviceNetworks: [cidr('172.30.0.0/16'), cidr('fd02::/112')],
    history: { count: 100_000, age: HOUR },
    bookmarkInterval: 20,
    now: () => new Date(Date.now() + clock.ahead),
  })
  const client = clientOf(server, dir)
  await installCrds(client)
  const registry = new KubeRegistry(client, weftBindings)
  return {
    registry,
    isForeign,
    givesUids: ['Node', 'Namespace', 'Pod', 'AddressPool', ...POLICY_KINDS, ...NETWORK_SET_KINDS],
    forgetPast: () => forgetPast(registry, () => (clock.ahead += 2 * HOUR)),
    close: async () => {
      client.close()
      await server.stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
})

function clientOf(server: ApiServer, dir: string): KubeClient {
  const path = join(dir, 'kubeconfig')
  server.writeKubeconfig(path, 'admin')
  return new KubeClient(loadKubeconfig(path, {}))
}

/** The server forgets when it next looks at its clock, all kinds at once: one shows it for all. */
async function forgetPast(registry: Registry, makeOld: () => void): Promise<void> {
  const { revision } = await registry.list('NodeNetwork')
  await registry.create('NodeNetwork', 'forgotten', network('forgotten'))
  makeOld()
  await eventually(async () => {
    const outcome = await settled(collect(registry, 'NodeNetwork', revision, 1))
    if (outcome !== 'REGISTRY_EXPIRED') throw new Error(`history still reaches back: ${outcome}`)
  }, 15_000)
}
