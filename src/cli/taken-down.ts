/**
 * What a `down` on one machine says of what it did.
 * @module
 */
import { marked } from '../text/words.ts'
import { printJson, printLines } from './insight.ts'
import { outputLook } from './look.ts'

/** Prints whether there was something to take down, and in sentences what was left to others. */
export function printTakenDown(
  { found, left }: { readonly found: boolean; readonly left: readonly string[] },
  asJson: boolean,
  told: { readonly something: string; readonly nothing: string },
): void {
  if (asJson) printJson({ done: true, found, left })
  else {
    const first = found ? told.something : told.nothing
    printLines([first, ...left.flatMap((sentence) => marked(sentence, outputLook()))])
  }
}
