/**
 * How this program's output looks.
 * @module
 */
import { type Look, lookFor } from '../text/look.ts'

/** The look of standard output: colours on a terminal whose user did not say no (https://no-color.org). */
export function outputLook(): Look {
  const { NO_COLOR, TERM } = process.env
  return lookFor(process.stdout, process.stdout.isTTY === true && !NO_COLOR && TERM !== 'dumb')
}
