/**
 * Our own table, and acceptance in the filters of others (Docker has iptables drop what is forwarded).
 * @module
 */
import { admitPods } from '../agent/node/foreign-filters.ts'
import { applyRuleset, LinuxError, listRuleset, type NftOptions } from '../linux/index.ts'
import { type AcceptanceOwner, networkAcceptance } from '../network/firewall/acceptance.ts'
import { type Cidr, familyOf } from '../network/model/address.ts'
import { FLANNEL_TABLE, flannelRuleset, NO_RULESET, type TableWish } from './ruleset.ts'

/** Ours in the filters of others. */
const OWNER: AcceptanceOwner = { chain: 'WEFT-FLANNEL', comment: 'weft: flannel' }

/** What is wanted of filters. */
export interface FilterWish extends TableWish {
  /** Networks whose packets are to be forwarded. */
  readonly forwarded: readonly Cidr[]
}

/** Removes all that is ours of them. Throws LINUX_TOOL. */
export async function removeFilters(): Promise<void> {
  try {
    await applyRuleset(NO_RULESET)
    await admitPods({ acceptance: [], traffic: [] }, {}, OWNER)
  } catch (error) {
    // Where there is no nft, there is nothing that it made.
    if (!(error instanceof LinuxError && error.code === 'LINUX_TOOL_MISSING')) throw error
  }
}

/** Keeps filters as they are wanted. */
export class Filters {
  readonly #options: NftOptions
  /** Our table as nft told it after it was written, and of what it was made. */
  #written: { readonly ruleset: string; readonly told: string } | undefined

  constructor(options: NftOptions = {}) {
    this.#options = options
  }

  /** Brings them there. Resolves with what still drops packets, in words. Throws LINUX_TOOL, LINUX_TOOL_MISSING. */
  async apply({ forwarded, ...table }: FilterWish): Promise<readonly string[]> {
    const ruleset = flannelRuleset(table)
    if (this.#written?.ruleset !== ruleset || this.#written.told !== (await this.#told())) {
      await applyRuleset(ruleset, this.#options)
      this.#written = { ruleset, told: await this.#told() }
    }
    const families = ([4, 6] as const).map((family) => ({
      family,
      networks: forwarded.filter((network) => familyOf(network) === family),
    }))
    const used = families.filter(({ networks }) => networks.length > 0)
    const acceptance = used.map(({ family, networks }) => networkAcceptance(family === 4 ? 'ip' : 'ip6', networks))
    const traffic = used.flatMap(({ family, networks }) =>
      networks.map((network) => ({
        title: `what pods of ${network} send to each other`,
        of: 'pods' as const,
        hook: 'forward' as const,
        family,
        source: { within: network },
        destination: { within: network },
        state: 'new',
      })),
    )
    return admitPods({ acceptance, traffic }, this.#options, OWNER)
  }

  /** Without counters, which change by themselves. */
  async #told(): Promise<string> {
    try {
      const told = await listRuleset({ ...this.#options, table: `inet ${FLANNEL_TABLE}`, elements: true })
      return JSON.stringify(told, (key, value: unknown) => (key === 'counter' || key === 'handle' ? null : value))
    } catch {
      // It is not there.
      return ''
    }
  }
}
