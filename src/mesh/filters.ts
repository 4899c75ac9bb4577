/**
 * Keeps the machine's packet filters as the mesh needs them.
 * @module
 */
import { admitPods } from '../agent/node/foreign-filters.ts'
import { applyRuleset, LinuxError, listRuleset } from '../linux/index.ts'
import { ACCEPTANCE, NFT_TABLE } from './names.ts'
import type { MeshPlan } from './plan.ts'
import { meshAcceptance, meshRuleset, meshTraffic, NO_RULESET } from './ruleset.ts'

/** Filters of this machine. */
export class Filters {
  /** Our table as nft told it after it was written, and for what it was. */
  #written: { readonly wish: string; readonly told: string } | undefined
  /** What dropped packets when it was last looked. */
  #drops: readonly string[] = []

  /**
   * Brings them to a plan; where it wants what the last one wanted, only when it is `asked` to look. Resolves with what still drops packets,
   * in words. Throws LINUX_TOOL, LINUX_TOOL_MISSING.
   */
  async apply(plan: MeshPlan, asked: boolean): Promise<readonly string[]> {
    const [ruleset, acceptance, traffic] = [meshRuleset(plan), meshAcceptance(plan), meshTraffic(plan)]
    const wish = JSON.stringify([ruleset, acceptance, traffic])
    if (this.#written?.wish === wish && !asked) return this.#drops
    if (this.#written?.wish !== wish || this.#written.told !== (await told())) {
      await applyRuleset(ruleset)
      this.#written = { wish, told: await told() }
    }
    this.#drops = await admitPods({ acceptance, traffic }, {}, ACCEPTANCE)
    return this.#drops
  }
}

/** Removes all that is ours of them. */
export async function removeFilters(): Promise<void> {
  try {
    await applyRuleset(NO_RULESET)
    await admitPods({ acceptance: [], traffic: [] }, {}, ACCEPTANCE)
  } catch (error) {
    // Where there is no nft, there is nothing that it made.
    if (!(error instanceof LinuxError && error.code === 'LINUX_TOOL_MISSING')) throw error
  }
}

/** Without counters, which change by themselves. */
async function told(): Promise<string> {
  try {
    const listed = await listRuleset({ table: `inet ${NFT_TABLE}` })
    return JSON.stringify(listed, (key, value: unknown) => (key === 'counter' || key === 'handle' ? null : value))
  } catch {
    // It is not there.
    return ''
  }
}
