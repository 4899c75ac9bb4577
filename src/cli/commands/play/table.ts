import type { Command } from 'commander'
import { surroundings } from '../../../playground/cluster.ts'
import { progressOn } from '../../../playground/progress.ts'
import { cellToJson, describe, measureAll, summarize } from '../../../playground/report.ts'
import { EXIT } from '../../exit-codes.ts'
import { outputLook } from '../../look.ts'
import { type PlayOptions, runningPlayground, say, withRunDir } from './shared.ts'

/** `weft play table`: measures again. */
export function registerPlayTable(play: Command): void {
  withRunDir(play.command('table'))
    .description('measure who reaches whom in the playground that is up, beside what tenants allow')
    .option('--json', 'print every cell with its probes as JSON')
    .action(async (options: PlayOptions) => {
      const { layout } = runningPlayground(options)
      const around = await surroundings(layout)
      const verdicts = await progressOn(process.stderr).step('Measuring', () => measureAll(layout, around))
      const summary = summarize(around, verdicts)
      if (options.json === true) say(JSON.stringify({ ...summary, cells: verdicts.map(cellToJson) }))
      else say(describe(around, verdicts, outputLook()))
      process.exitCode = summary.wrong === 0 ? EXIT.ok : EXIT.failed
    })
}
