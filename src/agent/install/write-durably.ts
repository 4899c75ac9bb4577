/**
 * Files that are there as a whole or not at all.
 * @module
 */
import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Writes a file beside its place and moves it there: nobody reads half of it, and it outlives a crash of the machine. */
export function writeDurably(path: string, content: string | Uint8Array, mode: number): void {
  const beside = `${path}.new-${process.pid}`
  const file = openSync(beside, 'w', mode)
  try {
    writeFileSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(beside, path)
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
