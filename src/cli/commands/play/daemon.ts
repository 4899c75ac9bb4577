import type { Command } from 'commander'
import { runApi } from '../../../playground/api-process.ts'
import { runDaemon } from '../../../playground/daemon.ts'
import { layoutOf } from '../../../playground/layout.ts'
import { daemonLog } from '../../log.ts'
import { endSignal } from '../../signals.ts'
import { type PlayOptions, withRunDir } from './shared.ts'

/** `weft play daemon`, `weft play api`: a playground's processes; started by `weft play up`. */
export function registerPlayDaemons(play: Command): void {
  withRunDir(play.command('daemon', { hidden: true }))
    .description('run the pods of a playground, and what gives it work (started by up)')
    .action(({ runDir }: PlayOptions) => runDaemon(layoutOf(runDir), daemonLog('daemon'), endSignal()))
  withRunDir(play.command('api', { hidden: true }))
    .description('run the API server of a playground (started by up)')
    .action(({ runDir }: PlayOptions) => runApi(layoutOf(runDir), daemonLog('api'), endSignal()))
}
