/**
 * A node inside the guest: the whole agent on the kernel's datapath, with a registry in memory, and pods that are attached as
 * a container runtime does it. The guest is the node.
 * @module
 */
import { ok } from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runAgent } from '../../src/agent/agent.ts'
import { AGENT_DEFAULTS } from '../../src/agent/options.ts'
import { AgentClient } from '../../src/insight/gather/agent-client.ts'
import { addrAdd, linkAdd, linkGet, linkSet, netnsAdd, openRtnl } from '../../src/linux/index.ts'
import { familyOf, type Ip, ip } from '../../src/network/model/address.ts'
import type { Bandwidth } from '../../src/network/model/bandwidth.ts'
import { startOvsSandbox } from '../../src/ovs/testing/ovs-sandbox.ts'
import { MemoryRegistry } from '../../src/registry/memory.ts'
import { eventually } from '../lab/lab.ts'
import { callPlugin } from '../lab/plugin.ts'
import { SAMPLE_CLUSTER, sampleNode } from '../tables/sample-node.ts'

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

/** A pod of the guest. */
export interface Pod {
  readonly name: string
  readonly fd: number
  readonly address: Ip
  readonly address6: Ip
  readonly netns: string
  del(): Promise<void>
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
  async function attach(name: string, bandwidth?: Bandwidth, namespace = 'shop'): Promise<Pod> {
    const pod = { namespace, name, uid: `u-${name}`, node: NODE.node, addresses: [] }
    await registry.create('Pod', `${namespace}/${name}`, bandwidth === undefined ? pod : { ...pod, bandwidth })
    const netns = `wefttest-vm-${name}`
    const fd = netnsAdd(netns)
    const call = async (verb: string) => {
      const environment = {
        CNI_COMMAND: verb,
        CNI_CONTAINERID: name,
        CNI_NETNS: `/run/netns/${netns}`,
        CNI_IFNAME: 'eth0',
        CNI_PATH: '/opt/cni/bin',
        CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${name};K8S_POD_UID=u-${name}`,
      }
      const config = JSON.stringify({ cniVersion: '1.0.0', name: 'weft', type: 'weft' })
      const answer = await callPlugin(join(runDir, 'cni.sock'), environment, config)
      ok(answer.code === 0, answer.text)
      return answer.json as { readonly ips: readonly { readonly address: string }[] }
    }
    const { ips } = await call('ADD')
    const addresses = ips.map((one) => ip(one.address.split('/')[0] ?? ''))
    const address = addresses.find((one) => familyOf(one) === 4)
    const address6 = addresses.find((one) => familyOf(one) === 6)
    if (address === undefined || address6 === undefined) throw new Error(`${name} lacks an address`)
    console.log(`${namespace}/${name} has ${address} ${address6}`)
    return { name, fd, address, address6, netns, del: async () => void (await call('DEL')) }
  }

  return {
    agent,
    registry,
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
