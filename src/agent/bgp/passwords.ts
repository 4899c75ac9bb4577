/**
 * Passwords of sessions: files that an administrator puts on the node, `<folder>/<secret>/<key>`, such as a Secret that is
 * mounted there. An agent may read no Secrets: it would be every node that could read all of them.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PasswordRef } from '../../network/fabric/bgp/model.ts'

/** More than any password can be. */
const MOST = 1024
const REF = /^(?!\.)[a-z0-9.-]{1,253}\/(?!\.)[A-Za-z0-9._-]{1,253}$/

/** The passwords that are there, without the line break that editors add. */
export function readPasswords(
  folder: string,
  refs: Iterable<PasswordRef | undefined>,
): ReadonlyMap<PasswordRef, string> {
  const found = new Map<PasswordRef, string>()
  for (const ref of refs) {
    if (ref === undefined || !REF.test(ref)) continue
    try {
      found.set(
        ref,
        readFileSync(join(folder, ref), 'utf8')
          .slice(0, MOST)
          .replace(/\r?\n$/, ''),
      )
    } catch {
      // Whoever asks for it says that it is not there.
    }
  }
  return found
}
