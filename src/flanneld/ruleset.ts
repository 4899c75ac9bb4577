/**
 * Our table of nftables: address translation, and who is believed to speak for a machine or a pod of the mesh. Pure.
 *
 * flannel's tunnels have no check of their own: the kernel takes a VXLAN frame from whoever sends one, and what is in it is in
 * the network then. Here a tunnel's packets come from machines of the mesh alone, and a pod's address only by the link that
 * leads to that pod.
 * @module
 */
import { type Masquerade, masqueradeRules } from '../compat/flannel/traffic.ts'
import { type Cidr, type Family, familyOf } from '../network/model/address.ts'
import { rangeOf } from '../network/model/ip-range.ts'
import { rangeSet } from '../network/nft-sets.ts'

/** The table, in the family `inet`. */
export const FLANNEL_TABLE = 'weft-flannel'

/** Removes our table. */
export const NO_RULESET = `table inet ${FLANNEL_TABLE}\ndelete table inet ${FLANNEL_TABLE}\n`

/** Who is believed. */
export interface Guard {
  /** Pods' networks, of which each family has one. */
  readonly networks: readonly Cidr[]
  /** Index of the link to the other machines. */
  readonly uplink: number
  /** How packets are carried; absent where there is no tunnel. */
  readonly tunnel?: Tunnel
  /** From where the other machines' tunnel packets come. */
  readonly machines: readonly Cidr[]
}

/** What a tunnel's packets are known by. */
export interface Tunnel {
  /** Of UDP. */
  readonly port: number
  /** Of VXLAN: the port may be shared with others, who have numbers of their own. */
  readonly vni?: number
}

/** What is wanted of the table. */
export interface TableWish {
  /** Absent: nothing is translated. */
  readonly masquerade: Masquerade | undefined
  /** Absent: everybody is believed. */
  readonly guard: Guard | undefined
}

/** A ruleset that replaces our table as a whole, or, with nothing wanted, removes it. */
export function flannelRuleset({ masquerade, guard }: TableWish): string {
  const parts = [
    ...(guard === undefined ? [] : guardParts(guard)),
    ...(masquerade === undefined ? [] : [chain('leave', masqueradeRules(masquerade))]),
  ]
  return parts.length === 0 ? NO_RULESET : `${NO_RULESET}table inet ${FLANNEL_TABLE} {\n${parts.join('\n')}\n}\n`
}

const WORD: { readonly [F in Family]: 'ip' | 'ip6' } = { 4: 'ip', 6: 'ip6' }
/** The sender is somebody to whom the kernel would not answer by the link that the packet came by. */
const NOT_BACK = 'fib saddr . mark . iif oif missing'

function guardParts({ networks, uplink, tunnel, machines }: Guard): readonly string[] {
  const families = networks.map(familyOf)
  const packet = tunnel && tunnelPacket(tunnel)
  const ofTunnel = (rules: (family: Family, word: string) => readonly string[]): readonly string[] =>
    packet === undefined ? [] : families.flatMap((family) => rules(family, WORD[family]).map((r) => `${packet} ${r}`))
  return [
    ...(packet === undefined ? [] : families.map((family) => rangeSet(setOf(family), family, machines.map(rangeOf)))),
    chain('arriving', [
      'type filter hook prerouting priority raw; policy accept;',
      ...networks.map((network) => `${WORD[familyOf(network)]} saddr ${network} ${NOT_BACK} counter drop`),
      // A pod that sends in the name of a machine. The link to the machines is theirs, whichever of several each comes by.
      ...ofTunnel((family, word) => [`iif != ${uplink} ${word} saddr @${setOf(family)} ${NOT_BACK} counter drop`]),
    ]),
    ...(packet === undefined
      ? []
      : [
          chain('to_tunnel', [
            'type filter hook input priority filter; policy accept;',
            ...ofTunnel((family, word) => [
              `${word} saddr != @${setOf(family)} counter drop`,
              `meta nfproto ipv${family} ct status & dnat != 0 counter drop`,
            ]),
          ]),
          chain('to_others_tunnels', [
            'type filter hook forward priority filter; policy accept;',
            ...ofTunnel((family, word) => [
              // Their sender may be translated to this machine's address, which the others believe.
              `${word} daddr @${setOf(family)} ${word} saddr != @${setOf(family)} counter drop`,
              `${word} daddr @${setOf(family)} ct status & dnat != 0 counter drop`,
            ]),
          ]),
        ]),
  ]
}

/** The network number is the three bytes behind the UDP header and VXLAN's first four. */
function tunnelPacket({ port, vni }: Tunnel): string {
  return `udp dport ${port}${vni === undefined ? '' : ` @th,96,24 ${vni}`}`
}

function setOf(family: Family): string {
  return `machines${family}`
}

function chain(name: string, lines: readonly string[]): string {
  return `  chain ${name} {\n${lines.map((line) => `    ${line}`).join('\n')}\n  }`
}
