/**
 * A container's log: lines as container runtimes write them (`<time> stdout F <text>`), in a file of bounded size with
 * one older file behind it.
 * @module
 */
import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { RUN_FILES } from './files.ts'

/** Bytes after which a log begins anew; twice that is kept. */
const MAX_LOG = 10 * 1024 * 1024
/** A longer line is written in parts. */
const MAX_LINE = 16 * 1024
const NEWLINE = 10

export type LogStream = 'stdout' | 'stderr'

/** A log being written. */
export class LogFile {
  readonly #folder: string
  readonly #now: () => Date
  readonly #most: number
  readonly #rests = new Map<LogStream, Uint8Array>()
  #fd: number
  #size: number

  constructor(folder: string, now: () => Date, most = MAX_LOG) {
    this.#folder = folder
    this.#now = now
    this.#most = most
    this.#fd = this.#open()
    this.#size = fstatSync(this.#fd).size
  }

  /** Takes what a program wrote; whole lines go to the file. */
  write(stream: LogStream, bytes: Uint8Array): void {
    let rest = Buffer.concat([this.#rests.get(stream) ?? new Uint8Array(), bytes])
    for (;;) {
      const end = rest.indexOf(NEWLINE)
      if (end >= 0 && end <= MAX_LINE) {
        this.#line(stream, 'F', rest.subarray(0, end))
        rest = rest.subarray(end + 1)
      } else if (rest.length > MAX_LINE) {
        this.#line(stream, 'P', rest.subarray(0, MAX_LINE))
        rest = rest.subarray(MAX_LINE)
      } else break
    }
    this.#rests.set(stream, rest)
  }

  /** Writes a last line without an end, and closes. */
  close(): void {
    for (const [stream, rest] of this.#rests) if (rest.length > 0) this.#line(stream, 'P', rest)
    closeSync(this.#fd)
  }

  #line(stream: LogStream, tag: 'F' | 'P', text: Uint8Array): void {
    const head = `${this.#now().toISOString().replace('Z', '000000Z')} ${stream} ${tag} `
    const line = Buffer.concat([Buffer.from(head), text, Uint8Array.of(NEWLINE)])
    if (this.#size > 0 && this.#size + line.length > this.#most) this.#rotate()
    writeSync(this.#fd, line)
    this.#size += line.length
  }

  #rotate(): void {
    closeSync(this.#fd)
    renameSync(join(this.#folder, RUN_FILES.log), join(this.#folder, RUN_FILES.olderLog))
    this.#fd = this.#open()
    this.#size = 0
  }

  #open(): number {
    return openSync(join(this.#folder, RUN_FILES.log), 'a', 0o600)
  }
}
