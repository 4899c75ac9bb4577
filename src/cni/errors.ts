import { CNI_ERRORS, type CniErrorId } from './error-table.ts'
import { FALLBACK_VERSION, isCniVersion } from './version.ts'

type Placeholders<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never

type RowText<Id extends CniErrorId> = (typeof CNI_ERRORS)[Id]['message'] | (typeof CNI_ERRORS)[Id]['remedy']

/** The values an error's texts ask for, by placeholder. */
export type CniErrorValues<Id extends CniErrorId> = { readonly [Name in Placeholders<RowText<Id>>]: string | number }

type ValuesArgument<Id extends CniErrorId> =
  Placeholders<RowText<Id>> extends never ? [values?: Record<string, never>] : [values: CniErrorValues<Id>]

/** The error as a container runtime reads it on standard output. */
export interface CniErrorAnswer {
  readonly cniVersion: string
  readonly code: number
  readonly msg: string
  readonly details: string
}

/** No text from outside makes a message longer than this, in characters. */
const MAX_VALUE = 256
const MAX_MESSAGE = 1024

/**
 * An error of the plugin: `code` is what the runtime acts on, `id` is stable, `message` says the cause and `remedy`
 * what to do.
 */
export class CniError extends Error {
  override readonly name = 'CniError'
  readonly id: string
  readonly code: number
  readonly remedy: string

  constructor(id: string, code: number, message: string, remedy: string) {
    super(message)
    this.id = id
    this.code = code
    this.remedy = remedy
  }
}

/** Makes an error of the table. Values are cut to 256 characters and stripped of control characters. */
export function cniError<Id extends CniErrorId>(id: Id, ...[values]: ValuesArgument<Id>): CniError {
  const row = CNI_ERRORS[id]
  const given: Readonly<Record<string, string | number>> = values ?? {}
  return new CniError(id, row.code, fill(row.message, given), fill(row.remedy, given))
}

/**
 * Whatever was thrown, as an error for the runtime.
 *
 * Errors of our rooms (a stable `code` in words and a `remedy`) keep their texts and id, under code 999 where the table
 * does not know the id. Anything else becomes `internal`: its text may hold a path, a token or a stack and stays in the log.
 */
export function toCniError(thrown: unknown): CniError {
  if (thrown instanceof CniError) return thrown
  if (!isRoomError(thrown)) return cniError('internal')
  return new CniError(thrown.code, codeOf(thrown.code), cleanText(thrown.message), cleanText(thrown.remedy))
}

/** The error in the form the specification gives it. `version` is that of the request, as far as it is known. */
export function errorAnswer(error: CniError, version?: unknown): CniErrorAnswer {
  return {
    cniVersion: isCniVersion(version) ? version : FALLBACK_VERSION,
    code: error.code,
    msg: error.message,
    details: `${error.remedy} (${error.id})`,
  }
}

/** The bytes for standard output, as text: one line of JSON. */
export function printError(thrown: unknown, version?: unknown): string {
  return `${JSON.stringify(errorAnswer(toCniError(thrown), version))}\n`
}

/** Text from outside, fit for one line: control characters become spaces, long text is cut. */
export function cleanText(text: string, limit = MAX_MESSAGE): string {
  const head = text.length > limit ? `${text.slice(0, limit - 1)}…` : text
  return head.toWellFormed().replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ')
}

function fill(template: string, values: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? cleanText(String(values[name]), MAX_VALUE) : whole,
  )
}

function codeOf(id: string): number {
  const known: Readonly<Record<string, { readonly code: number }>> = CNI_ERRORS
  return Object.hasOwn(known, id) ? (known[id]?.code ?? CNI_ERRORS.internal.code) : CNI_ERRORS.internal.code
}

interface RoomError {
  readonly code: string
  readonly message: string
  readonly remedy: string
}

function isRoomError(thrown: unknown): thrown is RoomError {
  return (
    thrown instanceof Error &&
    'code' in thrown &&
    typeof thrown.code === 'string' &&
    /^[a-z][a-z0-9_-]*$/i.test(thrown.code) &&
    'remedy' in thrown &&
    typeof thrown.remedy === 'string'
  )
}
