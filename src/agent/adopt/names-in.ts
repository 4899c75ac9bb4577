/**
 * Folders of others, which need not be there.
 * @module
 */
import { readdirSync } from 'node:fs'

/** What is in a folder; nothing where it cannot be read. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
