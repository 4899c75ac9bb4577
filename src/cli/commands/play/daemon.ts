import type { Command } from 'commander'
import { runDaemon } from '../../../playground/daemon.ts'
import { layoutOf } from '../../../playground/layout.ts'
import { endSignal } from '../../signals.ts'
import { type PlayOptions, withRunDir } from './shared.ts'

/** `weft play daemon`: holds the echo servers; started by `weft play up`. */
export function registerPlayDaemon(play: Command): void {
  withRunDir(play.command('daemon', { hidden: true }))
    .description('hold the echo servers of a playground (started by up)')
    .action(({ runDir }: PlayOptions) => runDaemon(layoutOf(runDir), endSignal()))
}
