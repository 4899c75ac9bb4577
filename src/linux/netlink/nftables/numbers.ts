/** Numbers of linux/netfilter/nfnetlink.h and nf_tables.h under their own names. */

export const NETLINK_NETFILTER = 12
export const NFNL_MSG_BATCH_BEGIN = 0x10
export const NFNL_MSG_BATCH_END = 0x11
export const NFNL_SUBSYS_NFTABLES = 10

const nftables = (message: number): number => (NFNL_SUBSYS_NFTABLES << 8) | message
export const NFT_MSG_NEWTABLE = nftables(0)
export const NFT_MSG_GETTABLE = nftables(1)
export const NFT_MSG_DELTABLE = nftables(2)
export const NFT_MSG_NEWCHAIN = nftables(3)
export const NFT_MSG_NEWRULE = nftables(6)
export const NFT_MSG_GETRULE = nftables(7)

export const NFPROTO_INET = 1

export const HOOKS = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const

export const NftaTable = { NAME: 1 } as const
export const NftaChain = { TABLE: 1, NAME: 3, HOOK: 4, POLICY: 5, TYPE: 7 } as const
export const NftaHook = { HOOKNUM: 1, PRIORITY: 2 } as const
export const NftaRule = { TABLE: 1, CHAIN: 2, EXPRESSIONS: 4 } as const
export const NftaExpr = { NAME: 1, DATA: 2 } as const
export const NftaMeta = { DREG: 1, KEY: 2, SREG: 3 } as const
export const NftaCt = { DREG: 1, KEY: 2, SREG: 4 } as const
export const NftaCmp = { SREG: 1, OP: 2, DATA: 3 } as const
export const NftaBitwise = { SREG: 1, DREG: 2, LEN: 3, MASK: 4, XOR: 5 } as const
export const NftaImmediate = { DREG: 1, DATA: 2 } as const
export const NFTA_LIST_ELEM = 1
export const NFTA_DATA_VALUE = 1

export const NftaRt = { DREG: 1, KEY: 2 } as const
export const NftaFib = { DREG: 1, RESULT: 2, FLAGS: 3 } as const
export const NftaPayload = { DREG: 1, BASE: 2, OFFSET: 3, LEN: 4 } as const
export const NftaNat = { TYPE: 1, FAMILY: 2, REG_ADDR_MIN: 3 } as const
export const NFTA_DATA_VERDICT = 2
export const NFTA_VERDICT_CODE = 1

export const NF_DROP = 0
export const NF_ACCEPT = 1
export const NFT_REG_VERDICT = 0
export const NFT_REG_1 = 1
export const NFT_CMP_EQ = 0
export const NFT_CMP_NEQ = 1
export const NFT_META_MARK = 3
export const NFT_META_IIFNAME = 6
export const NFT_META_OIFNAME = 7
export const NFT_META_NFPROTO = 15
export const NFT_META_L4PROTO = 16
export const NFT_META_IIFGROUP = 21
export const NFT_META_OIFGROUP = 22
export const NFT_CT_STATE = 0
export const NFT_CT_DIRECTION = 1
export const NFT_CT_MARK = 3
export const NFT_RT_NEXTHOP = { 4: 1, 6: 2 } as const
export const NFT_FIB_RESULT_OIF = 1
/** NFTA_FIB_F_SADDR and NFTA_FIB_F_IIF. */
export const NFT_FIB_BACK = 0b1001
export const NFT_PAYLOAD = { network: 1, transport: 2 } as const
/** Numbers of protocols, and of their messages that tell of a better way. */
export const REDIRECT = { 4: { protocol: 1, type: 5 }, 6: { protocol: 58, type: 137 } } as const
export const NFT_NAT_SNAT = 0
export const NFPROTO = { 4: 2, 6: 10 } as const
/** NF_CT_STATE_BIT(IP_CT_NEW). */
export const CT_STATE_NEW = 8
