/**
 * Scenarios as tests of `bun test`.
 * @module
 */
import { afterAll, beforeAll, describe, test } from 'bun:test'
import { Lab } from './lab.ts'
import type { Scenario } from './scenario.ts'

const PATIENCE = 300_000

/** Declares the tests of a scenario: one per step, on one playground that is removed at the end. */
export function testScenario(scenario: Scenario): void {
  describe(scenario.name, () => declare(scenario))
}

/** One that takes a minute: `npm run test:long` runs it, `npm test` says that it does not. */
export function testLongScenario(scenario: Scenario): void {
  const isWanted = process.env['WEFT_TEST_LONG'] !== undefined
  describe.skipIf(!isWanted)(`${scenario.name} (npm run test:long)`, () => declare(scenario))
}

function declare({ name, lab: options, steps }: Scenario): void {
  const lab = new Lab(name, options)
  if (options !== undefined) beforeAll(() => lab.up(), PATIENCE)
  afterAll(() => lab.down(), PATIENCE)
  for (const step of steps) {
    const reason = step.skip?.()
    if (reason !== undefined) test.skip(`${step.title} (${reason})`, () => undefined)
    else test(step.title, async () => step.run({ lab, say: () => undefined }), PATIENCE)
  }
}
