/**
 * Loads the addon once, from a folder that only root or the current user can write: beside the compiled executable, or
 * dist/ of the source tree. Code loaded from elsewhere would run with our privileges.
 * @module
 */
import { lstatSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { LinuxError } from '../errno.ts'
import type { SystemCalls } from './calls.ts'

/** The addon's file name. */
export const ADDON_FILE = 'weft_sys.node'

/** The system calls. Throws LINUX_ADDON_MISSING or LINUX_ADDON_UNSAFE. */
export function systemCalls(): SystemCalls {
  loaded ??= loadAddon(addonPath())
  return loaded
}

/** Loads the addon of a path after checking who can write it. */
export function loadAddon(path: string): SystemCalls {
  const real = resolved(path)
  refuseWritable(dirname(real), lstatSync(dirname(real)))
  refuseWritable(real, lstatSync(real))
  const module: { exports: unknown } = { exports: {} }
  try {
    process.dlopen(module, real)
  } catch (cause) {
    throw missing(path, cause instanceof Error ? cause.message : String(cause))
  }
  return module.exports as SystemCalls
}

/** Where the addon is expected. A compiled program has its main file under /$bunfs; `import.meta` of bytecode has the builder's paths. */
export function addonPath(): string {
  const compiled = Bun.main.startsWith('/$bunfs')
  return join(compiled ? dirname(process.execPath) : join(import.meta.dir, '../../../dist'), ADDON_FILE)
}

let loaded: SystemCalls | undefined

function resolved(path: string): string {
  try {
    return realpathSync(path)
  } catch (cause) {
    throw missing(path, cause instanceof Error ? cause.message : String(cause))
  }
}

function refuseWritable(path: string, stat: { readonly uid: number; readonly mode: number }): void {
  const owner = process.getuid?.() ?? 0
  const trusted = (stat.uid === 0 || stat.uid === owner) && (stat.mode & 0o022) === 0
  if (trusted) return
  throw new LinuxError('LINUX_ADDON_UNSAFE', `${path} can be changed by others than root and the current user`, {
    remedy: `check its content, then: chown root ${path} && chmod go-w ${path}`,
  })
}

function missing(path: string, reason: string): LinuxError {
  return new LinuxError('LINUX_ADDON_MISSING', `the system call addon ${path} cannot be loaded: ${reason}`, {
    remedy: `run: npm run build (from an installed executable: put ${ADDON_FILE} beside it)`,
  })
}
