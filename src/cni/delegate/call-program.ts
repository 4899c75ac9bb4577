/**
 * The contract with a plugin that is a program. Source: CNI specification, "Section 2: Execution Protocol"; libcni for what
 * it leaves open.
 * @module
 */
import { type CniError, cniError, pluginError } from '../errors.ts'
import { decodeJson, isObject, type Json, type JsonObject, member, ShapeError } from '../json.ts'
import type { CniResult } from '../result.ts'
import { parseResult } from '../result-parse.ts'
import { type CniVersion, isCniVersion, NEWEST_VERSION } from '../version.ts'
import { environmentOf, type ProgramCall } from './environment.ts'
import { EXEC_LIMITS, type ExecLimits, type ExecOutcome, exec } from './exec.ts'
import { findProgram } from './find-program.ts'

/** How programs are run. */
export interface ProgramOptions {
  readonly limits?: ExecLimits
  readonly signal?: AbortSignal
  /** Variables for programs, besides those of the contract. */
  readonly environment?: Readonly<Record<string, string>>
  /** Hears what a program wrote to standard error, for the log. */
  readonly heard?: (type: string, text: string) => void
}

/** ADD's answer. */
export async function addByProgram(
  call: Omit<ProgramCall, 'verb'>,
  input: JsonObject,
  version: CniVersion,
  options: ProgramOptions = {},
): Promise<CniResult> {
  const { type } = call
  const { output } = await callProgram({ ...call, verb: 'ADD' }, input, options)
  try {
    return parseResult(decoded(type, output), version, 'result')
  } catch (error) {
    throw error instanceof ShapeError ? failed(type, `its answer is no result: ${error.message}`) : error
  }
}

/**
 * Calls a program with a verb. Throws what it answered as an error, under its own code, and `plugin-missing`,
 * `plugin-failed` and `plugin-timeout` where there is no answer. What it wrote to standard error is in no error: it may
 * hold a token or a path, and errors are shown to whoever may see the pod.
 */
export async function callProgram(
  call: ProgramCall,
  input: JsonObject,
  { limits = EXEC_LIMITS, signal, environment: extra, heard }: ProgramOptions = {},
): Promise<ExecOutcome> {
  const { type } = call
  const file = await findProgram(type, call.path)
  const environment = environmentOf(call, process.env, extra)
  const outcome = await exec({ type, file, environment, input: JSON.stringify(input) }, limits, signal)
  if (outcome.errors !== '') heard?.(type, outcome.errors)
  if (outcome.status === 0 && outcome.signal === undefined) return outcome
  throw errorOf(type, outcome)
}

/**
 * The versions of the specification that a program says it speaks, as far as we know them. Programs older than VERSION
 * speak 0.1.0. Throws as {@link callProgram} does.
 */
export async function versionsOf(
  type: string,
  path: readonly string[],
  options: ProgramOptions = {},
): Promise<readonly CniVersion[]> {
  // Early libraries look for these whatever the verb.
  const dummy = { containerId: 'dummy', netns: 'dummy', ifname: 'dummy' }
  try {
    const { output } = await callProgram(
      { verb: 'VERSION', type, path, ...dummy },
      { cniVersion: NEWEST_VERSION },
      options,
    )
    return versionsIn(decoded(type, output))
  } catch (error) {
    if (isUnknownCommand(error)) return ['0.1.0']
    throw error
  }
}

function versionsIn(answer: Json): readonly CniVersion[] {
  const supported = isObject(answer) ? member(answer, 'supportedVersions') : undefined
  return Array.isArray(supported) ? supported.filter(isCniVersion) : ['0.1.0', '0.2.0']
}

function isUnknownCommand(error: unknown): boolean {
  return error instanceof Error && /unknown CNI_COMMAND/i.test(error.message)
}

function errorOf(type: string, { status, signal, output }: ExecOutcome): CniError {
  const answer = answerIn(output)
  const [code, message, details] = ['code', 'msg', 'details'].map((key) => answer && member(answer, key))
  if (typeof code === 'number' && Number.isInteger(code) && code > 0 && code <= MAX_CODE) {
    return pluginError(type, code, textOf(message), textOf(details))
  }
  return failed(
    type,
    signal === undefined ? `it ended with status ${status} and no error` : `it was ended by ${signal}`,
  )
}

/** Codes are unsigned numbers of 32 bits. */
const MAX_CODE = 0xffff_ffff

function answerIn(output: string): JsonObject | undefined {
  try {
    const answer = decodeJson(output)
    return isObject(answer) ? answer : undefined
  } catch {
    return undefined
  }
}

function decoded(type: string, output: string): Json {
  try {
    return decodeJson(output)
  } catch (error) {
    throw failed(type, `its answer is not JSON: ${error instanceof SyntaxError ? error.message : 'unreadable'}`)
  }
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

function failed(type: string, reason: string): CniError {
  return cniError('plugin-failed', { type, reason })
}
