/**
 * Keeps the forwarding process to its orders: finds the one that runs, starts one where there is none.
 * @module
 */
import { spawn } from 'node:child_process'
import { callSeqpacket, hasErrno } from '../../linux/index.ts'
import { type Counters, decodeAnswer, encodeMessage, type Message, type Orders } from './orders.ts'

/** How to start it. */
export interface ProxyProgram {
  readonly file: string
  readonly args: readonly string[]
  /** The name that it is run under. */
  readonly argv0: string
}

/** A process that forwards. */
export interface Forwarding {
  readonly pid: number
  readonly counters: Counters
}

const ANSWER_MS = 3_000
const START_MS = 10_000
const LOOK_MS = 50

/** Keeps the process behind a socket. */
export class ProxyKeeper {
  readonly #socket: string
  readonly #program: ProxyProgram

  constructor(socket: string, program: ProxyProgram) {
    this.#socket = socket
    this.#program = program
  }

  /** Has it forward by these orders. Throws what it says where it cannot. */
  async order(orders: Orders): Promise<Forwarding> {
    const message: Message = { tells: 'orders', orders }
    const first = await this.#ask(message)
    if (first?.does === 'forward') return first
    // It ends, and another one is put in its place: orders about another device or port take one.
    if (first !== undefined) await this.#gone()
    this.#start()
    const answer = await this.#askUntilThere(message)
    if (answer.does === 'forward') return answer
    throw new Error(`the process that forwards cannot: ${answer.why}`)
  }

  /** Has it end. Resolves with whether it was there. */
  async end(): Promise<boolean> {
    const isThere = (await this.#ask({ tells: 'end' })) !== undefined
    if (isThere) await this.#gone()
    return isThere
  }

  #start(): void {
    const { file, args, argv0 } = this.#program
    // A session of its own: what ends the daemon's does not reach it.
    const child = spawn(file, [...args, this.#socket], {
      argv0,
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    child.on('error', () => undefined)
    child.unref()
  }

  /** Undefined where nobody listens. */
  async #ask(message: Message) {
    try {
      const bytes = await callSeqpacket({ path: this.#socket, data: encodeMessage(message), timeoutMs: ANSWER_MS })
      return decodeAnswer(bytes)
    } catch (error) {
      if (hasErrno(error, 'ECONNREFUSED', 'ENOENT', 'ECONNRESET')) return undefined
      throw error
    }
  }

  async #askUntilThere(message: Message) {
    const end = performance.now() + START_MS
    for (;;) {
      const answer = await this.#ask(message)
      if (answer !== undefined) return answer
      if (performance.now() > end) throw new Error('the process that forwards does not start')
      await Bun.sleep(LOOK_MS)
    }
  }

  async #gone(): Promise<void> {
    const end = performance.now() + ANSWER_MS
    while ((await this.#ask({ tells: 'end' })) !== undefined && performance.now() < end) await Bun.sleep(LOOK_MS)
  }
}
