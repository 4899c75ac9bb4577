/**
 * What the playground's commands share.
 * @module
 */
import type { Command } from 'commander'
import { PlaygroundError } from '../../../playground/errors.ts'
import { DEFAULT_RUN_DIR, type Layout, layoutOf } from '../../../playground/layout.ts'
import { requireRoot } from '../../../playground/preflight.ts'
import { type PlayState, stateOf } from '../../../playground/state.ts'
import { codeOf } from '../../exit-codes.ts'

/** Options of every command. */
export interface PlayOptions {
  readonly runDir: string
  readonly json?: boolean
}

/** Adds the option that names the playground's folder. */
export function withRunDir(command: Command): Command {
  return command.option(
    '--run-dir <path>',
    'the playground’s folder; its name begins the names of namespaces',
    DEFAULT_RUN_DIR,
  )
}

/** The layout and state of a playground that is up. Throws PLAY_NOT_RUNNING. */
export function runningPlayground({ runDir }: PlayOptions): { readonly layout: Layout; readonly state: PlayState } {
  requireRoot()
  const layout = layoutOf(runDir)
  const state = stateOf(layout)
  if (state.complete) return { layout, state }
  throw new PlaygroundError(
    'PLAY_NOT_RUNNING',
    `the playground came up only half-way in ${layout.runDir}`,
    '`weft play down`, then `weft play`',
  )
}

/** Writes a line of text to standard output. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

/**
 * Does what has to come to its end also when whoever reads what is printed leaves before (`| head`): nobody is told anything any more
 * then. Any other failure of the output is thrown when the work is done.
 */
export async function heardOrNot<T>(work: () => Promise<T>): Promise<T> {
  const failures: Error[] = []
  const note = (error: Error): void => {
    if (codeOf(error) !== 'EPIPE') failures.push(error)
  }
  // They stay for as long as the program does: a write may fail later.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', note)
  const result = await work()
  const [first] = failures
  if (first !== undefined) throw first
  return result
}
