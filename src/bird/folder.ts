/**
 * Configurations as folders, of which one is in force: a link, changed in one step, says which. So several files change at
 * once, and one that was written by half never counts.
 * @module
 */
import { createHash, randomUUID } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'

/** A file of a configuration. The first one of them is what BIRD reads, and it includes the others by their names. */
export interface ConfigurationFile {
  /** Of letters, digits, `.`, `-` and `_`. */
  readonly name: string
  readonly content: string
  /** Nobody but root may read it. */
  readonly isSecret: boolean
}

const CURRENT = 'current'
const HIDDEN = 0o600
const OPEN = 0o644

/** The folders below one, which nobody else writes to. */
export class ConfigurationFolder {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** The path of a file of the configuration in force, whichever that is. */
  currentFile(name: string): string {
    return join(this.#path, CURRENT, name)
  }

  /** The name of the configuration in force; undefined before there is one. */
  current(): string | undefined {
    try {
      const name = basename(readlinkSync(join(this.#path, CURRENT)))
      return readdirSync(this.#path).includes(name) ? name : undefined
    } catch {
      return undefined
    }
  }

  /** Writes a configuration, which is not in force by that. The same files get the same name. */
  stage(files: readonly ConfigurationFile[]): string {
    const name = nameOf(files)
    mkdirSync(this.#path, { recursive: true, mode: 0o755 })
    if (this.#isWhole(name, files)) return name
    const draft = this.fileOf(`.${randomUUID()}`, '')
    mkdirSync(draft, { mode: 0o755 })
    for (const { name: file, content, isSecret } of files) write(join(draft, file), content, isSecret ? HIDDEN : OPEN)
    rmSync(this.fileOf(name, ''), { recursive: true, force: true })
    renameSync(draft, this.fileOf(name, ''))
    return name
  }

  /** The path of a file of a configuration. */
  fileOf(name: string, file: string): string {
    return join(this.#path, name, file)
  }

  /** Puts a configuration in force. */
  choose(name: string): void {
    const link = join(this.#path, `.${randomUUID()}`)
    symlinkSync(name, link)
    renameSync(link, join(this.#path, CURRENT))
    syncFolder(this.#path)
  }

  /** Removes all configurations but these, and what was written by half. */
  prune(kept: readonly string[]): void {
    const names = new Set([CURRENT, ...kept])
    for (const name of readdirSync(this.#path)) {
      if (!names.has(name) && OURS.test(name)) rmSync(join(this.#path, name), { recursive: true, force: true })
    }
  }

  #isWhole(name: string, files: readonly ConfigurationFile[]): boolean {
    try {
      return files.every(({ name: file, content }) => readFileSync(this.fileOf(name, file), 'utf8') === content)
    } catch {
      return false
    }
  }
}

/** A configuration's name, or what became none. */
const OURS = /^(?:[0-9a-f]{16}|\.[0-9a-f-]{36})$/

function nameOf(files: readonly ConfigurationFile[]): string {
  const hash = createHash('sha256')
  for (const { name, content } of files) hash.update(JSON.stringify([name, content]))
  return hash.digest('hex').slice(0, 16)
}

function write(path: string, content: string, mode: number): void {
  if (!/^[A-Za-z0-9._-]+$/.test(basename(path))) throw new TypeError(`${basename(path)} is no name of a file`)
  const fd = openSync(path, 'wx', mode)
  try {
    writeFileSync(fd, content)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  // Whatever the umask takes away, BIRD has to read it.
  chmodSync(path, mode)
}

function syncFolder(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
