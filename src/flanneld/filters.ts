/**
 * Our own table, and acceptance in the filters of others (Docker has iptables drop what is forwarded).
 * @module
 */
import { type FilterWish, OwnFilters } from '../agent/node/own-filters.ts'
import { networkAcceptance } from '../network/firewall/acceptance.ts'
import { type Cidr, familyOf } from '../network/model/address.ts'
import { FLANNEL_TABLE, flannelRuleset, NO_RULESET, type TableWish } from './ruleset.ts'

/** What is wanted of filters. */
export interface FlannelFilters extends TableWish {
  /** Networks whose packets are to be forwarded. */
  readonly forwarded: readonly Cidr[]
}

/** Those of this machine. */
export function flannelFilters(): OwnFilters {
  const acceptance = { chain: 'WEFT-FLANNEL', comment: 'weft: flannel' }
  return new OwnFilters({ table: FLANNEL_TABLE, noRuleset: NO_RULESET, acceptance })
}

/** How they should be. */
export function filterWish({ forwarded, ...table }: FlannelFilters): FilterWish {
  const families = ([4, 6] as const).map((family) => ({
    family,
    networks: forwarded.filter((network) => familyOf(network) === family),
  }))
  const used = families.filter(({ networks }) => networks.length > 0)
  return {
    ruleset: flannelRuleset(table),
    acceptance: used.map(({ family, networks }) => networkAcceptance(family === 4 ? 'ip' : 'ip6', networks)),
    traffic: used.flatMap(({ family, networks }) =>
      networks.map((network) => ({
        title: `what pods of ${network} send to each other`,
        of: 'pods' as const,
        hook: 'forward' as const,
        family,
        source: { within: network },
        destination: { within: network },
        state: 'new',
      })),
    ),
  }
}
