/**
 * Scenarios as tests of `bun test`.
 * @module
 */
import { afterAll, beforeAll, describe, test } from 'bun:test'
import { Lab } from './lab.ts'
import type { Scenario } from './scenario.ts'

const PATIENCE = 300_000

/** Declares the tests of a scenario: one per step, on one playground that is removed at the end. */
export function testScenario({ name, lab: options, steps }: Scenario): void {
  describe(name, () => {
    const lab = new Lab(name, options)
    if (options !== undefined) beforeAll(() => lab.up(), PATIENCE)
    afterAll(() => lab.down(), PATIENCE)
    for (const step of steps) {
      const reason = step.skip?.()
      if (reason !== undefined) test.skip(`${step.title} (${reason})`, () => undefined)
      else test(step.title, async () => step.run({ lab, say: () => undefined }), PATIENCE)
    }
  })
}
