/**
 * One command at a time; and what a killed one left is taken back before the next begins.
 * @module
 */
import { mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { lockFile } from '../linux/index.ts'
import { BridgeError } from './errors.ts'
import { lockOf } from './guard/guard.ts'
import { endUndertaking, openUndertakings, readUndertaking } from './guard/state.ts'
import { takeBack } from './guard/undo.ts'

/** Locks the folder. Throws BRIDGE_BUSY while another command or a guard is at work. */
export async function begin(folder: string): Promise<Disposable> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const lock = lockFile(join(folder, 'lock'))
  if (lock === undefined) throw busy('another weft bridge command is at work')
  try {
    for (const path of openUndertakings(folder)) await finish(folder, path)
    return lock
  } catch (error) {
    lock[Symbol.dispose]()
    throw error
  }
}

/** Undertakings without an end and without a guard. */
export function abandoned(folder: string): readonly string[] {
  return openUndertakings(folder).filter((path) => {
    using lock = lockFile(lockOf(path))
    return lock !== undefined
  })
}

/** The guard was killed, too: then its work is done here. */
async function finish(folder: string, path: string): Promise<void> {
  using lock = lockFile(lockOf(path))
  if (lock === undefined) throw busy(`what ${basename(path, '.json')} was given is just being put back`)
  const { bridge, what, ovsdb, undo } = readUndertaking(path)
  const problems = await takeBack({ ovsdb, undo, attempts: 3 })
  const outcome = problems.length === 0 ? 'rolled back' : 'half done'
  const reason = 'the command and its guard were killed'
  endUndertaking(folder, { bridge, what, outcome, reason, problems, when: new Date().toISOString() })
  if (problems.length === 0) return
  throw new BridgeError(
    'BRIDGE_HALF_DONE',
    `this could not be put back: ${problems.join('; ')}`,
    'correct it, and try again',
  )
}

function busy(cause: string): BridgeError {
  return new BridgeError('BRIDGE_BUSY', cause, 'wait until it is done: `weft bridge status` shows it')
}
