/**
 * What Weft and Open vSwitch need of the kernel, and what tests make their surroundings of.
 * @module
 */

/** Loaded in this order. */
export const KERNEL_MODULES: readonly string[] = [
  'openvswitch',
  'vport-vxlan',
  'vport-gre',
  'vport-geneve',
  'bridge',
  'veth',
  'ifb',
  'sch_htb',
  'sch_ingress',
  'cls_u32',
  'act_mirred',
  'act_skbedit',
  'macvlan',
  'ipvlan',
  '8021q',
  'nf_tables',
  'nft_ct',
  'nft_nat',
  'nft_masq',
  'nft_fib_inet',
  'virtio_net',
  'tun',
]
