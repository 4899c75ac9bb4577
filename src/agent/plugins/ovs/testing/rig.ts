/**
 * A node with a real Open vSwitch in user space, a bridge with an uplink, and whoever is at its other end.
 * @module
 */
import {
  type CniResult,
  EMPTY_RESULT,
  type JsonObject,
  NO_ARGS,
  parseArgs,
  type ResultIp,
} from '../../../../cni/index.ts'
import { disableOffloads } from '../../../../linux/index.ts'
import { type Scratch, scratch, veth } from '../../../../linux/testing/scratch.ts'
import type { Grants, Origin } from '../../../../network/model/grants.ts'
import { connectOvsdb, type OvsdbClient } from '../../../../ovs/ovsdb/index.ts'
import { type OvsSandbox, startOvsSandbox } from '../../../../ovs/testing/ovs-sandbox.ts'
import { OneAtATime } from '../../../attach/one-at-a-time.ts'
import { announce } from '../../../wire/announce.ts'
import type { PluginCallInside } from '../../plugin.ts'
import { OvsPlugin, type OvsPluginParts } from '../plugin.ts'
import { PodLinks } from '../pod-link.ts'
import { UnderlayPorts } from '../ports.ts'

/** The kernel's where a test is run in the virtual machine of test/vm. */
const DATAPATH = process.env['WEFT_TEST_DATAPATH'] === 'system' ? 'system' : 'netdev'

export const NEVER: AbortSignal = new AbortController().signal
export const NODE: Origin = { kind: 'node' }
export const NO_GRANTS: Grants = { trustedNamespaces: new Set(['kube-system']), types: new Set(['ovs']), bridges: [] }

/** An agent's memory: what a restart loses. */
export interface Memory {
  readonly client: OvsdbClient
  readonly ports: UnderlayPorts
  readonly links: PodLinks
  readonly operations: OneAtATime
  readonly plugin: OvsPlugin
}

/** A node. */
export interface Rig extends AsyncDisposable {
  readonly ovs: OvsSandbox
  readonly host: Scratch
  /** What is at the other end of the bridge's uplink, whose link there is `wire0`. */
  readonly wire: Scratch
  /** What IPAM was asked for, in order: `ADD c1/eth0`. */
  readonly asked: string[]
  /** An agent that knows nothing; `change` puts something in the way of its parts. */
  start(change?: (parts: OvsPluginParts) => Partial<OvsPluginParts>): Promise<Memory>
}

/** Starts a node whose bridge `br1` has an uplink. */
export async function startRig(): Promise<Rig> {
  const [host, wire] = [scratch(), scratch()]
  veth(host, wire, 'up0', 'wire0')
  disableOffloads('up0', host.nsFd)
  disableOffloads('wire0', wire.nsFd)
  const ovs = await startOvsSandbox({ netns: host.nsFd })
  await ovs.vsctl('add-br', 'br1', '--', 'set', 'bridge', 'br1', `datapath_type=${DATAPATH}`, 'protocols=OpenFlow13')
  await ovs.vsctl('add-port', 'br1', 'up0')
  const asked: string[] = []
  const memories: Memory[] = []
  return {
    ovs,
    host,
    wire,
    asked,
    start: async (change) => {
      const memory = await remember({ ovs, host, asked }, change)
      memories.push(memory)
      return memory
    },
    [Symbol.asyncDispose]: async () => {
      for (const { client, links } of memories) {
        links[Symbol.dispose]()
        client.close()
      }
      await ovs.stop()
      for (const place of [host, wire]) place[Symbol.dispose]()
    },
  }
}

/** A call for a pod in this namespace; the configuration's rest is given. */
export function callFor(
  pod: Scratch,
  config: JsonObject,
  { args, ...rest }: Partial<Omit<PluginCallInside, 'args'>> & { readonly args?: string } = {},
): PluginCallInside {
  return {
    containerId: 'c1',
    ifname: 'eth0',
    network: 'wire',
    version: '1.1.0',
    config: { cniVersion: '1.1.0', name: 'wire', type: 'ovs', bridge: 'br1', ...config },
    origin: NODE,
    args: args === undefined ? NO_ARGS : parseArgs(args),
    ordinal: 0,
    plan: 'of a test',
    path: [],
    netns: { fd: pod.nsFd, path: '/run/netns/c1' },
    ...rest,
  }
}

/** A configuration of the tests' IPAM plugin. */
export function ipam(...ips: readonly ResultIp[]): JsonObject {
  return { ipam: { type: 'test', ips: ips.map((ip) => ({ ...ip })) } }
}

/** An address and its gateway per family. */
export const V4: ResultIp = { address: '172.18.30.131/16', gateway: '172.18.0.1' }
export const V6: ResultIp = { address: 'fd00:18::131/64', gateway: 'fd00:18::1' }

async function remember(
  { ovs, host, asked }: Pick<Rig, 'ovs' | 'host' | 'asked'>,
  change: ((parts: OvsPluginParts) => Partial<OvsPluginParts>) | undefined,
): Promise<Memory> {
  const client = await connectOvsdb({ path: ovs.dbSocket })
  const ports = await UnderlayPorts.open(client, NEVER)
  const links = new PodLinks(host.rtnl, undefined, host.nsFd)
  const operations = new OneAtATime()
  const parts: OvsPluginParts = {
    ports,
    links,
    operations,
    ovsdb: ovs.dbSocket,
    flatFiles: [],
    grants: () => NO_GRANTS,
    guard: {
      checkReady: () => undefined,
      admit: async () => undefined,
      shape: () => undefined,
      attached: () => undefined,
      put: async () => undefined,
      remove: () => undefined,
    },
    plugins: { ipam: () => fixedAddresses(asked) },
    announce,
  }
  return { client, ports, links, operations, plugin: new OvsPlugin({ ...parts, ...change?.(parts) }) }
}

/** Gives out what its configuration says, and tells what it was asked. */
function fixedAddresses(asked: string[]): ReturnType<OvsPluginParts['plugins']['ipam']> {
  const note = (
    verb: string,
    { containerId, ifname }: { readonly containerId: string; readonly ifname: string },
  ): void => void asked.push(`${verb} ${containerId}/${ifname}`)
  return {
    add: async (call): Promise<CniResult> => {
      note('ADD', call)
      const { ips } = call.config['ipam'] as unknown as { readonly ips: readonly ResultIp[] }
      const routes = ips.map(({ address }) => ({ dst: address.includes(':') ? '::/0' : '0.0.0.0/0' }))
      return { ...EMPTY_RESULT, ips, routes }
    },
    del: async (call) => note('DEL', call),
    check: async (call) => note('CHECK', call),
  }
}
