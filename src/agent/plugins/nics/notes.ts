/**
 * The notes of a node, in a folder of files: one for each NIC in a pod, on the disk before the NIC is touched.
 * @module
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { replaceWhole, sweepDrafts, syncFolder } from '../../../files/whole-file.ts'
import { keyText, type NicKey, type NicNote, printNote, readNote } from './note.ts'

const SUFFIX = '.json'

/** The notes of a node. */
export class NicNotes {
  readonly #folder: string
  readonly #notes = new Map<string, NicNote>()

  /** Reads what is in the folder, which need not be there. A file that cannot be read stays, and is told of. */
  constructor(stateDir: string, unreadable: (file: string, error: unknown) => void = () => undefined) {
    this.#folder = join(stateDir, 'nics')
    sweepDrafts(this.#folder)
    for (const file of filesIn(this.#folder)) {
      const path = join(this.#folder, file)
      try {
        const note = readNote(readFileSync(path, 'utf8'))
        this.#notes.set(keyText(note), note)
      } catch (error) {
        unreadable(path, error)
      }
    }
  }

  /** Writes a note; it is on the disk when this returns. */
  put(note: NicNote): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    replaceWhole(this.#path(note), printNote(note), 0o600)
    this.#notes.set(keyText(note), note)
  }

  get(key: NicKey): NicNote | undefined {
    return this.#notes.get(keyText(key))
  }

  values(): readonly NicNote[] {
    return [...this.#notes.values()]
  }

  /** Forgets a NIC: it is as it was, or not there any more. */
  remove(note: NicKey): void {
    const path = this.#path(note)
    rmSync(path, { force: true })
    if (this.#notes.delete(keyText(note))) syncFolder(this.#folder)
  }

  #path(key: NicKey): string {
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
