/**
 * Locks between processes (flock(2)): the kernel gives one back when its process ends, however it ends.
 * @module
 */
import { closeSync, openSync } from 'node:fs'
import { checked, Errno } from './errno.ts'
import { systemCalls } from './sys/addon.ts'

/**
 * Locks a file, which is made where it is not there and stays, until disposed or the process's end. Undefined when
 * another has it locked. Throws what opening it throws.
 */
export function lockFile(path: string): Disposable | undefined {
  const fd = openSync(path, 'a', 0o600)
  const result = systemCalls().flock(fd, LOCK_EX | LOCK_NB)
  if (result >= 0) return { [Symbol.dispose]: () => closeSync(fd) }
  closeSync(fd)
  if (result !== -Errno.EAGAIN) checked(result, 'flock', path)
  return undefined
}

const LOCK_EX = 2
const LOCK_NB = 4
