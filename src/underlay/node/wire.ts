/**
 * From a machine with one interface to the wiring of pods: `br-int` of Open vSwitch, a pair of links, a Linux bridge with the
 * machine's interface and its addresses. Pure.
 *
 * ```text
 *  pods ── br-int ── br-int-veth ══ breth1-veth ── breth1 ── eth1        frames of a pod carry its VLAN
 *                                                  └ the machine's addresses, without a VLAN
 * ```
 * @module
 */
import {
  type Change,
  IDS,
  type LinkFacts,
  MADE_GROUP,
  type Plan,
  type Step,
  type SwitchBridge,
  type UplinkFacts,
} from '../../bridge/model.ts'
import { planMove } from '../../bridge/move.ts'
import { gatewaysOf } from '../../bridge/plan.ts'
import { UnderlayError } from '../../compat/ovn-underlay/errors.ts'

/** Marks a bridge of Open vSwitch that was made here, beside its token. */
const MADE = 'weft-underlay'

/** What a machine is to have. */
export interface WireWish {
  readonly uplink: string
  /** The bridge of Open vSwitch that pods are on. */
  readonly bridge: string
  /** The Linux bridge. */
  readonly hostBridge: string
  readonly datapathType: 'system' | 'netdev'
}

/** A link as far as the wiring goes. */
export interface WiredLink {
  readonly name: string
  readonly kind: string | undefined
  readonly group: number
  /** The name of the bridge that it is a member of. */
  readonly master: string | undefined
}

/** What is there. */
export interface Wiring {
  readonly uplink: UplinkFacts | undefined
  /** What the Linux bridge has, where it is there. */
  readonly hostBridge: LinkFacts | undefined
  readonly links: readonly WiredLink[]
  readonly bridges: readonly SwitchBridge[]
}

/** The ends of the pair, called as in the document that this follows. */
export function pairOf({ bridge, hostBridge }: Pick<WireWish, 'bridge' | 'hostBridge'>): readonly [string, string] {
  const names = [`${bridge}-veth`, `${hostBridge}-veth`] as const
  const long = names.find((name) => name.length > 15)
  if (long === undefined) return names
  throw new UnderlayError(
    'UNDERLAY_USAGE',
    `${long} is too long for a link`,
    'give bridges with names of up to 10 letters',
  )
}

/** Plans it; undefined where all is so already, whoever made it. Throws UNDERLAY_NODE. */
export function planWire(wish: WireWish, wiring: Wiring, token: string): Plan | undefined {
  const [inside, outside] = pairOf(wish)
  const { uplink } = wiring
  if (uplink === undefined) throw refused(`there is no link ${wish.uplink}`, '`ip link` shows those of this machine')
  const named = (name: string): WiredLink | undefined => wiring.links.find((link) => link.name === name)
  const isMember = named(wish.uplink)?.master === wish.hostBridge
  const integration = wiring.bridges.find(({ name }) => name === wish.bridge)
  const isPort = integration?.ports.some(({ name }) => name === inside) === true
  if (isMember && isPort && named(outside)?.master === wish.hostBridge) return undefined
  check(wish, uplink, wiring, [inside, outside])
  const make = (change: Change, undo: readonly Change[], isThere: boolean, title: string): readonly Step[] =>
    isThere ? [] : [{ title, changes: [change], undo }]
  const { mtu, mac } = uplink
  const row = {
    name: wish.bridge,
    datapathType: wish.datapathType,
    mac,
    mtu,
    externalIds: { [IDS.token]: token, [MADE]: 'node-setup' },
  }
  const move = planMove(uplink, wish.hostBridge, wiring.hostBridge)
  const steps: readonly Step[] = [
    ...make(
      { do: 'new-link', made: { kind: 'bridge', name: wish.hostBridge, mac, mtu } },
      [{ do: 'no-link', link: wish.hostBridge }],
      wiring.hostBridge !== undefined,
      `make the Linux bridge ${wish.hostBridge} with the address ${mac} of ${uplink.name}`,
    ),
    ...make(
      { do: 'bridge', bridge: row },
      [{ do: 'no-bridge', name: wish.bridge, token }],
      integration !== undefined,
      `make the bridge ${wish.bridge}`,
    ),
    {
      title: `connect ${wish.bridge} and ${wish.hostBridge}`,
      changes: [
        {
          do: 'new-link',
          made: { kind: 'veth', name: inside, peer: outside, mtu, offloads: wish.datapathType === 'system' },
        },
        { do: 'port', bridge: wish.bridge, name: inside, trunks: [] },
        { do: 'member', link: outside, master: wish.hostBridge },
      ],
      undo: [
        { do: 'no-port', bridge: wish.bridge, name: inside },
        { do: 'no-link', link: inside },
      ],
    },
    ...(isMember ? [] : [move.prepare, joining(wish, uplink), move.hand, move.silence]),
  ]
  return {
    bridge: wish.hostBridge,
    uplink: uplink.name,
    target: wish.hostBridge,
    steps,
    gateways: isMember ? [] : gatewaysOf(uplink),
    settle: [],
    afterwards: [],
    notes: [],
  }
}

/** Plans the way back of what {@link planWire} made; undefined where nothing of it is there. Throws UNDERLAY_NODE. */
export function planUnwire(wish: Pick<WireWish, 'uplink' | 'bridge' | 'hostBridge'>, wiring: Wiring): Plan | undefined {
  const [inside] = pairOf(wish)
  const { uplink, hostBridge } = wiring
  const link = wiring.links.find(({ name }) => name === wish.hostBridge)
  if (link === undefined) return undefined
  if (link.group !== MADE_GROUP) {
    const remedy = `whoever made it takes it away: move its addresses to ${wish.uplink}, then ip link del ${wish.hostBridge}`
    throw refused(`${wish.hostBridge} was not made by node-setup`, remedy)
  }
  const integration = wiring.bridges.find(({ name }) => name === wish.bridge)
  const token = integration?.externalIds[MADE] === undefined ? undefined : integration.externalIds[IDS.token]
  const others = (integration?.ports ?? []).filter(({ name }) => name !== wish.bridge && name !== inside)
  if (others.length > 0) {
    const shown = others
      .slice(0, 5)
      .map(({ name }) => name)
      .join(', ')
    throw refused(`${wish.bridge} has ports of pods: ${shown}`, 'move the pods away first')
  }
  const afterwards: readonly Step[] = [
    {
      title: `take ${wish.hostBridge} and what leads to it away`,
      changes: [
        { do: 'no-port', bridge: wish.bridge, name: inside },
        { do: 'no-link', link: inside },
        { do: 'no-link', link: wish.hostBridge },
        ...(token === undefined ? [] : [{ do: 'no-bridge', name: wish.bridge, token } as const]),
      ],
      undo: [],
    },
  ]
  const plan = { bridge: wish.hostBridge, target: wish.uplink, settle: [], afterwards, notes: [] }
  const isMember = wiring.links.some(({ name, master }) => name === wish.uplink && master === wish.hostBridge)
  if (uplink === undefined || hostBridge === undefined || !isMember)
    return { ...plan, uplink: '', steps: [], gateways: [] }
  const move = planMove(hostBridge, uplink.name, uplink)
  const leave: Step = {
    title: `take ${uplink.name} from ${wish.hostBridge}`,
    changes: [{ do: 'no-member', link: uplink.name, master: wish.hostBridge }],
    undo: [{ do: 'member', link: uplink.name, master: wish.hostBridge }],
  }
  return {
    ...plan,
    uplink: uplink.name,
    steps: [move.prepare, leave, move.hand, move.silence],
    gateways: gatewaysOf(hostBridge),
  }
}

function joining({ hostBridge }: WireWish, { name, up, addrGenMode }: UplinkFacts): Step {
  return {
    title: `make ${name} a member of ${hostBridge}`,
    changes: [
      { do: 'member', link: name, master: hostBridge },
      ...(up ? [] : [{ do: 'link', link: name, addrGenMode: 'none' } as const]),
      { do: 'link', link: name, up: true },
    ],
    undo: [
      { do: 'no-member', link: name, master: hostBridge },
      { do: 'link', link: name, up, addrGenMode },
    ],
  }
}

function check(wish: WireWish, uplink: UplinkFacts, wiring: Wiring, pair: readonly [string, string]): void {
  const { uplink: name, hostBridge, bridge } = wish
  if (uplink.loopback || uplink.hardware !== ETHERNET || uplink.wireless) {
    throw refused(`${name} is no wired Ethernet link`, "choose the interface that is the machine's Neutron port")
  }
  if (uplink.master !== undefined && uplink.master.name !== hostBridge) {
    throw refused(
      `${name} is a member of ${uplink.master.kind} ${uplink.master.name}`,
      'take it off, or name that one as --host-bridge',
    )
  }
  const holder = wiring.bridges.find(({ ports }) =>
    ports.some((port) => port.interfaces.some((one) => one.name === name)),
  )
  if (holder !== undefined) throw refused(`${name} is a port of ${holder.name}`, 'take it off, or wire with --direct')
  if (uplink.nexthopRoutes.length > 0) {
    const cause = `routes of ${name} to ${uplink.nexthopRoutes.join(', ')} go by nexthop objects, which are not moved`
    throw refused(cause, 'replace them by routes that name their gateway')
  }
  const there = wiring.links.find((link) => link.name === hostBridge)
  if (there !== undefined && there.kind !== 'bridge') {
    throw refused(`${hostBridge} is a link that is no Linux bridge`, 'give another name with --host-bridge')
  }
  if (!wiring.bridges.some((one) => one.name === bridge) && wiring.links.some((link) => link.name === bridge)) {
    throw refused(`${bridge} is a link that is no bridge of Open vSwitch`, 'give another name with --bridge')
  }
  for (const end of pair) {
    const found = wiring.links.find((link) => link.name === end)
    if (found === undefined || found.group === MADE_GROUP) continue
    throw refused(
      `${end} is there and was not made here`,
      `complete the wiring by hand, or remove it: ip link del ${end}`,
    )
  }
}

const ETHERNET = 1

function refused(message: string, remedy: string): UnderlayError {
  return new UnderlayError('UNDERLAY_NODE', message, remedy)
}
