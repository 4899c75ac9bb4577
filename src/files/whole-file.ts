/**
 * Files that are there as a whole or not at all, whenever their writer or the machine stops.
 * @module
 */
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'

/**
 * Writes a file beside its place, and moves it there: whoever reads it finds the former one or this one, also after a loss of power.
 * It has this mode whatever the umask is. What writers left in the folder that ended amidst of it goes. Throws what the file system
 * says; then the former one stands.
 */
export function writeWhole(path: string, content: string | Uint8Array, mode: number): void {
  sweepDrafts(dirname(path))
  replaceWhole(path, content, mode)
}

/**
 * As {@link writeWhole}, but looks at no other file: for a folder with a file per pod, whose owner sweeps it when it starts.
 */
export function replaceWhole(path: string, content: string | Uint8Array, mode: number): void {
  replace(path, content, mode, fsyncSync)
  syncFolder(dirname(path))
}

/**
 * As {@link replaceWhole}, for what means nothing once the machine has stopped: whole whenever its writer stops, and without a wait
 * for the disk. After a loss of power it may be the former one, none, or {@link isLost}.
 */
export function replaceUntilReboot(path: string, content: string | Uint8Array, mode: number): void {
  replace(path, content, mode, () => undefined)
}

/** Whether a file is what a loss of power leaves of one that was not on the disk yet: nothing, or as many zeros. */
export function isLost(text: string): boolean {
  return /^\0*$/.test(text)
}

function replace(path: string, content: string | Uint8Array, mode: number, sync: (fd: number) => void): void {
  const draft = join(dirname(path), `.${basename(path)}.weft-${pidNamespace()}-${process.pid}`)
  try {
    write(draft, content, mode, sync)
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}

/** Removes what writers of any file in a folder left there that ended amidst of it. A folder that cannot be read is left as it is. */
export function sweepDrafts(folder: string): void {
  for (const name of namesIn(folder)) {
    const [, namespace, pid] = DRAFT.exec(name) ?? []
    if (pid === undefined) continue
    const path = join(folder, name)
    const isOver = namespace === pidNamespace() ? isGone(Number(pid)) : false
    if (isOver || isOld(path)) rmSync(path, { force: true })
  }
}

/** Has what was made, moved or removed in a folder outlive a loss of power. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

const DRAFT = /^\..+\.weft-(\d+)-(\d+)$/
/** A writer takes moments. Of other namespaces, and of numbers that were given again, only the age is known. */
const OLD_MS = 60_000

function write(path: string, content: string | Uint8Array, mode: number, sync: (fd: number) => void): void {
  // Its name is this process's own, and that never writes two at once.
  const fd = openSync(path, 'wx', mode)
  try {
    writeFileSync(fd, content)
    fchmodSync(fd, mode)
    sync(fd)
  } finally {
    closeSync(fd)
  }
}

/** This process is no writer while it sweeps. */
function isGone(pid: number): boolean {
  if (pid === process.pid) return true
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH'
  }
}

function isOld(path: string): boolean {
  try {
    return Date.now() - statSync(path).mtimeMs > OLD_MS
  } catch {
    return false
  }
}

/** Of which the numbers of processes are: a container's first process has the number of the one before it. */
function pidNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0'
  } catch {
    return '0'
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
