/**
 * `weft bridge status`: what bridges there are on this node, and how they fare. Changes nothing.
 * @module
 */
import { linkFind, openRtnl, type RtnlSocket } from '../linux/index.ts'
import { connectOvsdb } from '../ovs/ovsdb/index.ts'
import { BridgeError } from './errors.ts'
import { silentGateways } from './gateway.ts'
import { type Ending, lastEnding, openUndertakings, undertakingFile } from './guard/state.ts'
import { abandoned } from './leftovers.ts'
import { IDS, isOurs, type SwitchBridge, type SwitchPort } from './model.ts'
import { observeLink } from './observe/links.ts'
import { observeBridges } from './observe/switch.ts'
import { formsThere } from './persist/choose.ts'
import { gatewaysOf } from './plan.ts'
import { checkName } from './wish.ts'

/** A bridge as it is. */
export interface BridgeView {
  readonly bridge: string
  /** Who made it. */
  readonly maker: 'weft' | 'weft agent' | 'netplan' | 'NetworkManager' | 'OVN' | 'others'
  /** `moving`: a command is at work or was killed; `moved`: complete. Absent: not of `weft bridge create`. */
  readonly state?: 'moving' | 'moved'
  readonly datapath: string
  readonly uplinks: readonly string[]
  readonly addresses: readonly string[]
  readonly gateways: readonly { readonly address: string; readonly answers: boolean }[]
  /** Access VLANs of ports of pods, and VLANs of trunks. */
  readonly vlans: readonly number[]
  /** How many ports pods have. */
  readonly pods: number
  /** Who makes it again at start, by the files that are there; none: nobody. */
  readonly persist: readonly string[]
  /** What is wrong, with what to do. */
  readonly problems: readonly string[]
  /** How the last command about it ended, since the machine started. */
  readonly last?: Ending
}

export interface StatusOptions {
  readonly ovsdb: string
  readonly folder: string
  readonly root: string
  /** How long gateways have to answer, in milliseconds. */
  readonly gatewayMs: number
}

/** One bridge, or all. Throws BRIDGE_UNKNOWN for a name that no bridge has. */
export async function bridgeStatus(name: string | undefined, options: StatusOptions): Promise<readonly BridgeView[]> {
  if (name !== undefined) checkName(name)
  using rtnl = openRtnl()
  using ovs = await connectOvsdb({ path: options.ovsdb })
  const bridges = (await observeBridges(ovs)).filter((one) => name === undefined || one.name === name)
  if (name !== undefined && bridges.length === 0) {
    const last = lastEnding(options.folder, name)
    const why =
      last === undefined
        ? ''
        : `; the last ${last.what} was ${last.outcome}${last.reason === undefined ? '' : `: ${last.reason}`}`
    throw new BridgeError(
      'BRIDGE_UNKNOWN',
      `there is no bridge ${name}${why}`,
      '`weft bridge status` shows those there are',
    )
  }
  return await Promise.all(bridges.map((bridge) => viewOf(bridge, rtnl, options)))
}

async function viewOf(bridge: SwitchBridge, rtnl: RtnlSocket, options: StatusOptions): Promise<BridgeView> {
  const { name } = bridge
  const link = observeLink(rtnl, name)
  const gateways = link === undefined || !link.up ? [] : gatewaysOf(link)
  const silent = await silentGateways(rtnl, gateways, {
    link: name,
    timeoutMs: gateways.length === 0 ? 0 : options.gatewayMs,
  })
  const pods = bridge.ports.filter(isPods)
  const uplinks = uplinksOf(bridge, rtnl)
  const state = isOurs(bridge) ? bridge.externalIds[IDS.state] : undefined
  const last = lastEnding(options.folder, name)
  return {
    bridge: name,
    maker: makerOf(bridge),
    ...(state === 'moving' || state === 'moved' ? { state } : {}),
    datapath: bridge.datapathType,
    uplinks,
    addresses: (link?.addresses ?? []).filter(({ scope }) => scope === 'global').map(({ address }) => address),
    gateways: gateways.map((gateway) => ({ address: gateway.address, answers: !silent.includes(gateway) })),
    vlans: [...new Set(pods.flatMap(({ tag, trunks }) => (tag === undefined ? trunks : [tag, ...trunks])))].sort(
      (a, b) => a - b,
    ),
    pods: pods.length,
    persist: formsThere(options.root, name, bridge.externalIds[IDS.uplink] ?? uplinks[0] ?? ''),
    problems: problemsOf(bridge, state, link === undefined, options),
    ...(last === undefined ? {} : { last }),
  }
}

function makerOf({ externalIds }: SwitchBridge): BridgeView['maker'] {
  if (externalIds[IDS.owner] === 'weft-agent') return 'weft agent'
  if (isOurs({ externalIds })) return 'weft'
  if (externalIds['netplan'] !== undefined) return 'netplan'
  if (externalIds['NM.connection.uuid'] !== undefined) return 'NetworkManager'
  return Object.keys(externalIds).some((key) => key.startsWith('ct-zone-') || key.startsWith('ovn')) ? 'OVN' : 'others'
}

/** Ports that an attachment of a pod has made. */
function isPods({ externalIds }: SwitchPort): boolean {
  return externalIds['contNetns'] !== undefined || externalIds['owner'] === 'ovs-cni.network.kubevirt.io'
}

/** Ports that are links of the machine: no pods’, no tunnels, and none that Open vSwitch makes. */
function uplinksOf(bridge: SwitchBridge, rtnl: RtnlSocket): readonly string[] {
  const links = bridge.ports.filter((port) => !isPods(port)).flatMap(({ interfaces }) => interfaces)
  return links
    .filter(({ name, type }) => (type === '' || type === 'system') && !/^weft[0-9a-f]{11}$/.test(name))
    .filter(({ name }) => linkFind(rtnl, name) !== undefined)
    .map(({ name }) => name)
}

function problemsOf(
  bridge: SwitchBridge,
  state: string | undefined,
  isLinkless: boolean,
  { folder }: StatusOptions,
): readonly string[] {
  const { name, ports } = bridge
  const file = undertakingFile(folder, name)
  const isLeft = abandoned(folder).includes(file)
  const isUnderWay = openUndertakings(folder).includes(file)
  return [
    ...(isLeft
      ? [`a command was killed with its guard → \`weft bridge remove ${name}\` puts back what it moved`]
      : isUnderWay
        ? ['a command is at work']
        : state === 'moving'
          ? [`it was never completed → \`weft bridge remove ${name}\` puts back what was moved`]
          : []),
    ...(isLinkless ? ['it has no link of its own: ovs-vswitchd does not run, or cannot make one'] : []),
    ...ports.flatMap(({ interfaces }) =>
      interfaces.flatMap((one) => (one.error === undefined ? [] : [`${one.name}: ${one.error}`])),
    ),
  ]
}
