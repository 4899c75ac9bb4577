import { type FieldCodec, fieldCodec } from '../../flow/field-value.ts'
import { FIELDS, type FieldName } from '../../flow/fields.ts'

/** Class of a field on the wire (ovs-fields(7), "Extensible Match"). */
const NXM_OF = 0x0000
const NXM_NX = 0x0001
const ERICOXM = 0x1000
const OXM_OF = 0x8000
/** 64-bit registers: pairs of our 32-bit ones, in which OpenFlow 1.5 dumps put register matches. */
export const PACKET_REGISTERS = 0x8001
export const EXPERIMENTER = 0xffff

/** Class and number under which a field is sent, and others under which a switch may send it. */
type Codes = readonly [sent: number, ...alsoRead: number[]]

const code = (oxmClass: number, number: number): number => (oxmClass << 7) | number
const of = (number: number, ...nxm: number[]): Codes => [code(OXM_OF, number), ...nxm]
const nxOf = (number: number): number => code(NXM_OF, number)
const nx = (number: number): number => code(NXM_NX, number)

const CODES: Readonly<Record<Exclude<FieldName, `reg${number}`>, Codes>> = {
  in_port: of(0),
  eth_src: of(4, nxOf(2)),
  eth_dst: of(3, nxOf(1)),
  eth_type: of(5, nxOf(3)),
  vlan_tci: [nxOf(4)],
  vlan_vid: of(6),
  vlan_pcp: of(7),
  ip_proto: of(10, nxOf(6)),
  ip_dscp: of(8),
  ip_ttl: [nx(29)],
  ip_frag: [nx(26)],
  ipv4_src: of(11, nxOf(7)),
  ipv4_dst: of(12, nxOf(8)),
  ipv6_src: of(26, nx(19)),
  ipv6_dst: of(27, nx(20)),
  arp_op: of(21, nxOf(15)),
  arp_spa: of(22, nxOf(16)),
  arp_tpa: of(23, nxOf(17)),
  arp_sha: of(24, nx(17)),
  arp_tha: of(25, nx(18)),
  tcp_src: of(13, nxOf(9)),
  tcp_dst: of(14, nxOf(10)),
  tcp_flags: [nx(34), code(OXM_OF, 42)],
  udp_src: of(15, nxOf(11)),
  udp_dst: of(16, nxOf(12)),
  sctp_src: of(17),
  sctp_dst: of(18),
  icmp_type: of(19, nxOf(13)),
  icmp_code: of(20, nxOf(14)),
  icmpv6_type: of(29, nx(21)),
  icmpv6_code: of(30, nx(22)),
  nd_target: of(31, nx(23)),
  nd_sll: of(32, nx(24)),
  nd_tll: of(33, nx(25)),
  nd_reserved: [code(ERICOXM, 1)],
  nd_options_type: [code(ERICOXM, 2)],
  tun_id: of(38, nx(16)),
  tun_src: [nx(31)],
  tun_dst: [nx(32)],
  tun_ipv6_src: [nx(109)],
  tun_ipv6_dst: [nx(110)],
  metadata: of(2),
  pkt_mark: [nx(33)],
  ct_state: [nx(105)],
  ct_zone: [nx(106)],
  ct_mark: [nx(107)],
  ct_label: [nx(108)],
  ct_nw_proto: [nx(119)],
  ct_nw_src: [nx(120)],
  ct_nw_dst: [nx(121)],
  ct_ipv6_src: [nx(122)],
  ct_ipv6_dst: [nx(123)],
  ct_tp_src: [nx(124)],
  ct_tp_dst: [nx(125)],
  conj_id: [nx(37)],
}

function codesOf(name: FieldName): Codes {
  const register = /^reg(\d+)$/.exec(name)
  return register === null ? CODES[name as keyof typeof CODES] : [nx(Number(register[1]))]
}

/** A field with the header it is sent under: class, number and the length of an exact value. */
export interface OxmField extends FieldCodec {
  readonly header: number
}

/** An object without prototype: its lookup by name is what encoding flows spends most time on. */
const BY_NAME: Record<string, OxmField> = Object.create(null)
const BY_CODE = new Map<number, OxmField>()

for (const name of Object.keys(FIELDS) as FieldName[]) {
  const codec = fieldCodec(name)
  const [sent, ...alsoRead] = codesOf(name)
  const field: OxmField = { ...codec, header: ((sent << 9) | codec.bytes) >>> 0 }
  BY_NAME[name] = field
  for (const known of [sent, ...alsoRead]) BY_CODE.set(known, field)
}

/** The field of that name; throws `FLOW_FIELD_UNKNOWN`. */
export function oxmField(name: string): OxmField {
  const field = BY_NAME[name]
  if (field === undefined) fieldCodec(name)
  return field as OxmField
}

/** The field a header means, if it is in the flow language. ONF's own class holds tcp_flags on OpenFlow 1.3. */
export function fieldOfHeader(header: number, experimenter: number): OxmField | undefined {
  if (header >>> 16 === EXPERIMENTER)
    return experimenter === ONF && oxmNumber(header) === 42 ? oxmField('tcp_flags') : undefined
  return BY_CODE.get(header >>> 9)
}

/** The number of a field within its class. */
export function oxmNumber(header: number): number {
  return (header >>> 9) & 0x7f
}

/** The Open Networking Foundation as experimenter. */
export const ONF = 0x4f4e4600
