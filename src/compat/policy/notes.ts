/**
 * What is found while a policy is read.
 * @module
 */
import type { PolicyProblem } from '../../network/model/policy.ts'
import { MAX_POLICY_PROBLEMS, MAX_PROBLEM_TEXT } from '../../network/model/validate-policy.ts'

/** A place in an object, and where to write down what nobody understands there. */
export class Notes {
  readonly field: string
  readonly #problems: PolicyProblem[]

  constructor(field: string, problems: PolicyProblem[] = []) {
    this.field = field
    this.#problems = problems
  }

  /** The place below: a field's name, or an item's index. */
  at(step: string | number): Notes {
    return new Notes(typeof step === 'number' ? `${this.field}[${step}]` : `${this.field}.${step}`, this.#problems)
  }

  /** Writes down what is wrong here. The undefined is what a reader gives back then. */
  problem(reason: string): undefined {
    if (this.#problems.length >= MAX_POLICY_PROBLEMS) return undefined
    this.#problems.push({ field: cut(this.field), reason: cut(reason) })
    return undefined
  }

  /** Everything that was written down, at whatever place. */
  get problems(): readonly PolicyProblem[] {
    return this.#problems
  }
}

/** A text that fits into a problem. */
export function cut(text: string): string {
  return text.length > MAX_PROBLEM_TEXT ? `${text.slice(0, MAX_PROBLEM_TEXT - 1)}…` : text
}
