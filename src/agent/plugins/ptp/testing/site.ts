/**
 * A virtual machine as a node, pods on its NIC, a machine beside it and a router, each in a namespace; on the node what a kube-proxy
 * does with nftables. For tests, also in the virtual machine of test/vm.
 * @module
 */
import { type CniResult, type JsonObject, NO_ARGS, NO_DNS } from '../../../../cni/index.ts'
import {
  addrAdd,
  applyRuleset,
  closeFd,
  formatIp,
  linkAdd,
  linkFind,
  linkGet,
  linkSet,
  netnsAdd,
  netnsDel,
  openPacketSocket,
  openRtnl,
  routeAdd,
  sysctlSet,
  withNetns,
} from '../../../../linux/index.ts'
import { type Scratch, scratch, veth } from '../../../../linux/testing/scratch.ts'
import type { Grants } from '../../../../network/model/grants.ts'
import { listenTcp } from '../../../../playground/kubelet/server/tcp.ts'
import { linkPlugins } from '../../links/index.ts'
import type { Plugin, PluginCallInside } from '../../plugin.ts'
import { joinedPlugins } from '../joined.ts'
import { ptpPlugin } from '../ptp.ts'
import { legLink } from '../sides.ts'

export type Family = 4 | 6

/** Addresses of both families, by who has them. */
export const AT = {
  node: { 4: '10.0.0.10', 6: 'fd00:10::10' },
  far: { 4: '10.0.0.20', 6: 'fd00:10::20' },
  router: { 4: '10.0.0.1', 6: 'fd00:10::1' },
  outside: { 4: '203.0.113.9', 6: '2001:db8::9' },
  pod: { 4: '10.0.0.50', 6: 'fd00:10::50' },
  other: { 4: '10.0.0.51', 6: 'fd00:10::51' },
  /** Services of the machine beside the node, of the second pod, and of the node itself. */
  service: { 4: '10.96.0.20', 6: 'fd00:96::20' },
  otherService: { 4: '10.96.0.51', 6: 'fd00:96::51' },
  nodeService: { 4: '10.96.0.10', 6: 'fd00:96::10' },
} as const satisfies Readonly<Record<string, { readonly [F in Family]: string }>>

export const NODE_PORT = 30_080
export const PORT = 8080
export const never = new AbortController().signal
const LENGTH = { 4: 24, 6: 64 } as const
const GRANTS: Grants = { trustedNamespaces: new Set(), types: new Set(), bridges: [] }

/** How the pods' own interfaces are made. */
export type Wire = { readonly type: 'macvlan' } | { readonly type: 'ipvlan'; readonly mode: string }

/** Everything in its place, and servers in it that say whom they see. */
export class Site implements Disposable {
  readonly name: string
  readonly node: Scratch
  readonly hub = scratch()
  readonly far = scratch()
  readonly router = scratch()
  readonly pod = scratch()
  readonly other = scratch()
  readonly #servers = new Map<Scratch, { close(): void }>()
  readonly #ended = new Set<Scratch>()

  constructor(name: string) {
    this.name = name
    this.node = named(name)
    const { hub, node, far, router } = this
    const bridge = linkAdd(hub.rtnl, { kind: 'bridge', name: 'br0', up: true })
    for (const [end, at] of Object.entries({ node, far, router })) {
      noDad(at)
      veth(hub, at, end, 'eth0')
      linkSet(hub.rtnl, end, { master: bridge.index })
      for (const family of [4, 6] as const) give(at, AT[end as 'node' | 'far' | 'router'][family], LENGTH[family])
    }
    for (const family of [4, 6] as const) give(router, AT.outside[family], family === 4 ? 32 : 128, 'lo')
    for (const at of [node, far]) defaultBy(at, AT.router)
    for (const at of [node, router]) forward(at)
    for (const at of [this.pod, this.other]) noDad(at)
    this.serve({ node, far, router, pod: this.pod, other: this.other })
  }

  [Symbol.dispose](): void {
    for (const at of [this.pod, this.other, this.far, this.router, this.node, this.hub]) this.end(at)
  }

  /** Ends a namespace, with everything in it. */
  end(at: Scratch): void {
    if (this.#ended.has(at)) return
    this.#ended.add(at)
    this.#servers.get(at)?.close()
    at[Symbol.dispose]()
  }

  /** Ends a pod's namespace; resolves when the node's end of its leg is gone with it. */
  async endPod(at: Scratch, container: string): Promise<void> {
    this.end(at)
    while (linkFind(this.node.rtnl, this.leg(container)) !== undefined) await Bun.sleep(10)
  }

  /** The node's end of a pod's leg. */
  leg(container = 'c1'): string {
    return legLink(container, 'eth0')
  }

  plugin(type: string): Plugin {
    const links = linkPlugins({
      rtnl: this.node.rtnl,
      bridgeOf: async () => undefined,
      plugins: { ipam: () => ipam },
      grants: () => GRANTS,
      announce: () => undefined,
    })
    const parts = { grants: () => GRANTS, nodeFd: this.node.nsFd, rtnl: this.node.rtnl }
    const all = new Map([...links, ['unnumbered-ptp', ptpPlugin(parts)] as const, ...joinedPlugins(links, parts)])
    const found = all.get(type)
    if (found === undefined) throw new Error(`no ${type}`)
    return found
  }

  call(config: JsonObject, rest: Partial<PluginCallInside> = {}): PluginCallInside {
    return {
      containerId: 'c1',
      ifname: 'eth0',
      network: 'n',
      version: '1.0.0',
      config: { name: 'n', cniVersion: '1.0.0', ...config },
      origin: { kind: 'node' },
      args: NO_ARGS,
      ordinal: 0,
      plan: 'of a test',
      path: [],
      netns: { fd: this.pod.nsFd, path: '/run/netns/pod' },
      ...rest,
    }
  }

  /** Calls for the second pod. */
  otherCall(config: JsonObject): PluginCallInside {
    return this.call(config, { containerId: 'c2', netns: { fd: this.other.nsFd, path: '/run/netns/other' } })
  }

  /** Both steps of a conflist, for a pod. */
  async attach(wire: Wire, config: JsonObject = {}, call = this.call({})): Promise<CniResult> {
    const own = { ...call, config: { ...call.config, ...wire, master: 'eth0', ipam: { type: 'test' } } }
    const prevResult = await this.plugin(wire.type).add(own, never)
    return await this.plugin('unnumbered-ptp').add({ ...call, config: ptpConfig(config), prevResult }, never)
  }

  /** Nobody asks a pod in ipvlan's modes l3 and l3s for its address: its neighbours know that its node has it. */
  routeToPods(): void {
    for (const { rtnl } of [this.far, this.router])
      for (const pod of [AT.pod, AT.other])
        for (const family of [4, 6] as const) {
          const destination = `${pod[family]}/${family === 4 ? 32 : 128}`
          routeAdd(rtnl, { destination, gateway: AT.node[family], link: linkGet(rtnl, 'eth0').index })
        }
  }

  /** What a kube-proxy does: for services of every family, and for a node port whose caller is not translated. */
  async kubeProxy(): Promise<void> {
    const dnat = ([4, 6] as const).flatMap((family) => {
      const [ip, quoted] = family === 4 ? ['ip', (at: string) => at] : ['ip6', (at: string) => `[${at}]`]
      const to = (service: string, at: string): string =>
        `${ip} daddr ${service} tcp dport 80 dnat ${ip} to ${quoted(at)}:${PORT}`
      return [
        to(AT.service[family], AT.far[family]),
        to(AT.otherService[family], AT.other[family]),
        to(AT.nodeService[family], AT.node[family]),
        `${ip} daddr ${AT.node[family]} tcp dport ${NODE_PORT} dnat ${ip} to ${quoted(AT.pod[family])}:${PORT}`,
      ]
    })
    const chain = (hook: string): string =>
      `chain ${hook} { type nat hook ${hook} priority -100\n${dnat.join('\n')}\n}\n`
    await applyRuleset(
      `table inet kube { ${chain('prerouting')} ${chain('output')}
        chain forward { type filter hook forward priority 0; ct state invalid drop\n}\n}\n`,
      { netns: this.name, timeoutMs: 120_000 },
    )
  }

  /** Who talks to whom by a link from now on: `10.0.0.50>10.96.0.20`, each once, in their order. */
  watch(at: Scratch, link: string): { readonly pairs: ReadonlySet<string>; close(): void } {
    const pairs = new Set<string>()
    const { index } = linkGet(at.rtnl, link)
    const socket = openPacketSocket({
      link: index,
      nsFd: at.nsFd,
      onFrame: ({ bytes }) => {
        const pair = pairOf(bytes)
        if (pair !== undefined) pairs.add(pair)
      },
    })
    return { pairs, close: () => socket.close() }
  }

  /** Starts a server in each, of its name. */
  serve(places: Readonly<Record<string, Scratch>>): void {
    for (const [name, at] of Object.entries(places))
      this.#servers.set(
        at,
        withNetns(at.nsFd, () => listenTcp(PORT, { name })),
      )
  }
}

/** The configuration of the leg. */
export function ptpConfig(more: JsonObject = {}): JsonObject {
  return {
    name: 'n',
    cniVersion: '1.0.0',
    type: 'unnumbered-ptp',
    hostInterface: 'eth0',
    containerInterface: 'veth0',
    ...more,
  }
}

const ipam: Plugin = {
  add: async ({ containerId }) => {
    const own = containerId === 'c1' ? AT.pod : AT.other
    return {
      interfaces: [],
      ips: ([4, 6] as const).map((family) => ({
        address: `${own[family]}/${LENGTH[family]}`,
        gateway: AT.router[family],
      })),
      routes: [],
      dns: NO_DNS,
    }
  },
  del: async () => undefined,
  check: async () => undefined,
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

function give({ rtnl }: Scratch, address: string, length: number, link = 'eth0'): void {
  addrAdd(rtnl, { link: linkGet(rtnl, link).index, address: `${address}/${length}`, nodad: address.includes(':') })
}

function defaultBy({ rtnl }: Scratch, by: { readonly [F in Family]: string }): void {
  const link = linkGet(rtnl, 'eth0').index
  routeAdd(rtnl, { destination: '0.0.0.0/0', gateway: by[4], link })
  routeAdd(rtnl, { destination: '::/0', gateway: by[6], link })
}

function forward({ nsFd }: Scratch): void {
  sysctlSet(['net', 'ipv4', 'ip_forward'], '1', nsFd)
  sysctlSet(['net', 'ipv6', 'conf', 'all', 'forwarding'], '1', nsFd)
}

/** The search for duplicates takes a second each time, and is not what is tried here. */
function noDad({ nsFd }: Scratch): void {
  sysctlSet(['net', 'ipv6', 'conf', 'default', 'accept_dad'], '0', nsFd)
}

/** Of unicast, and no neighbour discovery. */
function pairOf(frame: Uint8Array): string | undefined {
  const type = ((frame[12] ?? 0) << 8) | (frame[13] ?? 0)
  const text = (at: number, length: number): string => formatIp(frame.subarray(at, at + length))
  if (type === 0x0800 && frame[23] === 1 && frame[34] === 5) return 'a redirect'
  if (type === 0x0800) return `${text(26, 4)}>${text(30, 4)}`
  if (type !== 0x86dd || frame[38] === 0xff) return undefined
  // Neighbours discover each other; what one tells another of better ways is seen.
  if (frame[20] === 58) return frame[54] === 137 ? 'a redirect' : undefined
  return `${text(22, 16)}>${text(38, 16)}`
}
