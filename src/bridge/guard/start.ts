/**
 * Starting a guard, and talking to it.
 * @module
 */
import { spawn } from 'node:child_process'
import { BridgeError } from '../errors.ts'
import { WORDS } from './guard.ts'
import type { Ending } from './state.ts'

/** A guard that watches. */
export interface Guard {
  readonly pid: number
  /** Says that it goes on. Throws BRIDGE_GUARD when the guard is gone: nothing is changed without one. */
  alive(): void
  /** Says that all is well. Resolves when the guard has noted it. */
  confirm(): Promise<Ending>
  /** Has everything taken back. Resolves when it is. */
  undo(reason: string): Promise<Ending>
}

/** Starts a guard by the command that runs it, and resolves when it watches. */
export async function startGuard(command: readonly string[]): Promise<Guard> {
  const [program = '', ...args] = command
  // A session of its own: what ends with the terminal does not end it.
  const child = spawn(program, args, { detached: true, stdio: ['pipe', 'pipe', 'ignore'], cwd: '/' })
  const lines = linesOf(child.stdout)
  let isGone = false
  child.once('exit', () => {
    isGone = true
  })
  child.once('error', () => {
    isGone = true
  })
  child.stdin.on('error', () => undefined)
  child.unref()
  const first = await lines.next()
  if (first.value !== 'ready' || child.pid === undefined) throw gone()
  const say = (word: string): void => {
    if (isGone) throw gone()
    child.stdin.write(`${word}\n`)
  }
  const finish = async (word: string): Promise<Ending> => {
    say(word)
    const { value } = await lines.next()
    child.stdin.end()
    child.stdout.destroy()
    if (value === undefined) throw gone()
    return JSON.parse(value) as Ending
  }
  return {
    pid: child.pid,
    alive: () => say('going on'),
    confirm: () => finish(WORDS.confirm),
    undo: (reason) => finish(`${WORDS.undo} ${reason.replace(/\s+/g, ' ')}`),
  }
}

async function* linesOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string, undefined> {
  let heard = ''
  for await (const chunk of stream) {
    const lines = `${heard}${Buffer.from(chunk).toString()}`.split('\n')
    heard = lines.pop() ?? ''
    yield* lines
  }
  return undefined
}

function gone(): BridgeError {
  return new BridgeError(
    'BRIDGE_GUARD',
    'the guard that would take everything back has ended',
    'look at `weft bridge status`; `weft bridge remove` puts back what is not complete',
  )
}
