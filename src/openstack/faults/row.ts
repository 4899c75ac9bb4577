/**
 * What a row of the tables of failures says.
 * @module
 */
import type { OpenStackErrorCode } from '../errors.ts'

/** One documented failure. */
export interface Fault {
  readonly code: OpenStackErrorCode
  /** The rest of "Neutron did not create a port on network …:". */
  readonly cause: string
  /** What an operator can do. */
  readonly remedy: string
}

/** A row. */
export function fault(code: Fault['code'], cause: string, remedy: string): Fault {
  return Object.freeze({ code, cause, remedy })
}
