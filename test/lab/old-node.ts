/**
 * A node as k8s-ovs or OpenShift SDN leave it: their bridge with ports, flows, addresses, routes and rules, and what the
 * plugin `host-local` wrote down, made by the steps that they take themselves.
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { closeFd, disableOffloads, netnsOpen, sysctlSet } from '../../src/linux/index.ts'
import { type Ip, ipValue } from '../../src/network/model/address.ts'
import { addNamespace } from '../../src/playground/lab/namespaces.ts'
import { switchEnvironment, vsctl } from '../../src/playground/lab/switch.ts'
import type { Layout, NodeLayout } from '../../src/playground/layout.ts'
import { output } from './command.ts'
import { environment } from './lab.ts'

/** Whose node it is. */
export type OldPlugin = 'k8s-ovs' | 'openshift'

/** A cluster of the other plugin. */
export interface OldCluster {
  readonly plugin: OldPlugin
  readonly pods: string
  readonly services: string
  readonly datapath: 'system' | 'netdev'
}

/** A node's part of it. */
export interface OldNode {
  readonly layout: NodeLayout
  readonly range: string
  readonly gateway: Ip
  readonly address: Ip
}

/** A pod that runs there. */
export interface OldPod {
  readonly namespace: string
  readonly name: string
  readonly vni: number
  readonly address: Ip
  readonly containerId: string
  readonly netns: string
  readonly link: string
}

/** `host-local`'s folder on a node. */
export function hostLocalOf({ layout }: OldNode): string {
  return join(layout.dir, 'cni-networks')
}

/** The bridge, with the tunnel and `tun0`, the static flows, addresses, routes and rules. */
export async function buildOldNode(cluster: OldCluster, node: OldNode): Promise<void> {
  const { layout, range, gateway } = node
  const bridge = ['add-br', 'br0', '--', 'set', 'Bridge', 'br0', 'fail-mode=secure', 'protocols=OpenFlow13']
  await vsctl(layout, ...bridge, `datapath_type=${cluster.datapath}`)
  const tunnel = ['type=vxlan', 'options:remote_ip=flow', 'options:key=flow']
  await vsctl(layout, 'add-port', 'br0', 'vxlan0', '--', 'set', 'Interface', 'vxlan0', 'ofport_request=1', ...tunnel)
  await vsctl(layout, 'add-port', 'br0', 'tun0', '--', 'set', 'Interface', 'tun0', 'ofport_request=2', 'type=internal')
  await addFlows(node, cluster.plugin === 'k8s-ovs' ? k8sFlows(cluster, node) : openshiftFlows(cluster, node))
  const inside = (...argv: readonly string[]) => output(['ip', 'netns', 'exec', layout.netns, ...argv])
  await inside('ip', 'addr', 'add', `${gateway}/${range.split('/')[1]}`, 'dev', 'tun0')
  await inside('ip', 'link', 'set', 'tun0', 'mtu', '1450', 'up')
  await inside('ip', 'route', 'add', cluster.pods, 'dev', 'tun0', 'proto', 'kernel', 'scope', 'link')
  await inside('ip', 'route', 'add', cluster.services, 'dev', 'tun0')
  await inside('ip', 'route', 'del', range, 'dev', 'tun0')
  await inside('sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv4.conf.tun0.forwarding=1')
  for (const rule of rulesOf(cluster)) await inside('sh', '-c', `iptables ${rule}`)
}

/** What a node does when it hears of another. */
export async function addOldPeer({ plugin }: OldCluster, node: OldNode, peer: OldNode): Promise<void> {
  const [source, arp, ip, next] = plugin === 'k8s-ovs' ? [1, 8, 8, 5] : [10, 50, 90, 30]
  const send = `move:NXM_NX_REG0[]->NXM_NX_TUN_ID[0..31],set_field:${peer.address}->tun_dst,output:1`
  await addFlows(node, [
    `table=${source},priority=100,tun_src=${peer.address},actions=goto_table:${next}`,
    `table=${arp},priority=100,arp,nw_dst=${peer.range},actions=${send}`,
    `table=${ip},priority=100,ip,nw_dst=${peer.range},actions=${send}`,
  ])
}

/** A pod's ADD, as they do it. */
export async function addOldPod(lab: Layout, cluster: OldCluster, node: OldNode, pod: OldPod): Promise<void> {
  const { netns, address, link, containerId } = pod
  const { layout, range, gateway } = node
  addNamespace(lab, netns)
  const mac = cluster.plugin === 'openshift' ? macOf(address) : undefined
  const onNode = (...argv: readonly string[]) => output(['ip', '-n', layout.netns, ...argv])
  const inPod = (...argv: readonly string[]) => output(['ip', '-n', netns, ...argv])
  await onNode(
    'link',
    'add',
    link,
    'mtu',
    '1450',
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'mtu',
    '1450',
    'netns',
    netns,
  )
  await onNode('link', 'set', link, 'up')
  if (mac !== undefined) await inPod('link', 'set', 'eth0', 'address', mac)
  await inPod('link', 'set', 'lo', 'up')
  await inPod('link', 'set', 'eth0', 'up')
  await inPod('addr', 'add', `${address}/${range.split('/')[1]}`, 'dev', 'eth0')
  await inPod('route', 'add', 'default', 'via', gateway)
  if (cluster.plugin === 'openshift') await inPod('route', 'add', cluster.services, 'via', gateway)
  await inPod('route', 'add', cluster.pods, 'dev', 'eth0')
  if (cluster.datapath === 'netdev') withoutOffloads(layout.netns, netns, link)
  const ids = cluster.plugin === 'openshift' ? [`external_ids=sandbox="${containerId}",ip="${address}"`] : []
  const set = ids.length === 0 ? [] : ['--', 'set', 'Interface', link, ...ids]
  await vsctl(layout, 'add-port', 'br0', link, ...set)
  const port = (await vsctl(layout, 'get', 'Interface', link, 'ofport')).trim()
  const [hardware] =
    (await output(['ip', '-n', netns, '-br', 'link', 'show', 'eth0'])).match(/([0-9a-f]{2}:){5}[0-9a-f]{2}/) ?? []
  await addFlows(node, cluster.plugin === 'k8s-ovs' ? k8sPod(pod, port, hardware ?? '') : openshiftPod(pod, port))
  const folder = join(hostLocalOf(node), cluster.plugin === 'k8s-ovs' ? 'k8s-ovs' : 'openshift-sdn')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, address), cluster.plugin === 'k8s-ovs' ? containerId : `${containerId}\r\neth0`)
  writeFileSync(join(folder, 'last_reserved_ip.0'), address)
}

/** `0a:58` and the bytes of the address: OpenShift SDN's. */
function macOf(address: Ip): string {
  const hex = ipValue(address).toString(16).padStart(8, '0')
  return ['0a', '58', ...(hex.match(/../g) ?? [])].join(':')
}

function withoutOffloads(nodeNetns: string, podNetns: string, link: string): void {
  const [node, pod] = [netnsOpen(nodeNetns), netnsOpen(podNetns)]
  try {
    disableOffloads(link, node)
    disableOffloads('eth0', pod)
    // In user space the node's own stack hears the same frames; it is not to answer ARP there.
    sysctlSet(['net', 'ipv4', 'conf', link, 'arp_ignore'], '8', node)
    sysctlSet(['net', 'ipv4', 'conf', link, 'forwarding'], '0', node)
  } finally {
    closeFd(node)
    closeFd(pod)
  }
}

async function addFlows({ layout }: OldNode, flows: readonly string[]): Promise<void> {
  const env = { ...environment(), ...switchEnvironment(layout) }
  await output(['ovs-ofctl', '-O', 'OpenFlow13', 'add-flows', 'br0', '-'], { env, input: flows.join('\n') })
}

function rulesOf({ plugin, pods }: OldCluster): readonly string[] {
  if (plugin === 'k8s-ovs') {
    return [
      `-t nat -I POSTROUTING -s ${pods} -j MASQUERADE`,
      '-I INPUT -p udp -m multiport --dports 4789 -m comment --comment "001 vxlan incoming" -j ACCEPT',
      '-I INPUT -i tun0 -m comment --comment "traffic from SDN" -j ACCEPT',
      '-I INPUT -i docker0 -m comment --comment "traffic from docker" -j ACCEPT',
      `-I FORWARD -d ${pods} -j ACCEPT`,
      `-I FORWARD -s ${pods} -j ACCEPT`,
    ]
  }
  return [
    '-N OPENSHIFT-FIREWALL-FORWARD',
    `-A OPENSHIFT-FIREWALL-FORWARD -d ${pods} -j ACCEPT`,
    `-A OPENSHIFT-FIREWALL-FORWARD -s ${pods} -j ACCEPT`,
    '-I FORWARD -m comment --comment "firewall overrides" -j OPENSHIFT-FIREWALL-FORWARD',
    '-t nat -N OPENSHIFT-MASQUERADE-2',
    `-t nat -A OPENSHIFT-MASQUERADE-2 -d ${pods} -j RETURN`,
    '-t nat -A OPENSHIFT-MASQUERADE-2 -j MASQUERADE',
    '-t nat -N OPENSHIFT-MASQUERADE',
    '-t nat -A OPENSHIFT-MASQUERADE -m mark --mark 1/1 -j RETURN',
    `-t nat -A OPENSHIFT-MASQUERADE -s ${pods} -j OPENSHIFT-MASQUERADE-2`,
    '-t nat -I POSTROUTING -m comment --comment "rules for masquerading OpenShift traffic" -j OPENSHIFT-MASQUERADE',
  ]
}

const VNI_FROM_TUNNEL = 'move:NXM_NX_TUN_ID[0..31]->NXM_NX_REG0[]'

function k8sFlows({ pods, services }: OldCluster, { range, gateway }: OldNode): readonly string[] {
  return [
    `table=0,priority=200,in_port=1,arp,nw_src=${pods},nw_dst=${range},actions=${VNI_FROM_TUNNEL},goto_table:1`,
    `table=0,priority=200,in_port=1,ip,nw_src=${pods},nw_dst=${range},actions=${VNI_FROM_TUNNEL},goto_table:1`,
    'table=0,priority=150,in_port=1,actions=drop',
    `table=0,priority=200,in_port=2,arp,nw_src=${gateway},nw_dst=${pods},actions=goto_table:5`,
    'table=0,priority=200,in_port=2,ip,actions=goto_table:5',
    'table=0,priority=150,in_port=2,actions=drop',
    'table=0,priority=100,arp,actions=goto_table:2',
    'table=0,priority=100,ip,actions=goto_table:2',
    ...[0, 1, 2, 6, 7, 8].map((table) => `table=${table},priority=0,actions=drop`),
    `table=3,priority=100,ip,nw_dst=${services},actions=goto_table:4`,
    'table=3,priority=0,actions=goto_table:5',
    'table=4,priority=200,reg0=0,actions=output:2',
    'table=4,priority=0,actions=drop',
    `table=5,priority=300,arp,nw_dst=${gateway},actions=output:2`,
    `table=5,priority=300,ip,nw_dst=${gateway},actions=output:2`,
    `table=5,priority=200,arp,nw_dst=${range},actions=goto_table:6`,
    `table=5,priority=200,ip,nw_dst=${range},actions=goto_table:7`,
    `table=5,priority=100,arp,nw_dst=${pods},actions=goto_table:8`,
    `table=5,priority=100,ip,nw_dst=${pods},actions=goto_table:8`,
    'table=5,priority=0,ip,actions=goto_table:9',
    'table=5,priority=0,arp,actions=drop',
    'table=9,priority=0,actions=output:2',
    'table=253,actions=note:01.01',
  ]
}

function k8sPod({ address, vni }: OldPod, port: string, mac: string): readonly string[] {
  return [
    `table=2,priority=100,in_port=${port},arp,nw_src=${address},arp_sha=${mac},actions=load:${vni}->NXM_NX_REG0[],goto_table:5`,
    `table=2,priority=100,in_port=${port},ip,nw_src=${address},actions=load:${vni}->NXM_NX_REG0[],goto_table:3`,
    `table=6,priority=100,arp,nw_dst=${address},actions=output:${port}`,
    ...(vni === 0 ? [''] : ['reg0=0,', `reg0=${vni},`]).map(
      (register) => `table=7,priority=100,${register}ip,nw_dst=${address},actions=output:${port}`,
    ),
  ]
}

/** Without what needs the kernel's connection tracking: services, egress and multicast are not looked at here. */
function openshiftFlows({ pods, services }: OldCluster, { range, gateway }: OldNode): readonly string[] {
  return [
    `table=0,priority=400,in_port=2,ip,nw_src=${gateway},actions=goto_table:30`,
    `table=0,priority=300,in_port=2,ip,nw_src=${range},nw_dst=${pods},actions=goto_table:25`,
    `table=0,priority=200,in_port=1,arp,nw_src=${pods},nw_dst=${range},actions=${VNI_FROM_TUNNEL},goto_table:10`,
    `table=0,priority=200,in_port=1,ip,nw_src=${pods},actions=${VNI_FROM_TUNNEL},goto_table:10`,
    `table=0,priority=200,in_port=2,arp,nw_src=${gateway},nw_dst=${pods},actions=goto_table:30`,
    'table=0,priority=200,in_port=2,ip,actions=goto_table:30',
    'table=0,priority=150,in_port=1,actions=drop',
    'table=0,priority=150,in_port=2,actions=drop',
    'table=0,priority=100,arp,actions=goto_table:20',
    'table=0,priority=100,ip,actions=goto_table:20',
    ...[0, 10, 20, 25, 40, 50, 70, 80, 90].map((table) => `table=${table},priority=0,actions=drop`),
    'table=20,priority=300,udp,udp_dst=4789,actions=drop',
    'table=27,priority=500,actions=goto_table:30',
    'table=30,priority=0,actions=goto_table:31',
    `table=31,priority=300,arp,nw_dst=${gateway},actions=output:2`,
    `table=31,priority=300,ip,nw_dst=${gateway},actions=output:2`,
    `table=31,priority=200,arp,nw_dst=${range},actions=goto_table:40`,
    `table=31,priority=200,ip,nw_dst=${range},actions=goto_table:70`,
    `table=31,priority=100,arp,nw_dst=${pods},actions=goto_table:50`,
    `table=31,priority=100,ip,nw_dst=${services},actions=goto_table:60`,
    `table=31,priority=90,ip,nw_dst=${pods},actions=goto_table:90`,
    'table=31,priority=0,ip,actions=goto_table:99',
    'table=31,priority=0,arp,actions=drop',
    'table=60,priority=200,actions=output:2',
    `table=80,priority=300,ip,nw_src=${gateway}/32,actions=output:NXM_NX_REG2[]`,
    'table=80,priority=200,reg0=0,actions=output:NXM_NX_REG2[]',
    'table=80,priority=200,reg1=0,actions=output:NXM_NX_REG2[]',
    'table=99,priority=0,actions=output:2',
    'table=253,actions=note:01.0D',
  ]
}

function openshiftPod({ address, vni }: OldPod, port: string): readonly string[] {
  const hex = ipValue(address).toString(16).padStart(8, '0').match(/../g)?.join(':')
  const load = `load:${vni}->NXM_NX_REG0[]`
  return [
    `table=20,priority=100,in_port=${port},arp,nw_src=${address},arp_sha=00:00:${hex}/00:00:ff:ff:ff:ff,actions=${load},goto_table:30`,
    `table=20,priority=100,in_port=${port},ip,nw_src=${address},actions=${load},goto_table:27`,
    `table=25,priority=100,ip,nw_src=${address},actions=${load},goto_table:27`,
    `table=40,priority=100,arp,nw_dst=${address},actions=output:${port}`,
    `table=70,priority=100,ip,nw_dst=${address},actions=load:${vni}->NXM_NX_REG1[],load:${port}->NXM_NX_REG2[],goto_table:80`,
    `table=80,priority=100,reg0=${vni},reg1=${vni},actions=output:NXM_NX_REG2[]`,
  ]
}
