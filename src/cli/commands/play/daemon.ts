import type { Command } from 'commander'
import { layoutOf } from '../../../playground/layout.ts'
import { daemonLog } from '../../log.ts'
import { endSignal } from '../../signals.ts'
import { type PlayOptions, withRunDir } from './shared.ts'

/**
 * `weft play daemon`, `weft play api`: a playground's processes; started by `weft play up`. They are read when they are
 * asked for: an agent does not carry an API server.
 */
export function registerPlayDaemons(play: Command): void {
  withRunDir(play.command('daemon', { hidden: true }))
    .description('run the pods of a playground, and what gives it work (started by up)')
    .action(async ({ runDir }: PlayOptions) => {
      const { runDaemon } = await import('../../../playground/daemon.ts')
      await runDaemon(layoutOf(runDir), daemonLog('daemon'), endSignal())
    })
  withRunDir(play.command('api', { hidden: true }))
    .description('run the API server of a playground (started by up)')
    .action(async ({ runDir }: PlayOptions) => {
      const { runApi } = await import('../../../playground/api-process.ts')
      await runApi(layoutOf(runDir), daemonLog('api'), endSignal())
    })
}
