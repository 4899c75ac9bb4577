/**
 * What a demonstration saw, line by line.
 * @module
 */
import type { Outcome } from '../lab/command.ts'

/** Lines with ✓ or ✗, and a count of the latter. */
export class Report {
  readonly #start = performance.now()
  #passed = 0
  #failed = 0

  /** A heading, with the seconds since the beginning. */
  section(title: string): void {
    console.log(`\n${title}  [${Math.round((performance.now() - this.#start) / 1000)} s]`)
  }

  /** What was seen, and whether it is as it should be. */
  check(holds: boolean, what: string): void {
    if (holds) this.#passed += 1
    else this.#failed += 1
    console.log(`  ${holds ? '✓' : '✗'} ${what}`)
  }

  /** What is neither good nor bad. */
  note(text: string): void {
    for (const line of text.trimEnd().split('\n')) console.log(`    ${line}`)
  }

  /** A program that should succeed; its output is shown when it does not. */
  succeeded({ code, stdout, stderr }: Outcome, what: string): void {
    this.check(code === 0, code === 0 ? what : `${what}: exit ${code}`)
    if (code !== 0) this.note(`${stdout}${stderr}`)
  }

  /** The last line; returns the exit status. */
  sumUp(): number {
    const seconds = Math.round((performance.now() - this.#start) / 1000)
    console.log(
      `\n${this.#failed === 0 ? '✓' : '✗'} ${this.#passed} as it should be, ${this.#failed} not (${seconds} s)`,
    )
    return this.#failed === 0 ? 0 : 1
  }
}
