/**
 * What the controller has to say to the owners of objects.
 * @module
 */
import type { Kind } from '../registry/registry.ts'
import type { Notice } from './write.ts'

/** Where notices are told besides the log. */
export interface ControllerEvents {
  /** A warning about an object. Must not throw; it is not waited for. */
  warn(about: { readonly kind: Kind; readonly name: string }, notice: Notice): void
}

/** What went wrong, for people. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** A notice as one line. */
export function lineOf({ message, remedy }: Notice): string {
  return remedy === '' ? message : `${message}: ${remedy}`
}
