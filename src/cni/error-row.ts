/**
 * A row of the table of errors.
 * @module
 */

/** One row of the table. */
export interface CniErrorRow {
  readonly code: number
  readonly message: string
  readonly remedy: string
}
