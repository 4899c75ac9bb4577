/**
 * Scenarios: steps on a playground, run as tests (`testScenario`) or as a script that prints what it saw
 * (`bun test/e2e/<name>.ts`), so that a report shows what the tests check.
 * @module
 */
import { Lab, type LabOptions } from './lab.ts'

/** What a step gets: the lab, what earlier steps kept, and where to say what was seen. */
export interface StepContext {
  readonly lab: Lab
  /** Prints a line of the report; silent in tests. */
  say(line: string): void
}

/** One step; it throws when something is not as it should be. */
export interface Step {
  readonly title: string
  run(context: StepContext): Promise<void> | void
  /** Why it cannot be run here, or undefined. */
  skip?(): string | undefined
}

/** Steps on one playground, in order. */
export interface Scenario {
  readonly name: string
  /** Undefined: the steps make their own. */
  readonly lab: LabOptions | undefined
  readonly steps: readonly Step[]
}

/** Runs a scenario and prints what it saw; sets the exit code. */
export async function runScenario({ name, lab: options, steps }: Scenario): Promise<void> {
  const lab = new Lab(name, options)
  try {
    if (options !== undefined) await lab.up()
    for (const step of steps) await runStep(lab, step)
  } finally {
    await lab.down()
  }
  console.log(failures === 0 ? `${name}: all as it should be` : `${name}: ${failures} wrong`)
  process.exit(failures === 0 ? 0 : 1)
}

let failures = 0

async function runStep(lab: Lab, step: Step): Promise<void> {
  const reason = step.skip?.()
  if (reason !== undefined) {
    console.log(`- ${step.title}\n    skipped: ${reason}`)
    return
  }
  const lines: string[] = []
  try {
    await step.run({ lab, say: (line) => lines.push(line) })
    console.log(`✓ ${step.title}`)
  } catch (error) {
    failures += 1
    lines.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
    console.log(`✗ ${step.title}`)
  }
  for (const line of lines) console.log(line.replace(/^/gm, '    '))
}
