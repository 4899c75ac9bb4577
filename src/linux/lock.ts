/**
 * Locks between processes (flock(2)): the kernel gives one back when its process ends, however it ends.
 * @module
 */
import { closeSync, fstatSync, openSync, statSync } from 'node:fs'
import { checked, Errno } from './errno.ts'
import { systemCalls } from './sys/addon.ts'

/**
 * Locks a file, which is made where it is not there, until disposed or the process's end. Undefined when another has it locked.
 * Whoever has it may remove the file: who opened it before that begins anew with the next one. Throws what opening it throws.
 */
export function lockFile(path: string): Disposable | undefined {
  for (;;) {
    const fd = openSync(path, 'a', 0o600)
    const result = systemCalls().flock(fd, LOCK_EX | LOCK_NB)
    if (result >= 0 && isAt(path, fd)) return { [Symbol.dispose]: () => closeSync(fd) }
    closeSync(fd)
    if (result === -Errno.EAGAIN) return undefined
    checked(result, 'flock', path)
  }
}

/** Whether a path still leads to this file: a lock of one that was removed keeps nobody out. */
function isAt(path: string, fd: number): boolean {
  const there = statSync(path, { throwIfNoEntry: false })
  const mine = fstatSync(fd)
  return there?.ino === mine.ino && there.dev === mine.dev
}

const LOCK_EX = 2
const LOCK_NB = 4
