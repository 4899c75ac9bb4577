/**
 * A node inside the guest: the whole agent on the kernel's datapath, with a registry in memory, and pods that are attached as
 * a container runtime does it. The guest is the node.
 * @module
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runAgent } from '../../src/agent/agent.ts'
import { AGENT_DEFAULTS } from '../../src/agent/options.ts'
import { AgentClient } from '../../src/insight/gather/agent-client.ts'
import { addrAdd, linkAdd, linkGet, linkSet, openRtnl } from '../../src/linux/index.ts'
import type { Bandwidth } from '../../src/network/model/bandwidth.ts'
import { startOvsSandbox } from '../../src/ovs/testing/ovs-sandbox.ts'
import { MemoryRegistry } from '../../src/registry/memory.ts'
import { eventually } from '../lab/lab.ts'
import { SAMPLE_CLUSTER, sampleNode } from '../tables/sample-node.ts'
import { attachPod, type Pod } from './guest-pod.ts'

/** The guest is emulated: everything takes ten times as long. */
export const PATIENCE_MS = 120_000
const NODE = sampleNode(1)
const SILENT = { debug: () => undefined, info: () => undefined, warn: said, error: said }
/** The tenants of the guest's cluster. */
const TENANTS = { shop: 42, bank: 77 } as const

/** One line each: the guest's console is slow. */
function said(_: object, message: string): void {
  console.log(`  (${message})`)
}

/** The node inside the guest, ready for pods. */
export async function startGuestAgent() {
  const ovs = await startOvsSandbox()
  const rtnl = openRtnl()
  linkAdd(rtnl, { kind: 'veth', name: 'up0', up: true, peer: { name: 'up1' } })
  linkSet(rtnl, 'up1', { up: true })
  const uplink = linkGet(rtnl, 'up0').index
  addrAdd(rtnl, { link: uplink, address: `${NODE.addresses[0]}/24` })
  const registry = new MemoryRegistry()
  await registry.create('Cluster', 'default', SAMPLE_CLUSTER)
  await registry.create('NodeNetwork', NODE.node, NODE)
  for (const [namespace, vni] of Object.entries(TENANTS)) {
    await registry.create('Namespace', namespace, { name: namespace, uid: 'u' })
    await registry.create('Tenant', namespace, { namespace, vni })
  }
  const runDir = mkdtempSync(join(tmpdir(), 'weft-vm-'))
  const end = new AbortController()
  const paths = { ovsdb: ovs.dbSocket, ovsRunDir: ovs.dir, runDir }
  const options = {
    ...AGENT_DEFAULTS,
    ...paths,
    node: NODE.node,
    datapath: 'system',
    uplinkMbit: 50,
    resync: 10,
  } as const
  const running = runAgent(options, registry, SILENT as never, end.signal)
  const agent = new AgentClient({ path: join(runDir, 'agent.sock'), node: NODE.node })
  const isReady = () =>
    agent.status().then(
      ({ ready }) => ready,
      () => false,
    )
  await eventually('the agent is ready', isReady, PATIENCE_MS)
  console.log('the agent is ready on the kernel’s datapath')

  /** Attaches a pod that the registry knows. */
  function attach(name: string, bandwidth?: Bandwidth, namespace = 'shop'): Promise<Pod> {
    return attachPod(
      { registry, node: NODE.node, runDir },
      { name, namespace, ...(bandwidth === undefined ? {} : { bandwidth }) },
    )
  }

  return {
    agent,
    registry,
    ovs,
    rtnl,
    uplink,
    attach,
    /** Stops the agent; Open vSwitch goes with the guest. */
    stop: async () => {
      end.abort()
      await running
    },
  }
}
