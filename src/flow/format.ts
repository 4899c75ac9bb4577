/**
 * Flows as ovs-ofctl(8) writes them: what people read in `weft trace`, and can paste into ovs-ofctl.
 * @module
 */
import { fieldCodec } from './field-value.ts'
import type { FieldName } from './fields.ts'
import type { FieldMatch, Flow, Masked, Match } from './flow.ts'
import { formatActions } from './format-actions.ts'
import { formatCtState, formatFragment, formatTcpFlags, formatVlan } from './format-flags.ts'
import { formatPort, formatScalar } from './format-scalar.ts'
import { normalize, normalizeMatch } from './normalize.ts'

export { formatAction, formatActions } from './format-actions.ts'

const DEFAULT_PRIORITY = 32768

/** One line: `cookie=0x5, table=1, priority=5,ip,nw_dst=10.0.0.0/8 actions=output:1`. Throws FlowError. */
export function formatFlow(flow: Flow): string {
  const { cookie, table, priority, match, actions } = normalize(flow)
  const row = [...(priority === DEFAULT_PRIORITY ? [] : [`priority=${priority}`]), ...matchParts(match)].join(',')
  const head = [...(cookie === 0n ? [] : [`cookie=0x${cookie.toString(16)}`]), `table=${table}`, row].join(', ')
  return `${head} actions=${formatActions(actions)}`
}

/** `ct_state=+est+trk,tcp,reg0=0x1,nw_src=10.0.0.0/8,tp_dst=80`; empty for a match of everything. Throws FlowError. */
export function formatMatch(match: Match): string {
  return matchParts(normalizeMatch(match)).join(',')
}

/** The order in which ovs-ofctl writes fields, and the name of each; `protocol` stands for eth_type and ip_proto. */
const BEFORE_PROTOCOL: readonly FieldName[] = (
  'pkt_mark conj_id ct_state ct_zone ct_mark ct_label ct_nw_src ct_ipv6_src ct_nw_dst ct_ipv6_dst ct_nw_proto ' +
  'ct_tp_src ct_tp_dst'
).split(' ') as FieldName[]

const BEFORE_VLAN: readonly FieldName[] = [
  ...Array.from({ length: 16 }, (_, i) => `reg${i}` as FieldName),
  'tun_id',
  'tun_src',
  'tun_dst',
  'tun_ipv6_src',
  'tun_ipv6_dst',
  'metadata',
  'in_port',
]

const AFTER_VLAN: readonly FieldName[] = (
  'eth_src eth_dst ipv4_src ipv4_dst ipv6_src ipv6_dst arp_spa arp_tpa arp_op arp_sha arp_tha ip_dscp ip_ttl ip_frag ' +
  'icmp_type icmp_code icmpv6_type icmpv6_code tcp_src udp_src sctp_src tcp_dst udp_dst sctp_dst ' +
  'nd_target nd_sll nd_tll nd_reserved nd_options_type tcp_flags'
).split(' ') as FieldName[]

const NAMES: { readonly [field in FieldName]?: string } = {
  eth_src: 'dl_src',
  eth_dst: 'dl_dst',
  ipv4_src: 'nw_src',
  ipv4_dst: 'nw_dst',
  ip_ttl: 'nw_ttl',
  icmpv6_type: 'icmp_type',
  icmpv6_code: 'icmp_code',
  tcp_src: 'tp_src',
  udp_src: 'tp_src',
  sctp_src: 'tp_src',
  tcp_dst: 'tp_dst',
  udp_dst: 'tp_dst',
  sctp_dst: 'tp_dst',
}

function matchParts(match: Match): string[] {
  const { names, type, protocol } = protocolParts(match)
  const part = (name: FieldName): string[] => {
    const value = match[name]
    return value === undefined ? [] : [formatField(name, value)]
  }
  return [
    ...BEFORE_PROTOCOL.flatMap(part),
    ...names,
    ...BEFORE_VLAN.flatMap(part),
    ...formatVlan(match.vlan_vid, match.vlan_pcp),
    ...AFTER_VLAN.slice(0, 2).flatMap(part),
    ...type,
    ...AFTER_VLAN.slice(2, 6).flatMap(part),
    ...protocol,
    ...AFTER_VLAN.slice(6).flatMap(part),
  ]
}

function formatField(name: FieldName, value: FieldMatch): string {
  switch (name) {
    case 'ct_state':
      return `ct_state=${formatCtState(asMasked(name, value))}`
    case 'tcp_flags':
      return `tcp_flags=${formatTcpFlags(value)}`
    case 'ip_frag':
      return `nw_frag=${formatFragment(value)}`
    case 'ip_dscp':
      return `nw_tos=${Number(value) * 4}`
    case 'in_port':
      return `in_port=${formatPort(Number(value))}`
    default:
      return `${NAMES[name] ?? name}=${formatValue(name, value)}`
  }
}

function formatValue(name: FieldName, value: FieldMatch): string {
  if (typeof value !== 'object') return formatScalar(name, value, false)
  return `${formatScalar(name, value.value, true)}/${formatScalar(name, value.mask, true)}`
}

function asMasked(name: FieldName, value: FieldMatch): Masked {
  return typeof value === 'object' ? value : { value, mask: 2 ** fieldCodec(name).bits - 1 }
}

const ETHER_TYPES: Readonly<Record<number, string>> = { 2048: 'ip', 34525: 'ipv6', 2054: 'arp', 32821: 'rarp' }
const PROTOCOLS: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 132: 'sctp' }
const PROTOCOLS6: Readonly<Record<number, string>> = { 58: 'icmp6', 6: 'tcp6', 17: 'udp6', 132: 'sctp6' }

type ProtocolParts = { readonly names: string[]; readonly type: string[]; readonly protocol: string[] }

/** `tcp6` where there is such a name; `dl_type` and `nw_proto` in their own places otherwise. */
function protocolParts({ eth_type: ethType, ip_proto: ipProto }: Match): ProtocolParts {
  if (ethType === undefined) return { names: [], type: [], protocol: [] }
  const short = (ethType === 0x0800 ? PROTOCOLS : ethType === 0x86dd ? PROTOCOLS6 : {})[Number(ipProto)]
  if (short !== undefined) return { names: [short], type: [], protocol: [] }
  const name = ETHER_TYPES[Number(ethType)]
  return {
    names: name === undefined ? [] : [name],
    type: name === undefined ? [`dl_type=0x${Number(ethType).toString(16).padStart(4, '0')}`] : [],
    protocol: ipProto === undefined ? [] : [`nw_proto=${ipProto}`],
  }
}
