/**
 * Entries of an archive as files, for tools that pack folders.
 */
import { chmodSync, lutimesSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withFolders } from './tar.mjs'

/** Makes the folder anew, with these entries, each of the same time. Modes are exact, whatever the umask. */
export function stage(root, entries, time) {
  rmSync(root, { recursive: true, force: true })
  mkdirSync(root, { recursive: true })
  const all = withFolders(entries)
  for (const entry of all) {
    const path = join(root, entry.path)
    if (entry.type === 'symlink') symlinkSync(entry.target, path)
    else {
      if (entry.type === 'folder') mkdirSync(path)
      else writeFileSync(path, entry.content)
      chmodSync(path, entry.mode ?? 0o755)
    }
  }
  // From the inside out: a file that is made changes its folder's time.
  for (const { path } of [...all].reverse()) lutimesSync(join(root, path), time, time)
  chmodSync(root, 0o755)
  lutimesSync(root, time, time)
}
