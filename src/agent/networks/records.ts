/**
 * The records of a node, in a folder of files: one each, there as a whole or not at all, on the disk before anything is
 * done by them. What came of it stands in a second line, for which nobody waits: without it, after a loss of power that ended
 * the pod as well, the record says what to undo.
 * @module
 */
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { replaceWhole } from '../../files/whole-file.ts'
import { type NetworkRecord, printRecord, readRecord, recordId } from './record.ts'

/** A file that cannot be read. It stays: somebody has to look at it. */
export interface UnreadableRecord {
  readonly file: string
  readonly problem: string
}

/** The records of a node. */
export class Records {
  readonly #folder: string
  readonly #changed: () => void
  readonly #records = new Map<string, NetworkRecord>()
  readonly unreadable: readonly UnreadableRecord[]

  /** Reads what is in the folder, which need not be there. `changed` hears of what is written or forgotten. */
  constructor(stateDir: string, changed: () => void = () => undefined) {
    this.#changed = changed
    this.#folder = join(stateDir, 'attachments')
    const unreadable: UnreadableRecord[] = []
    for (const file of filesIn(this.#folder)) {
      const path = join(this.#folder, file)
      // What was not moved to its place was never acted on.
      if (!file.endsWith(SUFFIX)) rmSync(path, { force: true })
      else {
        try {
          const record = lastRecord(readFileSync(path, 'utf8'))
          this.#records.set(recordId(record), record)
        } catch (error) {
          unreadable.push({ file: path, problem: error instanceof Error ? error.message : String(error) })
        }
      }
    }
    this.unreadable = unreadable
  }

  /** Writes a record; it is on the disk when this returns. */
  put(record: NetworkRecord): void {
    const id = recordId(record)
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    replaceWhole(this.#path(id), printRecord(record), 0o600)
    this.#records.set(id, record)
    this.#changed()
  }

  /** Writes what came of a record that was put; a kill does not undo it when this returns. */
  complete(record: NetworkRecord): void {
    const id = recordId(record)
    appendFileSync(this.#path(id), printRecord(record), { mode: 0o600 })
    this.#records.set(id, record)
    this.#changed()
  }

  get(key: Pick<NetworkRecord, 'containerId' | 'ifname' | 'program'>): NetworkRecord | undefined {
    return this.#records.get(recordId(key))
  }

  values(): readonly NetworkRecord[] {
    return [...this.#records.values()]
  }

  /** Whether there is any: most nodes have none. */
  get isEmpty(): boolean {
    return this.#records.size === 0
  }

  /** Forgets a record: nothing of what it says is left. */
  remove(record: NetworkRecord): void {
    const id = recordId(record)
    rmSync(this.#path(id), { force: true })
    this.#records.delete(id)
    this.#changed()
  }

  #path(id: string): string {
    return join(this.#folder, `${new Bun.CryptoHasher('sha256').update(id).digest('hex').slice(0, 40)}${SUFFIX}`)
  }
}

const SUFFIX = '.json'

/** The record of a file's last line that is whole. Throws what is wrong with the first. */
function lastRecord(text: string): NetworkRecord {
  const [first = '', ...later] = text.split('\n')
  const record = readRecord(first)
  try {
    return later.reduce((before, line) => (line === '' ? before : readRecord(line)), record)
  } catch {
    return record
  }
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
