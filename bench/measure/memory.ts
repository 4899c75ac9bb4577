/**
 * Resident memory of the agent of a full node in a large cluster.
 * @module
 */
import { cidr, formatIp, ip, ipValue } from '../../src/network/model/address.ts'
import type { Pod } from '../../src/network/model/pod.ts'
import type { Result } from '../result.ts'
import { inParallel } from '../rig/plugin.ts'
import type { Rig } from '../rig/rig.ts'
import { settledMemory } from '../scale/usage.ts'

const PODS_PER_NODE = 10

/** Ten pods on each of a thousand nodes, and in each of as many namespaces. */
export async function measureMemory(rig: Rig, localPods: number, pods: number): Promise<readonly Result[]> {
  const agent = rig.agentPid(rig.node(0))
  const before = await settledMemory(agent)
  const names = Array.from({ length: Math.ceil(pods / PODS_PER_NODE) }, (_, i) => `view-${i}`)
  const first = { 4: ipValue(ip('198.18.80.0')), range: ipValue(ip('10.130.0.0')) }
  await inParallel(names, 8, async (name) => {
    await rig.registry.create('Namespace', name, { name, uid: `uid-${name}`, labels: { team: name } })
  })
  const peers = Array.from({ length: Math.ceil(pods / PODS_PER_NODE) }, (_, i) => i)
  await inParallel(peers, 8, async (n) => {
    const range = cidr(`${formatIp(4, first.range + BigInt(n * 256))}/24`)
    // Made by hand (no uid): the controller leaves it alone.
    await rig.registry.create('NodeNetwork', `peer-${n}`, {
      node: `peer-${n}`,
      machine: { kind: 'external', vni: 0 },
      addresses: [formatIp(4, first[4] + BigInt(n))],
      ranges: [range],
    })
  })
  const all = Array.from({ length: pods }, (_, n) => podOf(names[n % names.length] ?? '', n, first.range))
  await inParallel(all, 8, async (pod) => {
    await rig.registry.create('Pod', `${pod.namespace}/${pod.name}`, pod)
  })
  await assigned(rig, names.length)
  const { resident, peak } = await settledMemory(agent)
  const view = `of ${names.length.toLocaleString('en')} tenants on ${peers.length.toLocaleString('en')} nodes`
  return [
    {
      what: `agent memory, ${localPods} local pods, ${pods.toLocaleString('en')} pods in view`,
      unit: 'MiB',
      ours: resident,
      target: { of: 'ours', atMost: 120 },
      note: `${view}; at most ${peak.toFixed(0)} MiB; without them ${before.resident.toFixed(0)} MiB`,
    },
  ]
}

/** With labels and a named port, as 500 Deployments would give them. */
function podOf(namespace: string, n: number, firstRange: bigint): Pod {
  const node = Math.floor(n / PODS_PER_NODE)
  const address = formatIp(4, firstRange + BigInt(node * 256 + 2 + (n % PODS_PER_NODE)))
  const app = n % 500
  const labels = { app: `app-${app}`, tier: 'web', version: `v${app % 7}`, 'pod-template-hash': `7d9f8b6c${app}` }
  const namedPorts = [{ name: 'http', protocol: 'TCP', port: 8080 } as const]
  return {
    namespace,
    name: `web-${n}`,
    uid: `uid-${namespace}-web-${n}`,
    node: `peer-${node}`,
    addresses: [address],
    labels,
    namedPorts,
  }
}

async function assigned(rig: Rig, tenants: number): Promise<void> {
  const end = performance.now() + 60_000
  while ((await rig.registry.list('Tenant')).objects.length < tenants) {
    if (performance.now() > end) throw new Error('the controller did not give every namespace a VNI')
    await Bun.sleep(500)
  }
}
