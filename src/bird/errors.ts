/**
 * The ways BIRD can fail us.
 * @module
 */

/** The code of a failure. */
export type BirdErrorCode =
  /** The program is not on this machine. */
  | 'BIRD_MISSING'
  /** It is another version than this code knows. */
  | 'BIRD_VERSION'
  /** Nobody answers at its socket. */
  | 'BIRD_UNAVAILABLE'
  | 'BIRD_TIMEOUT'
  /** What answers is not BIRD, or says more than can be. */
  | 'BIRD_GARBAGE'
  /** It refused a command. */
  | 'BIRD_REFUSED'
  /** It refused a configuration. */
  | 'BIRD_CONFIGURATION'
  /** Somebody else's works on the same routes. */
  | 'BIRD_RIVAL'
  /** It ended as soon as it was started. */
  | 'BIRD_ENDED'

/** Where in a configuration BIRD found a fault. */
export interface BirdPlace {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** A failure. The message is the cause, with BIRD's own sentence where there is one; the remedy is what to do. */
export class BirdError extends Error {
  override readonly name = 'BirdError'
  readonly code: BirdErrorCode
  readonly remedy: string
  readonly place: BirdPlace | undefined

  constructor(code: BirdErrorCode, message: string, remedy: string, place?: BirdPlace) {
    super(message)
    this.code = code
    this.remedy = remedy
    this.place = place
  }
}

/** The error for a configuration that BIRD refused, by what it said: `/run/x/bird.conf:12:5 syntax error`. */
export function refusedConfiguration(said: string): BirdError {
  const text = printable(said.replace(/^bird: /, ''))
  const [, file, line, column, sentence] = /^(.+?):(\d+):(\d+) (.+)$/.exec(text) ?? []
  const remedy = 'the configuration before it stays in force; correct the objects that it was made from'
  if (file === undefined || sentence === undefined) {
    return new BirdError(
      'BIRD_CONFIGURATION',
      `BIRD refuses the configuration: ${text || 'it does not say why'}`,
      remedy,
    )
  }
  const place = { file, line: Number(line), column: Number(column) }
  const where = `${file.slice(file.lastIndexOf('/') + 1)}, line ${line}`
  return new BirdError('BIRD_CONFIGURATION', `BIRD refuses the configuration (${where}): ${sentence}`, remedy, place)
}

/** A text of others as it may stand in a message: one line, not too long. */
export function printable(text: string): string {
  const line = text.replaceAll(/[^\x20-\x7e]+/g, ' ').trim()
  return line.length > 300 ? `${line.slice(0, 300)}…` : line
}
