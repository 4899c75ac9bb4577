/**
 * nftables of legs. The node's table is the same for every leg, and knows none by name: what comes by a leg is told by its
 * link's group, and what goes back into the pod that it came from by the next hop.
 * @module
 */
import type { Ip } from '../../network/model/address.ts'
import { BACK_HOP, BACK_SOURCE, LEG_ADDRESS } from '../../network/virtual-addresses.ts'
import { LEG_GROUP, LEG_GROUPS, LEG_MASQUERADE_GROUP, LEG_NFT_TABLE, POD_MARKS } from './numbers.ts'

/** Of nft(8): `mangle`, and before other people's source translation: the first one of a connection counts. */
const MANGLE = -150
const BEFORE_OTHERS = 90

/** The name of the node's table for legs whose answers get this mark. */
export function nodeTableName(mark: number): string {
  return `${LEG_NFT_TABLE}-${mark.toString(16)}`
}

/**
 * The node's table. Answers of pods are marked, so that they leave as the question came; whom the node would not answer by a
 * leg has no business to come by it; what goes back into its pod gets a source that is the node's to translate back.
 *
 * That this leaves by the link it came from is meant so. The kernel would tell of a better way each time: IPv6 even endpoints on
 * the wire, which then send to where nobody hears them.
 */
export function nodeTable(mark: number) {
  const fromLeg = LEG_GROUPS.map((group) => ({ match: 'iifgroup', group }) as const)
  return {
    name: nodeTableName(mark),
    chains: [
      {
        name: 'arrive',
        type: 'filter',
        hook: 'prerouting',
        priority: MANGLE,
        rules: fromLeg.flatMap(
          (leg) =>
            [
              [leg, { match: 'ct direction', value: 'reply' }, { set: 'meta mark', bits: mark }],
              [
                leg,
                { match: 'ct direction', value: 'original' },
                { match: 'fib saddr . iif oif missing' },
                { verdict: 'drop' },
              ],
            ] as const,
        ),
      },
      {
        name: 'leave',
        type: 'nat',
        hook: 'postrouting',
        priority: BEFORE_OTHERS,
        rules: [
          ...([4, 6] as const).map(
            (family) =>
              [
                { match: 'rt nexthop', address: BACK_HOP[family] },
                { verdict: 'snat', to: BACK_SOURCE[family] },
              ] as const,
          ),
          [
            { match: 'iifgroup', group: LEG_MASQUERADE_GROUP },
            { match: 'oifgroup', group: LEG_GROUP, not: true },
            { match: 'oifgroup', group: LEG_MASQUERADE_GROUP, not: true },
            { verdict: 'masquerade' },
          ],
        ],
      },
      {
        name: 'speak',
        type: 'filter',
        hook: 'output',
        priority: 0,
        rules: [
          ...LEG_GROUPS.map(
            (group) =>
              [{ match: 'oifgroup', group }, { match: 'icmp redirect', family: 4 }, { verdict: 'drop' }] as const,
          ),
          [{ match: 'icmp redirect', family: 6 }, { match: 'ip6 saddr', address: LEG_ADDRESS }, { verdict: 'drop' }],
        ],
      },
    ],
  } as const
}

/**
 * A pod's table. Connections are marked by where they came from, and so is what answers them; what the node sends back leaves
 * with the pod's own address.
 */
export function podTable(leg: string, wire: string, addresses: readonly Ip[]) {
  const comesBy = (name: string, mark: number) =>
    [{ match: 'iifname', name }, { match: 'ct state new' }, { set: 'ct mark', value: mark }] as const
  const answers = (mark: number) =>
    [
      { match: 'ct mark', value: mark },
      { set: 'meta mark', from: 'ct mark' },
    ] as const
  return {
    name: LEG_NFT_TABLE,
    chains: [
      {
        name: 'receive',
        type: 'filter',
        hook: 'prerouting',
        priority: MANGLE,
        rules: [comesBy(leg, POD_MARKS.leg), comesBy(wire, POD_MARKS.wire)],
      },
      {
        name: 'answer',
        type: 'route',
        hook: 'output',
        priority: MANGLE,
        rules: [answers(POD_MARKS.leg), answers(POD_MARKS.wire)],
      },
      {
        name: 'leave',
        type: 'nat',
        hook: 'postrouting',
        priority: BEFORE_OTHERS,
        rules: addresses.map(
          (to) =>
            [
              { match: 'iifname', name: leg },
              { match: 'oifname', name: wire },
              { verdict: 'snat', to },
            ] as const,
        ),
      },
    ],
  } as const
}
