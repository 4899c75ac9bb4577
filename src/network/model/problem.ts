/**
 * What is wrong with an object that somebody wrote.
 * @module
 */

/** Which field is at fault, why, and what would be right. */
export interface FieldProblem {
  /** As it is written in the object: `spec.ips[1]`. */
  readonly field: string
  readonly reason: string
  readonly remedy: string
}

/** A problem as one line. */
export function problemLine({ field, reason, remedy }: FieldProblem): string {
  return `${field}: ${reason}; ${remedy}`
}
