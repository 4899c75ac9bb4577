/**
 * Checks: what the kernel has and allows.
 * @module
 */
import { mtuProblem, mtusOf } from '../../../network/host.ts'
import { type Check, fail, given, ok, unknown, type Verdict, warn } from '../check.ts'
import type { Expected, HostFacts, Read } from '../facts.ts'

const ipv6: Check = {
  id: 'ipv6',
  look: ({ sysctls: { ipv6Off, ipv6OffDefault } }, expected) => {
    const off = !ipv6Off.ok || ipv6Off.value !== '0' || !ipv6OffDefault.ok || ipv6OffDefault.value !== '0'
    if (!off) return ok('IPv6 is on')
    const how = ipv6Off.ok ? 'switched off (net.ipv6.conf.*.disable_ipv6)' : 'missing from this kernel'
    const remedy = 'boot without ipv6.disable=1 and set net.ipv6.conf.all.disable_ipv6 and …default… to 0'
    const needed = needsIpv6(expected)
    // openshift/origin #14708: no number for the tunnel's port.
    if (!ipv6Off.ok && expected.datapath === 'system')
      return fail(`IPv6 is ${how}: the kernel's tunnel ports get the number -1 without it`, remedy)
    return needed ? fail(`IPv6 is ${how}, the cluster uses it`, remedy) : warn(`IPv6 is ${how}`, remedy)
  },
}

function needsIpv6({ cluster }: Expected): boolean {
  return cluster !== undefined && (cluster.underlay === 6 || cluster.networks.some(({ cidr }) => cidr.includes(':')))
}

const modules: Check = {
  id: 'modules',
  look: ({ modules: read }, { datapath, cluster }) => {
    if (datapath === 'netdev') return ok('the userspace datapath needs no module')
    return given(read, ({ loaded, known }) => {
      const needed = ['openvswitch', `vport_${cluster?.encapsulation.type ?? 'vxlan'}`]
      const missing = needed.filter((name) => !loaded.has(name) && !known.has(name))
      if (missing.length === 0)
        return ok(`${needed.join(', ')}: ${needed.every((one) => loaded.has(one)) ? '' : 'can be '}loaded`)
      return fail(
        `this kernel has no ${missing.join(', ')}`,
        'install the modules of this kernel, or run the agent with --datapath netdev',
      )
    })
  },
}

const forwarding: Check = {
  id: 'forwarding',
  look: ({ sysctls }, expected) => {
    const off = [
      ...(isOff(sysctls.ipForward) ? ['net.ipv4.ip_forward'] : []),
      ...(needsIpv6(expected) && isOff(sysctls.forwarding6) ? ['net.ipv6.conf.all.forwarding'] : []),
    ]
    if (off.length === 0) return ok('the kernel forwards')
    if (expected.agent.state === 'none') return ok(`${off.join(', ')}: 0 now; the agent switches it on`)
    return fail(`${off.join(', ')}: 0, somebody switched it off again`, 'look for it in /etc/sysctl.d')
  },
}

function isOff(read: Read<string>): boolean {
  return read.ok && read.value === '0'
}

const rpFilter: Check = {
  id: 'rp-filter',
  look: ({ sysctls, routes }) =>
    given(sysctls.rpFilterAll, (all) => {
      const gateway = sysctls.rpFilterGateway.ok ? sysctls.rpFilterGateway.value : '0'
      const effective = Math.max(Number(all), Number(gateway))
      const ways = routes.ok ? routes.value.filter(({ destination }) => destination.endsWith('/0')).length : 0
      if (effective !== 1 || ways < 2) return ok(`rp_filter is ${effective} for packets of pods`)
      return warn(
        `rp_filter is strict (1) and this host has ${ways} default routes: what comes back another way is lost`,
        'set net.ipv4.conf.all.rp_filter to 2',
      )
    }),
}

const neighbours: Check = {
  id: 'neighbours',
  look: ({ sysctls }, { peers }) => {
    // One table for the whole machine, which only its first network namespace shows.
    if (!sysctls.neighbours4.ok)
      return unknown(
        'the kernel does not show its room for neighbours here',
        'run weft doctor in the host’s network namespace',
      )
    return given(sysctls.neighbours4, (text) => {
      const limit = Math.min(Number(text), sysctls.neighbours6.ok ? Number(sysctls.neighbours6.value) : Number(text))
      // One per node of the cluster, not one per pod; the rest is for the physical network.
      if (limit >= Math.max(1024, 4 * peers)) return ok(`room for ${limit} neighbours, ${peers} nodes are known`)
      return warn(
        `room for ${limit} neighbours only, with ${peers} other nodes`,
        'set net.ipv4.neigh.default.gc_thresh1, 2, 3 to 8192, 32768, 65536 and those of net.ipv6 too',
      )
    })
  },
}

/** Share of the table that is still fine. */
const BUSY = 0.8

const connections: Check = {
  id: 'connections',
  look: ({ sysctls: { connectionsMax, connections: count } }) => {
    if (!connectionsMax.ok) return ok('connection tracking is not in use yet')
    const [most, now] = [Number(connectionsMax.value), count.ok ? Number(count.value) : 0]
    const remedy = 'raise net.netfilter.nf_conntrack_max'
    if (now > BUSY * most)
      return fail(`${now} of ${most} tracked connections are in use: new ones will be lost`, remedy)
    return most < 65_536
      ? warn(`room for ${most} tracked connections only`, remedy)
      : ok(`${now} of ${most} tracked connections`)
  },
}

const mtu: Check = {
  id: 'mtu',
  look: (facts, { cluster, addresses }) => {
    const uplinks = uplinksOf(facts, addresses)
    const [uplink] = uplinks
    if (uplink === undefined) {
      if (addresses.length === 0)
        return unknown('this node’s address in the physical network is not known here', 'start the agent')
      return fail(`no link of this host has ${addresses.join(' or ')}`, 'correct the node’s address')
    }
    if (cluster === undefined) return ok(`${uplink.name} has MTU ${uplink.mtu}`)
    const problem = mtuProblem(cluster, uplink.mtu)
    if (problem !== undefined) return fail(problem, `raise the MTU of ${uplink.name}, or lower the cluster's`)
    const pods = mtusOf(cluster, [uplink.mtu]).pods
    const least = cluster.networks.some(({ cidr }) => cidr.includes(':')) ? 1280 : 576
    if (pods < least)
      return fail(
        `${uplink.name} has MTU ${uplink.mtu}: ${pods} are left for pods, which need ${least}`,
        `raise the MTU of ${uplink.name}`,
      )
    return ok(`${uplink.name} has MTU ${uplink.mtu}: pods may have ${pods}`)
  },
}

function uplinksOf({ links, addresses }: HostFacts, own: readonly string[]) {
  if (!links.ok || !addresses.ok) return []
  const holders = addresses.value.filter(({ address }) => own.some((one) => address.startsWith(`${one}/`)))
  return links.value.filter(({ index }) => holders.some(({ link }) => link === index))
}

const tunnelPort: Check = {
  id: 'tunnel-port',
  look: ({ udp, links }, { tunnelPort: port, datapath }) => {
    if (port === undefined) return ok('GRE has no port')
    const device = links.ok ? links.value.find((link) => usesPort(link, port)) : undefined
    if (device !== undefined) {
      return fail(
        `the VXLAN device ${device.name} of somebody else has UDP port ${port}`,
        'remove it, or choose another tunnel port for the cluster',
      )
    }
    return given(udp, (sockets) =>
      portVerdict(
        sockets.filter((one) => one.port === port && one.owner !== undefined),
        { port, datapath },
      ),
    )
  },
}

function usesPort({ name, data }: { readonly name: string; readonly data?: unknown }, port: number): boolean {
  // Open vSwitch's own are named so.
  if (/^(vxlan|geneve|gre)_sys/.test(name) || typeof data !== 'object' || data === null) return false
  return 'kind' in data && data.kind === 'vxlan' && 'port' in data && data.port === port
}

function portVerdict(
  [holder]: readonly { readonly owner: unknown }[],
  { port, datapath }: { readonly port: number; readonly datapath: Expected['datapath'] },
): Verdict {
  if (holder === undefined) return ok(`UDP port ${port} is free for tunnels`)
  const { owner } = holder
  const who = typeof owner === 'object' && owner !== null && 'name' in owner ? `${owner.name}` : 'some process'
  const found = `${who} listens at UDP port ${port}, the tunnels' own`
  const remedy = `stop it, or choose another tunnel port for the cluster`
  return datapath === 'system' ? fail(found, remedy) : warn(found, remedy)
}

export const KERNEL_CHECKS: readonly Check[] = [
  ipv6,
  modules,
  forwarding,
  rpFilter,
  neighbours,
  connections,
  mtu,
  tunnelPort,
]
