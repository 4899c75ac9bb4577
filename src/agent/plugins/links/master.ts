/**
 * Links of the node that pods' interfaces may stand on.
 * @module
 */
import { cniError } from '../../../cni/index.ts'
import { type Link, linkFind, linkGet, type RtnlSocket, routeList } from '../../../linux/index.ts'
import { BRIDGE, GATEWAY, TUNNEL } from '../../../network/host.ts'
import { type Grants, isTrusted, type Origin } from '../../../network/model/grants.ts'
import { byName, decodeRows, type OvsdbClient, select } from '../../../ovs/ovsdb/index.ts'
import { isLinkName } from '../../attach/lease.ts'

/** What is asked about a link of the node. */
export interface MasterSource {
  /** The node's own namespace. */
  readonly rtnl: RtnlSocket
  /** The bridge of Open vSwitch that has this link as a port: its userspace datapath shows on no link. */
  bridgeOf(link: string): Promise<string | undefined>
}

/** ARPHRD_ETHER. */
const ETHERNET = 1
const OWN: ReadonlySet<string> = new Set([BRIDGE, GATEWAY, TUNNEL])

/**
 * Throws `choice-refused` unless the configuration is an administrator's: whoever is on a link of the node is beside the
 * node itself on its wire, and no guard is in between.
 */
export function checkMayChoose(grants: Grants, origin: Origin, field: string): void {
  if (isTrusted(grants, origin)) return
  const who =
    origin.kind === 'definition'
      ? `network-attachment-definition ${origin.namespace}/${origin.name}`
      : 'the caller of the plugin'
  throw cniError('choice-refused', { who, field, reason: 'links of the node are for its administrators to choose' })
}

/** The link of this name, or that of the default route. Throws `master-unfit` where pods cannot be on it. */
export async function masterFor(kind: string, name: string | undefined, source: MasterSource): Promise<Link> {
  const link = name === undefined ? defaultLink(source.rtnl) : linkFind(source.rtnl, name)
  const unfit = (reason: string): Error => cniError('master-unfit', { master: name ?? '(none)', kind, reason })
  if (link === undefined) {
    throw unfit(name === undefined ? 'no master is named, and the node has no default route' : 'there is none')
  }
  const problem = linkProblem(link, source.rtnl) ?? bridgeProblem(await source.bridgeOf(link.name))
  if (problem !== undefined) throw cniError('master-unfit', { master: link.name, kind, reason: problem })
  return link
}

/** Why pods can neither be on a link nor have it, as far as the link itself shows it. */
export function linkProblem({ name, hardware, master }: Link, rtnl: RtnlSocket): string | undefined {
  if (OWN.has(name) || isLinkName(name)) return "it is one of Weft's own links"
  if (hardware !== ETHERNET) return 'it is no Ethernet link'
  if (master === undefined) return undefined
  const above = linkFind(rtnl, master)
  if (above?.kind === 'openvswitch') return bridgeProblem('Open vSwitch')
  return `it is a port of the ${above?.kind ?? 'link'} ${above?.name ?? master}, which takes what arrives there`
}

/** The same, where a bridge of Open vSwitch has it. */
export function bridgeProblem(bridge: string | undefined): string | undefined {
  if (bridge === undefined) return undefined
  return `it is a port of ${bridge}, which takes what arrives there; put pods on the bridge, by the plugin ovs`
}

/** The link of the default route. */
export function defaultLink(rtnl: RtnlSocket): Link | undefined {
  const defaults = routeList(rtnl, { table: MAIN_TABLE })
    .filter(({ destination }) => destination === '0.0.0.0/0' || destination === '::/0')
    .toSorted((a, b) => a.priority - b.priority)
  const link = defaults.find((route) => route.link !== undefined)?.link
  return link === undefined ? undefined : linkGet(rtnl, link)
}

const MAIN_TABLE = 254

/** The bridge of Open vSwitch that has a link of the node as a port; a bridge's own link is none of its ports here. */
export async function bridgeOfLink(
  client: Pick<OvsdbClient, 'transact'>,
  name: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const options = signal === undefined ? {} : { signal }
  const found = await client.transact([select('Interface', byName(name), ['_uuid', 'type'])], options)
  const [own] = decodeRows('Interface', found[0], ['_uuid', 'type'])
  if (own === undefined || own.type === 'internal') return undefined
  const all = await client.transact(
    [select('Port', [['interfaces', 'includes', [own.uuid]]], ['_uuid']), select('Bridge', [], ['name', 'ports'])],
    options,
  )
  const [port] = decodeRows('Port', all[0], ['_uuid'])
  const bridges = decodeRows('Bridge', all[1], ['name', 'ports'])
  return bridges.find(({ ports }) => port !== undefined && ports.includes(port.uuid))?.name ?? 'Open vSwitch'
}
