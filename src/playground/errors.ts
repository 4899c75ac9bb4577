/**
 * The ways the playground can fail.
 * @module
 */
import { CodedError } from '../text/coded-error.ts'

/** Stable codes. */
export type PlaygroundErrorCode =
  | 'PLAY_USAGE'
  | 'PLAY_PERMISSION'
  | 'PLAY_TOOL_MISSING'
  | 'PLAY_KERNEL'
  | 'PLAY_BUSY'
  | 'PLAY_NOT_RUNNING'
  | 'PLAY_EXISTS'
  | 'PLAY_NOT_FOUND'
  | 'PLAY_NO_PROGRAM'
  | 'PLAY_COMMAND'
  | 'PLAY_PROCESS'
  | 'PLAY_TIMEOUT'
  | 'PLAY_CNI'
  | 'PLAY_LEFTOVERS'

/** A step of the playground that failed: the message is the cause, the remedy what to do. */
export class PlaygroundError extends CodedError<PlaygroundErrorCode> {
  override readonly name = 'PlaygroundError'
}

/** Where a playground was expected and none is. */
export function notRunning(runDir: string, options?: ErrorOptions): PlaygroundError {
  return new PlaygroundError(
    'PLAY_NOT_RUNNING',
    `no playground is up in ${runDir}`,
    '`weft play` brings one up',
    options,
  )
}
