/**
 * Files that others may have put in our way.
 * @module
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'

/** No configuration of a network is larger, in bytes. */
const MOST = 1 << 20

/**
 * A text that is a regular file, or a link to one. Throws what reading throws, for what is neither (a pipe would be waited for until
 * somebody writes into it) and for what is larger than a configuration.
 */
export function readRegularFile(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const found = fstatSync(file)
    if (!found.isFile()) throw new Error(`${path} is no regular file`)
    if (found.size > MOST) throw new Error(`${path} is too large for a configuration`)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}
