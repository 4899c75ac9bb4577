/**
 * What containers wrote, read from their log files.
 * @module
 */
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { sleep } from '../../registry/backoff.ts'
import type { LogOptions } from '../apiserver/contract.ts'
import { RUN_FILES, readEnd } from './container/files.ts'

/** Milliseconds between two looks at a log that is followed. */
const LOOK = 100
const CHUNK = 64 * 1024
/** `2026-11-21T05:00:37.123000000Z stdout F text` */
const LINE = /^(\S+) (?:stdout|stderr) ([FP]) /

/** A run's log as people see it. `folder` is the run's; it is read until the run has ended if it is followed. */
export function readLog(
  folder: string,
  options: Omit<LogOptions, 'container' | 'previous'>,
  now: number,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  const lines = printed(folder, options, now, signal)
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await lines.next()
      if (done) return controller.close()
      controller.enqueue(value.subarray(0, Math.min(left, value.length)))
      left -= value.length
      if (left <= 0) {
        controller.close()
        await lines.return()
      }
    },
    cancel: async () => {
      await lines.return()
    },
  })
}

async function* printed(
  folder: string,
  { follow, tailLines, sinceSeconds, timestamps }: Omit<LogOptions, 'container' | 'previous'>,
  now: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const since = sinceSeconds === undefined ? undefined : new Date(now - sinceSeconds * 1000).toISOString()
  const print = (line: Buffer): Buffer | undefined => {
    const [head = '', time = '', tag] = LINE.exec(line.subarray(0, 64).toString('latin1')) ?? []
    if (head === '' || (since !== undefined && time < since)) return undefined
    const text = line.subarray(head.length)
    const end = tag === 'F' ? '\n' : ''
    return Buffer.concat([Buffer.from(timestamps ? `${time} ` : ''), text, Buffer.from(end)])
  }
  const log = new Follower(folder)
  try {
    const first = log.read().flatMap((line) => print(line) ?? [])
    const from = tailLines === undefined ? 0 : Math.max(0, first.length - tailLines)
    for (const line of first.slice(from)) yield line
    while (follow && !signal.aborted) {
      // In this order: what is written before the end is read after it was seen.
      const ended = readEnd(folder) !== undefined || !existsSync(folder)
      const lines = log.read()
      for (const line of lines) {
        const text = print(line)
        if (text !== undefined) yield text
      }
      if (ended && lines.length === 0) return
      if (lines.length === 0) await sleep(LOOK, signal)
    }
  } finally {
    log.close()
  }
}

/** Reads a log's files, the older one first, and goes on in the next one when the log begins anew. */
class Follower {
  readonly #folder: string
  #fd: number | undefined
  #rest: Buffer = Buffer.alloc(0)

  constructor(folder: string) {
    this.#folder = folder
    this.#fd = this.#open(RUN_FILES.olderLog)
  }

  /** Whole lines that came since the last time. */
  read(): readonly Buffer[] {
    const lines = this.#drain()
    const current = this.#open(RUN_FILES.log)
    if (current === undefined) return lines
    if (this.#fd !== undefined && fstatSync(current).ino === fstatSync(this.#fd).ino) {
      closeSync(current)
      return lines
    }
    // The log was renamed: what came to it in between is still to be read from the old file.
    const last = this.#drain()
    this.close()
    this.#fd = current
    return [...lines, ...last, ...this.#drain()]
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  #drain(): readonly Buffer[] {
    if (this.#fd === undefined) return []
    const parts = [this.#rest]
    for (;;) {
      const part = Buffer.alloc(CHUNK)
      const n = readSync(this.#fd, part, 0, CHUNK, null)
      if (n === 0) break
      parts.push(part.subarray(0, n))
    }
    const all = Buffer.concat(parts)
    const lines: Buffer[] = []
    let from = 0
    for (let end = all.indexOf(10); end >= 0; end = all.indexOf(10, from)) {
      lines.push(all.subarray(from, end))
      from = end + 1
    }
    this.#rest = all.subarray(from)
    return lines
  }

  #open(name: string): number | undefined {
    try {
      return openSync(join(this.#folder, name), 'r')
    } catch {
      return undefined
    }
  }
}
