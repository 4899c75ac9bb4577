/**
 * A node, a pod and a wire in namespaces of their own, and the plugins for links of that node.
 * @module
 */
import { type CniResult, EMPTY_RESULT, type JsonObject, NO_ARGS } from '../../../../cni/index.ts'
import { addrAdd, linkGet, linkList, sysctlSet } from '../../../../linux/index.ts'
import { indexOf, type Scratch, scratch, veth } from '../../../../linux/testing/scratch.ts'
import type { IpamPlugin, Plugin, PluginCallInside } from '../../plugin.ts'
import { type LinkParts, linkPlugins } from '../index.ts'

/** What is at the other end of the node's link `up0`. */
export const FAR = '10.79.0.1'

/** What the IPAM plugin of the bench gives. */
export const ANSWER: CniResult = {
  ...EMPTY_RESULT,
  ips: [{ address: '10.79.0.5/24', gateway: FAR }, { address: 'fd00:79::5/64' }],
  routes: [{ dst: '0.0.0.0/0' }],
}

export const never = new AbortController().signal

/** Everything that a test changes is a field. */
export class Bench implements Disposable {
  readonly node = scratch()
  readonly pod = scratch()
  readonly wire = scratch()
  /** What was announced. */
  readonly told: object[] = []
  /** Containers with addresses. */
  readonly given = new Set<string>()
  /** What the IPAM plugin throws after it gave an address. */
  broken: Error | undefined
  parts: LinkParts

  constructor() {
    const { node, wire, pod } = this
    veth(node, wire, 'up0', 'w0')
    addrAdd(wire.rtnl, { link: indexOf(wire, 'w0'), address: `${FAR}/24` })
    // The search for duplicates takes a second each time, and is not what is tried here.
    sysctlSet(['net', 'ipv6', 'conf', 'default', 'accept_dad'], '0', pod.nsFd)
    this.parts = {
      rtnl: node.rtnl,
      bridgeOf: async () => undefined,
      plugins: { ipam: () => this.ipam },
      grants: () => ({ trustedNamespaces: new Set(['kube-system']), types: new Set(), bridges: [] }),
      announce: (one) => void this.told.push(one),
    }
  }

  [Symbol.dispose](): void {
    for (const place of [this.pod, this.node, this.wire]) place[Symbol.dispose]()
  }

  /** Gives one address of each family to whoever asks, once the pod's interface is up. */
  readonly ipam: IpamPlugin = {
    add: async ({ containerId, ifname }) => {
      if (!linkGet(this.pod.rtnl, ifname).up) throw new Error('the wire cannot be asked yet')
      this.given.add(containerId)
      if (this.broken !== undefined) throw this.broken
      return ANSWER
    },
    del: async ({ containerId }) => void this.given.delete(containerId),
    check: async ({ containerId }) => {
      if (!this.given.has(containerId)) throw new Error('not given')
    },
  }

  plugin(type: string): Plugin {
    const found = linkPlugins(this.parts).get(type)
    if (found === undefined) throw new Error(`no ${type}`)
    return found
  }

  call(config: JsonObject, rest: Partial<PluginCallInside> = {}): PluginCallInside {
    return {
      containerId: 'c1',
      ifname: 'net1',
      network: 'n',
      version: '1.0.0',
      config: { name: 'n', cniVersion: '1.0.0', ...config },
      origin: { kind: 'node' },
      args: NO_ARGS,
      ordinal: 1,
      plan: 'of a test',
      path: [],
      netns: { fd: this.pod.nsFd, path: '/run/netns/wefttest-pod' },
      ...rest,
    }
  }
}

export function namesIn(place: Scratch): readonly string[] {
  return linkList(place.rtnl).map(({ name }) => name)
}
