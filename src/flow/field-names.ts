import type { FieldName } from './fields.ts'

/** The name by which ovs-ofctl writes a field where bits of it are named, as in `NXM_NX_REG0[0..15]`. */
export function longName(field: FieldName): string {
  return LONG_NAMES[field] ?? `NXM_NX_${field.toUpperCase()}`
}

/** The name by which ovs-ofctl writes a field that is set, as in `set_field:5->nw_ttl`. */
export function setName(field: FieldName): string {
  return SET_NAMES[field] ?? field
}

const SET_NAMES: { readonly [field in FieldName]?: string } = {
  ipv4_src: 'ip_src',
  ipv4_dst: 'ip_dst',
  ip_ttl: 'nw_ttl',
  ip_proto: 'nw_proto',
}

const LONG_NAMES: { readonly [field in FieldName]?: string } = {
  in_port: 'OXM_OF_IN_PORT',
  eth_src: 'NXM_OF_ETH_SRC',
  eth_dst: 'NXM_OF_ETH_DST',
  eth_type: 'NXM_OF_ETH_TYPE',
  vlan_tci: 'NXM_OF_VLAN_TCI',
  vlan_vid: 'OXM_OF_VLAN_VID',
  vlan_pcp: 'OXM_OF_VLAN_PCP',
  ip_proto: 'NXM_OF_IP_PROTO',
  ip_dscp: 'OXM_OF_IP_DSCP',
  ipv4_src: 'NXM_OF_IP_SRC',
  ipv4_dst: 'NXM_OF_IP_DST',
  arp_op: 'NXM_OF_ARP_OP',
  arp_spa: 'NXM_OF_ARP_SPA',
  arp_tpa: 'NXM_OF_ARP_TPA',
  tcp_src: 'NXM_OF_TCP_SRC',
  tcp_dst: 'NXM_OF_TCP_DST',
  udp_src: 'NXM_OF_UDP_SRC',
  udp_dst: 'NXM_OF_UDP_DST',
  sctp_src: 'OXM_OF_SCTP_SRC',
  sctp_dst: 'OXM_OF_SCTP_DST',
  icmp_type: 'NXM_OF_ICMP_TYPE',
  icmp_code: 'NXM_OF_ICMP_CODE',
  tun_src: 'NXM_NX_TUN_IPV4_SRC',
  tun_dst: 'NXM_NX_TUN_IPV4_DST',
  nd_reserved: 'ERICOXM_OF_ICMPV6_ND_RESERVED',
  nd_options_type: 'ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE',
  metadata: 'OXM_OF_METADATA',
}
