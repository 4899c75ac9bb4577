/**
 * Helps nodes to come over one by one. Theirs is one large link, where a packet carries the MAC address of the pod that
 * it is for; our switch answers for everybody with its own. So on a node that is still theirs the bridge learns to write
 * the MAC address of a local pod, or of the node's gateway port, on what arrives through the tunnel for it. (The other way round our switch answers their ARP
 * requests, see `src/network/fragments/peer.ts`.)
 * @module
 */
import type { Flow } from '../../flow/flow.ts'
import { addrList, linkFind, linkList, openRtnl, type RtnlSocket } from '../../linux/index.ts'
import { contains, familyOf, type Ip, type Mac, parseCidr, parseIp, parseMac } from '../../network/model/address.ts'
import { addFlows, connectOpenFlow } from '../../ovs/openflow/index.ts'
import { connectOvsdb, decodeRows, everyRow, type OvsdbClient, select } from '../../ovs/ovsdb/index.ts'
import { AgentError } from '../errors.ts'
import { foreignBridge } from './observe.ts'
import { FOREIGN_BRIDGE, FOREIGN_GATEWAY } from './observed.ts'
import { findPods } from './pod-links.ts'

/** Marks our flows on their bridge. */
const COOKIE = 0x5745_4153_4500n
const ETH_IPV4 = 0x800

/** Where a pod of theirs is. */
export interface EasedPod {
  readonly address: Ip
  readonly mac: Mac
}

/** {@link easeTransition} on the Open vSwitch of this node. */
export async function easeHere(
  { ovsdb, ovsRunDir }: { readonly ovsdb: string; readonly ovsRunDir: string },
  signal: AbortSignal,
): Promise<readonly EasedPod[]> {
  using client = await connectOvsdb({ path: ovsdb, signal })
  using rtnl = openRtnl()
  return await easeTransition(client, rtnl, ovsRunDir)
}

/**
 * Teaches their bridge the MAC addresses of this node's pods. Resolves with the pods; call it again after pods have come.
 * Throws AGENT_NO_FOREIGN_BRIDGE where there is no bridge of theirs, AGENT_NO_FOREIGN_FLOWS where it does not look like one.
 */
async function easeTransition(
  client: Pick<OvsdbClient, 'transact'>,
  rtnl: RtnlSocket,
  ovsRunDir: string,
): Promise<readonly EasedPod[]> {
  const bridge = await foreignBridge(client, linkList(rtnl))
  if (bridge === undefined) {
    throw new AgentError(
      'AGENT_NO_FOREIGN_BRIDGE',
      `there is no bridge ${FOREIGN_BRIDGE} here`,
      'this node has come over, or never was theirs',
    )
  }
  const names = new Set(bridge.ports.map(({ name }) => name))
  const pods = findPods(rtnl)
    .filter(({ host }) => names.has(host.name))
    .flatMap(({ inside }) => podsOf(inside))
  const tunnels = await tunnelPorts(client)
  const stopping = new AbortController()
  const openflow = await connectOpenFlow({ path: `${ovsRunDir}/${FOREIGN_BRIDGE}.mgmt`, signal: stopping.signal })
  try {
    const present = await openflow.dumpFlows({ table: 0 })
    const flows = easingFlows(
      present.flatMap(({ flow, opaque }) => (opaque === undefined ? [flow] : [])),
      tunnels,
      [...pods, ...gatewayOf(rtnl)],
    )
    if (flows.length === 0 && pods.length > 0) {
      throw new AgentError(
        'AGENT_NO_FOREIGN_FLOWS',
        `${FOREIGN_BRIDGE} has no flows that take packets from its tunnel`,
        'start the other plugin’s daemon once more, then call this again',
      )
    }
    const stale = { op: 'delete', filter: { table: 0, cookie: COOKIE } } as const
    await openflow.bundle({ flows: [stale, ...addFlows(flows)] })
  } finally {
    stopping.abort()
    openflow.close()
  }
  return pods
}

/**
 * Each of their flows that takes IPv4 from the tunnel, once more for every local pod it may be for: a little stronger, and
 * with the pod's MAC address written first. What else it does is theirs to know.
 */
export function easingFlows(
  present: readonly Flow[],
  tunnels: ReadonlySet<number>,
  pods: readonly EasedPod[],
): readonly Flow[] {
  const theirs = present.filter(
    ({ cookie, match, actions }) =>
      cookie !== COOKIE &&
      typeof match.in_port === 'number' &&
      tunnels.has(match.in_port) &&
      match.eth_type === ETH_IPV4 &&
      actions.length > 0,
  )
  return theirs.flatMap((flow) =>
    pods
      .filter(({ address }) => isFor(flow, address))
      .map(
        ({ address, mac }): Flow => ({
          ...flow,
          cookie: COOKIE,
          priority: flow.priority + 1,
          match: { ...flow.match, ipv4_dst: address },
          actions: [{ op: 'set', field: 'eth_dst', value: mac }, ...flow.actions],
        }),
      ),
  )
}

function isFor({ match }: Flow, address: Ip): boolean {
  const to = match.ipv4_dst
  if (to === undefined) return true
  const network = typeof to === 'string' ? (parseCidr(to) ?? parseCidr(`${to}/32`)) : undefined
  return network !== undefined && contains(network, address)
}

/** The node itself is reached through the tunnel too: by its gateway port. */
function gatewayOf(rtnl: RtnlSocket): readonly EasedPod[] {
  const link = linkFind(rtnl, FOREIGN_GATEWAY)
  if (link === undefined) return []
  const addresses = addrList(rtnl, { link: link.index }).map(({ address }) => address)
  return podsOf({ mac: link.mac ?? '', addresses })
}

function podsOf({ mac: text, addresses }: { readonly mac: string; readonly addresses: readonly string[] }): EasedPod[] {
  const mac = parseMac(text)
  return addresses.flatMap((one) => {
    const address = parseIp(one.split('/')[0] ?? '')
    return mac === undefined || address === undefined || familyOf(address) === 6 ? [] : [{ address, mac }]
  })
}

async function tunnelPorts(client: Pick<OvsdbClient, 'transact'>): Promise<ReadonlySet<number>> {
  const [rows] = await client.transact([select('Interface', everyRow, ['type', 'ofport'])])
  const tunnels = decodeRows('Interface', rows, ['type', 'ofport']).filter(({ type }) => type === 'vxlan')
  return new Set(tunnels.flatMap(({ ofport }) => ofport ?? []))
}
