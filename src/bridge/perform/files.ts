/**
 * Files in /etc, written so that after a loss of power there is the old one or the new one, and never half of one.
 * @module
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { syncFolder, writeWhole } from '../../files/whole-file.ts'
import { BridgeError } from '../errors.ts'
import type { PlannedFile } from '../model.ts'

/** Writes a file of ours, and keeps the one that stood in its place. One that is so already stays. */
export function writePlanned({ path, content, mode, backup }: PlannedFile): void {
  if (read(path) === content) return
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
  // The first one kept is the original; a later one may be half of ours.
  if (backup !== undefined && existsSync(path) && !existsSync(backup)) {
    writeWhole(backup, readFileSync(path, 'utf8'), 0o600)
  }
  writeWhole(path, content, mode)
}

/** Takes a file of ours away and puts the former one back. One that somebody changed since is kept, and told. */
export function removePlanned({ path, content, mode, backup }: PlannedFile): void {
  const found = read(path)
  if (backup !== undefined && existsSync(backup)) {
    if (found !== undefined && found !== content) throw changed(path, backup)
    writeWhole(path, readFileSync(backup, 'utf8'), mode)
    rmSync(backup)
    syncFolder(dirname(path))
    return
  }
  if (found === undefined || backup !== undefined) return
  if (found !== content) throw changed(path)
  rmSync(path)
  syncFolder(dirname(path))
}

function read(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

function changed(path: string, backup?: string): BridgeError {
  const cause = `${path} was changed after Weft wrote it, and stays as it is`
  const remedy = backup === undefined ? 'remove it yourself' : `the former one is ${backup}: put it back yourself`
  return new BridgeError('BRIDGE_PERSIST', cause, remedy)
}
