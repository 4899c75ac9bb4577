/** Numbers of linux/if_link.h and linux/if.h. */

export const IFF_UP = 0x1
export const IFF_LOWER_UP = 0x10000

/** IFLA_ attributes of a link. */
export const Ifla = {
  ADDRESS: 1,
  IFNAME: 3,
  MTU: 4,
  LINK: 5,
  MASTER: 10,
  TXQLEN: 13,
  OPERSTATE: 16,
  LINKINFO: 18,
  IFALIAS: 20,
  AF_SPEC: 26,
  GROUP: 27,
  NET_NS_FD: 28,
  EXT_MASK: 29,
  PROMISCUITY: 30,
  LINK_NETNSID: 37,
  PERM_ADDRESS: 54,
  PARENT_DEV_NAME: 56,
  PARENT_DEV_BUS_NAME: 57,
} as const

/** RTEXT_FILTER_SKIP_STATS: a link's counters are two thirds of its message. */
export const RTEXT_FILTER_SKIP_STATS = 8

/** Attributes inside IFLA_LINKINFO. */
export const IflaInfo = { KIND: 1, DATA: 2 } as const

/** Inside IFLA_LINKINFO of a veth: the peer's ifinfomsg and attributes. */
export const VETH_INFO_PEER = 1

/** IFLA_INET6_ADDR_GEN_MODE, inside AF_INET6 of IFLA_AF_SPEC. */
export const AF_SPEC_ADDR_GEN_MODE = 8

/** How a link makes its IPv6 link-local address, by the kernel's number. */
export const ADDR_GEN_MODES = ['eui64', 'none', 'stable-privacy', 'random'] as const
export type AddrGenMode = (typeof ADDR_GEN_MODES)[number]

/** Bytes of a link's name without its NUL, and of its alias. */
export const LINK_NAME_MAX = 15
export const LINK_ALIAS_MAX = 255
