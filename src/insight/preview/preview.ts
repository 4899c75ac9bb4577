/**
 * What a change of policies changes, before it is made.
 * @module
 */
import { compare } from './compare.ts'
import type { Given } from './documents.ts'
import { type Line, Lines } from './lines.ts'
import { lint, type Warning } from './lints/lint.ts'
import { type Population, populationOf } from './party-words.ts'
import type { PreviewWorld } from './world.ts'

/** What will change. */
export interface Preview {
  /** Pairs of a pod and another pod, a node, or addresses outside that are treated alike. */
  readonly pairs: number
  readonly lines: readonly Line[]
  readonly warnings: readonly Warning[]
  readonly population: Population
}

/** Compares a world with the same one under other policies. `given` are those that somebody wrote, for warnings. */
export function preview(world: PreviewWorld, given: readonly Given[]): Preview {
  const lines = new Lines()
  const comparison = compare(world, (difference) => lines.add(difference))
  return {
    pairs: comparison.pairs,
    lines: lines.lines(),
    warnings: lint(given, { world, comparison }),
    population: populationOf(comparison.parties),
  }
}
