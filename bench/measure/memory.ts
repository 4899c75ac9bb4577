/**
 * Resident memory of the agent of a full node in a large cluster.
 * @module
 */
import { readFileSync } from 'node:fs'
import { cidr, formatIp, ip, ipValue } from '../../src/network/model/address.ts'
import type { Pod } from '../../src/network/model/pod.ts'
import type { Result } from '../result.ts'
import { inParallel } from '../rig/plugin.ts'
import type { Rig } from '../rig/rig.ts'

const PODS_PER_NODE = 10
const SETTLE_MS = 3000

/** Pods are put in view at their worst: a namespace each, and a node for every ten of them. */
export async function measureMemory(rig: Rig, localPods: number, pods: number): Promise<readonly Result[]> {
  const before = rss(rig.agentPid(rig.node(0)))
  const names = Array.from({ length: pods }, (_, i) => `view-${i}`)
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
  await inParallel(names, 8, async (name) => {
    const n = Number(name.slice('view-'.length))
    await rig.registry.create('Pod', `${name}/web`, podOf(name, n, first.range))
  })
  await assigned(rig, pods)
  await Bun.sleep(SETTLE_MS)
  const view = `${pods.toLocaleString('en')} pods of as many tenants on ${peers.length.toLocaleString('en')} nodes in view`
  return [
    {
      what: `agent memory, ${localPods} local pods, ${pods.toLocaleString('en')} pods in view`,
      unit: 'MiB',
      ours: rss(rig.agentPid(rig.node(0))),
      target: { of: 'ours', atMost: 120 },
      note: `${view}; without them ${before.toFixed(0)} MiB`,
    },
  ]
}

/** With labels and a named port, as a Deployment gives them. */
function podOf(namespace: string, n: number, firstRange: bigint): Pod {
  const node = Math.floor(n / PODS_PER_NODE)
  const address = formatIp(4, firstRange + BigInt(node * 256 + 2 + (n % PODS_PER_NODE)))
  const labels = { app: `app-${n % 200}`, tier: 'web', version: `v${n % 7}`, 'pod-template-hash': `7d9f8b6c${n % 500}` }
  const namedPorts = [{ name: 'http', protocol: 'TCP', port: 8080 } as const]
  return {
    namespace,
    name: 'web',
    uid: `uid-${namespace}-web`,
    node: `peer-${node}`,
    addresses: [address],
    labels,
    namedPorts,
  }
}

async function assigned(rig: Rig, pods: number): Promise<void> {
  const end = performance.now() + 60_000
  while ((await rig.registry.list('Tenant')).objects.length < pods) {
    if (performance.now() > end) throw new Error('the controller did not give every namespace a VNI')
    await Bun.sleep(500)
  }
}

/** MiB. */
function rss(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? Number.NaN) / 1024
}
