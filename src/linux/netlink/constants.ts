/** Numbers of linux/netlink.h and linux/rtnetlink.h under their own names. */

export const NETLINK_ROUTE = 0
export const SOL_NETLINK = 270
export const NETLINK_ADD_MEMBERSHIP = 1
export const NETLINK_CAP_ACK = 10
export const NETLINK_EXT_ACK = 11
export const NETLINK_GET_STRICT_CHK = 12

export const NLMSG_NOOP = 1
export const NLMSG_ERROR = 2
export const NLMSG_DONE = 3

export const NLM_F_REQUEST = 0x1
export const NLM_F_MULTI = 0x2
export const NLM_F_ACK = 0x4
export const NLM_F_ECHO = 0x8
export const NLM_F_DUMP_INTR = 0x10
export const NLM_F_CAPPED = 0x100
export const NLM_F_ACK_TLVS = 0x200
export const NLM_F_REPLACE = 0x100
export const NLM_F_EXCL = 0x200
export const NLM_F_CREATE = 0x400
export const NLM_F_APPEND = 0x800
export const NLM_F_DUMP = 0x300

export const NLMSGERR_ATTR_MSG = 1

export const RTM_NEWLINK = 16
export const RTM_DELLINK = 17
export const RTM_GETLINK = 18
export const RTM_SETLINK = 19
export const RTM_NEWADDR = 20
export const RTM_DELADDR = 21
export const RTM_GETADDR = 22
export const RTM_NEWROUTE = 24
export const RTM_DELROUTE = 25
export const RTM_GETROUTE = 26
export const RTM_NEWNEIGH = 28
export const RTM_DELNEIGH = 29
export const RTM_GETNEIGH = 30
export const RTM_NEWRULE = 32
export const RTM_DELRULE = 33
export const RTM_GETRULE = 34
export const RTM_NEWQDISC = 36
export const RTM_DELQDISC = 37
export const RTM_GETQDISC = 38
export const RTM_NEWTCLASS = 40
export const RTM_DELTCLASS = 41
export const RTM_GETTCLASS = 42
export const RTM_NEWTFILTER = 44
export const RTM_DELTFILTER = 45
export const RTM_GETTFILTER = 46

const messageNames: ReadonlyMap<number, string> = new Map([
  [RTM_NEWLINK, 'RTM_NEWLINK'],
  [RTM_DELLINK, 'RTM_DELLINK'],
  [RTM_GETLINK, 'RTM_GETLINK'],
  [RTM_SETLINK, 'RTM_SETLINK'],
  [RTM_NEWADDR, 'RTM_NEWADDR'],
  [RTM_DELADDR, 'RTM_DELADDR'],
  [RTM_GETADDR, 'RTM_GETADDR'],
  [RTM_NEWROUTE, 'RTM_NEWROUTE'],
  [RTM_DELROUTE, 'RTM_DELROUTE'],
  [RTM_GETROUTE, 'RTM_GETROUTE'],
  [RTM_NEWNEIGH, 'RTM_NEWNEIGH'],
  [RTM_DELNEIGH, 'RTM_DELNEIGH'],
  [RTM_GETNEIGH, 'RTM_GETNEIGH'],
  [RTM_NEWRULE, 'RTM_NEWRULE'],
  [RTM_DELRULE, 'RTM_DELRULE'],
  [RTM_GETRULE, 'RTM_GETRULE'],
  [RTM_NEWQDISC, 'RTM_NEWQDISC'],
  [RTM_DELQDISC, 'RTM_DELQDISC'],
  [RTM_GETQDISC, 'RTM_GETQDISC'],
  [RTM_NEWTCLASS, 'RTM_NEWTCLASS'],
  [RTM_DELTCLASS, 'RTM_DELTCLASS'],
  [RTM_GETTCLASS, 'RTM_GETTCLASS'],
  [RTM_NEWTFILTER, 'RTM_NEWTFILTER'],
  [RTM_DELTFILTER, 'RTM_DELTFILTER'],
  [RTM_GETTFILTER, 'RTM_GETTFILTER'],
])

export function messageName(type: number): string {
  return messageNames.get(type) ?? `netlink message ${type}`
}
