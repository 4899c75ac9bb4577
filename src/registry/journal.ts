/**
 * A file that a registry survives in: a header with a revision, the objects as of then, and every change since, one
 * JSON object per line. A change is on the disk before anybody hears of it.
 * @module
 */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { Entry } from './history.ts'
import { applyEntry, type JournalState, journalLine, parseJournal } from './journal-format.ts'
import { RegistryError } from './registry.ts'

/** The file is written anew when it has this many lines more than it needs. */
const SLACK = 4096

/** A journal that is open for writing. One process at a time. */
export class Journal {
  /** What the file held when it was opened. */
  readonly initial: JournalState
  readonly #path: string
  readonly #state: { revision: number; readonly entries: Map<string, Entry> }
  #fd: number
  #bytes = 0
  #lines = 0
  #isBroken = false

  /**
   * Opens a journal, or begins one at `revision`. What a crash left of an unacknowledged change is dropped.
   * Throws `REGISTRY_INVALID` when the file is damaged otherwise; it is left as it is then.
   */
  constructor(path: string, revision: number) {
    this.#path = path
    this.#state = existsSync(path) ? parseJournal(path, readFileSync(path, 'utf8')) : { revision, entries: new Map() }
    this.initial = { revision: this.#state.revision, entries: new Map(this.#state.entries) }
    this.#fd = this.#rewrite()
    syncFolder(dirname(path))
  }

  /** Writes a change to the disk. Throws `REGISTRY_UNAVAILABLE` when that cannot be; the file is as before then. */
  append(entry: Entry): void {
    if (this.#isBroken) throw this.#unwritable('an earlier write failed')
    const line = Buffer.from(journalLine(entry))
    try {
      writeAll(this.#fd, line)
      fdatasyncSync(this.#fd)
    } catch (cause) {
      this.#undo()
      throw this.#unwritable(cause)
    }
    this.#bytes += line.length
    this.#lines += 1
    applyEntry(this.#state, entry)
    if (this.#lines > this.#state.entries.size + SLACK) this.#compact()
  }

  close(): void {
    closeSync(this.#fd)
  }

  #compact(): void {
    const before = this.#fd
    try {
      this.#fd = this.#rewrite()
    } catch {
      // The old file is whole and goes on; the next change tries again.
      return
    }
    closeSync(before)
    try {
      syncFolder(dirname(this.#path))
    } catch {
      // Which of the two files a crash would leave is not known: promise nothing more.
      this.#isBroken = true
    }
  }

  /** Puts a file without history in place of the present one, at once or not at all. */
  #rewrite(): number {
    const next = `${this.#path}.next`
    const header = { weft: 'registry', version: 1, revision: this.#state.revision }
    const lines = [`${JSON.stringify(header)}\n`, ...[...this.#state.entries.values()].map(journalLine)]
    const content = Buffer.from(lines.join(''))
    const fd = openSync(next, 'w', 0o600)
    try {
      writeAll(fd, content)
      fsyncSync(fd)
      renameSync(next, this.#path)
    } catch (error) {
      closeSync(fd)
      throw error
    }
    this.#bytes = content.length
    this.#lines = lines.length
    return fd
  }

  /** Half a line must not stay in the middle of the file. */
  #undo(): void {
    try {
      ftruncateSync(this.#fd, this.#bytes)
      closeSync(this.#fd)
      this.#fd = openSync(this.#path, 'a')
    } catch {
      this.#isBroken = true
    }
  }

  #unwritable(cause: unknown): RegistryError {
    return new RegistryError('REGISTRY_UNAVAILABLE', `cannot write ${this.#path}: ${String(cause)}`, { cause })
  }
}

function writeAll(fd: number, bytes: Buffer): void {
  let written = 0
  while (written < bytes.length) written += writeSync(fd, bytes, written)
}

/** The new name is on the disk only when the folder is. */
function syncFolder(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
