/**
 * Where this program and its companions are: the compiled executable, or the source tree under Bun.
 * @module
 */
import { dirname, join } from 'node:path'

const COMPILED = Bun.main.startsWith('/$bunfs')

/** How to run this program again with other arguments. */
export function selfCommand(...args: readonly string[]): readonly string[] {
  return COMPILED ? [process.execPath, ...args] : [process.execPath, join(import.meta.dir, '../main.ts'), ...args]
}

/** The folder of the CNI plugin and the addon. */
export function companionFolder(): string {
  return COMPILED ? dirname(process.execPath) : join(import.meta.dir, '../../dist')
}
