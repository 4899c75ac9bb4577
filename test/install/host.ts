/**
 * A machine with Open vSwitch and an uplink, and pods on it: what a package is tried on.
 * @module
 */

import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cidr, ip } from '../../src/network/model/address.ts'
import type { Cluster } from '../../src/network/model/cluster.ts'
import { RegistryClient } from '../../src/registry/client.ts'
import { output } from '../lab/command.ts'
import { eventually, type Machine } from './machine.ts'

const ROOT = join(import.meta.dir, '../..')

const REGISTRY = '/run/weft-registry.sock'
const NAMESPACE = 'shop'
/** The machine's address, where it is the node. */
export const ADDRESS = '192.0.2.11'
export const CLUSTER: Cluster = {
  networks: [{ cidr: cidr('10.128.0.0/14'), hostBits: 9 }],
  serviceNetworks: [],
  tenancy: 'multitenant',
  encapsulation: { type: 'vxlan', port: 4789 },
  underlay: 4,
  services: 'weft',
}

/** What agent and controller are told there. */
export const SETTINGS = `agent:
  node: node1
  datapath: netdev
  cniBinDir: /opt/cni/bin
  cniConfigDir: /etc/cni/net.d
registry:
  address: unix:${REGISTRY}
`

/** Makes the .deb and installs it on machines. */
export async function installOn(machines: readonly Machine[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'wefttest-package-'))
  try {
    await output(['node', join(ROOT, 'scripts/package.mjs'), '--output', folder])
    const deb = readdirSync(folder).find((name) => name.endsWith('.deb')) ?? ''
    for (const machine of machines) {
      copyFileSync(join(folder, deb), machine.path('/root/weft.deb'))
      await machine.output('dpkg', '-i', '/root/weft.deb')
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * Starts the machine's Open vSwitch, with an address on its link `uplink`. The userspace datapath sends tunnel packets
 * only by way of a bridge of its own.
 */
export async function startSwitch(machine: Machine, address: string): Promise<void> {
  await machine.output('systemctl', 'start', 'openvswitch-switch')
  const bridge = ['add-br', 'br-phy', '--', 'set', 'bridge', 'br-phy', 'datapath_type=netdev']
  await machine.output('ovs-vsctl', ...bridge, '--', 'add-port', 'br-phy', 'uplink')
  await machine.output('ip', 'address', 'add', `${address}/24`, 'dev', 'br-phy')
  for (const link of ['uplink', 'br-phy']) await machine.output('ip', 'link', 'set', link, 'up')
}

/** Starts the stand-alone registry that is installed there, with one node and one namespace in it. */
export async function startRegistry(machine: Machine): Promise<RegistryClient> {
  await machine.output('systemd-run', '--unit=registry', '/usr/bin/weft', 'registry', '--socket', REGISTRY)
  const registry = new RegistryClient(machine.path(REGISTRY))
  await eventually('the registry listens', () => registry.list('Node').catch(() => undefined))
  await registry.create('Node', 'node1', { name: 'node1', uid: 'uid-node1', addresses: [ip(ADDRESS)] })
  await registry.create('Namespace', NAMESPACE, { name: NAMESPACE, uid: `uid-${NAMESPACE}` })
  return registry
}

/** Attaches a pod in a namespace of its own; resolves to its address. */
export async function addPod(machine: Machine, pod: string): Promise<string> {
  await machine.output('ip', 'netns', 'add', pod)
  const { ips } = JSON.parse(await callPlugin(machine, 'ADD', pod)) as {
    readonly ips: readonly { readonly address: string }[]
  }
  return ips[0]?.address.split('/')[0] ?? ''
}

/** Calls the plugin as a runtime does, by the configuration that is there. Resolves to what it prints. */
export async function callPlugin(machine: Machine, verb: 'ADD' | 'DEL', pod: string): Promise<string> {
  const text = await machine.output('cat', '/etc/cni/net.d/10-weft.conflist')
  const { cniVersion, name, plugins } = JSON.parse(text)
  const env = {
    CNI_COMMAND: verb,
    CNI_CONTAINERID: pod,
    CNI_NETNS: `/run/netns/${pod}`,
    CNI_IFNAME: 'eth0',
    CNI_PATH: '/opt/cni/bin',
    CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=${NAMESPACE};K8S_POD_NAME=${pod};K8S_POD_UID=uid-${pod}`,
  }
  const input = JSON.stringify({ cniVersion, name, ...plugins[0] })
  const { code, stdout } = await machine.runWith({ env, input }, `/opt/cni/bin/${plugins[0].type}`)
  if (code !== 0) throw new Error(`${verb} of ${pod} failed: ${stdout}`)
  return stdout
}

/** Everything on the machine that has one of our names, below the folders that packages and daemons write to. */
export async function ourFiles(machine: Machine): Promise<ReadonlySet<string>> {
  const folders = ['/etc', '/usr/bin', '/usr/sbin', '/usr/lib', '/usr/share', '/opt', '/run', '/var/lib']
  const others = ['/var/lib/dpkg', '/var/lib/cni', '/run/netns', '/run/systemd', '/run/log', REGISTRY]
  const named = [
    '-name',
    '*weft*',
    '-o',
    '-name',
    '*k8s-ovs*',
    '-o',
    '-name',
    '*flannel*',
    '-o',
    '-path',
    '/etc/cni/*',
    '-o',
    '-path',
    '/opt/cni/*',
  ]
  const pruned = others.flatMap((path, index) => [...(index === 0 ? [] : ['-o']), '-path', path])
  const { stdout } = await machine.run(
    'find',
    ...folders,
    '(',
    ...pruned,
    ')',
    '-prune',
    '-o',
    '(',
    ...named,
    ')',
    '-print',
  )
  return new Set(stdout.split('\n').filter((line) => line !== ''))
}
