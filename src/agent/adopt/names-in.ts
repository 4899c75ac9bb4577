/**
 * Folders of others, which need not be there.
 * @module
 */
import { readdirSync } from 'node:fs'

/** What is in a folder, in the order of names; nothing where it cannot be read. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted()
  } catch {
    return []
  }
}
