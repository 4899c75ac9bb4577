/**
 * The Linux kernel's networking, over sockets and without forks: links, addresses, routes, namespaces, offloads, sysctls.
 * @module
 */
export * from './checksum.ts'
export * from './errno.ts'
export * from './ethtool.ts'
export * from './ip.ts'
export * from './iptables-legacy.ts'
export * from './lock.ts'
export * from './netlink/address.ts'
export * from './netlink/copy.ts'
export * from './netlink/fdb.ts'
export * from './netlink/filter.ts'
export type { Link } from './netlink/link.ts'
export * from './netlink/link-add.ts'
export { ADDR_GEN_MODES, type AddrGenMode, LINK_ALIAS_MAX, LINK_NAME_MAX } from './netlink/link-constants.ts'
export type { BridgeData, LinkKindData, VxlanData } from './netlink/link-kinds.ts'
export type {
  IpvlanData,
  IpvlanMode,
  MacvlanData,
  MacvlanMode,
  StackedSpec,
  VlanData,
  VlanProtocol,
} from './netlink/link-kinds-stacked.ts'
export { checkLinkName } from './netlink/link-name.ts'
export * from './netlink/link-ops.ts'
export * from './netlink/monitor.ts'
export * from './netlink/neighbour.ts'
export type { NftStatement } from './netlink/nftables/statement.ts'
export * from './netlink/nftables/table.ts'
export * from './netlink/nsid.ts'
export * from './netlink/qdisc.ts'
export type { FifoData, HtbData, QdiscData, TbfData } from './netlink/qdisc-kinds.ts'
export * from './netlink/route.ts'
export type { RouteType } from './netlink/route-constants.ts'
export type { Route } from './netlink/route-decode.ts'
export { openRtnl, type RtnlOptions, type RtnlSocket } from './netlink/rtnl-socket.ts'
export * from './netlink/rule.ts'
export type { Scope } from './netlink/scope.ts'
export {
  formatTcHandle,
  TC_EGRESS_FILTERS,
  TC_INGRESS,
  TC_INGRESS_FILTERS,
  TC_INGRESS_HANDLE,
  TC_ROOT,
  type TcCounters,
  tcHandle,
} from './netlink/tc-message.ts'
export * from './netlink/tclass.ts'
export * from './netns.ts'
export * from './nft.ts'
export * from './packet.ts'
export * from './poller.ts'
export * from './rawsocket.ts'
export * from './sd-notify.ts'
export * from './seqpacket.ts'
export * from './seqpacket-client.ts'
export * from './sockaddr.ts'
export * from './socket.ts'
export { ADDON_FILE, systemCalls } from './sys/addon.ts'
export * from './sysctl.ts'
export * from './tun.ts'
