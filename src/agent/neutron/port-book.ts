/**
 * The records of a node's ports, in a folder of files: one for each port, so that no port can have two holders whenever this
 * program stops. A record is written before anything is done by it. That a pod has a port need not outlive the machine's stop,
 * which no pod outlives: so no ADD waits for the disk here. That it has it no more is on the disk: else the record before it might
 * come back, of a pod that no runtime speaks of any more.
 * @module
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isLost, replaceUntilReboot, replaceWhole, sweepDrafts } from '../../files/whole-file.ts'
import { type LeasedPort, type PortHolder, type PortRecord, printPortRecord, readPortRecord } from './port-record.ts'

/** How files come to be and go. */
export interface BookFiles {
  /** The file is there as a whole when this returns, also after a loss of power where it is to last; else it is as it was. */
  write(path: string, text: string, isLasting: boolean): void
  /** One that is not there is no failure. */
  remove(path: string): void
}

const FILES: BookFiles = {
  write: (path, text, isLasting) => (isLasting ? replaceWhole : replaceUntilReboot)(path, text, 0o600),
  remove: (path) => rmSync(path, { force: true }),
}

/** A file that cannot be read. It stays: whose port it is nobody knows, and so nobody else gets that port. */
export interface UnreadableFile {
  readonly file: string
  readonly problem: string
}

/** The records of a node's ports. */
export class PortBook {
  readonly #folder: string
  readonly #files: BookFiles
  readonly #records = new Map<string, PortRecord>()
  readonly #blocked = new Set<string>()
  readonly unreadable: readonly UnreadableFile[]

  /** Reads what is in the folder, which need not be there. */
  constructor(stateDir: string, files: BookFiles = FILES) {
    this.#folder = join(stateDir, 'neutron-ports')
    this.#files = files
    sweepDrafts(this.#folder)
    const unreadable: UnreadableFile[] = []
    for (const name of namesIn(this.#folder)) {
      if (!name.endsWith(SUFFIX)) continue
      const file = join(this.#folder, name)
      try {
        const text = readFileSync(file, 'utf8')
        if (isLost(text)) {
          files.remove(file)
          continue
        }
        const record = readPortRecord(text)
        if (fileOf(record.id) !== name) throw new Error('it speaks of another port than its name')
        this.#records.set(record.id, record)
      } catch (error) {
        this.#blocked.add(name)
        unreadable.push({ file, problem: error instanceof Error ? error.message : String(error) })
      }
    }
    this.unreadable = unreadable
  }

  /** Whether somebody has it, or it rests, or nobody can say. */
  isBusy(id: string): boolean {
    return this.#records.has(id) || this.#blocked.has(fileOf(id))
  }

  get(id: string): PortRecord | undefined {
    return this.#records.get(id)
  }

  values(): readonly PortRecord[] {
    return [...this.#records.values()]
  }

  /** What an interface has. */
  of({ containerId, ifname }: PortHolder): readonly LeasedPort[] {
    return this.values().filter(
      (one): one is LeasedPort => one.state === 'leased' && one.containerId === containerId && one.ifname === ifname,
    )
  }

  /** Writes a record; a kill does not undo it when this returns, nor does a loss of power make a lease of what is none. */
  put(record: PortRecord): void {
    if (this.#blocked.has(fileOf(record.id))) throw new Error(`the record of port ${record.id} cannot be read`)
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    this.#files.write(join(this.#folder, fileOf(record.id)), printPortRecord(record), record.state !== 'leased')
    this.#records.set(record.id, record)
  }

  /** The port is free. */
  forget(id: string): void {
    this.#files.remove(join(this.#folder, fileOf(id)))
    this.#records.delete(id)
  }
}

const SUFFIX = '.json'

function fileOf(id: string): string {
  return `${new Bun.CryptoHasher('sha256').update(id).digest('hex').slice(0, 40)}${SUFFIX}`
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
