/**
 * What the playground's commands share.
 * @module
 */
import type { Command } from 'commander'
import { PlaygroundError } from '../../../playground/errors.ts'
import { DEFAULT_RUN_DIR, type Layout, layoutOf } from '../../../playground/layout.ts'
import { requireRoot } from '../../../playground/preflight.ts'
import { type PlayState, stateOf } from '../../../playground/state.ts'

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
