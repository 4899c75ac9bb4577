/**
 * Resident memory of the agent of a full node in a large cluster.
 * @module
 */
import { readFileSync } from 'node:fs'
import { cidr, formatIp, ip, ipValue } from '../../src/network/model/address.ts'
import type { Result } from '../result.ts'
import { inParallel } from '../rig/plugin.ts'
import type { Rig } from '../rig/rig.ts'

const PEERS = 1000
const SETTLE_MS = 3000

/**
 * Pods of other nodes never reach an agent: what it sees of the cluster is nodes and tenants. 10,000 pods are put in
 * view at their worst: a namespace each, and a node for every ten of them.
 */
export async function measureMemory(rig: Rig, localPods: number, namespaces: number): Promise<readonly Result[]> {
  const before = rss(rig.agentPid(rig.node(0)))
  const names = Array.from({ length: namespaces }, (_, i) => `view-${i}`)
  const first = { 4: ipValue(ip('198.18.80.0')), range: ipValue(ip('10.130.0.0')) }
  await inParallel(names, 8, async (name) => {
    await rig.registry.create('Namespace', name, { name, uid: `uid-${name}` })
  })
  const peers = Array.from({ length: Math.ceil(namespaces / (10_000 / PEERS)) }, (_, i) => i)
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
  await assigned(rig, namespaces)
  await Bun.sleep(SETTLE_MS)
  const view = `${namespaces.toLocaleString('en')} tenants and ${peers.length.toLocaleString('en')} nodes in view`
  return [
    {
      what: `agent memory, ${localPods} local pods, ${namespaces.toLocaleString('en')} tenants in view`,
      unit: 'MiB',
      ours: rss(rig.agentPid(rig.node(0))),
      target: { of: 'ours', atMost: 120 },
      note: `${view}; without them ${before.toFixed(0)} MiB. Remote pods never reach an agent, so none are in view`,
    },
  ]
}

async function assigned(rig: Rig, namespaces: number): Promise<void> {
  const end = performance.now() + 60_000
  while ((await rig.registry.list('Tenant')).objects.length < namespaces) {
    if (performance.now() > end) throw new Error('the controller did not give every namespace a VNI')
    await Bun.sleep(500)
  }
}

/** MiB. */
function rss(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? Number.NaN) / 1024
}
