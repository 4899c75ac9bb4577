/**
 * The words flows are built with: stages instead of table numbers, registers by name, drops with a reason.
 * @module
 */
import type { Action, Flow, Match } from '../../flow/flow.ts'
import type { Cidr, Family, Ip } from '../model/address.ts'
import { cookieOf } from './cookie.ts'
import { DROPS, type DropName } from './drops.ts'
import { REGISTERS, type Register, STAGES, type StageName } from './stages.ts'

export const ETH_IPV4 = 0x0800
export const ETH_IPV6 = 0x86dd
export const ETH_ARP = 0x0806
export const PROTO_ICMP = 1
export const PROTO_TCP = 6
export const PROTO_UDP = 17
export const PROTO_GRE = 47
export const PROTO_ICMPV6 = 58
export const PROTO_SCTP = 132

/** Makes the flows of one fragment; all carry its cookie. */
export interface FlowMaker {
  /** A flow that goes on. */
  flow(stage: StageName, priority: number, match: Match, actions: readonly Action[]): Flow
  /** A flow that ends a packet's way for a reason. The stage is the reason's own. */
  drop(reason: DropName, priority: number, match: Match): Flow
  /** A flow that ends a packet's way for a reason of another stage: what it is about may turn up in several. */
  end(reason: DropName, stage: StageName, priority: number, match: Match): Flow
  /** A flow of the reason's stage that counts as the drop but still does something, such as telling the agent. */
  dropWith(reason: DropName, priority: number, match: Match, actions: readonly Action[]): Flow
}

/** A {@link FlowMaker} for the fragment `key`. */
export function flowsOf(key: string): FlowMaker {
  const cookie = cookieOf(key)
  const dropWith: FlowMaker['dropWith'] = (reason, priority, match, actions) => {
    const { code, stage } = DROPS[reason]
    return { table: STAGES[stage].table, priority, cookie: cookieOf(key, code), match, actions }
  }
  return {
    flow: (stage, priority, match, actions) => ({ table: STAGES[stage].table, priority, cookie, match, actions }),
    drop: (reason, priority, match) => dropWith(reason, priority, match, []),
    end: (reason, stage, priority, match) => ({
      table: STAGES[stage].table,
      priority,
      cookie: cookieOf(key, DROPS[reason].code),
      match,
      actions: [],
    }),
    dropWith,
  }
}

/** Go on in another stage. */
export function goto(stage: StageName): Action {
  return { op: 'goto', table: STAGES[stage].table }
}

/** Load a number into a register. */
export function load(name: keyof typeof REGISTERS, value: number): Action {
  const register: Register = REGISTERS[name]
  if (register.bits === 32) return { op: 'set', field: register.field, value }
  const mask = ((1 << register.bits) - 1) << register.offset
  return { op: 'set', field: register.field, value: value << register.offset, mask }
}

/** A register holds this number. */
export function holds(name: keyof typeof REGISTERS, value: number): Match {
  return holdsAll({ [name]: value })
}

/** Registers hold these numbers. Some share a field, so matches of one register each cannot be put together. */
export function holdsAll(values: { readonly [name in keyof typeof REGISTERS]?: number }): Match {
  const fields = new Map<Register['field'], { value: number; mask: number }>()
  for (const [name, wanted] of Object.entries(values) as [keyof typeof REGISTERS, number][]) {
    const { field, offset, bits }: Register = REGISTERS[name]
    const { value, mask } = fields.get(field) ?? { value: 0, mask: 0 }
    // 32 bits do not fit a shift's result, which has a sign.
    const ones = 2 ** bits - 1
    fields.set(field, { value: value + wanted * 2 ** offset, mask: mask + ones * 2 ** offset })
  }
  return Object.fromEntries(
    [...fields].map(([field, { value, mask }]) => [field, mask === 0xffffffff ? value : { value, mask }]),
  )
}

/** An IP packet of this family, from and to these addresses. */
export function ipPacket(family: Family, ends: { readonly from?: Ip | Cidr; readonly to?: Ip | Cidr } = {}): Match {
  const [source, destination] = family === 4 ? (['ipv4_src', 'ipv4_dst'] as const) : (['ipv6_src', 'ipv6_dst'] as const)
  return {
    eth_type: family === 4 ? ETH_IPV4 : ETH_IPV6,
    ...(ends.from === undefined ? {} : { [source]: ends.from }),
    ...(ends.to === undefined ? {} : { [destination]: ends.to }),
  }
}

/** Bits of `ct_state` (ovs-fields(7)). */
const CT_BITS = { new: 0x01, est: 0x02, rel: 0x04, rpl: 0x08, inv: 0x10, trk: 0x20, dnat: 0x80 } as const

/**
 * A packet that connection tracking can make nothing of. It may not even be tracked: a datagram whose fragments did not
 * come together.
 */
export const INVALID: Match = { ct_state: { value: CT_BITS.inv, mask: CT_BITS.inv } }

/** A fragment whose datagram never came together: connection tracking lets it go untracked, and calls it invalid. */
export const UNFINISHED: Match = {
  ct_state: { value: CT_BITS.inv, mask: CT_BITS.inv | CT_BITS.trk },
  ip_frag: { value: 1, mask: 1 },
}

/** A tracked packet in all of these states. */
export function tracked(...states: readonly (keyof typeof CT_BITS)[]): Match {
  const bits = states.reduce<number>((sum, state) => sum | CT_BITS[state], CT_BITS.trk)
  return { ct_state: { value: bits, mask: bits } }
}

/** Fragments of a packet: any; the first, which has its ports; the others, which have none. */
export const FRAGMENT = {
  any: { ip_frag: { value: 1, mask: 1 } },
  first: { ip_frag: { value: 1, mask: 3 } },
  later: { ip_frag: 3 },
} as const satisfies Record<string, Match>

/** An ICMPv6 message of this type. */
export function icmpv6(type: number): Match {
  return { eth_type: ETH_IPV6, ip_proto: PROTO_ICMPV6, icmpv6_type: type }
}

/** ICMPv6 messages that report an error, one match per type (RFC 4443). */
export const ICMPV6_ERRORS: readonly Match[] = [1, 2, 3, 4].map(icmpv6)

/** ICMP messages that report an error, one match per type (RFC 792, RFC 4443): redirects are told apart elsewhere. */
export const ICMP_ERRORS: readonly Match[] = [
  ...[3, 4, 11, 12].map((type): Match => ({ eth_type: ETH_IPV4, ip_proto: PROTO_ICMP, icmp_type: type })),
  ...ICMPV6_ERRORS,
]

/** A UDP packet of this family to a port. */
export function udpTo(family: Family, port: number): Match {
  return { ...ipPacket(family), ip_proto: PROTO_UDP, udp_dst: port }
}
