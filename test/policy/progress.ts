/**
 * How far it is, on a terminal in one line that is written again and again, elsewhere every ten seconds.
 * @module
 */
const PAUSE_MS = { terminal: 200, elsewhere: 10_000 } as const

/** The progress of one thing. */
export class Progress {
  readonly #title: string
  readonly #total: number
  readonly #start = performance.now()
  readonly #isTerminal = process.stdout.isTTY === true
  #last = performance.now()

  constructor(title: string, total: number) {
    this.#title = title
    this.#total = total
  }

  at(done: number, wrong: number): void {
    const now = performance.now()
    if (now - this.#last < (this.#isTerminal ? PAUSE_MS.terminal : PAUSE_MS.elsewhere)) return
    this.#last = now
    const seconds = Math.round((now - this.#start) / 1000)
    const text = `  … ${this.#title}: ${done} of ${this.#total}, ${wrong} wrong (${seconds} s)`
    process.stdout.write(this.#isTerminal ? `\r\x1b[K${text}` : `${text}\n`)
  }

  end(): void {
    if (this.#isTerminal) process.stdout.write('\r\x1b[K')
  }
}
