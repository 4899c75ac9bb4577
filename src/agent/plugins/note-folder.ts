/**
 * Notes about interfaces of pods, in a folder of files: one each, on the disk before anything is done by it.
 * @module
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { replaceWhole, sweepDrafts, syncFolder } from '../../files/whole-file.ts'

/** Whose interface a note is about. */
export interface NoteKey {
  readonly containerId: string
  readonly ifname: string
}

/** How a kind of notes is written. `read` throws an Error that says what is wrong with a text. */
export interface NoteForm<Note extends NoteKey> {
  readonly print: (note: Note) => string
  readonly read: (text: string) => Note
}

const SUFFIX = '.json'

/** What names a note. */
export function keyText({ containerId, ifname }: NoteKey): string {
  return `${containerId}/${ifname}`
}

/** The notes of a kind on a node. */
export class NoteFolder<Note extends NoteKey> {
  readonly #folder: string
  readonly #form: NoteForm<Note>
  readonly #notes = new Map<string, Note>()

  /** Reads what is in the folder, which need not be there. A file that cannot be read stays, and is told of. */
  constructor(
    folder: string,
    form: NoteForm<Note>,
    unreadable: (file: string, error: unknown) => void = () => undefined,
  ) {
    this.#folder = folder
    this.#form = form
    sweepDrafts(folder)
    for (const file of filesIn(folder)) {
      const path = join(folder, file)
      try {
        const note = form.read(readFileSync(path, 'utf8'))
        this.#notes.set(keyText(note), note)
      } catch (error) {
        unreadable(path, error)
      }
    }
  }

  /** Writes a note; it is on the disk when this returns. */
  put(note: Note): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    replaceWhole(this.#path(note), this.#form.print(note), 0o600)
    this.#notes.set(keyText(note), note)
  }

  get(key: NoteKey): Note | undefined {
    return this.#notes.get(keyText(key))
  }

  values(): readonly Note[] {
    return [...this.#notes.values()]
  }

  /** Forgets what was noted; nothing of it is left. */
  remove(key: NoteKey): void {
    rmSync(this.#path(key), { force: true })
    if (this.#notes.delete(keyText(key))) syncFolder(this.#folder)
  }

  #path(key: NoteKey): string {
    const name = new Bun.CryptoHasher('sha256').update(keyText(key)).digest('hex').slice(0, 40)
    return join(this.#folder, `${name}${SUFFIX}`)
  }
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith(SUFFIX) && !file.startsWith('.'))
      .sort()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
