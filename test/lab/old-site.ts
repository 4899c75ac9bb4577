/**
 * A small cluster of k8s-ovs or OpenShift SDN: two nodes, five pods of two tenants, and a registry that has been brought
 * over.
 * @module
 */
import { ok } from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ping } from '../../src/linux/index.ts'
import { cidr, ip } from '../../src/network/model/address.ts'
import { startSwitch } from '../../src/playground/lab/switch.ts'
import { makeUnderlay, plugInNode } from '../../src/playground/lab/underlay.ts'
import { nodeLayout, outsideAddress } from '../../src/playground/layout.ts'
import { startProcess } from '../../src/playground/processes.ts'
import { RegistryClient } from '../../src/registry/client.ts'
import { eventually, type Lab } from './lab.ts'
import {
  addOldPeer,
  addOldPod,
  buildOldNode,
  type OldCluster,
  type OldNode,
  type OldPlugin,
  type OldPod,
} from './old-node.ts'

/** The kernel's where there is one: in the guest of `test/vm/adopt.ts`. */
export const DATAPATH = process.env['WEFT_E2E_DATAPATH'] === 'system' ? 'system' : 'netdev'
/** That guest is emulated. */
export const SLOWNESS = DATAPATH === 'system' ? 10 : 1
const PATIENCE = 20_000 * SLOWNESS
const ANSWER = 1_000 * SLOWNESS

/** Two nodes of another plugin, and the registry that has their ranges by now. */
export interface Site {
  readonly cluster: OldCluster
  readonly nodes: readonly [OldNode, OldNode]
  readonly pods: Readonly<Record<PodName, OldPod>>
  readonly place: string
}

/** `shop/web` and `shop/cart` share a node and a tenant, `bank/vault` another tenant; `shop/db` and `bank/safe` are on the second node. */
export type PodName = 'web' | 'cart' | 'vault' | 'db' | 'safe'

const NAMES = {
  'k8s-ovs': {
    pods: '172.11.0.0/16',
    hostBits: 10,
    services: '10.96.0.0/12',
    ranges: ['172.11.0.0/22', '172.11.4.0/22'],
  },
  openshift: {
    pods: '10.128.0.0/14',
    hostBits: 9,
    services: '172.30.0.0/16',
    ranges: ['10.128.0.0/23', '10.129.0.0/23'],
  },
} as const

/** Makes it, with a registry that has its ranges and virtual networks, and waits until its pods reach each other. */
export async function buildOldSite(plugin: OldPlugin, lab: Lab): Promise<Site> {
  const { layout } = lab
  for (const folder of [layout.runDir, layout.intentDir, layout.podDir, layout.logDir])
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(layout.stateFile, '{}')
  const { pods, services, ranges, hostBits } = NAMES[plugin]
  const cluster: OldCluster = { plugin, pods, services, datapath: DATAPATH }
  makeUnderlay(layout)
  const old = async (index: number, range: string): Promise<OldNode> => {
    const node = nodeLayout(layout, index)
    plugInNode(layout, node)
    await startSwitch(layout, node, DATAPATH)
    return { layout: node, range, gateway: ip(range.replace(/0\/\d+$/, '1')), address: node.addresses[0] }
  }
  const nodes = [await old(1, ranges[0]), await old(2, ranges[1])] as const
  const [first, second] = nodes
  for (const node of nodes) await buildOldNode(cluster, node)
  await addOldPeer(cluster, first, second)
  await addOldPeer(cluster, second, first)
  const pod = (node: OldNode, n: number, namespace: string, name: string, vni: number): OldPod => ({
    namespace,
    name,
    vni,
    address: ip(node.range.replace(/0\/\d+$/, String(n))),
    containerId: `${name}${'0123456789abcdef'.repeat(4)}`.slice(0, 64),
    netns: `${layout.prefix}-${name}`,
    link: `veth${(n * 65_537 + 0x1a2b3c00).toString(16).slice(0, 8)}`,
  })
  const made = {
    web: pod(first, 5, 'shop', 'web', 300_924),
    cart: pod(first, 6, 'shop', 'cart', 300_924),
    vault: pod(first, 7, 'bank', 'vault', 3_831_805),
    db: pod(second, 8, 'shop', 'db', 300_924),
    safe: pod(second, 9, 'bank', 'safe', 3_831_805),
  }
  for (const name of ['web', 'cart', 'vault'] as const) await addOldPod(layout, cluster, first, made[name])
  for (const name of ['db', 'safe'] as const) await addOldPod(layout, cluster, second, made[name])
  const socket = join(layout.runDir, 'registry.sock')
  startProcess(layout, { role: 'registry', argv: lab.command('registry', '--socket', socket) })
  const site: Site = { cluster, nodes, pods: made, place: `unix:${socket}` }
  await fillRegistry(socket, site, hostBits)
  await expectReach(lab, site, BEFORE)
  return site
}

/** What a migration of the other registry leaves: the ranges and virtual networks as they were. */
async function fillRegistry(socket: string, { cluster, nodes, pods }: Site, hostBits: number): Promise<void> {
  const registry = new RegistryClient(socket)
  await inTime('the registry answers', () =>
    registry.list('Cluster').then(
      () => true,
      () => false,
    ),
  )
  await registry.create('Cluster', 'default', {
    networks: [{ cidr: cidr(cluster.pods), hostBits }],
    serviceNetworks: [cidr(cluster.services)],
    tenancy: 'multitenant',
    encapsulation: { type: 'vxlan', port: 4789 },
    underlay: 4,
    services: 'weft',
  })
  for (const { layout, range } of nodes) {
    const { name: node, addresses } = layout
    await registry.create('NodeNetwork', node, {
      node,
      machine: { kind: 'node', uid: `uid-${node}` },
      addresses,
      ranges: [cidr(range)],
    })
  }
  const vnis = new Map(Object.values(pods).map(({ namespace, vni }) => [namespace, vni]))
  for (const [namespace, vni] of vnis) {
    await registry.create('Namespace', namespace, { name: namespace, uid: `uid-${namespace}` })
    await registry.create('Tenant', namespace, { namespace, vni })
  }
  for (const { namespace, name, address } of Object.values(pods)) {
    const node = nodes.find(({ range }) => address.startsWith(range.replace(/0\/\d+$/, '')))?.layout.name ?? ''
    await registry.create('Pod', `${namespace}/${name}`, {
      namespace,
      name,
      uid: `uid-${name}`,
      node,
      addresses: [address],
    })
  }
}

/** {@link eventually}, in the time that this machine takes. */
export function inTime(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  return eventually(what, holds, PATIENCE)
}

/** Who reaches whom; the same before and after. */
export const BEFORE = [
  'web>cart',
  'web>db',
  'db>web',
  'vault>safe',
  'safe>vault',
  'web>outside',
  'node1>web',
  'node2>db',
  'node1>db',
  'node2>web',
] as const
/** Tenants that are kept apart. */
const NEVER = ['web>vault', 'vault>db', 'cart>safe'] as const

/** Who reaches whom, by a ping each. */
export async function reach(lab: Lab, site: Site): Promise<ReadonlyMap<string, boolean>> {
  const pairs = [...BEFORE, ...NEVER]
  const results = await Promise.all(
    pairs.map(async (pair) => {
      const [from = '', to = ''] = pair.split('>')
      const netns = from.startsWith('node') ? nodeOf(site, from).layout.netns : site.pods[from as PodName].netns
      const address = to === 'outside' ? outsideAddress(4) : site.pods[to as PodName].address
      return [pair, (await ping({ address, nsFd: lab.fd(netns), timeoutMs: ANSWER })).reached] as const
    }),
  )
  return new Map(results)
}

function nodeOf({ nodes }: Site, name: string): OldNode {
  return name === 'node1' ? nodes[0] : nodes[1]
}

/** Exactly these pairs reach each other; tries a few times. */
export async function expectReach(lab: Lab, site: Site, wanted: readonly string[]): Promise<void> {
  const asWanted = (seen: ReadonlyMap<string, boolean>): boolean =>
    [...seen].every(([pair, works]) => works === wanted.includes(pair))
  let seen = await reach(lab, site)
  for (let i = 0; i < 10 && !asWanted(seen); i += 1) seen = await reach(lab, site)
  ok(asWanted(seen), describeReach(seen))
}

/** In one line. */
export function describeReach(reached: ReadonlyMap<string, boolean>): string {
  return [...reached].map(([pair, works]) => `${pair} ${works ? 'yes' : 'no'}`).join(', ')
}
