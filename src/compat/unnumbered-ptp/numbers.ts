/**
 * Names and numbers by which an agent without memory knows what legs are made of. Priorities on the node are those of the plugin
 * of cni-ipvlan-vpc-k8s as far as it has them; everything else is ours.
 * @module
 */

/** The routing protocol number of routes and rules in pods and on the node. */
export const LEG_PROTOCOL = 79
/** Link groups of the node's ends: of legs, and of those whose packets leave the node under the node's address. */
export const LEG_GROUP = 0x574c
export const LEG_MASQUERADE_GROUP = 0x574d
export const LEG_GROUPS: readonly number[] = [LEG_GROUP, LEG_MASQUERADE_GROUP]

export const TABLE_MAIN = 254
/** The node's routes to pods. */
export const PODS_TABLE = 0x574c

/** Rules of the node, in their order. */
export const PODS_PRIORITY = 511
export const ANSWER_PRIORITY = 512
export const LEG_PRIORITY = 1024

/** The pod's tables: by the leg to its node, and by its own interface. */
export const POD_TABLES = { leg: 110, wire: 111 } as const
/** The pod's marks of connections, by where they came from. */
export const POD_MARKS = { leg: 0x574c01, wire: 0x574c02 } as const
/** The pod's rules, in their order: answers, what the node sends on, what answers that, nothing else. */
export const POD_PRIORITIES = { answer: 900, fromLeg: 901, notFromLeg: 902, back: 903, notBack: 904 } as const

/** The nftables table in pods, and the beginning of its name on the node. */
export const LEG_NFT_TABLE = 'weft-ptp'
