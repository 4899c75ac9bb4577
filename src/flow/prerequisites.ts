import { FlowError } from './errors.ts'
import type { FieldName } from './fields.ts'
import type { Match } from './flow.ts'

/** Throws `FLOW_PREREQUISITE_MISSING` if a field is matched without what makes it exist (ovs-fields(7)). */
export function requirePrerequisites(match: Match): void {
  for (const name in match) {
    const rule = RULES.get(name as FieldName)
    if (rule === undefined || rule.some(([field, values]) => values.includes(match[field] as number))) continue
    const wanted = rule.map(([field, values]) => values.map((value) => `${field}=${value}`).join(' or ')).join(' or ')
    throw new FlowError(
      'FLOW_PREREQUISITE_MISSING',
      `${name} is matched without ${wanted}`,
      `add ${wanted} to the match`,
    )
  }
  requireFirstFragment(match)
  const { vlan_pcp: pcp, vlan_vid: vid } = match
  if (pcp === undefined || isVlanPresent(vid)) return
  throw new FlowError('FLOW_PREREQUISITE_MISSING', 'vlan_pcp is matched without a VLAN', 'add vlan_vid with bit 0x1000')
}

const LATER = 2

/** Only the first fragment has what follows the IP header. */
function requireFirstFragment(match: Match): void {
  const frag = match.ip_frag
  if (frag === undefined || (Number(typeof frag === 'object' ? frag.value : frag) & LATER) === 0) return
  const name = TRANSPORT.find((field) => match[field] !== undefined)
  if (name === undefined) return
  const remedy = 'match later fragments in a flow of their own, without ports and types'
  throw new FlowError('FLOW_MATCH_CONFLICT', `${name} is matched in later fragments`, remedy)
}

type Alternative = readonly [field: FieldName, values: readonly number[]]

const IPV4: Alternative = ['eth_type', [0x0800]]
const IPV6: Alternative = ['eth_type', [0x86dd]]
const IP: Alternative = ['eth_type', [0x0800, 0x86dd]]
const ARP: Alternative = ['eth_type', [0x0806, 0x8035]]
const protocol = (number: number): Alternative => ['ip_proto', [number]]

const TRANSPORT: readonly FieldName[] =
  'tcp_src tcp_dst tcp_flags udp_src udp_dst sctp_src sctp_dst icmp_type icmp_code icmpv6_type icmpv6_code'.split(
    ' ',
  ) as FieldName[]

const RULES: ReadonlyMap<FieldName, readonly Alternative[]> = new Map(
  (
    [
      [['ip_proto', 'ip_dscp', 'ip_ttl', 'ip_frag'], IP],
      [['ipv4_src', 'ipv4_dst', 'ct_nw_src', 'ct_nw_dst'], IPV4],
      [['ipv6_src', 'ipv6_dst', 'ct_ipv6_src', 'ct_ipv6_dst'], IPV6],
      [['arp_op', 'arp_spa', 'arp_tpa', 'arp_sha', 'arp_tha'], ARP],
      [['tcp_src', 'tcp_dst', 'tcp_flags'], protocol(6)],
      [['udp_src', 'udp_dst'], protocol(17)],
      [['sctp_src', 'sctp_dst'], protocol(132)],
      [['icmp_type', 'icmp_code'], protocol(1)],
      [['icmpv6_type', 'icmpv6_code'], protocol(58)],
      [
        ['nd_target', 'nd_reserved', 'nd_options_type'],
        ['icmpv6_type', [135, 136]],
      ],
      [['nd_sll'], ['icmpv6_type', [135]]],
      [['nd_tll'], ['icmpv6_type', [136]]],
    ] as const satisfies readonly (readonly [readonly FieldName[], Alternative])[]
  ).flatMap(([names, rule]) => names.map((name) => [name, [rule]] as const)),
)

function isVlanPresent(vid: Match['vlan_vid']): boolean {
  if (typeof vid === 'object') return (Number(vid.value) & 0x1000) !== 0
  return (Number(vid ?? 0) & 0x1000) !== 0
}
