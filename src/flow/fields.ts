/**
 * The fields of a packet and of its passage through the switch (ovs-fields(7)).
 * @module
 */

/** How a field's value is written. */
export type FieldKind = 'integer' | 'mac' | 'ipv4' | 'ipv6'

/** One field: its width in bits, the way its values are written, and whether a mask may be given. */
export interface Field {
  readonly bits: number
  readonly kind: FieldKind
  readonly maskable: boolean
}

const integer = (bits: number, maskable = true): Field => ({ bits, kind: 'integer', maskable })
const exact = (bits: number): Field => integer(bits, false)
const mac: Field = { bits: 48, kind: 'mac', maskable: true }
const ipv4: Field = { bits: 32, kind: 'ipv4', maskable: true }
const ipv6: Field = { bits: 128, kind: 'ipv6', maskable: true }

/** Every field Weft uses, by its name in ovs-fields(7). */
export const FIELDS = {
  in_port: exact(32),
  eth_src: mac,
  eth_dst: mac,
  eth_type: exact(16),
  vlan_tci: integer(16),
  vlan_vid: integer(13),
  vlan_pcp: exact(3),
  ip_proto: exact(8),
  ip_dscp: exact(6),
  ip_ttl: exact(8),
  ip_frag: integer(2),
  ipv4_src: ipv4,
  ipv4_dst: ipv4,
  ipv6_src: ipv6,
  ipv6_dst: ipv6,
  arp_op: exact(16),
  arp_spa: ipv4,
  arp_tpa: ipv4,
  arp_sha: mac,
  arp_tha: mac,
  tcp_src: integer(16),
  tcp_dst: integer(16),
  tcp_flags: integer(12),
  udp_src: integer(16),
  udp_dst: integer(16),
  sctp_src: integer(16),
  sctp_dst: integer(16),
  icmp_type: exact(8),
  icmp_code: exact(8),
  icmpv6_type: exact(8),
  icmpv6_code: exact(8),
  nd_target: ipv6,
  nd_sll: mac,
  nd_tll: mac,
  nd_reserved: exact(32),
  nd_options_type: exact(8),
  tun_id: integer(64),
  tun_src: ipv4,
  tun_dst: ipv4,
  tun_ipv6_src: ipv6,
  tun_ipv6_dst: ipv6,
  metadata: integer(64),
  pkt_mark: integer(32),
  ct_state: integer(32),
  ct_zone: exact(16),
  ct_mark: integer(32),
  ct_label: integer(128),
  ct_nw_proto: exact(8),
  ct_nw_src: ipv4,
  ct_nw_dst: ipv4,
  ct_ipv6_src: ipv6,
  ct_ipv6_dst: ipv6,
  ct_tp_src: integer(16),
  ct_tp_dst: integer(16),
  conj_id: exact(32),
  reg0: integer(32),
  reg1: integer(32),
  reg2: integer(32),
  reg3: integer(32),
  reg4: integer(32),
  reg5: integer(32),
  reg6: integer(32),
  reg7: integer(32),
  reg8: integer(32),
  reg9: integer(32),
  reg10: integer(32),
  reg11: integer(32),
  reg12: integer(32),
  reg13: integer(32),
  reg14: integer(32),
  reg15: integer(32),
} as const satisfies Record<string, Field>

/** The name of a field. */
export type FieldName = keyof typeof FIELDS
