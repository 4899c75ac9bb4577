/**
 * What an audit finds beyond the nodes: in the systems that the cluster has its ports and rows in.
 * @module
 */
import type { Finding } from '../../insight/audit/findings.ts'

/** A look at such a system. */
export interface OutsideLook {
  readonly findings: readonly Finding[]
  /** How many of what were compared: `[12, 'Neutron port']`. */
  readonly compared: readonly (readonly [number, string])[]
  /** What could not be looked at and is no difference, for people: a sentence each. */
  readonly notes: readonly string[]
}

/** Nothing was to be looked at. */
export const NOT_LOOKED: OutsideLook = { findings: [], compared: [], notes: [] }

/** Several looks as one. */
export function together(looks: readonly OutsideLook[]): OutsideLook {
  return {
    findings: looks.flatMap(({ findings }) => findings),
    compared: looks.flatMap(({ compared }) => compared),
    notes: looks.flatMap(({ notes }) => notes),
  }
}

/** What an error says, with what to do about it. */
export function sentenceOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const isTold = error instanceof Error && 'remedy' in error && typeof error.remedy === 'string' && error.remedy !== ''
  return isTold ? `${message} → ${error.remedy}` : message
}
