import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { PlaygroundError } from '../../../playground/errors.ts'
import { isOurFolder, layoutOf } from '../../../playground/layout.ts'
import { requireRoot } from '../../../playground/preflight.ts'
import { progressOn } from '../../../playground/progress.ts'
import { exclusively } from '../../../playground/state.ts'
import { type Removed, tearDown } from '../../../playground/tear-down.ts'
import { heardOrNot, type PlayOptions, say, withRunDir } from './shared.ts'

/** `weft play down`: removes a playground without trace. */
export function registerPlayDown(play: Command): void {
  withRunDir(play.command('down'))
    .description('remove a playground without trace: processes, namespaces, links, sockets, files')
    .option('--json', 'print what was removed as JSON')
    .action(async ({ runDir, json = false }: PlayOptions) => {
      requireRoot()
      const layout = layoutOf(runDir)
      if (!isOurFolder(layout)) {
        const message = `${layout.runDir} is no playground’s folder: it holds files that none made`
        throw new PlaygroundError('PLAY_USAGE', message, 'name the folder that `weft play` was given')
      }
      // Whoever is alone in it makes the folder.
      const folder = existsSync(layout.runDir)
      const { step } = progressOn(process.stderr)
      const removed = await heardOrNot(() =>
        exclusively(layout, () => step('Removing the playground', () => tearDown(layout))),
      )
      say(json ? JSON.stringify({ ...removed, folder }) : told({ ...removed, folder }, layout.runDir))
    })
}

function told({ processes, namespaces, folder }: Removed, runDir: string): string {
  const isNothing = !folder && processes === 0 && namespaces === 0
  if (isNothing) return `Nothing to take down: there is no playground in ${runDir}.`
  return `Removed ${processes} processes and ${namespaces} namespaces; nothing is left.`
}
