/**
 * What the command line's exit codes mean. They are part of its interface: scripts build on them.
 * @module
 */

/** Exit codes. */
export const EXIT = {
  /** Done, or the answer is yes. */
  ok: 0,
  /** Something went wrong, or the answer is no: a refused request, a difference, a wrong cell. */
  failed: 1,
  /** The command line makes no sense. Nothing was done. */
  usage: 2,
  /** Something the command needs does not answer: the registry, an agent, Open vSwitch, the playground. */
  unreachable: 3,
} as const

/** The exit codes as `weft --help` explains them. */
export const EXIT_CODES_HELP = `Exit codes:
  0  done, or the answer is yes
  1  it failed, or the answer is no (refused, different, unreachable pod)
  2  the command line makes no sense; nothing was done
  3  something that is needed does not answer (registry, agent, Open vSwitch, playground)`

const UNREACHABLE = /_(UNAVAILABLE|UNREACHABLE|NOT_RUNNING|CONNECT|CLOSED)$|^E(CONNREFUSED|NOENT|CONNRESET|PIPE)$/
const USAGE = /_USAGE$/

/** The exit code for an error by its stable code. */
export function exitCodeOf(error: unknown): number {
  const code = codeOf(error)
  if (code === undefined) return EXIT.failed
  if (USAGE.test(code)) return EXIT.usage
  return UNREACHABLE.test(code) ? EXIT.unreachable : EXIT.failed
}

/** The stable code of an error, if it has one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
