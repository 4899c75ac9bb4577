/**
 * What a daemon beside the agent keeps of this machine's packet filters: a table of its own, as a whole, and acceptance in the
 * filters of others.
 * @module
 */
import { applyRuleset, LinuxError, listRuleset, type NftOptions } from '../../linux/index.ts'
import type { AcceptanceOwner } from '../../network/firewall/acceptance.ts'
import { admitPods, type FilterPlan, withdrawAcceptance } from './foreign-filters.ts'

/** Whose filters they are. */
export interface FilterOwner {
  /** Of nftables, in the family `inet`. */
  readonly table: string
  /** Removes that table, whether it is there or not. */
  readonly noRuleset: string
  /** By which acceptance in filters of others is known. */
  readonly acceptance: AcceptanceOwner
}

/** How they should be. */
export interface FilterWish extends FilterPlan {
  /** Replaces the own table as a whole, or removes it. */
  readonly ruleset: string
}

/** Filters of one owner on this machine. */
export class OwnFilters {
  readonly #owner: FilterOwner
  readonly #options: NftOptions
  /** Our table as nft told it after it was written, and for what it was. */
  #written: { readonly wish: string; readonly told: string } | undefined
  /** What dropped packets when it was last looked. */
  #drops: readonly string[] = []

  constructor(owner: FilterOwner, options: NftOptions = {}) {
    this.#owner = owner
    this.#options = options
  }

  /**
   * Brings them there; where the wish is the last one that came true, only when it is `asked` to look. Resolves with what still drops packets,
   * in words. Throws LINUX_TOOL, LINUX_TOOL_MISSING.
   */
  async apply({ ruleset, ...foreign }: FilterWish, asked: boolean): Promise<readonly string[]> {
    const wish = JSON.stringify([ruleset, foreign])
    if (this.#written?.wish === wish && !asked) return this.#drops
    try {
      if (this.#written?.wish !== wish || this.#written.told !== (await this.#told())) {
        await applyRuleset(ruleset, this.#options)
        this.#written = { wish, told: await this.#told() }
      }
      this.#drops = await admitPods(foreign, this.#options, this.#owner.acceptance)
      return this.#drops
    } catch (error) {
      // What failed is tried by the next turn, asked or not: it would have nothing to tell of it.
      this.#written = undefined
      throw error
    }
  }

  /** Removes all that is the owner's. Resolves with whether there was something. Throws LINUX_TOOL. */
  async remove(): Promise<boolean> {
    try {
      const isThere = (await this.#told()) !== ''
      await applyRuleset(this.#owner.noRuleset, this.#options)
      const isAccepted = await withdrawAcceptance(this.#options, this.#owner.acceptance)
      return isThere || isAccepted
    } catch (error) {
      // Where there is no nft, there is nothing that it made.
      if (error instanceof LinuxError && error.code === 'LINUX_TOOL_MISSING') return false
      throw error
    }
  }

  /** Without counters, which change by themselves; empty where there is no table. */
  async #told(): Promise<string> {
    try {
      const told = await listRuleset({ ...this.#options, table: `inet ${this.#owner.table}`, elements: true })
      return JSON.stringify(told, (key, value: unknown) => (key === 'counter' || key === 'handle' ? null : value))
    } catch (error) {
      if (error instanceof LinuxError && error.code === 'LINUX_TOOL_MISSING') throw error
      return ''
    }
  }
}
