/** A node, a pod on the wire, and the gateway behind which everybody else is, in namespaces. For tests. */
import type { CniResult, JsonObject } from '../../../../cni/index.ts'
import { NO_ARGS, NO_DNS } from '../../../../cni/index.ts'
import {
  addrAdd,
  closeFd,
  linkAdd,
  linkGet,
  linkList,
  linkSet,
  netnsAdd,
  netnsDel,
  nftRuleCounts,
  openRtnl,
  ping,
  type RtnlSocket,
  routeAdd,
  routeAddBehind,
  ruleList,
  sysctlSet,
} from '../../../../linux/index.ts'
import { type Scratch, scratch, veth } from '../../../../linux/testing/scratch.ts'
import { cidr } from '../../../../network/model/address.ts'
import type { Coordinator } from '../../../../network/model/definition.ts'
import type { Grants } from '../../../../network/model/grants.ts'
import type { PluginCallInside } from '../../plugin.ts'
import { type CoordinatorParts, coordinatorPlugin } from '../coordinator.ts'
import { hostLink, POD_NFT_TABLE } from '../numbers.ts'
import { observePod } from '../observe.ts'

export const CONTAINER = 'c0ffee'

/** The reference's worked example: services, Calico's pods, and what the chart hijacks. */
export const COORDINATOR: Coordinator = {
  name: 'default',
  mode: 'auto',
  podCidrType: 'auto',
  hijack: [cidr('169.254.0.0/16')],
  policyRoutes: [],
  macPrefix: '',
  tunePodRoutes: true,
  defaultRouteNic: '',
  hostRuleTable: 500,
  podRpFilter: 0,
  txQueueLength: 0,
  vethMtu: 1500,
  detectsConflicts: false,
  detectsGateway: false,
  status: {
    phase: 'Synced',
    overlayPods: [cidr('10.233.64.0/18'), cidr('fd00:233:64::/64')],
    services: [cidr('10.233.0.0/18'), cidr('fd00:233::/108')],
  },
}

export const GRANTS: Grants = { trustedNamespaces: new Set(['weft-system']), types: new Set(), bridges: [] }

/** The node's end of the pod's pair. */
export const LINK = hostLink(CONTAINER)

/** Appendix A.4 of the reference. */
export const POD_WAYS = [
  '100: 0.0.0.0/0 via 172.18.30.10 dev veth0',
  '101: 172.18.30.10/32 dev veth0',
  'IPv4 rule 1000: from all fwmark 1 lookup 100',
  'main: 0.0.0.0/0 via 172.18.0.1 dev eth0',
  'main: 10.233.0.0/18 via 172.18.30.10 dev veth0 src 172.18.30.131',
  'main: 10.233.64.0/18 via 172.18.30.10 dev veth0 src 172.18.30.131',
  'main: 169.254.0.0/16 via 172.18.30.10 dev veth0 src 172.18.30.131',
  'main: 172.18.0.0/16 dev eth0 src 172.18.30.131',
  'main: 172.18.30.10/32 dev veth0 src 172.18.30.131',
]
export const NODE_WAYS = [
  `500: 172.18.30.131/32 dev ${LINK}`,
  'IPv4 rule 1000: from all lookup 500',
  'main: 0.0.0.0/0 via 172.18.0.1 dev eth0',
  'main: 172.18.0.0/16 dev eth0 src 172.18.30.10',
]

export interface Rig extends Disposable {
  readonly hub: Scratch
  readonly node: Scratch
  readonly pod: Scratch
  readonly gateway: Scratch
  readonly parts: CoordinatorParts
}

/** `dual` gives everybody IPv6, too; `name` the node's namespace a name. */
export function rig({ dual = false, name: nodeName }: { readonly dual?: boolean; readonly name?: string } = {}): Rig {
  const node = nodeName === undefined ? scratch() : named(nodeName)
  const [hub, pod, gateway] = [scratch(), scratch(), scratch()]
  const bridge = linkAdd(hub.rtnl, { kind: 'bridge', name: 'br0', up: true })
  const hosts = { node, pod, gateway }
  for (const [name, host] of Object.entries(hosts)) {
    sysctlSet(['net', 'ipv6', 'conf', 'default', 'accept_dad'], '0', host.nsFd)
    veth(hub, host, name, 'eth0')
    linkSet(hub.rtnl, name, { master: bridge.index })
  }
  give(node, 'eth0', ['172.18.30.10/16', ...(dual ? ['fd00:18::10/64'] : [])])
  give(pod, 'eth0', ['172.18.30.131/16', ...(dual ? ['fd00:18::131/64'] : [])])
  give(gateway, 'eth0', ['172.18.0.1/16', '203.0.113.9/32', ...(dual ? ['fd00:18::1/64', '2001:db8::9/128'] : [])])
  for (const host of [node, pod]) {
    const link = linkGet(host.rtnl, 'eth0').index
    routeAdd(host.rtnl, { destination: '0.0.0.0/0', gateway: '172.18.0.1', link })
    if (dual) routeAdd(host.rtnl, { destination: '::/0', gateway: 'fd00:18::1', link })
  }
  for (const family of ['ipv4', 'ipv6']) {
    if (family === 'ipv4') sysctlSet(['net', 'ipv4', 'ip_forward'], '1', node.nsFd)
    else sysctlSet(['net', 'ipv6', 'conf', 'all', 'forwarding'], '1', node.nsFd)
  }
  const parts = { coordinator: () => COORDINATOR, grants: () => GRANTS, hostNsFd: node.nsFd }
  return { hub, node, pod, gateway, parts, [Symbol.dispose]: () => close([pod, node, gateway, hub]) }
}

function named(name: string): Scratch {
  const nsFd = netnsAdd(name)
  const rtnl = openRtnl({ nsFd })
  linkSet(rtnl, 'lo', { up: true })
  return {
    nsFd,
    rtnl,
    [Symbol.dispose]: () => {
      rtnl.close()
      closeFd(nsFd)
      netnsDel(name)
    },
  }
}

/** A further interface on a wire of its own, with a default route behind the others. */
export function furtherNic(pod: Scratch, name = 'net1', addresses = ['10.7.0.5/16'], gateway = '10.7.0.1'): void {
  linkAdd(pod.rtnl, { kind: 'veth', name, up: true, peer: { name: `${name}-wire` } })
  linkSet(pod.rtnl, `${name}-wire`, { up: true })
  give(pod, name, addresses)
  routeAddBehind(pod.rtnl, { destination: '0.0.0.0/0', gateway, link: linkGet(pod.rtnl, name).index })
}

export function give(host: Scratch, name: string, addresses: readonly string[]): void {
  const link = linkGet(host.rtnl, name).index
  for (const address of addresses) addrAdd(host.rtnl, { link, address, nodad: address.includes(':') })
}

/** A call for one interface of the pod. */
export function callFor(
  pod: Scratch,
  {
    ifname = 'eth0',
    ordinal = 0,
    config = {},
    ...rest
  }: Partial<PluginCallInside> & { readonly config?: JsonObject } = {},
): PluginCallInside {
  return {
    containerId: CONTAINER,
    ifname,
    network: 'ovs-conf',
    version: '0.3.1',
    config: { cniVersion: '0.3.1', name: 'ovs-conf', type: 'coordinator', ...config },
    origin: { kind: 'node' },
    args: NO_ARGS,
    ordinal,
    plan: 'of a test',
    path: [],
    netns: { fd: pod.nsFd, path: '/run/netns/pod' },
    prevResult: resultOf(pod, ifname),
    ...rest,
  }
}

export function plugin(parts: CoordinatorParts) {
  return coordinatorPlugin(parts)
}

function resultOf(pod: Scratch, ifname: string): CniResult {
  const facts = observePod(pod.rtnl)
  const mac = facts.links.get(ifname)?.mac
  return {
    interfaces: [{ name: ifname, sandbox: '/run/netns/pod', ...(mac === undefined ? {} : { mac }) }],
    ips: facts.addresses.filter(({ link }) => link === ifname).map(({ address }) => ({ address: `${address}/16` })),
    routes: [],
    dns: NO_DNS,
  }
}

/** Routes and rules of a namespace as lines, in an order of their own; link-local ones left out. */
export function waysOf(rtnl: RtnlSocket): readonly string[] {
  const routes = observePod(rtnl).routes.flatMap(({ table, destination, gateway, link, source }) =>
    destination.startsWith('fe80:') || destination.startsWith('ff00:')
      ? []
      : [
          [
            `${table === 254 ? 'main' : table}: ${destination}`,
            ...(gateway === undefined ? [] : [`via ${gateway}`]),
            `dev ${link}`,
            ...(source === undefined ? [] : [`src ${source}`]),
          ].join(' '),
        ],
  )
  const rules = ruleList(rtnl).flatMap(({ family, priority, from, mark, table }) =>
    table === 255 || table === 254 || table === 253
      ? []
      : [
          `IPv${family} rule ${priority}: from ${from ?? 'all'}${mark === undefined ? '' : ` fwmark ${mark}`} lookup ${table}`,
        ],
  )
  return [...routes, ...rules].sort()
}

/** How many rules of ours a pod has in nftables. */
export function marksIn(pod: Scratch): number {
  return [...nftRuleCounts(POD_NFT_TABLE, pod.nsFd).values()].reduce((sum, one) => sum + one, 0)
}

/** What of a pod and its node a coordination changes, to compare. */
export function state({ pod, node }: Rig) {
  const of = (side: Scratch) => ({
    ways: waysOf(side.rtnl),
    links: linkList(side.rtnl)
      .map(({ name }) => name)
      .sort(),
  })
  return { pod: { ...of(pod), marks: marksIn(pod) }, node: of(node) }
}

function close(all: readonly Scratch[]): void {
  for (const each of all) each[Symbol.dispose]()
}

/** Calls an address from a namespace until it answers: the kernel loses what comes while a link of IPv6 settles. */
export async function untilReached(address: string, { nsFd }: Pick<Scratch, 'nsFd'>): Promise<void> {
  for (let tries = 0; !(await ping({ address, nsFd, timeoutMs: 2_000 })).reached; tries += 1)
    if (tries === 10) throw new Error(`${address} does not answer`)
}
