import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs'

/** Writes a file, mode 0600, that is there as a whole or not at all, whenever the machine stops. Throws what the file system says. */
export function writeWhole(path: string, text: string): void {
  const next = `${path}.${process.pid}.new`
  const file = openSync(next, 'w', 0o600)
  try {
    writeFileSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(next, path)
}
