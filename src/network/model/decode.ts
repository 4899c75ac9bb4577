/**
 * From anything at all to a value of the model, or a list of what is wrong with it. Decoders build new objects out of
 * the fields they know: nothing of a hostile input (prototype keys, accessors, extra depth) survives into the model.
 * @module
 */

/** One thing that is wrong with an input. */
export interface Problem {
  /** Where: `networks[0].hostBits`; empty for the whole object. */
  readonly path: string
  /** What, with the offending value cut short. */
  readonly problem: string
  /** What to do about it. */
  readonly remedy: string
}

/** A value of the model, or why there is none. */
export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** Where a decoder stands and where it puts what it finds wrong. */
export interface At {
  readonly path: string
  readonly problems: Problem[]
}

/** Takes a value apart. Undefined when it is not valid; the problems then say why. */
export type Decode<T> = (input: unknown, at: At) => T | undefined

/** More problems than this are of no use to anybody. */
const MAX_PROBLEMS = 20

/** Runs a decoder. Never throws: an input that cannot even be read is a problem like any other. */
export function decodeWith<T>(decode: Decode<T>, input: unknown): Decoded<T> {
  const problems: Problem[] = []
  try {
    const value = decode(input, { path: '', problems })
    if (value !== undefined && problems.length === 0) return { ok: true, value }
  } catch {
    reject({ path: '', problems }, 'cannot be read', 'give a plain object, as JSON has them')
  }
  return { ok: false, problems }
}

/** Notes a problem; the undefined it returns is what a decoder answers then. */
export function reject(at: At, problem: string, remedy: string): undefined {
  if (at.problems.length < MAX_PROBLEMS) at.problems.push({ path: at.path, problem, remedy })
  return undefined
}

/** A place below another: a field's name or an item's index. */
export function below(at: At, key: string | number): At {
  const step = typeof key === 'number' ? `[${key}]` : at.path === '' ? key : `.${key}`
  return { path: at.path + step, problems: at.problems }
}

/** A value as text for a message: never longer than a line. */
export function shown(input: unknown): string {
  if (typeof input === 'string') return JSON.stringify(input.length > 60 ? `${input.slice(0, 60)}…` : input)
  if (typeof input === 'number' || typeof input === 'boolean' || input === null) return String(input)
  if (input === undefined) return 'nothing'
  return Array.isArray(input) ? 'a list' : `a value of type ${typeof input}`
}

/** The problems as one line for people. */
export function describeProblems(problems: readonly Problem[]): string {
  return problems
    .map(({ path, problem, remedy }) => `${path === '' ? '' : `${path}: `}${problem} (${remedy})`)
    .join('; ')
}
