/**
 * What the guard is told by file: everything it needs to take a change back alone.
 * @module
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeWhole } from '../../files/whole-file.ts'
import type { Change } from '../model.ts'

/** Where the commands keep what they do on this machine. */
export const BRIDGE_FOLDER = '/run/weft/bridge'

/** A change that is under way. */
export interface Undertaking {
  readonly bridge: string
  readonly what: 'create' | 'remove'
  /** Socket of ovsdb-server. */
  readonly ovsdb: string
  /** In the order in which it is done. Done twice, or where nothing was changed, it changes nothing. */
  readonly undo: readonly Change[]
  /** Who makes the change: a process id, and when it started in the kernel's ticks. */
  readonly maker: { readonly pid: number; readonly started: string }
}

/** How an undertaking ended. */
export interface Ending {
  readonly bridge: string
  readonly what: Undertaking['what']
  readonly outcome: 'confirmed' | 'rolled back' | 'half done'
  /** Why it was taken back. */
  readonly reason?: string
  /** What could not be put back. */
  readonly problems: readonly string[]
  /** ISO 8601. */
  readonly when: string
}

export const undertakingFile = (folder: string, bridge: string): string => join(folder, `${bridge}.json`)
const endingFile = (folder: string, bridge: string): string => join(folder, `${bridge}.ended`)

/** Writes what will be undone, before the first change. */
export function writeUndertaking(folder: string, undertaking: Undertaking): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = undertakingFile(folder, undertaking.bridge)
  writeWhole(path, JSON.stringify(undertaking), 0o600)
  return path
}

/** Reads one. The file is ours and in a folder of root's; one that does not parse is told as it is. */
export function readUndertaking(path: string): Undertaking {
  return JSON.parse(readFileSync(path, 'utf8')) as Undertaking
}

/** Undertakings whose end nobody has noted. */
export function openUndertakings(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => join(folder, name))
}

/** Notes the end, and forgets the undertaking. */
export function endUndertaking(folder: string, ending: Ending): void {
  writeWhole(endingFile(folder, ending.bridge), JSON.stringify(ending), 0o600)
  if (ending.outcome !== 'half done') rmSync(undertakingFile(folder, ending.bridge), { force: true })
}

/** How the last undertaking about a bridge ended since the machine started. */
export function lastEnding(folder: string, bridge: string): Ending | undefined {
  const path = endingFile(folder, bridge)
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Ending) : undefined
}

/** When a process started, in the kernel's ticks; undefined when there is none. */
export function startOf(pid: number): string | undefined {
  try {
    // The name in parentheses may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[STARTTIME]
  } catch {
    return undefined
  }
}

/** Its place among the fields after the name, which is the second of proc(5). */
const STARTTIME = 19
