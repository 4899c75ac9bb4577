/**
 * Errors of the command line itself, and how any error is told to people.
 * @module
 */
import { CodedError } from '../text/coded-error.ts'
import { codeOf } from './exit-codes.ts'

/** The ways a command can fail by itself. */
export type CliErrorCode = 'CLI_USAGE' | 'CLI_NOT_RUNNING'

/** A command that cannot go on: the message is the cause, the remedy what to do. */
export class CliError extends CodedError<CliErrorCode> {
  override readonly name = 'CliError'
}

/** A command line that makes no sense. */
export function usage(message: string, remedy: string): CliError {
  return new CliError('CLI_USAGE', message, remedy)
}

/** Rewrites the commands in a text as people have to type them. */
export type AsTyped = (text: string) => string

/** An error in one line: cause and remedy. Errors without a stable code are defects and keep their stack. */
export function describeError(error: unknown, asTyped: AsTyped): string {
  if (!(error instanceof Error)) return String(error)
  if (codeOf(error) === undefined) return error.stack ?? error.message
  const remedy = remedyOf(error)
  return remedy === undefined ? error.message : `${error.message} → ${asTyped(remedy)}`
}

/** What to do about an error, if it says so. */
export function remedyOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('remedy' in error)) return undefined
  return typeof error.remedy === 'string' ? error.remedy : undefined
}

/** An error as `--json` prints it. */
export function errorToJson(error: unknown, asTyped: AsTyped): object {
  const message = error instanceof Error ? error.message : String(error)
  const remedy = remedyOf(error)
  return { error: { code: codeOf(error) ?? 'INTERNAL', message, remedy: remedy && asTyped(remedy) } }
}
