/**
 * The answers at BIRD's control socket: lines that begin with a code of four digits. A `-` behind it says that more follow, a
 * blank that it is the last. A line that begins with a blank has the code of the line before; one with `+` is no answer but
 * a line of the log.
 * @module
 */
import { BirdError, printable } from './errors.ts'

/** One line of an answer. */
export interface ReplyLine {
  readonly code: number
  readonly text: string
}

/** An answer as a whole. The last line says how it ended. */
export interface Reply {
  readonly lines: readonly ReplyLine[]
  readonly last: ReplyLine
}

/** Errors while doing it, and of the command itself. */
const FIRST_FAILURE = 8000
/** A line of BIRD is never that long; nor is an answer, of some 10,000 sessions or 100,000 routes. */
const LONGEST_LINE = 65_536
const LONGEST_REPLY = 64 << 20

/** Whether BIRD could not do what it was asked for. */
export function isFailure({ last }: Reply): boolean {
  return last.code >= FIRST_FAILURE
}

/** Takes an answer's bytes as they come. */
export class ReplyReader {
  readonly #decoder = new TextDecoder()
  #rest = ''
  #lines: ReplyLine[] = []
  #size = 0

  /** The answers that these bytes complete. Throws BIRD_GARBAGE for what can be none. */
  read(bytes: Uint8Array): readonly Reply[] {
    this.#size += bytes.length
    if (this.#size > LONGEST_REPLY) throw garbage('an answer without an end')
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split('\n')
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length > LONGEST_LINE) throw garbage('a line without an end')
    return lines.flatMap((line) => this.#take(line.replace(/\r$/, '')) ?? [])
  }

  #take(line: string): Reply | undefined {
    if (line.startsWith('+')) return undefined
    if (line.length > LONGEST_LINE) throw garbage('a line without an end')
    if (line.startsWith(' ')) {
      const before = this.#lines.at(-1)
      if (before === undefined) throw garbage(JSON.stringify(printable(line)))
      this.#lines.push({ code: before.code, text: line.slice(1) })
      return undefined
    }
    const [, code, more, text = ''] = /^(\d{4})([ -])(.*)$/.exec(line) ?? []
    if (code === undefined) throw garbage(JSON.stringify(printable(line)))
    const last = { code: Number(code), text }
    this.#lines.push(last)
    if (more === '-') return undefined
    const reply = { lines: this.#lines, last }
    this.#lines = []
    this.#size = 0
    return reply
  }
}

function garbage(what: string): BirdError {
  return new BirdError('BIRD_GARBAGE', `BIRD's control socket gave ${what}`, 'check that BIRD 2 listens there')
}
